import BondWire
import Testing

@testable import Forwarding

@Suite struct RateWindowTests {
    @Test("an even flow has its rate from the first part on, and none soon after it has ended")
    func even() {
        var window = RateWindow(span: second)
        #expect(window.bitrate(at: 5 * second) == 0)
        for step in 0..<300 as Range<Int64> {
            let now = 10 * second + step * 10 * ms
            window.add(1250, at: now)
            guard step > 15 else { continue }
            #expect((900_000...1_120_000).contains(window.bitrate(at: now)), "\(step)")
        }
        #expect((1...600_000).contains(window.bitrate(at: 13_500 * ms)))
        #expect(window.bitrate(at: 14_100 * ms) == 0)
    }

    @Test("what begins anew after a while without anything is not held against that while")
    func again() {
        var window = RateWindow(span: second)
        window.add(12_500, at: second)
        window.add(12_500, at: 9 * second)
        #expect(window.bitrate(at: 9 * second + 100 * ms) == 1_000_000)
        #expect(window.bitrate(at: 9 * second + 500 * ms) == 200_000)
    }
}
