package import Auth
package import Configuration
package import Crypto
package import HTTP
package import Identity
package import Logging
package import Mail
package import Posix
package import Reporting
package import Rooms
package import S3
package import SelfUpdate
package import Store
package import TLS
import Units
package import Web

/// How control is set up: read once from its file, then the environment. `systemd/strata-control.conf` explains each key.
package struct ControlConfiguration: Sendable {
    package let server: ServerConfiguration
    /// The origins this server is known by; the first goes into what it says of itself.
    package let origins: [ServerOrigin]
    /// Whether a configured proxy ends TLS, so that devices' proofs are bound to the origin alone (THREATS 3).
    package let endsTLSAtProxy: Bool
    /// The certificate of the server's own CA, which devices pin; nil where a public one signed the server's.
    package let authorityFile: String?
    package let stateFolder: String
    /// The folder of the web application.
    package let dashboard: String
    package let outbound: [AddressRange]
    package let loops: Int
    package let limits: Gate.Limits
    /// Guests who come to one meeting from one address.
    package let guests: RateLimit
    package let quotas: Quotas
    /// nil: no mail is sent.
    package let mail: MailServer?
    /// nil: `strata-control backup` has nobody to seal for.
    package let retention: Retention
    package let backups: Backups?
    package let rooms: RoomSettings
    /// nil: blobs lie on this machine's disk.
    package let bucket: S3Settings?
    /// When the key to it ends, where the operator says that it does.
    package let bucketKeyEnd: Timestamp?
    /// Whom errors are told beside the installation's own tracker, which is a setting; nil: nobody.
    package let vendor: DSN?
    /// What errors say of this installation, e.g. `production`.
    package let environment: String
    /// The collector of traces; nil: nothing is followed.
    package let collector: URLParts?
    /// Of the requests and jobs that are followed, 0 to 1.
    package let traceShare: Double
    /// Whose releases this server takes, and where they are fetched from.
    package let updates: UpdateSource
    package let logLevel: Log.Level

    /// - Throws: `ConfigurationFaults`, all of them together.
    package init(_ text: String, source: String, environment: [String: String]) throws(ConfigurationFaults) {
        let reader = try ConfigurationReader(text, source: source, environment: environment)
        let section = reader.section("server")
        let certificate = Self.certificate(section, reader)
        let plain = section.addresses("listen", default: [HostPort(host: "127.0.0.1", port: 8080)])
        let encrypted = section.addresses("listen_tls", default: [])
        if !encrypted.isEmpty, certificate == nil {
            reader.note("server.certificate", nil, "the file of the certificate chain, because server.listen_tls is given")
        }
        let turn = TURNByTLS(reader.section("rooms"), reader, hasTLS: !encrypted.isEmpty)
        let listeners =
            Self.listeners(plain, nil, "server.listen", reader)
            + Self.listeners(encrypted, certificate, "server.listen_tls", reader).map {
                Listener($0.address, certificate: $0.certificate, passage: turn?.passage)
            }
        let proxyTexts = section.strings("trusted_proxies", default: [], "addresses or networks such as 10.0.0.0/8") {
            TrustedProxies([$0]) != nil
        }
        server = ServerConfiguration(listeners: listeners, trustedProxies: TrustedProxies(proxyTexts) ?? TrustedProxies())
        endsTLSAtProxy = section.boolean("tls_ends_at_proxy", default: false)
        authorityFile = section.optionalString("authority")
        let origins = section.strings("origins", "a list of origins such as https://live.example.org") { Self.origin($0) != nil }
        self.origins = origins.compactMap(Self.origin)
        if origins.isEmpty { reader.note("server.origins", nil, "at least one origin such as https://live.example.org") }
        dashboard = section.string("dashboard", default: "/usr/share/strata/dashboard", "an absolute path") { $0.hasPrefix("/") }
        loops = section.integer("threads", default: 1, in: 1...64)
        stateFolder = reader.section("storage").string("state", default: "/var/lib/strata/control", "an absolute path") {
            $0.hasPrefix("/")
        }
        outbound = reader.section("outbound").strings("allow", default: [], "networks such as 192.168.1.0/24") { AddressRange($0) != nil }
            .compactMap(AddressRange.init)
        let limits = reader.section("limits")
        self.limits = Self.limits(limits)
        guests = RateLimit(limits.integer("guest_joins_per_address", default: 3, in: 1...1_000_000), per: .seconds(300))
        quotas = Self.quotas(reader.section("quotas"))
        mail = MailServer(reader)
        retention = Self.retention(reader.section("retention"))
        backups = Self.backups(reader.section("backup"))
        rooms = Self.rooms(reader.section("rooms"), reader, turn, logLevel: reader.section("log").level())
        if rooms.workers > 0, rooms.announced.isEmpty, !Set(["0.0.0.0", "::"]).isDisjoint(with: rooms.bind) {
            reader.note("rooms.announce", nil, "the addresses at which browsers reach this machine, as rooms.bind names all that it has")
        }
        bucket = S3Settings(reader)
        let keyEnd = reader.section("blobs").optionalString("access_key_ends", "a day such as 2027-06-01") { Self.day($0) != nil }
        bucketKeyEnd = keyEnd.flatMap { Self.day($0) }
        updates = UpdateSource(reader)
        let errors = reader.section("errors")
        vendor = Self.dsn(errors, reader)
        self.environment = errors.string("environment", default: "production", "1 to 64 letters, digits, dots, hyphens and underlines") {
            (1...64).contains($0.utf8.count) && $0.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || ".-_".contains($0)) }
        }
        let traces = reader.section("traces")
        collector = Self.collector(traces)
        traceShare = traces.number("sample_ratio", default: 0.01, in: 0...1)
        logLevel = reader.section("log").level()
        try reader.finish()
    }

    /// What those who dial expect of the server's chain; where a proxy ends TLS it is the proxy's that they see, and this one the proxy's.
    package func chainDemand(authority: Certificate?) -> ChainDemand {
        guard !endsTLSAtProxy else { return ChainDemand(authority: nil, hosts: []) }
        return ChainDemand(authority: authority?.fingerprint, hosts: origins.filter(\.isTLS).map(\.host))
    }

    private static func limits(_ section: ConfigurationSection) -> Gate.Limits {
        var limits = Gate.Limits()
        limits.general = RateLimit(section.integer("general_per_minute", default: 100, in: 10...1_000_000), per: .seconds(60))
        limits.open = RateLimit(section.integer("open_per_minute", default: 600, in: 10...1_000_000), per: .seconds(60))
        return limits
    }

    private static func quotas(_ section: ConfigurationSection) -> Quotas {
        var quotas = Quotas()
        for quota in Quota.allCases { quotas[quota] = section.integer(quota.rawValue, default: quota.standard, in: 1...quota.most) }
        return quotas
    }

    private static func retention(_ section: ConfigurationSection) -> Retention {
        var retention = Retention()
        retention.deliveries = .seconds(section.integer("deliveries_days", default: 30, in: 1...3650) * 86_400)
        retention.health = .seconds(section.integer("health_days", default: 90, in: 1...3650) * 86_400)
        return retention
    }

    private static func backups(_ section: ConfigurationSection) -> Backups? {
        let folder = section.string("folder", default: "/var/backups/strata", "an absolute path") { $0.hasPrefix("/") }
        let days = section.integer("keep_days", default: 30, in: 1...3650)
        return section.optionalString("recipient").map { Backups(recipient: $0, folder: folder, keepDays: days) }
    }

    private static func rooms(
        _ section: ConfigurationSection, _ reader: ConfigurationReader, _ turn: TURNByTLS?, logLevel: Log.Level
    ) -> RoomSettings {
        func isAddress(_ text: String) -> Bool { SocketAddress(text, port: 1) != nil }
        let absolute = { (path: String) in path.hasPrefix("/") }
        return RoomSettings(
            program: section.string("program", default: "/usr/bin/strata-sfu", "an absolute path", where: absolute),
            folder: section.string("runtime", default: "/run/strata/control", "an absolute path", where: absolute),
            workers: section.integer("workers", default: 0, in: 0...64), port: section.integer("port", default: 8189, in: 0...65_000),
            bind: section.strings("bind", default: ["0.0.0.0"], "addresses such as 0.0.0.0 or ::", where: isAddress),
            announced: section.strings("announce", default: [], "addresses such as 203.0.113.5", where: isAddress),
            servers: servers(section, reader, turn), logLevel: "\(logLevel)",
            recordings: section.optionalString("recordings", "an absolute path", where: absolute))
    }

    private static func servers(
        _ section: ConfigurationSection, _ reader: ConfigurationReader, _ byTLS: TURNByTLS?
    ) -> ICEServers {
        let stun = section.strings("stun", default: [], "addresses such as stun:stun.example.org:3478", where: ICEServers.isSTUN)
        let turn = section.strings(
            "turn", default: [], "addresses such as turn:turn.example.org:3478?transport=udp", where: ICEServers.isTURN)
        let secret = turnSecret(section, reader)
        let hasTURN = !turn.isEmpty || section.isGiven("turn_tls")
        if hasTURN != section.isGiven("turn_secret_file") { reader.note("rooms.turn, rooms.turn_secret_file", nil, "both or neither") }
        // The last one, as it is the dearest: for whom nothing else goes through.
        return ICEServers(stun: stun, turn: turn + [byTLS?.url].compactMap { $0 }, secret: secret)
    }

    private static func turnSecret(_ section: ConfigurationSection, _ reader: ConfigurationReader) -> Secret? {
        guard let path = section.optionalString("turn_secret_file", "the path of a file of mode 0600") else { return nil }
        do throws(CryptoError) {
            let line = String((try KeyFile.read(path) ?? "").prefix { !$0.isNewline })
            guard line.utf8.count >= 16 else {
                reader.note("rooms.turn_secret_file", path, "a file whose first line is the secret, of 16 bytes or more")
                return nil
            }
            return Secret(line)
        } catch {
            reader.note("rooms.turn_secret_file", path, "\(error)")
            return nil
        }
    }

    private static func collector(_ section: ConfigurationSection) -> URLParts? {
        func url(_ text: String) -> URLParts? {
            // try?: whatever is wrong with it, the fault says what one looks like.
            guard let url = try? URLParts(text, schemes: [.http, .https]), url.query == nil else { return nil }
            let isHere = url.host == "localhost" || SocketAddress(url.host, port: url.port)?.isLoopback == true
            return url.scheme.isTLS || isHere ? url : nil
        }
        return section.optionalString("endpoint", "https://HOST:PORT, or http:// of this machine") { url($0) != nil }.flatMap(url)
    }

    private static func dsn(_ section: ConfigurationSection, _ reader: ConfigurationReader) -> DSN? {
        guard let text = section.secret("vendor_dsn"), !text.isEmpty else { return nil }
        guard let dsn = DSN(text.revealed) else {
            reader.note("errors.vendor_dsn", nil, DSN.expected)
            return nil
        }
        return dsn
    }

    /// The beginning of a day, `2027-06-01`, in UTC.
    private static func day(_ text: String) -> Timestamp? { Timestamp(text: "\(text)T00:00:00.000Z") }

    private static func origin(_ text: String) -> ServerOrigin? {
        // try?: whatever is wrong with it, it is not an origin, and the fault says what one looks like.
        try? ServerOrigin(text)
    }

    private static func certificate(_ section: ConfigurationSection, _ reader: ConfigurationReader) -> CertificateFiles? {
        let chain = section.optionalString("certificate")
        let key = section.optionalString("private_key")
        guard (chain == nil) == (key == nil) else {
            reader.note("server.certificate, server.private_key", nil, "both or neither")
            return nil
        }
        guard let chain, let key else { return nil }
        return CertificateFiles(chain: chain, key: key)
    }

    private static func listeners(
        _ addresses: [HostPort], _ certificate: CertificateFiles?, _ key: String, _ reader: ConfigurationReader
    ) -> [Listener] {
        addresses.compactMap { place in
            guard let address = SocketAddress(place.host, port: place.port) else {
                reader.note(key, place.description, "an address and a port such as 127.0.0.1:8080")
                return nil
            }
            if certificate == nil, key == "server.listen", !address.isLoopback {
                reader.note(key, place.description, "a loopback address: without TLS nothing else is served")
            }
            return Listener(address, certificate: certificate)
        }
    }
}

extension ConfigurationSection {
    /// `level`: from which level on lines are written.
    package func level() -> Log.Level {
        let text = string("level", default: "notice", "trace, debug, info, notice, warning or error") { Log.Level(name: $0) != nil }
        return Log.Level(name: text) ?? .notice
    }
}
