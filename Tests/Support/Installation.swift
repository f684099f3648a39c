package import Foundation
import Posix

/// Control, a pool and senders as real processes of a stage, set up by `strata-provision` as an installer would.
///
/// The page is on `127.0.0.1:<pagePort>`; devices come by TLS to `origin`, under an authority made for this installation.
/// Programs are not supervised: a test that kills one starts it again with the same call.
package final class Installation: @unchecked Sendable {
    // Sendable: a test uses it from one task at a time; what changes is behind `programs`' lock.
    package let stage: Stage
    /// The address that boards reach this machine by: a field network's `cloudAddress`, or loopback.
    package let cloud: String
    package let pagePort: Int
    package let origin: String
    package let ports: ClosedRange<Int>
    package let ownerPassword = "correct horse battery staple"
    /// `cloud`, as it stands before a port.
    private let host: String
    private let tlsPort: Int
    private let settings: Settings
    private let programs = Guarded<[String: RunningProgram]>([:])

    package struct Settings: Sendable {
        package var capacity = 8
        /// Percent of all processors from which on the pool takes nothing more: never, as tests keep this machine busy.
        package var cpuLimit = 100
        /// Ports that the pool may lease.
        package var portCount = 20
        /// Networks that outputs may go to; the guard refuses this machine's own otherwise.
        package var outbound = ["127.0.0.0/8"]
        /// The same of the pool's host, where it differs.
        package var poolOutbound: [String]?
        package var logLevel = "info"
        /// An authority in a PEM file that the pool's host believes, in place of those it believes otherwise.
        package var authority: String?
        /// Without it only control runs.
        package var hasPool = true
        /// Without one the server waits for its setup secret.
        package var hasOwner = true
        /// A name that boards know this machine by, for control's and the receivers' both: they are told it in place of `cloud`.
        package var hostName: String?
        /// The port of HTTPS; else one that is free.
        package var tlsPort: Int?
        /// Where a proxy on this machine ends TLS in front of control; the test starts it.
        package var proxyPort: Int?
        /// Requests of one user.
        package var requestsPerMinute = 10_000
        /// What comes before the command of control, of the pool and of `strata-provision`.
        package var inside: [String] = []
        /// Requests of one address that nobody signed for.
        package var openPerMinute = 1_000_000
        /// Guests of one address at one meeting within five minutes.
        package var guestJoinsPerAddress = 1_000_000
        /// By the keys of control's configuration; what is not named has its standard.
        package var quotas: [String: Int] = [:]
        /// The folder of the web application, which `ci/dashboard` has made.
        package var dashboard = Places.root.appendingPathComponent(".build/dashboard").path

        /// The port of a mail server on this machine; without one no mail is sent.
        package var mailPort: Int?
        /// More sections of control's configuration.
        package var sections = ""

        package init() {}
    }

    /// Starts control and the pool, registers the owner and enrolls the pool.
    package init(on stage: Stage, cloud: String = "127.0.0.1", _ settings: Settings = Settings()) async throws {
        self.stage = stage
        self.cloud = cloud
        self.settings = settings
        pagePort = try FreePorts.tcp()
        tlsPort = try settings.tlsPort ?? FreePorts.tcp()
        ports = try FreePorts.udpRange(settings.portCount)
        host = cloud.contains(":") ? "[\(cloud)]" : cloud
        origin = "https://\(host):\(tlsPort)"
        for name in ["run", "pool", "recordings"] { _ = try stage.folder.makeFolder(name) }
        let hosts = ([cloud, "localhost"] + [settings.hostName].compactMap { $0 }).flatMap { ["--host", $0] }
        _ = try await provision(["authority", "issue"] + hosts + ["--directory", stage.folder["authority"]])
        try stage.folder.write(controlConfiguration, to: "control.conf")
        try stage.folder.write(poolConfiguration, to: "pool.conf")
        try stage.folder.write(ownerPassword, to: "password")
        try await startControl()
        if settings.hasOwner { try await registerOwner() }
        guard settings.hasPool else { return }
        try await enrollPool()
        try await startPool()
    }

    /// What boards know control by.
    package var boardOrigin: String {
        settings.proxyPort.map { "https://\(host):\($0)" } ?? settings.hostName.map { "https://\($0):\(tlsPort)" } ?? origin
    }
    /// Where they reach it, whatever they call it.
    package var boardPort: Int { settings.proxyPort ?? tlsPort }

    private func registerOwner() async throws {
        _ = try await provision([
            "register", "--setup-secret-file", stage.folder["control/setup-secret"], "--organization", "Demonstration", "--slug", "demo",
            "--email", "owner@example.org", "--name", "Owner", "--password-file", stage.folder["password"],
        ])
    }

    // MARK: Programs

    /// A program by its role: `control`, `pool`, or a sender's name.
    package func program(_ role: String) throws -> RunningProgram {
        guard let program = programs.withLock({ $0[role] }) else { throw SupportFailure("there is no \(role)") }
        return program
    }

    @discardableResult
    package func startControl() async throws -> RunningProgram {
        let control = try keep(
            "control", stage.start("strata-control", ["--config", stage.folder["control.conf"]], inside: settings.inside))
        try await control.line(containing: "\"listening\"", within: .seconds(20))
        return control
    }

    /// Starts the pool and waits until it has reached control.
    @discardableResult
    package func startPool() async throws -> RunningProgram {
        let pool = try keep(
            "pool", stage.start("strata-pool", ["--config", stage.folder["pool.conf"]], inside: settings.inside + believing))
        try await pool.line(containing: "connected to control", within: .seconds(20))
        return pool
    }

    /// What comes before the pool's command: a mount namespace in which the system's authorities are the test's own.
    private var believing: [String] {
        guard let authority = settings.authority else { return [] }
        let script = "mount --bind \"$0\" /etc/ssl/certs/ca-certificates.crt && exec \"$@\""
        return ["unshare", "--mount", "sh", "-c", script, authority]
    }

    /// Enrolls a sender; it lives in `inside`, and uses the interfaces that `links` name.
    /// - Returns: its device id.
    package func enrollSender(
        _ name: String = "sender", inside: [String] = [], links: [String] = [], media: String? = nil
    ) async throws -> String {
        let token = stage.folder["\(name).token"]
        _ = try await provision(["token", "create", "--kind", "sender", "--output", token])
        try await redeem(token, name, inside: inside, links: links, media: media)
        let devices = try await provision(["sender", "list"])
        guard let device = Self.items(devices).first(where: { $0["name"] as? String == name })?["id"] as? String else {
            throw SupportFailure("control does not know \(name): \(String(decoding: devices, as: UTF8.self))")
        }
        return device
    }

    /// Enrolls a sender by a token that somebody else got, in the file `token`.
    package func redeem(
        _ token: String, _ name: String, inside: [String] = [], links: [String] = [], media: String? = nil
    ) async throws {
        let folder = try stage.folder.makeFolder("\(name).state")
        try stage.folder.write(
            """
            [folders]
            runtime = "\(try stage.folder.makeFolder("\(name).run"))"
            state = "\(folder)"
            \(media.map { "media = \"\($0)\"" } ?? "")
            [links]
            allow = [\(links.map { "\"\($0)\"" }.joined(separator: ", "))]
            [trace]
            access_units = "\(tracePath(name))"
            [log]
            level = "\(settings.logLevel)"
            """, to: "\(name).conf")
        let enrollment = try stage.start(
            "strata-agent",
            ["enroll", "--server", boardOrigin, "--token-file", token, "--config", stage.folder["\(name).conf"], "--name", name],
            inside: inside)
        guard try await enrollment.end(within: .seconds(20)) == 0 else { throw SupportFailure("no enrollment:\n\(enrollment.tail)") }
    }

    /// Starts an enrolled sender and waits until it has reached control.
    @discardableResult
    package func startSender(_ name: String = "sender", inside: [String] = []) async throws -> RunningProgram {
        let sender = try keep(name, stage.start("strata-agent", ["--config", stage.folder["\(name).conf"]], inside: inside))
        try await sender.line(containing: "connected to control", within: .seconds(20))
        return sender
    }

    /// Where a sender writes the access units that it muxes.
    package func tracePath(_ name: String = "sender") -> String { stage.folder["\(name).trace"] }

    // MARK: strata-provision

    /// Runs a command as the owner. The answer is JSON, as `Wire` has it.
    @discardableResult
    package func provision(_ words: [String]) async throws -> Data {
        let session = ["--server", "http://127.0.0.1:\(pagePort)", "--session", stage.folder["session.json"]]
        let line = settings.inside + [try Places.program("strata-provision")] + session + words
        return try await runTool(line[0], Array(line.dropFirst())).output
    }

    package func provision<Answer: Decodable>(_ words: [String], as type: Answer.Type = Answer.self) async throws -> Answer {
        try JSONDecoder().decode(type, from: try await provision(words))
    }

    /// A destination at a peer; the secret is the RTMP stream key or the SRT passphrase.
    /// - Returns: its id.
    package func addDestination(_ url: String, secret: String? = nil, _ more: [String] = []) async throws -> String {
        var words = ["destination", "add", "--name", "d\(UUID().uuidString.prefix(8))", "--url", url] + more
        if let secret { words += ["--secret-file", try stage.folder.write(secret, to: "secret-\(UUID().uuidString)")] }
        return try Self.text(try await provision(words), "id")
    }

    /// Starts a broadcast and waits until it has settled.
    /// - Returns: its id.
    package func startBroadcast(sender: String, destinations: [String], _ more: [String] = []) async throws -> String {
        let to = destinations.flatMap { ["--destination", $0] }
        return try Self.text(try await provision(["broadcast", "start", "--sender", sender] + to + more + ["--wait"]), "id")
    }

    /// What control shows: `live`, `interrupted` and so on.
    package func state(of broadcast: String) async throws -> String {
        try Self.text(try await provision(["broadcast", "show", broadcast]), "state")
    }

    /// Stops a broadcast and waits for its end.
    package func stopBroadcast(_ broadcast: String) async throws {
        try await provision(["broadcast", "stop", broadcast, "--wait"])
    }

    // MARK: Parts

    func keep(_ role: String, _ program: RunningProgram) -> RunningProgram {
        programs.withLock { $0[role] = program }
        return program
    }

    /// Enrolls the host of `pool.conf` without starting its pool: what makes it that host is in the stage's folder `pool`.
    package func enrollPool() async throws {
        let token = stage.folder["pool.token"]
        _ = try await provision([
            "token", "create", "--kind", "pool", "--operator-token-file", stage.folder["control/operator-token"], "--output", token,
        ])
        let enrollment = try stage.start(
            "strata-pool", ["enroll", "--server", origin, "--token-file", token, "--config", stage.folder["pool.conf"], "--name", "pool"],
            inside: settings.inside)
        guard try await enrollment.end(within: .seconds(20)) == 0 else { throw SupportFailure("no enrollment:\n\(enrollment.tail)") }
    }

    private static func items(_ json: Data) -> [[String: Any]] {
        let object = try? JSONSerialization.jsonObject(with: json) as? [String: Any]
        return object?["items"] as? [[String: Any]] ?? []
    }

    private static func text(_ json: Data, _ key: String) throws -> String {
        guard let object = try JSONSerialization.jsonObject(with: json) as? [String: Any], let text = object[key] as? String else {
            throw SupportFailure("no \(key) in \(String(decoding: json, as: UTF8.self))")
        }
        return text
    }

    private var controlConfiguration: String {
        """
        [server]
        listen = ["127.0.0.1:\(pagePort)"]
        listen_tls = ["\(host):\(tlsPort)"]
        certificate = "\(stage.folder["authority/chain.pem"])"
        private_key = "\(stage.folder["authority/key.pem"])"
        authority = "\(stage.folder["authority/ca.pem"])"
        origins = ["\(origin)", \(boardOrigin == origin ? "" : "\"\(boardOrigin)\", ")"http://127.0.0.1:\(pagePort)"]
        \(settings.proxyPort == nil ? "" : "trusted_proxies = [\"127.0.0.1\"]\ntls_ends_at_proxy = true")
        dashboard = "\(settings.dashboard)"
        [storage]
        state = "\(stage.folder["control"])"
        [limits]
        general_per_minute = \(settings.requestsPerMinute)
        open_per_minute = \(settings.openPerMinute)
        guest_joins_per_address = \(settings.guestJoinsPerAddress)
        [quotas]
        \(settings.quotas.map { "\($0.key) = \($0.value)" }.joined(separator: "\n"))
        \(settings.mailPort.map { "[mail]\nserver = \"127.0.0.1:\($0)\"\nsecurity = \"none\"\nfrom = \"strata@example.org\"" } ?? "")
        [outbound]
        allow = [\(settings.outbound.map { "\"\($0)\"" }.joined(separator: ", "))]
        \(settings.sections)
        [log]
        level = "\(settings.logLevel)"
        """
    }

    private var poolConfiguration: String {
        """
        [host]
        public_addresses = ["\(settings.hostName ?? cloud)"]
        bind = ["\(cloud)"]
        first_port = \(ports.lowerBound)
        last_port = \(ports.upperBound)
        capacity = \(settings.capacity)
        cpu_limit = \(settings.cpuLimit)
        [folders]
        runtime = "\(stage.folder["run"])"
        state = "\(stage.folder["pool"])"
        recordings = "\(stage.folder["recordings"])"
        [outbound]
        allow = [\((settings.poolOutbound ?? settings.outbound).map { "\"\($0)\"" }.joined(separator: ", "))]
        [log]
        level = "\(settings.logLevel)"
        """
    }
}
