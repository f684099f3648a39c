import Testing

@testable import Posix

struct ClockPairTests {
    /// The time that each reading of either clock takes, in microseconds, one after the other; the last for ever.
    private static func read(_ times: [Int64]) -> (pair: ClockPair, readings: Int) {
        var (time, count) = (Int64(1_000_000), 0)
        func pass() -> Int64 {
            time += times[min(count, times.count - 1)] * 1000
            count += 1
            return time
        }
        let pair = ClockPair(now: { Instant(nanoseconds: pass()) }, wall: { pass() + 7_000_000_000 })
        return (pair, count)
    }

    @Test("both clocks are read at one moment, however long the thread is put aside between two readings")
    func putAside() {
        for times: [Int64] in [[1], [1, 8000, 1], [1, 1, 8000, 1], [1, 8000, 1, 1, 1, 9000, 1]] {
            let (pair, readings) = Self.read(times)
            #expect(abs(pair.wall - 7_000_000_000 - pair.now.nanoseconds) <= 1000, "\(times)")
            #expect(readings <= 9)
        }
    }

    @Test("a thread that is put aside each time has the closest of five")
    func busy() {
        let (pair, readings) = Self.read([1, 500, 500, 1, 300, 300, 1, 100, 100, 1, 400])
        #expect(abs(pair.wall - 7_000_000_000 - pair.now.nanoseconds) <= 1000 && readings == 15)
    }

    @Test("the clocks of this machine, read once")
    func real() {
        let pair = ClockPair()
        #expect(abs((Instant.now - pair.now) / .milliseconds(1)) < 1000 && abs(pair.wall / 1_000_000 - unixMilliseconds()) < 1000)
    }
}
