import Foundation
import Ingest
import Lab
import Links
import Logging
import Names
import Posix
import Units
import Wire

@testable import Session

/// A session on a board in a network namespace of its own, and a real receiver that counts what arrives.
final class Board: Sendable {
    let network: FieldNetwork
    let ingest: any Ingest
    let folder: String
    private let arrived = Guarded(0)
    private let heard = Guarded<[AgentMessage]>([])
    private let session = Guarded<AgentSession?>(nil)
    private let log = Log("board", threshold: .error)

    static let key = SecretOnWire(Secret("0123456789abcdef0123456789abcdef"))

    init(number: Int) throws {
        network = try FieldNetwork(links: [LinkShape(LinkProfile(rateKbit: 8000, delayMs: 10, queueMs: 300))], number: number)
        folder = NSTemporaryDirectory() + "strata-board-\(getpid())-\(number)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let arrived = arrived
        ingest = try makeIngest(.init(port: 0, bind: ["0.0.0.0"], key: Self.key.secret, bufferMs: 300), carrier: .bond, log: log) { bytes in
            arrived.withLock { $0 += bytes.count }
        }
    }

    var runtime: String { folder + "/run" }
    var state: String { folder + "/state" }
    var bytes: Int { arrived.withLock { $0 } }
    var messages: [AgentMessage] { heard.withLock { $0 } }

    var reports: [SendingReport] {
        messages.compactMap { message in
            if case .sending(let report) = message { return report }
            return nil
        }
    }

    /// An agent starts on the board.
    func boot() async throws {
        let settings = SessionSettings(
            runtimeFolder: runtime, stateFolder: state, mediaFolder: nil, links: LinkPolicy(allow: ["modem*"]), trace: nil, version: "test")
        let (heard, log) = (heard, log)
        // The loop's thread is born in the namespace, and with it every socket that the session opens.
        let new = try network.field.run {
            let loop = try Loop(name: "session")
            let names = LinkNames(bus: settings.bus, loop: loop, log: log)
            return try AgentSession(settings: settings, loop: loop, names: names, log: log) { message, _ in
                heard.withLock { $0.append(message) }
            }
        }
        await new.begin()
        session.withLock { $0 = new }
    }

    /// The agent ends as it does at SIGTERM: what lies on disk stays.
    func halt() async {
        guard let old = session.withLock({ $0 }) else { return }
        await old.end()
        old.loop.stop()
        session.withLock { $0 = nil }
    }

    /// Control says that the board is revoked.
    func revoke() async { await session.withLock { $0 }?.revoked() }

    func order(_ order: AgentOrder) async throws -> CommandOutcome {
        guard let session = session.withLock({ $0 }) else { throw Unexpected() }
        let command: CommandID = try id("9")
        return await withCheckedContinuation { continuation in
            Task { await session.carryOut(order, id: command) { continuation.resume(returning: $0) } }
        }
    }

    func plan(revision: Int = 1, port: Int? = nil, _ edit: (inout Plan) -> Void = { _ in }) throws -> Plan {
        var plan = Plan(
            broadcast: try id("1"), revision: revision, input: InputChoice(video: "test"),
            encoder: EncoderChoice(bitrate: .kilobits(600), width: 320, height: 180, frameRate: 15),
            transport: Transport(
                carrier: .bond, receivers: [Endpoint(host: network.cloudAddress, port: port ?? ingest.addresses[0].port)],
                streamKey: Self.key,
                bufferMs: 300))
        edit(&plan)
        return plan
    }

    func remove() async {
        await halt()
        ingest.stop()
        network.remove()
        try? FileManager.default.removeItem(atPath: folder)
    }
}
