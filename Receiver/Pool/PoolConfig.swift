package import Configuration
import Glibc
package import Logging
import Posix
import Web
import Wire

/// The configuration of `strata-pool`, as its file says it.
package struct PoolConfig: Sendable {
    package let settings: PoolSettings
    package let logLevel: Log.Level

    /// - Parameters:
    ///   - program: path of this program; the receiver's default lies beside it.
    ///   - environment: `STRATA_<SECTION>_<KEY>` wins over the file.
    /// - Throws: `ConfigurationFaults`, all together.
    package init(
        _ text: String, source: String, environment: [String: String], program: String, version: String
    ) throws(ConfigurationFaults) {
        let reader = try ConfigurationReader(text, source: source, environment: environment)
        let host = reader.section("host")
        let folders = reader.section("folders")
        let isPath = { (text: String) in text.hasPrefix("/") }
        let first = host.integer("first_port", default: 20_000, in: 1024...65_535)
        let last = host.integer("last_port", default: 20_999, in: 1024...65_535)
        // What is no port has a fault of its own, and a number here that nobody wrote.
        let arePorts = !reader.hasFault("host.first_port") && !reader.hasFault("host.last_port")
        if arePorts, last < first { reader.note("host.last_port", "\(last)", "at least host.first_port, \(first)") }
        let level = reader.section("log").choice("level", default: LevelName.notice, placeholder: .notice)
        let addresses = host.strings(
            "public_addresses", "what boards reach this host by, each \(PublicAddress.expected)", isFilled: true,
            where: PublicAddress.isOne)
        if addresses.count > WireLimits.publicAddresses {
            reader.note("host.public_addresses", "\(addresses.count) entries", "at most \(WireLimits.publicAddresses)")
        }
        let bind = host.strings("bind", default: ["0.0.0.0"], "addresses, e.g. 0.0.0.0 or ::") { PoolConfig.isAddress($0) }
        PoolConfig.checkFamilies(addresses, bind, reader)
        var settings = PoolSettings(
            publicAddresses: addresses, bind: bind,
            ports: PortRange(first: first, last: last),
            capacity: host.integer("capacity", default: 5 * sysconf(CInt(_SC_NPROCESSORS_ONLN)), in: 1...10_000),
            receiver: host.string("receiver", default: PoolConfig.beside(program), "an absolute path", where: isPath),
            receiverLogLevel: "\(level.rawValue)",
            runtimeFolder: folders.string("runtime", default: "/run/strata", "an absolute path", where: isPath),
            stateFolder: folders.string("state", default: "/var/lib/strata/pool", "an absolute path", where: isPath), version: version)
        settings.cpuLimit = host.integer("cpu_limit", default: 90, in: 1...100)
        settings.recordings = folders.optionalString("recordings", "an absolute path", where: isPath)
        settings.outbound = reader.section("outbound").strings("allow", default: [], "networks such as 192.168.1.0/24") {
            AddressRange($0) != nil
        }
        settings.proxy = reader.section("server").optionalString("proxy", ClientOptions.Proxy.expected) { ClientOptions.Proxy($0) != nil }
            .flatMap { ClientOptions.Proxy($0) }
        self.settings = settings
        logLevel = Log.Level(name: level.rawValue) ?? .notice
        try reader.finish()
    }

    /// A board that is told an address of a family in which nothing listens would try it for ever.
    private static func checkFamilies(_ publicAddresses: [String], _ bind: [String], _ reader: ConfigurationReader) {
        let bound = Set(bind.compactMap { SocketAddress($0, port: 0)?.family })
        for text in publicAddresses {
            guard let address = SocketAddress(text, port: 0), !bound.contains(address.family) else { continue }
            let wanted = address.family == .ipv6 ? "an IPv6 address too, e.g. ::" : "an IPv4 address too, e.g. 0.0.0.0"
            reader.note("host.bind", "\(bind)", "\(wanted), because host.public_addresses has \(text)")
        }
    }

    private enum LevelName: String, CaseIterable { case trace, debug, info, notice, warning, error }

    private static func isAddress(_ text: String) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 16)
        return inet_pton(AF_INET, text, &bytes) == 1 || inet_pton(AF_INET6, text, &bytes) == 1
    }

    private static func beside(_ program: String) -> String {
        let folder = program.lastIndex(of: "/").map { String(program[..<$0]) } ?? ""
        return folder.hasPrefix("/") ? folder + "/strata-receiver" : "/usr/lib/strata/strata-receiver"
    }
}
