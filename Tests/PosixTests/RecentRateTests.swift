import Posix
import Testing

@Suite struct RecentRateTests {
    /// 1,000 each 10 ms, looked at each `pause`.
    private func rate(lookingEach pause: Int, for milliseconds: Int) -> Int {
        var rate = RecentRate(at: Instant(nanoseconds: 0))
        for now in stride(from: 10, through: milliseconds, by: 10) {
            rate.add(1000)
            if now % pause == 0 { rate.turn(at: Instant(nanoseconds: Int64(now) * 1_000_000)) }
        }
        return rate.perSecond
    }

    @Test("who looks late sees the same rate", arguments: [250, 280, 400])
    func late(_ pause: Int) { #expect(rate(lookingEach: pause, for: 5600) == 100_000) }

    @Test("it is 0 before the first look, whole from the first on, and 0 again a second after the end")
    func ends() {
        #expect(rate(lookingEach: 250, for: 240) == 0)
        #expect(rate(lookingEach: 250, for: 250) == 100_000)
        var rate = RecentRate(at: Instant(nanoseconds: 0))
        rate.add(1000)
        for quarter in 1...4 { rate.turn(at: Instant(nanoseconds: Int64(quarter) * 250_000_000)) }
        #expect(rate.perSecond == 1000)
        rate.turn(at: Instant(nanoseconds: 1_250_000_000))
        #expect(rate.perSecond == 0)
    }
}
