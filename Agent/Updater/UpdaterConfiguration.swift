package import Configuration
package import Logging
import Releases
import Units
import Web

/// The configuration file of `strata-updater`.
package struct UpdaterConfiguration: Sendable {
    /// Slots, links and journal.
    let rootFolder: String
    /// The agent's, with the board's identity.
    let stateFolder: String
    /// The agent's, with what it says of itself.
    let runtimeFolder: String
    /// The list of keys that came with the installation.
    let keyFile: String
    /// The agent that came with the installation: the first version.
    let program: String
    /// The command that ends the agent and starts what the link points to.
    let restart: [String]
    let machine: MachineClass
    /// The least steady channel that is followed, whatever control says.
    let channel: ReleaseChannel
    /// Between two questions to control while nothing is under way.
    let interval: Duration
    /// Of a download; nil: none.
    let cap: Bitrate?
    /// How long a new version has to show that it works.
    let proofLimit: Duration
    /// What control is reached through.
    let proxy: ClientOptions.Proxy?
    package let logLevel: Log.Level

    /// - Parameters:
    ///   - text: the file's.
    ///   - source: its name.
    /// - Throws: every fault at once.
    package init(_ text: String, source: String, environment: [String: String]) throws(ConfigurationFaults) {
        let reader = try ConfigurationReader(text, source: source, environment: environment)
        let folders = reader.section("folders")
        rootFolder = folders.string("root", default: "/var/lib/strata-updater", Self.path, where: Self.isPath)
        stateFolder = folders.string("state", default: "/var/lib/strata", Self.path, where: Self.isPath)
        runtimeFolder = folders.string("runtime", default: "/run/strata", Self.path, where: Self.isPath)
        keyFile = reader.section("keys").string("file", default: "/etc/strata/release-keys", Self.path, where: Self.isPath)
        let agent = reader.section("agent")
        program = agent.string("program", default: "/usr/bin/strata-agent", Self.path, where: Self.isPath)
        restart = agent.strings(
            "restart", default: ["/usr/bin/systemctl", "restart", "strata-agent.service"], "a program's absolute path and its arguments",
            isFilled: true)
        if let first = restart.first, !Self.isPath(first) { reader.note("agent.restart", first, "a program's absolute path first") }
        let updates = reader.section("updates")
        let machine = updates.string("machine", default: Self.ownMachine, "1 to 32 of a-z, 0-9 and hyphens") { MachineClass($0) != nil }
        channel = updates.choice("channel", default: ReleaseChannel.edge, placeholder: .stable)
        interval = updates.duration("interval_seconds", default: 300, in: 1...86_400)
        cap = updates.isGiven("bandwidth_kbit") ? updates.bitrate("bandwidth_kbit", in: 16...10_000_000) : nil
        proofLimit = updates.duration("proof_seconds", default: 300, in: 40...3600)
        let proxy = reader.section("server").optionalString("proxy", ClientOptions.Proxy.expected) { ClientOptions.Proxy($0) != nil }
        let level = reader.section("log").choice("level", default: LevelName.notice, placeholder: .notice)
        logLevel = Log.Level(name: level.rawValue) ?? .notice
        try reader.finish()
        guard let machineClass = MachineClass(machine) else { preconditionFailure("the key's rule is that it is one") }
        self.machine = machineClass
        self.proxy = proxy.flatMap { ClientOptions.Proxy($0) }
    }

    private static let path = "an absolute path"
    private static func isPath(_ text: String) -> Bool { text.hasPrefix("/") }

    #if arch(arm64)
        private static let ownMachine = "arm64"
    #else
        private static let ownMachine = "amd64"
    #endif

    private enum LevelName: String, CaseIterable { case trace, debug, info, notice, warning, error }
}
