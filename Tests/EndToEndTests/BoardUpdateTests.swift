import Crypto
import Foundation
import Posix
import Releases
import Support
import Testing

/// Boards that are updated: real updaters, a real control, and agents that say what real ones would; one of them is real.
@Suite(.serialized)
struct BoardUpdateTests {
    /// What a release is like, and what must become of it.
    private struct Trial {
        let name: String
        let fate: String
        /// In the reason that control has.
        let reason: String
    }

    private static let all = [
        Trial(name: "good", fate: "installed", reason: ""),
        Trial(name: "real", fate: "installed", reason: ""),
        Trial(name: "long-ago", fate: "installed", reason: ""),
        Trial(name: "bad-signature", fate: "failed", reason: "no signature of a key that is trusted"),
        Trial(name: "wrong-hash", fate: "failed", reason: "is not what was signed"),
        Trial(name: "truncated", fate: "failed", reason: "control no longer has 'share/version'"),
        Trial(name: "crashing", fate: "failed", reason: "the agent said nothing"),
        Trial(name: "deaf", fate: "failed", reason: "control is not reached"),
        Trial(name: "full-disk", fate: "failed", reason: "No space left on device"),
        Trial(name: "downgrade", fate: "failed", reason: "0.0.9 is older than 0.1.0, which is installed"),
        Trial(name: "expired-key", fate: "failed", reason: "signed by a key that was in use until"),
    ]

    /// Publishes what a trial is about, and begins its rollout.
    private func prepare(
        _ trial: Trial, _ number: Int, _ workshop: ReleaseWorkshop, at desk: FrontDesk
    ) async throws -> (UpdatedBoard, rollout: String) {
        let version = "1.\(number).0"
        let kind: StandIn = trial.name == "crashing" ? .crashing : trial.name == "deaf" ? .deaf : .good
        var files = ["strata-agent": kind.program(version), "share/version": Array(version.utf8)]
        let agent = try Places.program("strata-agent")
        if trial.name == "real" { files["strata-agent"] = Array(try Data(contentsOf: URL(fileURLWithPath: agent))) }
        if trial.name == "full-disk" { files["share/ballast"] = randomBytes(3 << 20) }
        let end: Int64 = trial.name == "expired-key" ? 1_000_000_000 : 4_000_000_000
        let board = try await UpdatedBoard(
            trial.name, at: desk, keys: try workshop.keys(until: end), program: trial.name == "real" ? agent : nil)
        let stranger = try Ed25519PrivateKey.generate()
        let manifest = try workshop.publish(version, files, by: trial.name == "bad-signature" ? stranger : nil) { bytes in
            switch trial.name {
            case "wrong-hash": Array(bytes.dropLast()) + [7]
            case "truncated": Array(bytes.prefix(bytes.count / 2))
            default: bytes
            }
        }
        let rollout = try await board.roll(version)
        if trial.name == "downgrade" {
            // Who has control, and no key, hands out what was signed once.
            let old = try workshop.manifest("0.0.9", files)
            try ReleaseRouteTests.publish(try SignedText(old.bytes, by: [workshop.daily]).bytes, as: "\(version).release", at: desk)
            let (new, before) = (Hex.encode(SHA256.hash(old.bytes)), Hex.encode(SHA256.hash(manifest.bytes)))
            _ = try await sqlite(desk, "UPDATE rollouts SET digest = x'\(new)' WHERE hex(digest) = upper('\(before)')")
        }
        return (board, rollout)
    }

    @Test(
        "whatever a release is, each board ends on a version that works, and control knows which and why", .row("DEP-16"))
    func trials() async throws {
        try await atFrontDesk { desk in
            let workshop = try ReleaseWorkshop(desk.stage)
            let clock = try WallClock()
            try clock.step(by: .milliseconds(10_000 - unixMilliseconds()))
            var boards: [(trial: Trial, board: UpdatedBoard, rollout: String, version: String)] = []
            var disk: SmallDisk?
            do {
                for (number, trial) in Self.all.enumerated() {
                    let (board, rollout) = try await prepare(trial, number + 1, workshop, at: desk)
                    if trial.name == "full-disk" { disk = try await SmallDisk(at: board.root, kibibytes: 2048) }
                    try await board.start(inside: trial.name == "long-ago" ? clock.command : [])
                    boards.append((trial, board, rollout, "1.\(number + 1).0"))
                }
                for (trial, board, rollout, version) in boards { try await judge(trial, board, rollout, version) }
            } catch {
                // What went wrong first is told.
                try? await disk?.remove()
                throw error
            }
            for (_, board, _, _) in boards { try await board.updater?.stop() }
            try await disk?.remove()
        }
    }

    private func judge(_ trial: Trial, _ board: UpdatedBoard, _ rollout: String, _ version: String) async throws {
        let (fate, reason) = try await board.fate(in: rollout, within: 180)
        measured(trial.name, "\(fate): \(reason)")
        let isTold = trial.reason.isEmpty ? reason.isEmpty : reason.contains(trial.reason)
        #expect(fate == trial.fate && isTold, "\(trial.name): \(fate), \(reason)")
        let isNew = trial.fate == "installed"
        #expect(board.slot == (isNew ? "slots/b" : "slots/a"), "\(trial.name)")
        let expected = isNew ? version : "0.1.0"
        try await eventually(within: .seconds(20), "\(trial.name) runs \(expected)") { board.running == expected }
        #expect(board.updater?.isRunning == true)
        let said = board.updater?.lines.joined(separator: "\n") ?? ""
        #expect(said.contains("the update is over") || said.contains("a release was not taken"), "\(trial.name):\n\(said)")
    }

    @Test("an updater that is killed again and again goes on where it was, within a file too, and the release is there in the end")
    func kills() async throws {
        try await atFrontDesk { desk in
            let workshop = try ReleaseWorkshop(desk.stage)
            let board = try await UpdatedBoard("killed", at: desk, keys: try workshop.keys(), cap: 512)
            try workshop.publish("1.1.0", ["strata-agent": StandIn.good.program("1.1.0"), "share/ballast": randomBytes(900_000)])
            let rollout = try await board.roll("1.1.0")
            var phases: [String] = []
            while phases.last?.hasPrefix("proving") != true, phases.count < 60 {
                let updater = try await board.start()
                try await Task.sleep(for: .milliseconds(4000 + 137 * phases.count))
                try await updater.kill9()
                phases.append(board.phase ?? "idle")
            }
            measured("phases at each kill", phases.joined(separator: ", "))
            #expect(phases.count { $0 == "fetching" } >= 2)
            try await board.start()
            #expect(try await board.fate(in: rollout, within: 90).fate == "installed")
            #expect(board.slot == "slots/b" && board.running == "1.1.0" && board.phase == "idle")
        }
    }

    @Test("a board that broadcasts is left alone, unless its owner forces the release on it; and back it goes when the owner wants that")
    func live() async throws {
        try await atFrontDesk { desk in
            let workshop = try ReleaseWorkshop(desk.stage)
            let board = try await UpdatedBoard("live", at: desk, keys: try workshop.keys())
            try desk.stage.folder.write("", to: "live.run/live")
            for version in ["1.1.0", "1.2.0"] {
                try workshop.publish(version, ["strata-agent": StandIn.good.program(version), "share/version": Array(version.utf8)])
            }
            let rollout = try await board.roll("1.1.0")
            let updater = try await board.start()
            try await eventually(within: .seconds(20), "it is offered the release") { board.phase == "clearing" }
            try await always(for: .seconds(8), "nothing happens to it") { board.phase == "clearing" && board.slot == "slots/a" }
            try FileManager.default.removeItem(atPath: board.run + "/live")
            #expect(try await board.fate(in: rollout, within: 90).fate == "installed")
            #expect(board.running == "1.1.0")

            try desk.stage.folder.write("", to: "live.run/live")
            #expect(try await board.owner.send("PATCH", "/rollouts/\(rollout)", #"{"move":"end"}"#).status < 500)
            let forced = try await board.roll("1.2.0", forced: true)
            #expect(try await board.fate(in: forced, within: 90).fate == "installed")
            #expect(board.running == "1.2.0")

            #expect(try await board.owner.send("PATCH", "/rollouts/\(forced)", #"{"move":"rollBack"}"#).status == 200)
            try await eventually(within: .seconds(30), "it is back at the version before") {
                board.running == "1.1.0" && board.phase == "idle"
            }
            // Control hears of it a little later.
            try await eventually(within: .seconds(30), "control knows it") { try await board.fate(in: forced).fate == "returned" }
            #expect(updater.isRunning)
        }
    }

    @Test("a board follows its keys: a release of a new key is taken once the old ones' list has been replaced")
    func keys() async throws {
        try await atFrontDesk { desk in
            let workshop = try ReleaseWorkshop(desk.stage)
            let board = try await UpdatedBoard("keys", at: desk, keys: try workshop.keys())
            let next = try Ed25519PrivateKey.generate()
            try ReleaseRouteTests.publish(try workshop.keys(number: 2, signing: next).bytes, as: "keys.2", at: desk)
            try workshop.publish("1.1.0", ["strata-agent": StandIn.good.program("1.1.0")], by: next)
            let rollout = try await board.roll("1.1.0")
            let updater = try await board.start()
            try await updater.line(containing: "release keys were replaced", within: .seconds(30))
            #expect(try await board.fate(in: rollout, within: 90).fate == "installed")
        }
    }
}
