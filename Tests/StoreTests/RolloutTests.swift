import Crypto
import Releases
import Store
import Testing
import Units
import Wire

@Suite("Rollouts and what boards say") struct RolloutTests {
    static let digest = SHA256.hash("1.4.0")

    static func rollout(canaries: [DeviceID] = [], channel: ReleaseChannel = .stable, failureCount: Int = 1) -> NewRollout {
        let plan = RolloutPlanBody(
            canaries: canaries, percentages: [100], soakSeconds: 0, atOnce: 10, failureCount: failureCount, failurePercent: 0,
            silenceSeconds: 600)
        return NewRollout(
            version: ReleaseVersion(1, 4, 0), digest: digest, channel: channel, machines: ["arm64"], plan: plan, isForced: false)
    }

    static func report(
        _ installed: String, _ phase: UpdateReport.Phase = .idle, underWay: [UInt8]? = nil, failed: [[UInt8]] = [],
        outcome: String? = nil, machine: String = "arm64"
    ) -> UpdateReport {
        UpdateReport(
            machine: machine, installed: installed, phase: phase, underWay: underWay.map { Hex.encode($0) },
            failed: failed.map { Hex.encode($0) },
            outcome: outcome.map { UpdateReport.Outcome(release: Hex.encode(digest), reason: $0) }, last: "went back: it is deaf")
    }

    private func fates(_ fixture: Fixture, _ id: RolloutID) async throws -> [DeviceID: BoardFate] {
        let found = try await fixture.store.rollouts(in: fixture.scope).find(id)
        return Dictionary(uniqueKeysWithValues: found.boards.map { ($0.sender, $0.fate) })
    }

    @Test("a board is offered the release, switches, has it, and is offered nothing more; asked twice it is told the same")
    func good() async throws {
        let fixture = try await Fixture()
        let board = try await fixture.sender().id
        let boards = fixture.store.boardUpdates(in: OrganizationScope(fixture.organization.id, by: .device(board)))
        #expect(try await boards.hear(Self.report("1.3.0"), from: board).wish == .nothing)
        let id = try await fixture.store.rollouts(in: fixture.scope).create(Self.rollout())
        for _ in 0..<2 {
            let order = try await boards.hear(Self.report("1.3.0"), from: board)
            #expect(order == UpdateOrder(wish: .install, version: "1.4.0", release: Hex.encode(Self.digest), channel: "stable"))
        }
        #expect(try await boards.hear(Self.report("1.3.0", .preparing, underWay: Self.digest), from: board).wish == .install)
        #expect(try await fates(fixture, id) == [board: .offered])
        #expect(try await boards.hear(Self.report("1.3.0", .proving, underWay: Self.digest), from: board).wish == .nothing)
        #expect(try await fates(fixture, id) == [board: .switched])
        #expect(try await boards.hear(Self.report("1.4.0"), from: board).wish == .nothing)
        #expect(try await fates(fixture, id) == [board: .installed])
        try await fixture.store.passRollouts()
        let found = try await fixture.store.rollouts(in: fixture.scope).find(id).rollout
        #expect(found.state == .done && found.endedAt != nil)
        #expect(try await fixture.store.boardUpdates(in: fixture.scope).find(board)?.report?.installed == "1.4.0")
    }

    @Test("a board that went back, or did not take it, has failed: the rollout halts by itself, and a person goes on or takes it back")
    func halts() async throws {
        let fixture = try await Fixture()
        let (first, second) = (try await fixture.sender("a").id, try await fixture.sender("b").id)
        let (boards, rollouts) = (fixture.store.boardUpdates(in: fixture.scope), fixture.store.rollouts(in: fixture.scope))
        let id = try await rollouts.create(Self.rollout())
        #expect(try await boards.hear(Self.report("1.3.0"), from: first).wish == .install)
        #expect(try await boards.hear(Self.report("1.3.0", failed: [Self.digest]), from: first).wish == .nothing)
        let halted = try await rollouts.find(id)
        #expect(halted.rollout.state == .halted && halted.rollout.reason?.hasPrefix("1 of 1 boards") == true)
        #expect(halted.boards == [RolloutBoard(sender: first, fate: .failed, reason: "went back: it is deaf")])
        #expect(try await boards.hear(Self.report("1.3.0"), from: second).wish == .nothing)
        try await rollouts.carryOut(.resume, on: id)
        #expect(try await boards.hear(Self.report("1.3.0"), from: second).wish == .install)
        #expect(try await boards.hear(Self.report("1.4.0"), from: second).wish == .nothing)
        try await rollouts.carryOut(.rollBack, on: id)
        #expect(try await boards.hear(Self.report("1.4.0"), from: second).wish == .goBack)
        #expect(try await boards.hear(Self.report("1.3.0", failed: [Self.digest]), from: second).wish == .nothing)
        #expect(try await fates(fixture, id) == [first: .failed, second: .returned])
        await #expect(throws: StoreError.rolloutOver) { try await rollouts.carryOut(.resume, on: id) }
    }

    @Test("a release is offered to boards of its kind that follow its channel and have nothing newer")
    func others() async throws {
        let fixture = try await Fixture()
        let board = try await fixture.sender().id
        let boards = fixture.store.boardUpdates(in: fixture.scope)
        _ = try await fixture.store.rollouts(in: fixture.scope).create(Self.rollout(channel: .beta))
        #expect(try await boards.hear(Self.report("1.3.0"), from: board).wish == .nothing)
        try await boards.setChannel(.edge, of: board)
        #expect(try await boards.hear(Self.report("1.3.0", machine: "amd64"), from: board).wish == .nothing)
        #expect(try await boards.hear(Self.report("1.5.0"), from: board).wish == .nothing)
        #expect(try await boards.hear(Self.report("no version"), from: board).wish == .nothing)
        let order = try await boards.hear(Self.report("1.3.0"), from: board)
        #expect(order.wish == .install && order.channel == "edge")
    }

    @Test("one rollout at a time, whose canaries are the organisation's own")
    func bounds() async throws {
        let fixture = try await Fixture()
        let stranger = try await fixture.sender("s", in: try await fixture.stranger()).id
        let rollouts = fixture.store.rollouts(in: fixture.scope)
        await #expect(throws: StoreError.missing("sender")) { try await rollouts.create(Self.rollout(canaries: [stranger])) }
        var wrong = Self.rollout()
        wrong.plan.percentages = [50]
        let spoiled = wrong
        await #expect { try await rollouts.create(spoiled) } throws: {
            if case .invalid("rollout.plan", _) = $0 as? StoreError { true } else { false }
        }
        let id = try await rollouts.create(Self.rollout())
        await #expect(throws: StoreError.rolloutRuns) { try await rollouts.create(Self.rollout()) }
        try await rollouts.carryOut(.end, on: id)
        _ = try await rollouts.create(Self.rollout())
        // Only the newest is taken back.
        await #expect(throws: StoreError.rolloutOver) { try await rollouts.carryOut(.rollBack, on: id) }
        #expect(try await rollouts.newest().count == 2)
    }

    @Test("a board that was switched and is silent has failed after its time; one that was revoked counts no more")
    func silence() async throws {
        let fixture = try await Fixture()
        let (silent, revoked) = (try await fixture.sender("a").id, try await fixture.sender("b").id)
        let (boards, rollouts) = (fixture.store.boardUpdates(in: fixture.scope), fixture.store.rollouts(in: fixture.scope))
        let id = try await rollouts.create(Self.rollout(failureCount: 2))
        for board in [silent, revoked] {
            _ = try await boards.hear(Self.report("1.3.0"), from: board)
            _ = try await boards.hear(Self.report("1.3.0", .proving, underWay: Self.digest), from: board)
        }
        try await fixture.store.devices(in: fixture.scope).revoke(revoked)
        await #expect(throws: StoreError.missing("sender")) { try await boards.hear(Self.report("1.4.0"), from: revoked) }
        fixture.clock.advance(.seconds(601))
        try await fixture.store.passRollouts()
        #expect(try await fates(fixture, id) == [silent: .failed])
        #expect(try await rollouts.find(id).rollout.state == .done)
    }

    @Test("a fleet of 200 boards, one in twenty of which goes back: it halts as told, nobody is stuck, and nobody begins any more")
    func fleet() async throws {
        let fixture = try await Fixture()
        var fleet: [DeviceID] = []
        for number in 0..<200 { fleet.append(try await fixture.sender("b\(number)").id) }
        let (boards, rollouts) = (fixture.store.boardUpdates(in: fixture.scope), fixture.store.rollouts(in: fixture.scope))
        for board in fleet { _ = try await boards.hear(Self.report("1.3.0"), from: board) }
        var new = Self.rollout(canaries: Array(fleet.prefix(2)), failureCount: 3)
        new.plan.percentages = [10, 50, 100]
        let id = try await rollouts.create(new)
        var has: Set<DeviceID> = []
        while try await rollouts.find(id).rollout.state == .running, has.count < 200 {
            for (number, board) in fleet.enumerated() where !has.contains(board) {
                guard try await boards.hear(Self.report("1.3.0"), from: board).wish == .install else { continue }
                _ = try await boards.hear(Self.report("1.3.0", .proving, underWay: Self.digest), from: board)
                has.insert(board)
                let end = number % 20 == 19 ? Self.report("1.3.0", failed: [Self.digest]) : Self.report("1.4.0")
                _ = try await boards.hear(end, from: board)
            }
            fixture.clock.advance(.seconds(60))
            try await fixture.store.passRollouts()
        }
        let (rollout, reached) = try await rollouts.find(id)
        #expect(rollout.state == .halted && reached.allSatisfy { [.installed, .failed].contains($0.fate) })
        #expect(reached.count { $0.fate == .failed } == 3 && reached.count < 200 && Set(reached.map(\.sender)) == has)
        let late = try #require(fleet.first { !has.contains($0) })
        #expect(try await boards.hear(Self.report("1.3.0"), from: late).wish == .nothing)
    }
}
