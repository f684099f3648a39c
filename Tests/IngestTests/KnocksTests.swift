import BondWire
import Posix
import Testing

@testable import Ingest

struct KnocksTests {
    private let one = SocketAddress("192.0.2.1", port: 7000)!
    private let other = SocketAddress("192.0.2.2", port: 7000)!
    private let second: Microseconds = 1_000_000

    @Test("a sender with another key is told at once, and then once a minute with how often it was there")
    func anotherKey() {
        var knocks = Knocks()
        var told: [Knocks.Told] = []
        for tick in 0...61 {
            let source = tick == 60 ? other : one
            if let new = knocks.dropped(tick == 60 ? .notAuthentic : .unknownStream, from: source, at: Microseconds(tick) * second) {
                told.append(new)
            }
        }
        #expect(told == [.init(source: one, withAnotherKey: 1), .init(source: other, withAnotherKey: 60)])
    }

    @Test("what is of no kind is told where it is as much as a sender sends, and what may be of our own never")
    func noKey() {
        var knocks = Knocks()
        var told: [Knocks.Told] = []
        for hour in 0..<1000 {
            if let new = knocks.dropped(.malformed, from: one, at: Microseconds(hour) * 3600 * second) { told.append(new) }
        }
        #expect(told.isEmpty)
        for number in 0..<1000 {
            for reason in [DropReason.malformed, .replayed, .unknownConnection, .unknownEpoch, .badCookie, .tooMany, .sessionBusy] {
                let at = 3_600_000 * second + Microseconds(number) * 1000
                if let new = knocks.dropped(reason, from: other, at: at) { told.append(new) }
            }
        }
        #expect(told == [.init(source: other, withNoKey: 200)])
    }
}
