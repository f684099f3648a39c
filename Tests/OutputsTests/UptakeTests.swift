import Posix
import Testing
import Units

@testable import Outputs

@Suite struct UptakeTests {
    /// A peer that is looked at four times a second.
    private struct Peer {
        var uptake = Uptake()
        var counts = Uptake.Counts(taken: 0, room: 65_536)
        var told: [Bool] = []
        private var ticks: Int64 = 0

        init() { uptake.note(counts, at: Instant(nanoseconds: 0)) }

        /// - Parameters:
        ///   - taken: bytes it confirms in 250 ms.
        ///   - read: bytes its program makes room for.
        mutating func run(_ seconds: Double, taken: Int, read: Int, isOwed: Bool = true) {
            for _ in 0..<Int(seconds * 4) {
                ticks += 1
                counts.taken += taken
                counts.room += read
                counts.isOwed = isOwed
                uptake.note(counts, at: Instant(nanoseconds: ticks * 250_000_000))
                if uptake.hangs != (told.last ?? false) { told.append(uptake.hangs) }
            }
        }
    }

    @Test("a program that reads nothing hangs after 2 s, though its side confirms what comes")
    func stopped() {
        var peer = Peer()
        peer.run(10, taken: 25_000, read: 25_000)
        // Its window rounds up a little with each confirmation.
        peer.run(1.75, taken: 25_000, read: 1000)
        #expect(!peer.uptake.hangs)
        peer.run(0.5, taken: 0, read: 0)
        #expect(peer.uptake.hangs)
        peer.run(10, taken: 0, read: 0)
        peer.run(3, taken: 100_000, read: 100_000)
        #expect(peer.told == [true, false])
    }

    @Test("a narrow line, one that pauses for a second, a silent stream and a window that grows are no hang")
    func slow() {
        var peer = Peer()
        peer.run(10, taken: 1000, read: 1000)
        for _ in 0..<10 {
            peer.run(1.5, taken: 0, read: 0)
            peer.run(0.25, taken: 5000, read: 5000)
        }
        peer.run(10, taken: 0, read: 0, isOwed: false)
        peer.run(10, taken: 20_000, read: 60_000)
        #expect(peer.told == [])
    }

    @Test("what hangs again and again is told once")
    func again() {
        var peer = Peer()
        for _ in 0..<5 {
            peer.run(3, taken: 0, read: 0)
            peer.run(1, taken: 20_000, read: 20_000)
        }
        #expect(peer.told == [true])
    }

    @Test("a peer that only says how often it confirms hangs when something was sent, and not while nothing is")
    func counted() {
        var uptake = Uptake()
        for tick in 0..<40 {
            uptake.note(Uptake.Counts(taken: 7, room: 7, sent: 1000), at: Instant(nanoseconds: Int64(tick) * 250_000_000))
        }
        #expect(!uptake.hangs)
        for tick in 40..<50 {
            uptake.note(Uptake.Counts(taken: 7, room: 7, sent: 2000), at: Instant(nanoseconds: Int64(tick) * 250_000_000))
        }
        #expect(uptake.hangs)
    }
}
