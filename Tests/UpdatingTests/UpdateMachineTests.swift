import Crypto
import Posix
import Releases
import Testing
import Units

@testable import Updating

@Suite("An update of a board") struct UpdateMachineTests {
    private let factory: Factory

    init() throws { factory = try Factory() }

    private var wholeBytes: Int { factory.contents(.good, Factory.new).values.reduce(0) { $0 + $1.count } }

    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "it was taken"
        } catch {
            return "\(error)"
        }
    }

    @Test("a good release is fetched once, started once, and stays; the one before stays beside it")
    func good() throws {
        var board = try Board(factory)
        try board.offer(.good)
        try board.run()
        let journal = board.machine.journal
        #expect(board.running?.version == Factory.new && journal.installed == Factory.new && journal.active == .b)
        #expect(journal.previous == Factory.old && journal.last == "installed 1.4.0" && journal.phase == .idle)
        #expect(board.restarts == 1 && board.fetched == wholeBytes)
        #expect(message { try board.offer(.good) } == "1.4.0 is installed")
        #expect(message { try board.offer(try factory.manifest(.good, Factory.old, sequence: 18)) }.hasPrefix("1.3.0 is older than 1.4.0"))
        #expect(
            message { try board.offer(try factory.manifest(.good, ReleaseVersion(1, 5, 0), sequence: 16)) }.contains("number 17 is known"))
    }

    @Test(
        "one that does not work is left for the version before, and says why",
        arguments: [
            (Program.crashing, "the agent said nothing"), (Program.halting, "it worked for "), (Program.deaf, "control is not reached"),
            (Program.blind, "link 'wwan0' is not up"),
        ])
    func bad(_ program: Program, _ reason: String) throws {
        var board = try Board(factory)
        try board.offer(program)
        try board.run()
        #expect(board.running?.version == Factory.old && board.restarts == 2)
        #expect(
            board.machine.journal.last?.hasPrefix("went back from 1.4.0: \(reason)") == true, "\(board.machine.journal.last ?? "nothing")")
        #expect(message { try board.offer(program) } == "1.4.0 was tried here and did not work")
        try board.offer(program, .now)
    }

    @Test("nothing is fetched or restarted while the board is live, unless somebody wants it now")
    func live() throws {
        var board = try Board(factory)
        board.isBroadcasting = true
        try board.offer(.good)
        try board.run(for: .seconds(600))
        #expect(board.fetched == 0 && board.restarts == 0 && board.machine.journal.phase == .clearing)
        board.isBroadcasting = false
        try board.run()
        #expect(board.running?.version == Factory.new)

        var forced = try Board(factory)
        forced.isBroadcasting = true
        try forced.offer(.good)
        try forced.run(for: .seconds(600))
        #expect(forced.fetched == 0)
        try forced.offer(.good, .now)
        try forced.run()
        #expect(forced.running?.version == Factory.new && forced.restarts == 1)
    }

    @Test("a broadcast that begins stops the download where it is")
    func liveMeanwhile() throws {
        var board = try Board(factory, cap: .kilobits(20))
        try board.offer(.good)
        while board.fetched == 0 { try board.run(for: .milliseconds(10)) }
        #expect(board.fetched == 16_384)
        board.isBroadcasting = true
        try board.run(for: .seconds(30))
        let fetched = board.fetched
        #expect(fetched < wholeBytes)
        try board.run(for: .seconds(600))
        #expect(board.fetched == fetched && board.restarts == 0)
        board.isBroadcasting = false
        try board.run()
        #expect(board.fetched == wholeBytes && board.running?.version == Factory.new)
    }

    @Test("a release that does not work goes when the broadcast that began on it ends")
    func liveProving() throws {
        var board = try Board(factory)
        try board.offer(.deaf)
        while board.restarts == 0 { try board.run(for: .milliseconds(10)) }
        board.isBroadcasting = true
        try board.run(for: .seconds(900))
        #expect(board.restarts == 1 && board.running?.version == Factory.new)
        // What the service starts next is right already.
        #expect(try board.linkedVersion() == Factory.old)
        board.isBroadcasting = false
        try board.run()
        #expect(board.restarts == 2 && board.running?.version == Factory.old)
    }

    @Test("a download goes on where it ended, over a line that is gone and a start of the updater")
    func resume() throws {
        var board = try Board(factory)
        try board.offer(.good)
        while board.fetched == 0 { try board.run(for: .milliseconds(10)) }
        board.isLineUp = false
        let asked = board.asked
        try board.run(for: .seconds(1800))
        // After 5 s, 10 s and so on to ten minutes.
        #expect((5...12).contains(board.asked - asked))
        try board.boot(withAgent: false)
        try board.run(for: .seconds(60))
        #expect(board.machine.journal.phase == .fetching)
        board.isLineUp = true
        try board.run()
        #expect(board.fetched == wholeBytes && board.running?.version == Factory.new)
    }

    @Test("a file that is not what was signed is fetched three times and no more; nothing is switched")
    func wrongBytes() throws {
        var board = try Board(factory)
        try board.offer(.good)
        let bytes = try #require(factory.contents(.good, Factory.new)["bin/strata-agent"])
        board.served[SHA256.hash(bytes)] = [UInt8](repeating: 0, count: bytes.count)
        try board.run()
        #expect(board.fetched == 3 * bytes.count && board.restarts == 0)
        #expect(board.machine.journal.last == "1.4.0 was not installed: 'bin/strata-agent' is not what was signed")
        #expect(board.machine.journal.phase == .idle && board.running?.version == Factory.old)
    }

    @Test("a file that control no longer has ends the update")
    func gone() throws {
        var board = try Board(factory)
        try board.offer(.good)
        board.served = [:]
        try board.run()
        #expect(board.machine.journal.last == "1.4.0 was not installed: control no longer has 'bin/strata-agent'")
        #expect(board.machine.journal.phase == .idle)
    }

    @Test("what is withdrawn ends before it is switched to")
    func withdrawn() throws {
        var board = try Board(factory, cap: .kilobits(20))
        try board.offer(.good)
        try board.run(for: .seconds(3))
        board.withdraw()
        try board.run()
        #expect(board.machine.journal.phase == .idle && board.machine.journal.last == "1.4.0 was withdrawn" && board.restarts == 0)
        try board.offer(.good)
        try board.run()
        #expect(board.running?.version == Factory.new)
    }

    @Test("what was fetched of an update that is given up goes with it, so that a disk which it has filled has room again")
    func emptied() throws {
        var board = try Board(factory, cap: .kilobits(20))
        try board.offer(.good)
        while board.fetched == 0 { try board.run(for: .milliseconds(10)) }
        let bytes = try #require(factory.contents(.good, Factory.new)["bin/strata-agent"])
        let part = "/board/slots/b/.part-\(Hex.encode(SHA256.hash(bytes)))"
        #expect(try board.disk.look(part) != nil)
        board.withdraw()
        try board.run()
        let (left, slot) = (try board.disk.look(part), try board.disk.look("/board/slots/b"))
        #expect(left == nil && slot == .folder)
        #expect(board.machine.journal.phase == .idle && board.machine.journal.last == "1.4.0 was withdrawn")
    }

    @Test("another release waits for the one that is under way")
    func busy() throws {
        var board = try Board(factory)
        try board.offer(.good)
        try board.run(for: .milliseconds(500))
        let next = try factory.manifest(.good, ReleaseVersion(1, 5, 0), sequence: 18)
        #expect(message { try board.offer(next) } == "1.4.0 is being installed")
    }

    @Test("a person takes a board back to the version before, which then is not replaced by itself")
    func back() throws {
        var board = try Board(factory)
        try board.offer(.good)
        try board.run()
        board.goBack()
        try board.run()
        let journal = board.machine.journal
        #expect(board.running?.version == Factory.old && journal.installed == Factory.old && journal.active == .a)
        #expect(journal.previous == nil && journal.last == "went back from 1.4.0 to 1.3.0, as was wanted")
        #expect(message { try board.offer(.good) } == "1.4.0 was tried here and did not work")
        board.goBack()
        try board.run()
        #expect(board.restarts == 2)
        try board.offer(.good, .now)
        try board.run()
        #expect(board.running?.version == Factory.new && board.machine.journal.failed.isEmpty)
    }

    @Test("going back does not take place where the version before is no longer whole")
    func backToNothing() throws {
        var board = try Board(factory)
        try board.offer(.good)
        try board.run()
        board.disk.spoil("/board/slots/a/bin/strata-agent")
        board.goBack()
        try board.run()
        #expect(board.running?.version == Factory.new && board.restarts == 1)
        #expect(board.machine.journal.last?.hasPrefix("the version before is not whole any more") == true)
    }

    @Test("going back survives a loss of power at any change")
    func backWithoutPower() throws {
        var count = 0
        while true {
            var board = try Board(factory)
            try board.offer(.good)
            try board.run()
            board.disk.begin(.powerCut(at: count, .before))
            board.goBack(.now)
            try board.run()
            guard board.disk.isDead else { break }
            board.disk.begin()
            #expect(try board.linkedVersion() != nil)
            try board.boot(withAgent: true)
            try board.run()
            #expect(board.running?.version == board.machine.journal.installed && board.machine.journal.phase == .idle)
            #expect(try board.linkedVersion() == board.running?.version)
            count += 1
        }
        #expect(count > 10)
    }

    @Test("a link that points to the wrong slot is set right")
    func wrongLink() throws {
        var board = try Board(factory)
        try board.offer(.good)
        try board.run()
        #expect(board.folder.carryOut(.point(.a)) == .done)
        try board.boot(withAgent: true)
        try board.run()
        #expect(try board.linkedVersion() == Factory.new)
    }
}
