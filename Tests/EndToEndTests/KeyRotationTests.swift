import Foundation
import Posix
import Support
import Testing

/// The operator's command that replaces the master key.
@Suite(.serialized, .unlessStolen)
struct KeyRotationTests {
    @Test("a rotation of the master key, killed at any moment, loses no secret and signs nobody out")
    func rotation() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let made = try await owner.post(
                "/destinations", #"{"name":"A","url":"rtmp://203.0.113.1/live","secret":"abcd-efgh-ijkl"}"#)
            #expect(made.status == 201, "\(made)")
            let refused = try rotate(desk)
            #expect(try await refused.end(within: .seconds(10)) == 1, "control runs: \(refused.tail)")
            try await desk.installation.program("control").stop()

            var killed = 0
            var counts: [Int] = []
            for delay in [2, 5, 8, 12, 16, 20, 25, 30, 40, 60] {
                let rotation = try rotate(desk)
                try await Task.sleep(for: .milliseconds(delay))
                rotation.signal(SIGKILL)
                if try await rotation.end(within: .seconds(5)) != 0 { killed += 1 }
                counts.append(try keys(desk))
            }
            print("KeyRotationTests: \(killed) of 10 were killed; keys in the file after each: \(counts)")
            #expect(killed > 0)
            let whole = try rotate(desk)
            #expect(try await whole.end(within: .seconds(10)) == 0, "\(whole.tail)")
            #expect(whole.tail.contains("secrets are sealed under a new key"))
            #expect(try keys(desk) == 1)

            // The key of access tokens is sealed, and so is the destination's.
            try await desk.installation.startControl()
            #expect(try await owner.get("/auth/me").status == 200)
            #expect(try await owner.get("/destinations").items().first?["maskedSecret"] as? String == "••••••")
        }
    }

    private func rotate(_ desk: FrontDesk) throws -> RunningProgram {
        try desk.stage.start("strata-control", ["rotate-keys", "--config", desk.stage.folder["control.conf"]])
    }

    private func keys(_ desk: FrontDesk) throws -> Int {
        try String(contentsOfFile: desk.stage.folder["control/master.key"], encoding: .utf8).split(separator: "\n")
            .count { !$0.hasPrefix("#") }
    }
}
