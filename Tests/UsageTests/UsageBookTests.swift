import Configuration
import Foundation
import Posix
import Testing
import Wire

@testable import Usage

@Suite("What the links have carried") struct UsageBookTests {
    /// 2026-11-20, noon.
    private static let noon: Int64 = 1_795_176_000
    private static let day: Int64 = 86_400

    /// A board and its book, by the hour.
    private struct Board {
        var book: UsageBook
        var boot: String
        var now = Instant(nanoseconds: 0)
        var plans: [String: DataPlan] = [:]
        var unixSeconds: Int64? = UsageBookTests.noon

        init(_ kept: UsageBook.Kept? = nil, boot: String = "a") {
            self.boot = boot
            book = UsageBook(kept, boot: boot, at: now)
        }

        @discardableResult
        mutating func look(
            _ sent: Int, _ received: Int = 0, index: Int = 4, name: String = "wwan0", sim: String? = "8949001", isCellular: Bool = true,
            own: Int = 0
        ) -> [UsageTelemetry] {
            now = now + .seconds(5)
            let reading = LinkReading(
                index: index, name: name, isCellular: isCellular, sentBytes: sent, receivedBytes: received, ownSentBytes: own)
            return book.count(
                [reading], sims: sim.map { [name: $0] } ?? [:], plans: plans, unixSeconds: unixSeconds, at: now)
        }

        var sent: Int { book.figures.first?.sentBytes ?? -1 }

        mutating func wait(_ duration: Duration) { now = now + duration }

        /// The agent ends, or the board loses power, and another begins with what lay on disk.
        mutating func next(boot: String? = nil) throws {
            let text = try JSONEncoder().encode(book.all)
            var next = Board(try JSONDecoder().decode(UsageBook.Kept.self, from: text), boot: boot ?? self.boot)
            (next.plans, next.unixSeconds) = (plans, unixSeconds)
            self = next
        }
    }

    @Test("a board that never counted begins at what the kernel shows; what comes then is counted both ways")
    func begins() {
        var board = Board()
        board.look(9_000_000, 5000)
        board.look(9_000_700, 5300)
        #expect(
            board.book.figures == [
                UsageTelemetry(
                    link: "wwan0", sim: "9001", since: "2026-11-01", sentBytes: 700, receivedBytes: 300, capBytes: nil, state: .within)
            ])
    }

    @Test("nothing is lost or doubled over a restart, a reboot, a reset counter, a rename and a replugged modem")
    func counters() throws {
        var board = Board()
        board.look(1000)
        board.look(1500)
        try board.next()
        // While no agent ran, 250 were sent.
        board.look(1750)
        #expect(board.sent == 750)
        try board.next(boot: "b")
        board.look(40)
        #expect(board.sent == 790)
        // Its driver began anew.
        board.look(15)
        #expect(board.sent == 805)
        board.look(20, name: "modem-left")
        #expect(board.sent == 810 && board.book.figures[0].link == "modem-left")
        board.look(100, index: 9)
        #expect(board.sent == 910)
    }

    @Test("what the board says to a stick itself is not the card's, and no more is taken off than came")
    func own() throws {
        var board = Board()
        board.look(1000)
        board.look(1500, own: 200)
        #expect(board.sent == 300)
        // The stick was talked to before the kernel's counters were read again: the rest is due with the next look.
        board.look(1600, own: 400)
        #expect(board.sent == 300)
        board.look(1900, own: 400)
        #expect(board.sent == 500, "100 of the last 300 were still due")
        board.look(2000, own: 400)
        #expect(board.sent == 600)
        // The link was down: its own count begins anew.
        board.look(2100, own: 40)
        #expect(board.sent == 660)
        // The agent was restarted, and what it said until then is in the book.
        try board.next()
        board.look(2200, own: 30)
        #expect(board.sent == 730)
        // Plugged in again.
        board.look(100, index: 9, own: 100)
        #expect(board.sent == 730)
    }

    @Test("a card in another modem takes its bytes along, and another card in the same modem begins its own")
    func cards() {
        var board = Board()
        board.look(0)
        board.look(500)
        board.look(30, index: 7, name: "wwan1")
        #expect(board.sent == 530)
        board.look(80, index: 7, name: "wwan1", sim: "8949002")
        #expect(board.sent == 0, "the last 50 came by the card that was there until now")
        board.look(100, index: 7, name: "wwan1", sim: "8949002")
        #expect(board.sent == 20)
        board.look(0, index: 8)
        #expect(board.sent == 580)
    }

    @Test("what a modem carries before its card is known is the card's; a link that never shows one is counted by its name")
    func unknown() {
        var board = Board()
        board.look(0, sim: nil)
        board.look(400, sim: nil)
        #expect(board.book.figures.isEmpty)
        board.look(500)
        #expect(board.sent == 500)
        // The daemon is away.
        board.look(600, sim: nil)
        #expect(board.sent == 600 && board.book.figures[0].sim == "9001")
        for second in stride(from: 0, through: 125, by: 5) { board.look(second, index: 12, name: "usb0", sim: nil) }
        #expect(board.book.figures.map(\.sim) == [nil] && board.sent == 125, "\(board.book.figures)")
        board.look(7, index: 2, name: "eth0", sim: nil, isCellular: false)
        #expect(board.sent == 7)
    }

    @Test("a cycle ends with its day; a month without that day ends on its last one")
    func cycles() {
        for (date, first, expected) in [
            (Self.noon, 1, "2026-11-01"), (Self.noon, 20, "2026-11-20"), (Self.noon, 21, "2026-10-21"), (Self.noon, 31, "2026-10-31"),
            (Self.noon + 10 * Self.day, 31, "2026-11-30"), (Self.noon + 60 * Self.day, 20, "2026-12-20"),
            (Self.noon + 465 * Self.day, 30, "2028-01-30"), (Self.noon + 466 * Self.day, 30, "2028-02-29"),
        ] {
            #expect(BillingCycle(containing: date, firstDay: first).text == expected)
        }
        var board = Board()
        board.plans["wwan0"] = DataPlan(capBytes: 1000, firstDay: 15)
        board.look(0)
        #expect(board.look(800).map(\.state) == [.near] && board.look(900).isEmpty && board.look(1000).map(\.state) == [.spent])
        board.unixSeconds = Self.noon + 26 * Self.day
        #expect(board.look(1100).map(\.state) == [.within])
        #expect(board.sent == 0 && board.book.figures[0].since == "2026-12-15")
    }

    @Test("what comes before the clock is set is kept, and a clock that was wrong for a while costs nothing")
    func clock() throws {
        var board = Board()
        board.unixSeconds = nil
        board.look(0)
        board.look(100)
        #expect(board.sent == 100 && board.book.figures[0].since == nil)
        board.unixSeconds = Self.noon
        board.look(200)
        #expect(board.sent == 200 && board.book.figures[0].since == "2026-11-01")
        // Ten years on, and back.
        board.unixSeconds = Self.noon + 3650 * Self.day
        board.look(250)
        #expect(board.sent == 0)
        board.look(300)
        board.unixSeconds = Self.noon
        board.look(350)
        #expect(board.sent == 100, "it may be this clock that is wrong")
        board.wait(UsageBook.doubtTime)
        board.look(350)
        #expect(board.sent == 350 && board.book.figures[0].since == "2026-11-01")
        // A board without a battery boots in 1970: its clock is not set.
        try board.next(boot: "b")
        board.unixSeconds = nil
        board.look(10)
        #expect(board.sent == 360)
        // Another day in the contract: rather too much than too little.
        board.unixSeconds = Self.noon
        board.plans["wwan0"] = DataPlan(firstDay: 10)
        board.look(20)
        #expect(board.sent == 370 && board.book.figures[0].since == "2026-11-10")
    }

    /// 8500 bytes in October and 500 in November until now.
    private func inNovember() -> Board {
        var board = Board()
        board.unixSeconds = Self.noon - 31 * Self.day
        board.look(0)
        board.unixSeconds = Self.noon
        board.look(8500)
        board.look(9000)
        return board
    }

    @Test("a clock that is behind for a while, through restarts, neither ends a cycle nor adds two up")
    func behind() throws {
        var board = inNovember()
        #expect(board.sent == 500)
        // A board without a battery for its clock boots in October.
        board.unixSeconds = Self.noon - 31 * Self.day
        try board.next(boot: "b")
        board.look(10)
        try board.next(boot: "c")
        board.look(20)
        #expect(board.sent == 530 && board.book.figures[0].since == "2026-11-01")
        board.wait(UsageBook.doubtTime - .seconds(10))
        board.look(30)
        board.unixSeconds = Self.noon
        board.look(40)
        #expect(board.sent == 550 && board.book.figures[0].since == "2026-11-01")
        // For longer than it is doubted: believed, and the newer cycle is there again with all that came when the clock is put right.
        board.unixSeconds = Self.noon - 31 * Self.day
        board.look(50)
        board.wait(UsageBook.doubtTime)
        board.look(60)
        #expect(board.sent == 8500 + 570 && board.book.figures[0].since == "2026-10-01")
        try board.next()
        board.look(70)
        board.unixSeconds = Self.noon
        board.look(80)
        #expect(board.sent == 590 && board.book.figures[0].since == "2026-11-01")
        board.unixSeconds = Self.noon + 30 * Self.day
        board.look(90)
        #expect(board.sent == 0 && board.book.figures[0].since == "2026-12-01")
    }

    @Test("a clock that was ahead and is right since a week begins the next cycle at nothing, and one far behind loses nothing")
    func believed() {
        var board = inNovember()
        board.unixSeconds = Self.noon - 31 * Self.day
        board.look(9000)
        board.wait(UsageBook.doubtTime)
        board.look(9000)
        #expect(board.sent == 9000 && board.book.figures[0].since == "2026-10-01")
        board.unixSeconds = Self.noon - 23 * Self.day
        board.look(9400)
        board.unixSeconds = Self.noon
        board.look(9500)
        #expect(board.sent == 0 && board.book.figures[0].since == "2026-11-01")
        board.look(9600)
        board.unixSeconds = Self.noon - 200 * Self.day
        board.look(9700)
        board.wait(UsageBook.doubtTime)
        board.look(9800)
        #expect(board.sent == 300 && board.book.figures[0].since == "2026-05-01")
        board.unixSeconds = Self.noon
        board.look(9900)
        #expect(board.sent == 400 && board.book.figures[0].since == "2026-11-01")
    }

    @Test("it is written at once on a board that never counted, then after 64 MiB or ten minutes, and never twice in a minute")
    func writing() {
        var board = Board()
        board.look(0)
        #expect(board.book.due(at: board.now) != nil)
        board.look(100 << 20)
        #expect(board.book.due(at: board.now) == nil, "a minute has not passed")
        for _ in 0..<11 { board.look(100 << 20) }
        #expect(board.book.due(at: board.now) != nil)
        // Nothing moves: nothing is written.
        for _ in 0..<200 { board.look(100 << 20) }
        #expect(board.book.due(at: board.now) == nil)
        board.look((100 << 20) + 1)
        #expect(board.book.due(at: board.now)?.accounts["sim:8949001"]?.sent == (100 << 20) + 1)
        for second in 0..<100 { board.look((101 << 20) + second) }
        #expect(board.book.due(at: board.now) == nil)
        for second in 100..<121 { board.look((101 << 20) + second) }
        #expect(board.book.due(at: board.now) != nil)
    }

    @Test("a file of nonsense is survived, and a book does not grow")
    func hostile() throws {
        let text = """
            {"version":1,"boot":"a","meters":[{"index":4,"sent":-9223372036854775808,"received":0}],"accounts":{
            "sim:8949001":{"cycle":{"start":9223372036854775807},"sent":9223372036854775807,"received":9223372036854775807},
            "sim:8949002":{"sent":9223372036854775807,"received":1}}}
            """
        var board = Board(try JSONDecoder().decode(UsageBook.Kept.self, from: Data(text.utf8)))
        board.look(.max, .max)
        board.look(5, 5)
        board.look(.max, .max)
        #expect(board.sent > 0)
        for card in 0..<300 { board.look(1, index: card, sim: "\(card)") }
        #expect(board.book.all.accounts.count <= 65 && board.book.all.meters.count <= 65)
    }
}
