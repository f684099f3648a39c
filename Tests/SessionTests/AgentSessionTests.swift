import Foundation
import Lab
import Posix
import Support
import Testing
import Units
import Wire

@testable import Session

@Suite("A session", .serialized, .unlessStolen, .enabled(if: NetworkNamespace.areAllowed, "namespaces are not allowed here"))
struct AgentSessionTests {
    private func with(_ number: Int, _ body: (Board) async throws -> Void) async throws {
        let board = try Board(number: number)
        do { try await body(board) } catch {
            await board.remove()
            throw error
        }
        await board.remove()
    }

    private func flows(_ board: Board, within limit: Duration = .seconds(5)) async throws {
        let before = board.bytes
        try await eventually(within: limit, "media arrives") { board.bytes > before + 20_000 }
    }

    @Test("starts, changes while it sends, and stops, each answered once it is so")
    func broadcast() async throws {
        try await with(1) { board in
            try await board.boot()
            let started = try await board.order(.start(board.plan()))
            #expect(started.result == .done, "\(started)")
            try await flows(board)
            #expect(board.reports.last?.state == .sending)
            #expect(FileManager.default.fileExists(atPath: board.state + "/broadcast.json"))
            // The same order again changes nothing; an older revision and another broadcast are refused.
            #expect(try await board.order(.start(board.plan())).result == .done)
            #expect(try await board.order(.start(board.plan(revision: 0))).result == .refused)
            let faster = try await board.order(.start(board.plan(revision: 2) { $0.encoder.bitrate = .kilobits(900) }))
            #expect(faster.result == .done)
            // A new picture that does not open leaves the old one.
            let unplugged = try await board.order(.start(board.plan(revision: 3) { $0.input.video = "v4l2:gone" }))
            #expect(unplugged.result == .failed)
            #expect(unplugged.step == "preflight.input")
            try await flows(board)
            let larger = try await board.order(
                .start(
                    board.plan(revision: 4) {
                        $0.encoder.width = 640; $0.encoder.height = 360
                    }))
            #expect(larger.result == .done, "\(larger)")
            try await flows(board)
            #expect(board.reports.last?.revision == 4)
            let stopped = try await board.order(.stop(BroadcastReference(broadcast: board.plan().broadcast)))
            #expect(stopped.result == .done)
            #expect(board.reports.last?.state == .stopped)
            #expect(!FileManager.default.fileExists(atPath: board.state + "/broadcast.json"))
            #expect(!FileManager.default.fileExists(atPath: board.runtime + "/plan.json"))
            #expect(try await board.order(.stop(BroadcastReference(broadcast: board.plan().broadcast))).result == .done)
        }
    }

    @Test("a plan that cannot be kept is sent with a word of it, each time it is asked for, until it can be kept")
    func unkeptPlan() async throws {
        try await with(10) { board in
            try await board.boot()
            // As a rename fails on a disk that is full.
            let file = board.state + "/broadcast.json"
            try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: true)
            for _ in 0..<2 {
                let outcome = try await board.order(.start(board.plan()))
                #expect(outcome.result == .done && outcome.reason?.contains("will not go on by itself") == true, "\(outcome)")
            }
            try await flows(board)
            try FileManager.default.removeItem(atPath: file)
            let again = try await board.order(.start(board.plan()))
            #expect(again.result == .done && again.reason == nil, "\(again)")
            #expect(FileManager.default.fileExists(atPath: file))
        }
    }

    @Test("a stop stops what is sent, also where the disk does not let the plan go; the next broadcast starts")
    func stuckPlan() async throws {
        try await with(9) { board in
            try await board.boot()
            #expect(try await board.order(.start(board.plan())).result == .done)
            try await flows(board)
            // As unlink fails on a card that has become read-only.
            let file = board.state + "/broadcast.json"
            try FileManager.default.removeItem(atPath: file)
            try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: false)
            let stopped = try await board.order(.stop(BroadcastReference(broadcast: board.plan().broadcast)))
            #expect(stopped.result == .done, "\(stopped)")
            #expect(board.reports.last?.state == .stopped)
            #expect(!FileManager.default.fileExists(atPath: board.runtime + "/plan.json"))
            let again = try await board.order(.start(board.plan(revision: 3)))
            #expect(again.result == .done, "\(again)")
            try await flows(board)
        }
    }

    @Test("goes on by itself after the agent was restarted, and after a loss of power")
    func resumes() async throws {
        try await with(2) { board in
            try await board.boot()
            #expect(try await board.order(.start(board.plan(revision: 7))).result == .done)
            try await flows(board)
            await board.halt()
            try await board.boot()
            try await flows(board)
            await board.halt()
            try FileManager.default.removeItem(atPath: board.runtime)
            try await board.boot()
            try await flows(board)
            #expect(board.reports.last?.revision == 7)
            // Control asks for what it wants: it is done already.
            #expect(try await board.order(.start(board.plan(revision: 7))).result == .done)
        }
    }

    @Test("tells what the kernel counted on each link, while nothing is sent too")
    func counters() async throws {
        try await with(8) { board in
            try await board.boot()
            var told: [InterfaceTelemetry] = []
            for _ in 0..<500 where told.isEmpty {
                for case .telemetry(let sample) in board.messages { told = sample.interfaces ?? told }
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(told.map(\.name) == ["modem0"] && told[0].sentBytes >= 0)
        }
    }

    @Test("a second agent on the same board is refused while the first one lives")
    func alone() async throws {
        try await with(7) { board in
            try await board.boot()
            let refused = await #expect(throws: SystemError.self) { try await board.boot() }
            #expect(refused?.code == EWOULDBLOCK && refused?.subject == "\(board.state)/lock, which another process has")
            await board.halt()
            try await board.boot()
        }
    }

    @Test("a revoked board ends a start that is under way, and a broadcast for good")
    func revoked() async throws {
        try await with(5) { board in
            try await board.boot()
            let asked = Instant.now
            async let waiting = board.order(.start(board.plan(port: 9)))
            try await eventually(within: .seconds(5), "the preflight runs") { board.reports.last?.state == .preflight }
            await board.revoke()
            #expect(try await waiting.result != .done)
            #expect(Instant.now - asked < .seconds(4), "a preflight without links takes 6 s")
            #expect(try await board.order(.start(board.plan())).result == .done)
            try await flows(board)
            await board.revoke()
            try await eventually(within: .seconds(2), "nothing is kept") {
                !FileManager.default.fileExists(atPath: board.state + "/broadcast.json")
                    && !FileManager.default.fileExists(atPath: board.runtime + "/plan.json")
            }
            await board.halt()
            try await board.boot()
            // What the receiver holds back for its buffer still comes.
            var last = (bytes: board.bytes, at: Instant.now)
            try await eventually(within: .seconds(3), "nothing arrives for a second") {
                if board.bytes != last.bytes { last = (board.bytes, .now) }
                return Instant.now - last.at > .seconds(1)
            }
        }
    }

    @Test("names the step that failed, and nothing is left of the start")
    func preflight() async throws {
        try await with(3) { board in
            try await board.boot()
            let noCamera = try await board.order(.start(board.plan { $0.input.video = "v4l2:gone" }))
            #expect(noCamera.result == .failed)
            #expect(noCamera.step == "preflight.input")
            #expect(noCamera.reason?.contains("v4l2:gone") == true)
            let closed = try await board.order(.start(board.plan(port: 9)))
            #expect(closed.result == .failed)
            #expect(closed.step == "preflight.links", "\(closed)")
            #expect(closed.reason?.contains("\(board.network.cloudAddress):9: no answer") == true, "\(closed)")
            #expect(!FileManager.default.fileExists(atPath: board.runtime + "/plan.json"))
            #expect(board.reports.last?.state == .stopped)
        }
    }

    @Test("takes a good configuration, refuses a bad one with the reason, and keeps the last good one")
    func configuration() async throws {
        try await with(4) { board in
            try await board.boot()
            let good = ConfigurationDocument(version: 2, toml: "[limits]\nvideo_kbit = 2600\n")
            #expect(try await board.order(.configure(good)).result == .done)
            let bad = try await board.order(.configure(ConfigurationDocument(version: 3, toml: "[limits]\nvideo_kbit = \"much\"\n")))
            #expect(bad.result == .refused)
            #expect(bad.step == "configuration")
            #expect(bad.reason?.contains("limits.video_kbit") == true)
            #expect(try await board.order(.configure(ConfigurationDocument(version: 1, toml: ""))).result == .refused)
            await board.halt()
            try await board.boot()
            let tooFast = try await board.order(.start(board.plan { $0.encoder.bitrate = .kilobits(3000) }))
            #expect(tooFast.result == .refused)
            #expect(tooFast.step == "plan")
        }
    }

    @Test("a picture of an input waits until a sample is out of the way, and not for longer than somebody waits for it")
    func picture() async throws {
        try await with(5) { board in
            try await board.boot()
            func pictures() -> Int { board.messages.count { if case .picture = $0 { true } else { false } } }
            board.refusals.withLock { $0 = 3 }
            let shown = try await board.order(.picture(PictureOrder(input: "test")))
            #expect(shown.result == .done && pictures() == 1 && board.refusals.withLock { $0 } == 0, "\(shown)")
            board.refusals.withLock { $0 = 1000 }
            let began = Instant.now
            let refused = try await board.order(.picture(PictureOrder(input: "test")))
            #expect(refused.result != .done && refused.reason?.contains("no room") == true && pictures() == 1, "\(refused)")
            #expect(Instant.now - began < .seconds(WireLimits.commandSeconds))
        }
    }
}
