import Posix
import Testing
import Web

@Suite("The pace of a peer's messages")
struct MessagePaceTests {
    private let start = Instant(nanoseconds: 1_000_000_000)

    @Test("a burst passes, what is more waits for its turn, and a pause earns no more than the burst")
    func bucket() {
        var pace = MessagePace(perSecond: 20, burst: 100)
        for _ in 0..<100 { #expect(pace.take(at: start) == nil) }
        for number in 1...10 { #expect(pace.take(at: start) == .milliseconds(50 * number)) }
        let later = start + .seconds(3600)
        for _ in 0..<100 { #expect(pace.take(at: later) == nil) }
        #expect(pace.take(at: later) == .milliseconds(50))
    }
}
