import Posix
import Releases
import Testing

@testable import Updating

@Suite("Whatever happens in the middle of an update") struct MishapTests {
    private let factory: Factory

    init() throws { factory = try Factory() }

    /// A board that dies at one change on its disk and is started again.
    private func survivor(_ program: Program, _ mishap: PowerDisk.Mishap, losesPower: Bool) throws -> Board? {
        var board = try Board(factory)
        board.disk.begin(mishap)
        try board.offer(program)
        try board.run()
        guard board.disk.isDead else { return nil }
        board.disk.begin()
        let linked = try board.linkedVersion()
        #expect(linked == Factory.old || linked == Factory.new, "nothing whole would be started")
        try board.boot(withAgent: losesPower)
        // Control offers it again; the board may be in the middle of it, or know better.
        try? board.offer(program)
        try board.run()
        return board
    }

    private func works(_ board: Board, _ version: ReleaseVersion) throws -> Bool {
        #expect(board.running?.version == version)
        #expect(try board.linkedVersion() == version)
        #expect(board.machine.journal.installed == version)
        #expect(board.machine.journal.phase == .idle)
        let stored = try board.folder.journal() ?? board.machine.journal
        #expect(stored == board.machine.journal)
        return board.running?.version == version
    }

    @Test(
        "the updater is killed, or the power lost, at any change: a good release is there in the end", arguments: PowerDisk.Moment.allCases)
    func good(_ moment: PowerDisk.Moment) throws {
        for losesPower in [false, true] {
            var count = 0
            while let board = try survivor(
                .good, losesPower ? .powerCut(at: count, moment) : .kill(at: count, moment), losesPower: losesPower)
            {
                guard try works(board, Factory.new) else { Issue.record("change \(count), losing power: \(losesPower)"); return }
                count += 1
            }
            // Fewer would mean that the update was not done at all.
            #expect(count > 40)
        }
    }

    @Test(
        "the same with a release that does not work: the version before is there in the end, and the release is not tried again",
        arguments: [Program.crashing, .halting, .deaf, .blind], [PowerDisk.Moment.before, .after])
    func bad(_ program: Program, _ moment: PowerDisk.Moment) throws {
        for losesPower in [false, true] {
            var count = 0
            while let board = try survivor(
                program, losesPower ? .powerCut(at: count, moment) : .kill(at: count, moment), losesPower: losesPower)
            {
                guard try works(board, Factory.old), board.machine.journal.failed.count == 1 else {
                    Issue.record("change \(count), losing power: \(losesPower): \(board.machine.journal)")
                    return
                }
                count += 1
            }
            #expect(count > 40)
        }
    }

    @Test(
        "the disk is full, for a change, for some, or for good: what is linked is whole, and runs", arguments: [1, 4, 10_000],
        [Program.good, .deaf])
    func full(_ length: Int, _ program: Program) throws {
        var count = 0
        while true {
            var board = try Board(factory)
            board.disk.begin(.full(count..<count + length))
            try board.offer(program)
            try board.run()
            if board.disk.changes <= count { break }
            let linked = try board.linkedVersion()
            #expect(linked == Factory.old || linked == Factory.new, "change \(count)")
            // A full disk keeps nobody from going back.
            if program == .deaf { #expect(linked == Factory.old && board.running?.version == Factory.old, "change \(count)") }
            // Room again.
            board.disk.begin()
            try board.run()
            let version = try #require(try board.linkedVersion())
            guard try works(board, version), program == .good || version == Factory.old else {
                Issue.record("change \(count): \(board.machine.journal)")
                return
            }
            count += 1
        }
        #expect(count > 40)
    }

    @Test(
        "any step fails once, in any way: the board ends on a version that works, and takes a good release when it is offered again",
        arguments: [UpdateStep.Outcome.failed("broken"), .unreachable("no route to host"), .mismatch, .gone], [Program.good, .deaf])
    func step(_ outcome: UpdateStep.Outcome, _ program: Program) throws {
        var count = 0
        while true {
            var board = try Board(factory)
            board.failing = (count, outcome)
            try board.offer(program)
            try board.run()
            if board.steps <= count { break }
            let version = try #require(try board.linkedVersion())
            guard try works(board, version), program == .good || version == Factory.old else {
                Issue.record("step \(count): \(board.machine.journal)")
                return
            }
            // What went back is not tried again by itself; a person may want it all the same.
            if program == .good, version == Factory.old {
                try board.offer(.good, .now)
                try board.run()
                #expect(try works(board, Factory.new), "step \(count)")
            }
            count += 1
        }
        #expect(count > 10)
    }

    @Test("power that is lost three times before the new version has shown that it works takes the board back")
    func powerAgainAndAgain() throws {
        var board = try Board(factory)
        try board.offer(.good)
        while board.machine.journal.phase != .proving(start: 1) { try board.run(for: .milliseconds(10)) }
        for start in [2, 3] {
            try board.boot(withAgent: true)
            try board.run(for: .seconds(10))
            #expect(board.machine.journal.phase == .proving(start: start))
            #expect(board.running?.version == Factory.new)
        }
        try board.boot(withAgent: true)
        try board.run()
        #expect(try works(board, Factory.old))
        #expect(board.machine.journal.last?.contains("3 times") == true)
    }

    @Test("power that is lost while a disk is full, so that starts cannot be counted, takes the board back at once")
    func powerOnAFullDisk() throws {
        var board = try Board(factory)
        try board.offer(.good)
        while board.machine.journal.phase != .proving(start: 1) { try board.run(for: .milliseconds(10)) }
        try board.boot(withAgent: true)
        #expect(board.running?.version == Factory.new)
        board.disk.begin(.full(0..<10_000))
        try board.run(for: .seconds(20))
        #expect(board.running?.version == Factory.old)
        #expect(try board.linkedVersion() == Factory.old)
        // Once more, before there is room.
        try board.boot(withAgent: true)
        board.disk.begin(.full(0..<10_000))
        try board.run(for: .seconds(20))
        #expect(board.running?.version == Factory.old)
        board.disk.begin()
        try board.run()
        #expect(try works(board, Factory.old))
        #expect(board.machine.journal.failed.count == 1)
    }

    @Test("a file that the card has changed since it was fetched is not switched to")
    func wornCard() throws {
        var board = try Board(factory)
        try board.offer(.good)
        while board.machine.journal.phase != .staged { try board.run(for: .milliseconds(10)) }
        board.disk.spoil("/board/slots/b/bin/strata-agent")
        try board.run()
        #expect(try works(board, Factory.old))
        #expect(board.restarts == 0 && board.machine.journal.failed.isEmpty)
        #expect(board.machine.journal.last == "1.4.0 was not installed: what lies on the disk is not what was signed")
    }

    @Test("a journal that the card has changed is not believed")
    func wornJournal() throws {
        var board = try Board(factory)
        try board.offer(.good)
        try board.run()
        board.disk.spoil("/board/journal")
        #expect(throws: ReleaseFault.self) { try board.folder.journal() }
    }
}
