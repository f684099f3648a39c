import Foundation
import Outputs
import Support
import Testing
import Units
import Wire

/// The way of a stream into a room, as its receiver sees it: a process that is given the stream and says how it stands. The process is a shell's here.
@Suite(.serialized, .unlessStolen, .timeLimit(.minutes(2))) struct RoomOutputTests {
    private static let target = OutputSpec.Target.room(
        RoomTarget(room: RoomID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!, pass: SecretOnWire(Secret("the-pass"))))

    private func policy(_ script: String) -> OutputPolicy {
        OutputPolicy(allowing: [], rooms: RoomEntrance(program: "/bin/sh", arguments: ["-c", script]))
    }

    @Test("it is connected when the process says so, passes the stream on, and counts the key frames that are wanted")
    func connects() async throws {
        let folder = try TemporaryFolder()
        // What it says by stays open to its end.
        let words = "echo connected; echo key; echo nonsense; echo key"
        let script = "exec 3>&1; head -n 1 > '\(folder["order"])'; \(words); exec cat > '\(folder["media"])'"
        try await withOutput(Self.target, policy: policy(script)) { live in
            let report = try await live.report("is connected") { $0.state == .connected && $0.keyFramesWantedTotal == 2 }
            #expect(report.reason == nil)
            try await live.passOn(500_000)
        }
        // head reads ahead: of the order there is its beginning, of the stream what came behind.
        #expect(try String(contentsOfFile: folder["order"], encoding: .utf8).contains("the-pass"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder["media"])).count > 100_000)
    }

    @Test("what cannot be mended fails with its reason and is not tried again, and no reason tells the pass")
    func hopeless() async throws {
        try await withOutput(Self.target, policy: policy("echo hopeless it has B-frames, the-pass; exec sleep 60")) { live in
            let report = try await live.report("fails") { $0.state == .failed }
            #expect(report.reason == "it has B-frames, •••")
            try await Task.sleep(for: .seconds(2))
            #expect(live.output.report.reconnectsTotal == 0)
        }
    }

    @Test("a process that ends, or says that it lost the room, is started again")
    func again() async throws {
        let folder = try TemporaryFolder()
        let second = folder["second"]
        let script = "if [ -e '\(second)' ]; then echo connected; exec 3>&1; exec cat >/dev/null; else touch '\(second)'; exit 3; fi"
        try await withOutput(Self.target, policy: policy(script)) { live in
            try await live.report("is tried again") { $0.state == .retrying && $0.reason?.contains("has ended") == true }
            try await live.report("is connected") { $0.state == .connected && $0.reconnectsTotal == 1 }
        }
    }

    @Test("a process that takes nothing is given up and killed")
    func stuck() async throws {
        try await withOutput(Self.target, policy: policy("trap '' TERM; echo connected; exec sleep 600")) { live in
            try await live.report("is given up", within: .seconds(30)) { $0.state == .retrying }
        }
    }

    @Test("a host whose pool does not say where control is goes into no room")
    func nowhere() async throws {
        try await withOutput(Self.target, policy: OutputPolicy(allowing: [])) { live in
            let report = try await live.report("fails") { $0.state == .failed }
            #expect(report.reason?.contains("no way into rooms") == true)
        }
    }

    @Test(
        "what the process says arrives as it was said, on one line",
        arguments: [FieldWord.connected, .keyFrame, .lost("no answer"), .hopeless("it has B-frames")])
    func words(_ word: FieldWord) { #expect(FieldWord(word.line) == word) }

    @Test("what is no word is passed over, and a reason has no second line")
    func strangers() {
        for line in ["", "connect", "keys", "reboot now"] { #expect(FieldWord(line) == nil) }
        #expect(FieldWord.lost("a\nconnected\u{0}b").line == "lost a connected b")
        #expect(FieldWord("lost") == .lost("it does not say why"))
        #expect(FieldWord.lost(String(repeating: "x", count: 9999)).line.utf8.count < 300)
    }
}
