import Crypto
import Foundation
import Identity
import Releases
import Support
import Testing
import Units
import Wire

/// Releases on their way to boards, as an owner sees them, and boards that say what they have.
@Suite(.serialized, .unlessStolen)
struct RolloutRouteTests {
    /// Publishes a release of one small file for boards of the kind arm64, signed by a key that nobody needs to know here.
    /// - Returns: its version.
    static func publish(
        _ version: String, channel: ReleaseChannel = .stable, until expires: Int64 = 1_900_000_000, at desk: FrontDesk
    ) throws -> String {
        let bytes = Array("agent \(version)".utf8)
        let machine = try #require(MachineClass("arm64"))
        let file = try #require(
            ReleaseFile(
                product: .agent, machine: machine, isExecutable: true, size: bytes.count, digest: SHA256.hash(bytes), path: "strata-agent"))
        let manifest = try ReleaseManifest(
            version: try #require(ReleaseVersion(version)), sequence: 17, channel: channel, released: 1_700_000_000,
            expires: expires, minimum: ReleaseVersion(1, 0, 0), notes: ["Links come back sooner."], files: [file])
        let text = try SignedText(manifest.bytes, by: [try Ed25519PrivateKey.generate()])
        try ReleaseRouteTests.publish(text.bytes, as: "\(version).release", at: desk)
        return version
    }

    /// The body by which a rollout begins.
    static func request(_ version: String, canaries: [String] = []) -> String {
        """
        {"version":"\(version)","plan":{"canaries":[\(canaries.map { "\"\($0)\"" }.joined(separator: ","))],"percentages":[100],
        "soakSeconds":0,"atOnce":1,"failureCount":1,"failurePercent":0,"silenceSeconds":600}}
        """
    }

    /// Asks as a board's updater does.
    static func ask(_ board: RawBoard, _ report: UpdateReport) async throws -> UpdateOrder {
        let socket = try await board.client.webSocket(board.identity.server.updatesURL)
        guard case .text(let text)? = try await socket.receive() else { throw SupportFailure("no challenge") }
        let challenge = try JSONDecoder().decode(Challenge.self, from: Data(text.utf8))
        let proof = try Proof.answering(challenge, identity: board.identity, exporter: socket.tlsExporter)
        try await socket.send(String(decoding: JSONEncoder().encode(proof), as: UTF8.self))
        try await socket.send(String(decoding: JSONEncoder().encode(report), as: UTF8.self))
        guard case .text(let answer)? = try await socket.receive() else {
            throw SupportFailure("no answer: \(socket.closeReason ?? "")")
        }
        return try JSONDecoder().decode(UpdateOrder.self, from: Data(answer.utf8))
    }

    /// For the API's description: a release on its way to boards, of which there is none yet.
    static func describe(_ api: DescribedAPI, _ desk: FrontDesk, _ owner: Visitor) async throws {
        let release = try publish("1.4.0", at: desk)
        try await api.call("GET /releases", by: owner)
        let id = try await api.call("POST /rollouts", [], request(release), by: owner).text("id")
        try await api.call("PATCH /rollouts/{id}", [id], #"{"move":"halt"}"#, by: owner)
        try await api.call("GET /rollouts/{id}", [id], by: owner)
        try await api.call("PATCH /rollouts/{id}", [id], #"{"move":"rollBack"}"#, by: owner)
        try await api.call("GET /rollouts", by: owner)
    }

    /// And a board that has said what it has.
    static func describe(_ api: DescribedAPI, _ board: RawBoard, _ owner: Visitor) async throws {
        let device = board.identity.device.text
        try await api.call("GET /senders/{id}/updates", [device], by: owner)
        try await api.call("PUT /senders/{id}/updates", [device], #"{"channel":"beta"}"#, by: owner)
        let outcome = UpdateReport.Outcome(release: String(repeating: "a", count: 64), reason: "the disk is full")
        _ = try await ask(board, UpdateReport(machine: "arm64", installed: "1.3.0", phase: .idle, outcome: outcome, last: "x"))
        try await api.call("GET /senders/{id}/updates", [device], by: owner)
    }

    private func report(_ installed: String, failed: [String] = []) -> UpdateReport {
        UpdateReport(machine: "arm64", installed: installed, phase: .idle, failed: failed, last: "went back")
    }

    @Test("an owner sees what is published, brings it to a canary, and goes on, halts and takes it back", .row("DEP-06"))
    func fleet() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let (canary, other) = (try await desk.board(of: owner, name: "canary"), try await desk.board(of: owner, name: "other"))
            #expect(try await owner.get("/releases").items().isEmpty)
            let version = try Self.publish("1.4.0", at: desk)
            let shown = try #require(try await owner.get("/releases").items().first)
            #expect(shown["version"] as? String == "1.4.0" && shown["notes"] as? [String] == ["Links come back sooner."])
            #expect(try await owner.post("/rollouts", Self.request("1.5.0")).fields == ["version"])
            let over = try Self.publish("1.6.0", until: 1_700_000_001, at: desk)
            #expect(try await owner.post("/rollouts", Self.request(over)).fields == ["version"])
            let id = try await owner.post("/rollouts", Self.request(version, canaries: [canary.identity.device.text])).text("id")
            #expect(try await owner.post("/rollouts", Self.request(version)).problem == "conflict")

            #expect(try await Self.ask(other, report("1.3.0")).wish == .nothing)
            let order = try await Self.ask(canary, report("1.3.0"))
            #expect(order.wish == .install && order.version == "1.4.0")
            #expect(try await Self.ask(canary, report("1.4.0")).wish == .nothing)
            let rollout = try await owner.get("/rollouts/\(id)")
            let boards = try #require(try rollout.object()["boards"] as? [[String: Any]])
            #expect(boards.count == 1 && boards[0]["fate"] as? String == "installed", "\(rollout)")
            let board = try await owner.get("/senders/\(canary.identity.device)/updates")
            #expect((try board.object()["report"] as? [String: Any])?["installed"] as? String == "1.4.0")

            for (move, state) in [("pause", "paused"), ("resume", "running"), ("halt", "halted"), ("rollBack", "rolled_back")] {
                #expect(try await owner.send("PATCH", "/rollouts/\(id)", #"{"move":"\#(move)"}"#).text("state") == state)
            }
            #expect(try await Self.ask(canary, report("1.4.0")).wish == .goBack)
            let release = try #require(order.release)
            #expect(try await Self.ask(canary, report("1.3.0", failed: [release])).wish == .nothing)
            let after = try await owner.get("/rollouts/\(id)").object()["boards"] as? [[String: Any]]
            #expect(after?.first?["fate"] as? String == "returned")
            let actions = try await owner.get("/audit").items().compactMap { $0["action"] as? String }
            #expect(actions.count { $0 == "rollout.changed" } == 4 && actions.contains("rollout.created"))
        }
    }

    @Test("nobody asks for a board but the board itself, and what is no report is refused")
    func strangers() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let board = try await desk.board(of: owner)
            let stranger = try RawBoard(at: desk, key: try Ed25519PrivateKey.generate(), device: board.identity.device.text)
            await #expect(throws: (any Error).self) { try await Self.ask(stranger, report("1.3.0")) }
            let host = try await desk.rawHost("host")
            await #expect(throws: (any Error).self) { try await Self.ask(host, report("1.3.0")) }
            // Whatever a board says of itself is cut where it enters.
            var long = report(String(repeating: "9", count: 2000))
            long.failed = (0..<50).map { "\($0)\u{202e}" }
            #expect(try await Self.ask(board, long).wish == .nothing)
            let kept = try #require(try await owner.get("/senders/\(board.identity.device)/updates").object()["report"] as? [String: Any])
            #expect((kept["installed"] as? String)?.count == 64 && (kept["failed"] as? [String])?.count == 8)
            #expect(try await owner.send("DELETE", "/senders/\(board.identity.device)").status == 204)
            await #expect(throws: (any Error).self) { try await Self.ask(board, report("1.3.0")) }
        }
    }
}
