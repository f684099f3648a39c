import Testing

@testable import Installation

@Suite("An installation's steps")
struct InstallerTests {
    private static let before = ["b": "old", "c": "new", "other": "somebody's"]
    private static let after = ["a1": "new", "a2": "new", "b": "new", "c": "new", "d": "new", "other": "somebody's"]
    static let names = ["a", "b", "d"]
    private let order = Journal.Order(settings: ["host": "live.example.org"], version: "0.1.0")

    /// `a` has two parts, `b` replaces what is there, `c` is there already, `d` is new.
    private func steps(_ world: World) -> [Step] {
        [world.step("a", ["a1", "a2"]), world.step("b", ["b"]), world.step("c", ["c"]), world.step("d", ["d"])]
    }

    @Test("what is missing is made in order, what is there is left, and a second run writes nothing at all")
    func twice() async throws {
        let world = World(Self.before)
        let installer = world.installer(steps(world))
        #expect(try await installer.plan().map(\.isNeeded) == [true, true, false, true])
        #expect(world.changes == 0)
        let first = try await installer.install(order)
        #expect(first.changed == Self.names && first.state == .active && world.things == Self.after)
        #expect(try world.journal.entries.map(\.step) == Self.names)
        world.power()
        let second = try await installer.install(order)
        #expect(second.changed.isEmpty && second.state == .active && world.changes == 0)
        await #expect(throws: NothingOpen.self) { try await installer.rollBack() }
        #expect(world.things == Self.after)
    }

    @Test("a step that fails is named, the next run goes on with it, and none is made twice", arguments: InstallerTests.names)
    func retried(_ name: String) async throws {
        let world = World(Self.before)
        let installer = world.installer(steps(world))
        world.fail(name)
        let fault = await #expect(throws: StepFault.self) { try await installer.install(order) }
        #expect(fault?.step == name && fault?.reason == "it broke")
        let failed = try world.journal
        #expect(failed.state == .failed && failed.failure == Journal.Failure(step: name, reason: "it broke"))
        _ = try await installer.install(order)
        #expect(world.things == Self.after)
        #expect(world.makes.filter { $0 != name } == Self.names.filter { $0 != name } && world.makes.count == Self.names.count + 1)
        let journal = try world.journal
        #expect(journal.state == .active && journal.run == 1 && journal.entries.map(\.step) == Self.names && journal.failure == nil)
    }

    @Test("a run that failed at any step is taken back to what was there before it", arguments: InstallerTests.names)
    func rolledBack(_ name: String) async throws {
        let world = World(Self.before)
        let installer = world.installer(steps(world))
        world.fail(name)
        await #expect(throws: StepFault.self) { try await installer.install(order) }
        let outcome = try await installer.rollBack()
        #expect(outcome.changed == Self.names.prefix { $0 != name }.reversed().reduce(into: [name]) { $0.append($1) })
        #expect(world.things == Self.before && outcome.state == .pending)
        #expect(try world.journal.entries.isEmpty)
        _ = try await installer.install(order)
        #expect(world.things == Self.after)
    }

    @Test("what an earlier run has made stays when a later one is taken back")
    func later() async throws {
        let world = World(Self.before)
        _ = try await world.installer([world.step("a", ["a1", "a2"])]).install(order)
        world.fail("d")
        let installer = world.installer(steps(world))
        let next = Journal.Order(settings: order.settings, version: "0.2.0")
        await #expect(throws: StepFault.self) { try await installer.install(next) }
        let outcome = try await installer.rollBack()
        #expect(outcome.changed == ["d", "b"] && outcome.state == .active)
        #expect(world.things == Self.before.merging(["a1": "new", "a2": "new"]) { $1 })
        let journal = try world.journal
        #expect(journal.order == order && journal.entries.map(\.step) == ["a"])
    }

    @Test(
        "the power is cut before and after every change of disk or machine: the next run ends as if it had not been",
        arguments: [false, true])
    func resumed(_ isAfter: Bool) async throws {
        try await everyCut(isAfter) { world, installer in
            _ = try await installer.install(order)
            #expect(world.things == Self.after)
            let journal = try world.journal
            #expect(journal.state == .active && journal.entries.map(\.step) == Self.names && journal.entries.allSatisfy(\.isMade))
            world.power()
            #expect(try await installer.install(order).changed.isEmpty && world.changes == 0)
            // And all of it is known for a removal.
            _ = try await installer.remove(purge: true)
            #expect(world.things == Self.before)
        }
    }

    @Test("the power is cut before and after every change: what is taken back is what was made and no more", arguments: [false, true])
    func takenBack(_ isAfter: Bool) async throws {
        try await everyCut(isAfter) { world, installer in
            let journal = try world.journal
            // Its end was written down: the run is made, and only its removal takes it back.
            guard journal.state != .active else {
                await #expect(throws: NothingOpen.self) { try await installer.rollBack() }
                return #expect(isAfter && world.things == Self.after && journal.entries.allSatisfy(\.isMade))
            }
            // Where not even the run's beginning was written down there is nothing to take back.
            if journal.isOpen { _ = try await installer.rollBack() }
            #expect(world.things == Self.before)
            #expect(try world.journal.entries.isEmpty)
        }
    }

    @Test("the power is cut while it is taken back: the next time does the rest", arguments: [false, true])
    func takenBackTwice(_ isAfter: Bool) async throws {
        var number = 1
        while true {
            let world = World(Self.before)
            let installer = world.installer(steps(world))
            world.fail("d")
            await #expect(throws: StepFault.self) { try await installer.install(order) }
            world.power(cutAt: number, after: isAfter)
            do {
                _ = try await installer.rollBack()
                break
            } catch {
                world.power()
                if try world.journal.isOpen { _ = try await installer.rollBack() }
                #expect(world.things == Self.before)
                #expect(try world.journal.state == .pending && world.journal.entries.isEmpty)
            }
            number += 1
        }
        #expect(number > 8, "each of three steps has a change and an entry at least")
    }

    /// Runs an installation that is cut off at its first change, its second and so on, and `body` after each of them with the power back.
    private func everyCut(_ isAfter: Bool, _ body: (World, Installer) async throws -> Void) async throws {
        var number = 1
        while true {
            let world = World(Self.before)
            let installer = world.installer(steps(world))
            world.power(cutAt: number, after: isAfter)
            do {
                _ = try await installer.install(order)
                break
            } catch {
                #expect(error is JournalStore.Fault, "\(error)")
                world.power()
                try await body(world, installer)
            }
            number += 1
        }
        #expect(number > 11, "a run's beginning and end, and of three steps the entry, the change and the end")
    }

    @Test("a removal leaves data unless a purge is asked for, and a purge after it takes the rest")
    func removed() async throws {
        let world = World(Self.before)
        let installer = world.installer([world.step("a", ["a1"], contents: .data), world.step("b", ["b"]), world.step("d", ["d"])])
        _ = try await installer.install(order)
        let removed = try await installer.remove(purge: false)
        #expect(removed.changed == ["d", "b"] && removed.state == .deleted)
        #expect(world.things == Self.before.merging(["a1": "new"]) { $1 })
        // It is installed again over what was left, and knows that it was its own.
        #expect(try await installer.install(order).changed == ["b", "d"])
        #expect(try await installer.remove(purge: true).changed == ["d", "b", "a"])
        #expect(world.things == Self.before)
    }

    @Test("what cannot be taken back is told, and stays in the journal for the next time")
    func left() async throws {
        let world = World()
        let stubborn = Step(
            "stubborn", .service, "a stubborn thing", look: { world.things["s"] == "new" ? .done : .missing("") },
            make: { try await world.step("s", ["s"]).make() }, undo: { _, _ in .left("somebody needs it") })
        let installer = world.installer([stubborn, world.step("d", ["d"])])
        _ = try await installer.install(order)
        let known = world.installer([stubborn])
        let outcome = try await known.remove(purge: true)
        #expect(outcome.left.map(\.step) == ["d", "stubborn"] && outcome.left.map(\.reason).contains("somebody needs it"))
        #expect(try world.journal.entries.map(\.step) == ["stubborn", "d"])
        #expect(try await installer.remove(purge: true).changed == ["d"])
    }

    @Test("a journal that cannot be read is no beginning: nothing is made")
    func damaged() async throws {
        let world = World()
        let store = JournalStore(read: { Array("{\"format\":1".utf8) }, write: { _ in Issue.record("it was written over") })
        let installer = Installer([world.step("a", ["a1"])], store: store, now: { 0 })
        await #expect(throws: JournalStore.Fault.self) { try await installer.install(order) }
        #expect(world.things.isEmpty)
    }

    @Test("however often it fails, the journal keeps the last events and no more")
    func bounded() async throws {
        let world = World()
        let installer = world.installer([world.step("a", ["a1"])])
        for _ in 0...Journal.eventLimit {
            world.fail("a")
            await #expect(throws: StepFault.self) { try await installer.install(order) }
            _ = try await installer.rollBack()
        }
        #expect(try world.journal.events.count == Journal.eventLimit)
    }
}

@Suite("The questions before an installation")
struct PreflightTests {
    @Test("are asked at the same time and answered in their order; only a required one blocks")
    func parallel() async throws {
        let (first, firstBegun) = AsyncStream.makeStream(of: Void.self)
        let (second, secondBegun) = AsyncStream.makeStream(of: Void.self)
        // Each ends once the other has begun.
        let findings = await preflight([
            PreflightProbe("ports", .required) {
                firstBegun.yield()
                for await _ in second { break }
                return .failed("443 is taken", advice: "stop what listens there")
            },
            PreflightProbe("dns", .optional) {
                secondBegun.yield()
                for await _ in first { break }
                return .failed("no address", advice: "set a record")
            },
            PreflightProbe("disk", .required) { .passed("20 GiB free") },
        ])
        #expect(findings.map(\.name) == ["ports", "dns", "disk"])
        #expect(findings.map(\.isBlocking) == [true, false, false])
    }
}
