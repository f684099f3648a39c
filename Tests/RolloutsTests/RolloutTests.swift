import Crypto
import Testing
import Units

@testable import Rollouts

@Suite("A release on its way through a fleet") struct RolloutTests {
    private let release = SHA256.hash("release")

    private func boards(_ count: Int) -> [DeviceID] {
        var random = Seeded(state: 7)
        return (0..<count).map { _ in DeviceID(ULID(unixMs: 1_795_392_000_000, random: &random)) }
    }

    /// SplitMix64.
    private struct Seeded: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    private func plan(
        _ canaries: [DeviceID] = [], percentages: [Int] = [5, 25, 100], atOnce: Int = 1000, failureCount: Int = 3, failurePercent: Int = 4
    ) throws -> RolloutPlan {
        try RolloutPlan(
            canaries: Set(canaries), percentages: percentages, soakSeconds: 3600, atOnce: atOnce, failureCount: failureCount,
            failurePercent: failurePercent, silenceSeconds: 7200)
    }

    /// A fleet whose boards take ten minutes, for as long as something happens.
    private func run(
        _ rollout: inout Rollout, _ fleet: [DeviceID], from start: Int64 = 0, hours: Int = 48, fails: (DeviceID) -> Bool
    ) -> Int64 {
        var now = start
        while now < start + Int64(hours) * 3600, rollout.state == .running {
            for board in fleet where rollout.offer(to: board, at: now) { rollout.switched(board, at: now) }
            now += 600
            for (board, fate) in rollout.fates {
                guard case .switched = fate else { continue }
                if fails(board) { rollout.failed(board, "control is not reached") } else { rollout.installed(board) }
            }
            rollout.pass(to: now, fleet: Set(fleet))
        }
        return now
    }

    @Test("that works is everywhere in the end, the canaries first, then part after part, each after its time")
    func good() throws {
        let fleet = boards(200)
        var rollout = Rollout(try plan(Array(fleet.prefix(2))), of: release, at: 0)
        #expect(fleet.filter(rollout.isLetIn) == Array(fleet.prefix(2)))
        var counts: [Int] = []
        for _ in 0..<3 {
            let step = rollout.step
            var now = Int64(step) * 3600
            for board in fleet where rollout.offer(to: board, at: now) { rollout.installed(board) }
            counts.append(rollout.installations)
            rollout.pass(to: now + 3599, fleet: Set(fleet))
            #expect(rollout.step == step)
            now += 3600
            rollout.pass(to: now, fleet: Set(fleet))
            #expect(rollout.step == step + 1)
        }
        #expect(counts[0] == 2)
        // 5 and 25 percent of 200, as a hash draws them.
        #expect((3...30).contains(counts[1]) && (25...90).contains(counts[2]), "\(counts)")
        _ = run(&rollout, fleet, from: 10_800) { _ in false }
        #expect(rollout.state == .done && rollout.installations == 200)
    }

    @Test("200 boards, one in twenty of which goes back: it halts as told, nobody is stuck, and nobody begins any more")
    func fails() throws {
        let fleet = boards(200)
        let bad = Set(fleet.enumerated().filter { $0.offset % 20 == 0 }.map(\.element))
        var rollout = Rollout(try plan(atOnce: 10), of: release, at: 0)
        _ = run(&rollout, fleet) { bad.contains($0) }
        guard case .halted(let reason) = rollout.state else { Issue.record("\(rollout.state)"); return }
        #expect(reason.hasSuffix("boards that have finished went back to their version before"))
        #expect(rollout.underWay == 0 && rollout.failures >= 3)
        let reached = rollout.failures + rollout.installations
        #expect(reached < 200)
        let late = fleet.filter { rollout.fates[$0] == nil }
        for board in late {
            let isOffered = rollout.offer(to: board, at: 1_000_000)
            #expect(!isOffered)
        }
    }

    @Test("fewer failures than told do not end it; a person goes on after those that did")
    func tolerates() throws {
        let fleet = boards(200)
        let bad = Set(fleet.prefix(10))
        var rollout = Rollout(try plan(failureCount: 3, failurePercent: 50), of: release, at: 0)
        let end = run(&rollout, fleet) { bad.contains($0) }
        // Unless the first part is bad for the most part, as it is not with these.
        #expect(rollout.state == .done && rollout.failures == 10 && rollout.installations == 190, "\(rollout.state) at \(end)")

        var strict = Rollout(try plan(failureCount: 1, failurePercent: 0), of: release, at: 0)
        var now: Int64 = 0
        var halts = 0
        while strict.state != .done, halts < 11 {
            now = run(&strict, fleet, from: now) { bad.contains($0) }
            if case .halted = strict.state { halts += 1 }
            strict.resume(at: now)
        }
        #expect(strict.state == .done && strict.failures == 10 && (1...10).contains(halts))
    }

    @Test("no more boards than told are at it at once")
    func bound() throws {
        let fleet = boards(50)
        var rollout = Rollout(try plan(percentages: [100], atOnce: 7), of: release, at: 0)
        var offered = 0
        for board in fleet where rollout.offer(to: board, at: 0) { offered += 1 }
        #expect(offered == 7 && rollout.underWay == 7)
        let first = try #require(rollout.fates.keys.first)
        rollout.notTaken(first)
        let again = rollout.offer(to: first, at: 1)
        #expect(again && rollout.underWay == 7)
    }

    @Test("a board that was switched and says nothing has failed; one that was only offered it has not")
    func silence() throws {
        let fleet = boards(2)
        var rollout = Rollout(try plan(percentages: [100], failureCount: 1, failurePercent: 0), of: release, at: 0)
        for board in fleet { #expect(rollout.isLetIn(board)) }
        _ = rollout.offer(to: fleet[0], at: 0)
        rollout.pass(to: 7200, fleet: Set(fleet))
        #expect(rollout.state == .running && rollout.fates.isEmpty)
        _ = rollout.offer(to: fleet[1], at: 7200)
        rollout.switched(fleet[1], at: 7300)
        rollout.pass(to: 14_499, fleet: Set(fleet))
        #expect(rollout.state == .running)
        rollout.pass(to: 14_500, fleet: Set(fleet))
        #expect(rollout.failures == 1 && rollout.state != .running)
        // It comes back after all.
        rollout.installed(fleet[1])
        #expect(rollout.failures == 0)
    }

    @Test("a board that proves itself for longer than it may be silent, and says so, has not failed")
    func slow() throws {
        let board = boards(1)[0]
        var rollout = Rollout(try plan(percentages: [100], failureCount: 1, failurePercent: 0), of: release, at: 0)
        _ = rollout.answer(board, .without, at: 0)
        for hour in 1...5 {
            _ = rollout.answer(board, .proving, at: Int64(hour) * 3600)
            rollout.pass(to: Int64(hour) * 3600 + 3599, fleet: [board])
            #expect(rollout.fates[board] == .switched(at: Int64(hour) * 3600) && rollout.state == .running)
        }
        rollout.pass(to: 18_000 + 7200, fleet: [board])
        #expect(rollout.failures == 1)
    }

    @Test("boards that have taken the release and are live for days hold up their step for no longer than they may be silent")
    func liveForDays() throws {
        let fleet = boards(20)
        var rollout = Rollout(try plan(Array(fleet.prefix(3)), percentages: [100]), of: release, at: 0)
        for (number, board) in fleet.prefix(3).enumerated() {
            #expect(rollout.answer(board, .without, at: Int64(number) * 100) == .install)
        }
        rollout.installed(fleet[0])
        for time in stride(from: Int64(300), through: 7440, by: 60) {
            for board in fleet[1...2] { #expect(rollout.answer(board, .preparing, at: time - 30) == .install) }
            rollout.pass(to: time, fleet: Set(fleet))
        }
        #expect(rollout.step == 1)
        // What they do in the end counts all the same.
        _ = rollout.answer(fleet[1], .proving, at: 7500)
        #expect(rollout.fates[fleet[1]] == .switched(at: 7500))
    }

    @Test("a failure that a person has gone on from, and that is none any more, hides no new one")
    func forgiven() throws {
        let fleet = boards(4)
        for isRevoked in [false, true] {
            var rollout = Rollout(try plan(percentages: [100], failureCount: 2, failurePercent: 0), of: release, at: 0)
            for board in fleet.prefix(2) { rollout.failed(board, "control is not reached") }
            rollout.resume(at: 1)
            #expect(rollout.state == .running)
            for board in fleet.prefix(2) { if isRevoked { rollout.gone(board) } else { rollout.installed(board) } }
            for board in fleet.suffix(2) { rollout.failed(board, "control is not reached") }
            guard case .halted = rollout.state else { Issue.record("\(rollout.state), revoked: \(isRevoked)"); return }
        }
    }

    @Test("boards that are switched off hold up no step; a part without boards is passed over")
    func offline() throws {
        let fleet = boards(40)
        let small = boards(1)
        var empty = Rollout(try plan(percentages: [1, 2, 100]), of: release, at: 0)
        empty.pass(to: 1, fleet: Set(small))
        #expect(empty.isLetIn(small[0]))
        var rollout = Rollout(try plan(percentages: [50, 100]), of: release, at: 0)
        let there = try #require(fleet.first(where: rollout.isLetIn))
        _ = rollout.offer(to: there, at: 0)
        rollout.installed(there)
        rollout.pass(to: 3600, fleet: Set(fleet))
        #expect(rollout.step == 1 && rollout.state == .running)
    }

    @Test("canaries are waited for, whoever else is there: nobody else begins before one of them has it")
    func absentCanary() throws {
        let fleet = boards(20)
        let (canary, others) = (fleet[0], Set(fleet.dropFirst()))
        var rollout = Rollout(try plan([canary], percentages: [100]), of: release, at: 0)
        rollout.pass(to: 100_000, fleet: others)
        #expect(rollout.answer(fleet[1], .without, at: 100_000) == .nothing && rollout.step == 0)
        #expect(rollout.answer(canary, .without, at: 100_001) == .install)
        _ = rollout.answer(canary, .with, at: 100_002)
        rollout.pass(to: 100_003, fleet: others.union([canary]))
        #expect(rollout.answer(fleet[1], .without, at: 100_004) == .install && rollout.step == 1)
    }

    @Test("a step whose boards have all gone back halts, though fewer than told to; a person goes on after it")
    func hopelessStep() throws {
        let fleet = boards(20)
        var rollout = Rollout(try plan([fleet[0]], percentages: [100], failureCount: 2), of: release, at: 0)
        _ = rollout.answer(fleet[0], .without, at: 0)
        _ = rollout.answer(fleet[0], .failed("control is not reached"), at: 1)
        #expect(rollout.state == .running)
        rollout.pass(to: 60, fleet: Set(fleet))
        #expect(rollout.state == .halted("all 1 boards of this step went back to their version before"))
        rollout.resume(at: 100)
        rollout.pass(to: 3699, fleet: Set(fleet))
        #expect(rollout.state == .running && rollout.step == 0)
        rollout.pass(to: 3700, fleet: Set(fleet))
        #expect(rollout.state == .running && rollout.step == 1)
    }

    @Test("a paused one offers nothing, and waits its time again afterwards")
    func paused() throws {
        let fleet = boards(40)
        var rollout = Rollout(try plan(percentages: [50, 100]), of: release, at: 0)
        for board in fleet where rollout.offer(to: board, at: 0) { rollout.installed(board) }
        rollout.pause()
        rollout.pass(to: 9000, fleet: Set(fleet))
        #expect(rollout.step == 0)
        rollout.resume(at: 9000)
        rollout.pass(to: 12_599, fleet: Set(fleet))
        #expect(rollout.step == 0)
        rollout.pass(to: 12_600, fleet: Set(fleet))
        #expect(rollout.step == 1)
    }

    @Test("which boards are first is another for each release, and the same each time")
    func draw() throws {
        let fleet = boards(400)
        let one = Rollout(try plan(percentages: [10, 100]), of: release, at: 0)
        let other = Rollout(try plan(percentages: [10, 100]), of: SHA256.hash("other"), at: 0)
        #expect(fleet.filter(one.isLetIn) == fleet.filter(one.isLetIn))
        #expect(fleet.filter(one.isLetIn) != fleet.filter(other.isLetIn))
        #expect((20...65).contains(fleet.filter(one.isLetIn).count))
    }

    @Test("what is no plan is none", arguments: [[], [0, 100], [50], [50, 50, 100], [100, 50], [101], Array(1...11)])
    func plans(_ percentages: [Int]) {
        #expect(throws: RolloutPlan.Fault.self) { try plan(percentages: percentages) }
    }

    @Test("a board's reason is bounded and steers no terminal")
    func reasons() throws {
        let board = boards(1)[0]
        var rollout = Rollout(try plan(percentages: [100]), of: release, at: 0)
        rollout.failed(board, "\u{1B}[2J" + String(repeating: "x", count: 1000))
        guard case .failed(let reason)? = rollout.fates[board] else { Issue.record("no failure"); return }
        #expect(reason.utf8.count == 300 && reason.isPlain)
    }

    @Test("a board that asks is told the same twice, and what it says moves the rollout on")
    func conversation() throws {
        let fleet = boards(3)
        var rollout = Rollout(try plan(percentages: [100], failureCount: 1), of: release, at: 0)
        for _ in 0..<2 { #expect(rollout.answer(fleet[0], .without, at: 0) == .install) }
        #expect(rollout.answer(fleet[0], .preparing, at: 1) == .install)
        #expect(rollout.answer(fleet[0], .proving, at: 2) == .nothing && rollout.fates[fleet[0]] == .switched(at: 2))
        #expect(rollout.answer(fleet[0], .with, at: 3) == .nothing && rollout.fates[fleet[0]] == .installed)
        #expect(rollout.answer(fleet[1], .busy, at: 4) == .nothing && rollout.fates[fleet[1]] == nil)
        #expect(rollout.answer(fleet[1], .without, at: 5) == .install)
        #expect(rollout.answer(fleet[1], .failed("the disk is full"), at: 6) == .nothing)
        #expect(rollout.fates[fleet[1]] == .failed("the disk is full"))
        guard case .halted = rollout.state else { Issue.record("\(rollout.state)"); return }
        #expect(rollout.answer(fleet[2], .without, at: 7) == .nothing)
    }

    @Test("a board that was switched and has something else without a word has gone back")
    func silentReturn() throws {
        let board = boards(1)[0]
        var rollout = Rollout(try plan(percentages: [100]), of: release, at: 0)
        _ = rollout.answer(board, .without, at: 0)
        _ = rollout.answer(board, .proving, at: 1)
        #expect(rollout.answer(board, .without, at: 2) == .nothing)
        #expect(rollout.failures == 1)
    }

    @Test("what is rolled back leaves every board: those that fetch it stop, those that have it go back, nobody begins")
    func rolledBack() throws {
        let fleet = boards(3)
        var rollout = Rollout(try plan(percentages: [100]), of: release, at: 0)
        for board in fleet.prefix(2) { _ = rollout.answer(board, .without, at: 0) }
        _ = rollout.answer(fleet[0], .with, at: 1)
        rollout.rollBack()
        for _ in 0..<2 { #expect(rollout.answer(fleet[0], .with, at: 2) == .goBack) }
        #expect(rollout.answer(fleet[0], .failed("went back, as was wanted"), at: 3) == .nothing)
        #expect(rollout.fates[fleet[0]] == .returned && rollout.failures == 0)
        #expect(rollout.answer(fleet[1], .preparing, at: 3) == .withdraw)
        #expect(rollout.answer(fleet[1], .without, at: 4) == .nothing && rollout.fates[fleet[1]] == nil)
        #expect(rollout.answer(fleet[2], .without, at: 5) == .nothing)
        rollout.resume(at: 6)
        #expect(rollout.state == .rolledBack)
    }

    @Test("what was kept goes on where it was")
    func kept() throws {
        let fleet = boards(200)
        var rollout = Rollout(try plan(failureCount: 3), of: release, at: 0)
        _ = run(&rollout, fleet, hours: 3) { _ in false }
        let again = Rollout(rollout.plan, of: release, rollout.progress, fates: rollout.fates)
        #expect(again == rollout && rollout.step > 0)
    }
}
