import Foundation
import Posix

/// A receiver of webhooks that verifies signatures by itself, and is there only while it runs: `Fixtures/webhooks/receiver.py`.
package final class WebhookPeer: Sendable {
    package let port: Int
    private let stage: Stage
    private let state: String
    private let program = Guarded<RunningProgram?>(nil)
    private let before = Guarded<[String]>([])

    /// What it got.
    package struct Message: Codable, Sendable {
        package let path: String
        package let id: String
        package let type: String
        /// By their place in the list of secrets.
        package let signers: [Int]
        package let fresh: Bool
        package let answered: Int
        package let body: String

        package var object: [String: Any] { (try? JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]) ?? [:] }
        package var kind: String? { object["type"] as? String }
        package var sequence: Int? { object["sequence"] as? Int }
    }

    /// - Parameter stage: where it is started; it is not there yet.
    package init(on stage: Stage) throws {
        self.stage = stage
        port = try FreePorts.tcp()
        state = stage.folder["webhooks\(port).json"]
    }

    package var url: String { "http://127.0.0.1:\(port)/hook?board=1" }

    package func start() async throws {
        let script = Places.root.appendingPathComponent("Tests/Fixtures/webhooks/receiver.py").path
        let started = try stage.start("/usr/bin/python3", [script, "\(port)", state])
        program.withLock { $0 = started }
        try await started.line(containing: "listening", within: .seconds(20))
    }

    package func end() async throws {
        guard let running = program.withLock({ $0 }) else { return }
        try await running.stop()
        before.withLock { $0 += running.lines }
        program.withLock { $0 = nil }
    }

    /// How it answers from now on.
    package func answer(secrets: [String], status: Int = 200, location: String? = nil, wait: Double = 0) throws {
        var object: [String: Any] = ["secrets": secrets, "status": status, "wait": wait]
        object["location"] = location
        try JSONSerialization.data(withJSONObject: object).write(to: URL(fileURLWithPath: state), options: .atomic)
    }

    /// All of them, the oldest first.
    package var messages: [Message] {
        get throws {
            let lines = before.withLock { $0 } + (program.withLock { $0 }?.lines ?? [])
            return try lines.filter { $0.hasPrefix("{") }.map { try JSONDecoder().decode(Message.self, from: Data($0.utf8)) }
        }
    }
}
