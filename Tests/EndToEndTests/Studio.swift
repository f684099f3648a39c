import Foundation
import HTTP
import Lab
import Posix
import Support
import Units
import Wire

/// A whole Strata for one test: control, a pool host, a board in the field, and a platform; all real programs.
final class Studio: Sendable {
    let stage: Stage
    let network: FieldNetwork
    let nginx: Nginx
    let owner: Browser
    let controlPort: Int
    let ports: ClosedRange<Int>
    private let running = Guarded<[String: RunningProgram]>([:])

    var control: RunningProgram { program("control") }
    var pool: RunningProgram { program("pool") }
    var agent: RunningProgram { program("agent") }

    static let password = "correct horse battery"

    /// Links as good as a cable, unless told otherwise.
    static let links = [
        LinkShape(up: LinkProfile(rateKbit: 4000, delayMs: 25, queueMs: 300), down: LinkProfile(rateKbit: 4000, delayMs: 25, queueMs: 300)),
        LinkShape(up: LinkProfile(rateKbit: 3000, delayMs: 35, queueMs: 300), down: LinkProfile(rateKbit: 3000, delayMs: 35, queueMs: 300)),
        LinkShape(up: LinkProfile(rateKbit: 2000, delayMs: 50, queueMs: 300), down: LinkProfile(rateKbit: 2000, delayMs: 50, queueMs: 300)),
    ]

    /// - Parameter capacity: streams the pool host takes.
    init(on stage: Stage, links: [LinkShape] = Studio.links, capacity: Int = 4) async throws {
        self.stage = stage
        network = try FieldNetwork(links: links)
        nginx = try await Nginx(on: stage)
        controlPort = try FreePorts.tcp()
        ports = try FreePorts.udpRange(capacity + 2)
        owner = try Browser(server: "https://\(network.cloudAddress):\(controlPort)")
        do {
            try await install(capacity: capacity)
        } catch {
            network.remove()
            throw error
        }
    }

    private func program(_ name: String) -> RunningProgram {
        guard let program = running.withLock({ $0[name] }) else { preconditionFailure("\(name) was started by the installation") }
        return program
    }

    func clear() async {
        owner.close()
        await stage.clear()
        network.remove()
    }

    // MARK: Installing

    private func install(capacity: Int) async throws {
        let folder = stage.folder
        _ = try await finished("strata-provision", [
            "authority", "issue", "--host", network.cloudAddress, "--host", "localhost", "--directory", folder["tls"],
        ])
        try writeConfigurations(capacity: capacity)
        try await startControl()
        try owner.trust(folder["tls/ca.pem"])
        let secret = try String(contentsOfFile: folder["control/setup-secret"], encoding: .utf8).trimmingCharacters(in: .newlines)
        try await owner.register(secret: secret, slug: "demo", email: "owner@demo.example", password: Self.password)
        owner.watch()
        try await enrollPool()
        try await startPool()
        try await enrollSender()
        try await startAgent()
    }

    private func finished(_ program: String, _ arguments: [String], inside: [String] = []) async throws -> RunningProgram {
        let running = try stage.start(program, arguments, inside: inside)
        let ending = try await running.end(within: .seconds(20))
        guard ending == 0 else { throw SupportFailure("\(program) \(arguments.joined(separator: " ")) ended with \(ending):\n\(running.tail)") }
        return running
    }

    private func writeConfigurations(capacity: Int) throws {
        let folder = stage.folder
        _ = try folder.write(
            """
            [server]
            listen = []
            listen_tls = ["\(network.cloudAddress):\(controlPort)"]
            certificate = "\(folder["tls/chain.pem"])"
            private_key = "\(folder["tls/key.pem"])"
            authority = "\(folder["tls/ca.pem"])"
            origins = ["https://\(network.cloudAddress):\(controlPort)"]
            [storage]
            state = "\(folder["control"])"
            [outbound]
            allow = ["127.0.0.0/8"]
            [log]
            level = "info"
            """, to: "control.conf")
        _ = try folder.write(
            """
            [host]
            public_addresses = ["\(network.cloudAddress)"]
            first_port = \(ports.lowerBound)
            last_port = \(ports.upperBound)
            capacity = \(capacity)
            [folders]
            runtime = "\(folder["pool-run"])"
            state = "\(folder["pool"])"
            [log]
            level = "info"
            """, to: "pool.conf")
        _ = try folder.write(
            """
            [folders]
            runtime = "\(folder["agent-run"])"
            state = "\(folder["agent"])"
            media = "\(try folder.makeFolder("media"))"
            [trace]
            access_units = "\(folder["sent.trace"])"
            [log]
            level = "debug"
            """, to: "agent.conf")
        for name in ["pool-run", "pool", "agent-run", "agent"] { _ = try folder.makeFolder(name) }
    }

    private var server: String { "https://\(network.cloudAddress):\(controlPort)" }
    /// What comes before a command that runs in the field.
    var field: [String] { network.field.command([]) }

    private func enrollPool() async throws {
        let token = try String(contentsOfFile: stage.folder["control/operator-token"], encoding: .utf8).trimmingCharacters(in: .newlines)
        let answer = try await owner.answer(
            .post, "/operator/enrollment-tokens", CreateTokenRequest(kind: .pool, name: "host"), bearer: token)
        let made = try JSONDecoder().decode(TokenView.self, from: Data(answer.body))
        let file = try stage.folder.write(made.token?.secret.revealed ?? "", to: "pool.token")
        _ = try await finished(
            "strata-pool", ["enroll", "--server", server, "--token-file", file, "--config", stage.folder["pool.conf"]])
    }

    private func enrollSender() async throws {
        let made: TokenView = try await owner.call(.post, "/enrollment-tokens", CreateTokenRequest(kind: .sender, name: "board"))
        let file = try stage.folder.write(made.token?.secret.revealed ?? "", to: "sender.token")
        _ = try await finished(
            "strata-agent", ["enroll", "--server", server, "--token-file", file, "--config", stage.folder["agent.conf"], "--name", "board"],
            inside: field)
    }

    // MARK: Starting and ending

    func startControl() async throws {
        let control = try stage.start("strata-control", ["--config", stage.folder["control.conf"]])
        running.withLock { $0["control"] = control }
        try await control.line(containing: "\"listening\"", within: .seconds(15))
    }

    func startPool() async throws {
        let pool = try stage.start("strata-pool", ["--config", stage.folder["pool.conf"]])
        running.withLock { $0["pool"] = pool }
        try await pool.line(containing: "connected to control", within: .seconds(15))
    }

    func startAgent() async throws {
        let agent = try stage.start("strata-agent", ["--config", stage.folder["agent.conf"]], inside: field)
        running.withLock { $0["agent"] = agent }
        try await agent.line(containing: "connected to control", within: .seconds(15))
    }

    // MARK: Broadcasting

    /// The one sender, once it is online with its links.
    func sender(links: Int = 3) async throws -> SenderView {
        let list: ListView<SenderView> = try await owner.call(.get, "/senders")
        guard let id = list.items.first?.id else { throw SupportFailure("no sender is listed") }
        return try await eventually(within: .seconds(20), "the sender is online with \(links) links") {
            guard let view = try self.owner.sender(id), view.online, view.inventory.links.filter({ $0.state == .up }).count >= links else {
                return nil
            }
            return view
        }
    }

    func destination(_ name: String, url: String, secret: String?) async throws -> DestinationID {
        let request = DestinationRequest(name: name, url: url, secret: secret.map { SecretOnWire(Secret($0)) })
        let made: DestinationView = try await owner.call(.post, "/destinations", request)
        return made.id
    }

    func start(_ request: StartRequest) async throws -> BroadcastID {
        let view: BroadcastView = try await owner.call(.post, "/broadcasts", request)
        return view.id
    }

    func stop(_ id: BroadcastID) async throws {
        let _: BroadcastView = try await owner.call(.post, "/broadcasts/\(id)/stop")
        try await owner.wait(id, for: ["ended"])
    }
}

/// Runs a body in a whole Strata of its own, and clears it whatever happens.
func inStudio<Result>(
    links: [LinkShape] = Studio.links, capacity: Int = 4, _ body: (Studio) async throws -> Result
) async throws -> Result {
    try await onStage { stage in
        let studio = try await Studio(on: stage, links: links, capacity: capacity)
        do {
            let result = try await body(studio)
            await studio.clear()
            return result
        } catch {
            print("\(error)\n\(stage.report)")
            await studio.clear()
            throw error
        }
    }
}
