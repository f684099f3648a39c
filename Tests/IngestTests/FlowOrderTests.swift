import Posix
import Testing

@testable import Ingest

@Suite struct FlowOrderTests {
    func at(_ ms: Int) -> Instant { Instant(nanoseconds: 1_000_000_000_000) + .milliseconds(ms) }

    @Test("a gap is counted, what comes after its turn is dropped, and the number wraps")
    func order() {
        var order = FlowOrder()
        for sequence: UInt16 in [65_533, 65_534, 65_535, 0, 1] {
            #expect(order.arrived(flow: 2, sequence: sequence, at: at(0)) == .deliver)
        }
        #expect(order.arrived(flow: 2, sequence: 4, at: at(1)) == .deliver)
        #expect(order.lostTotal == 2)
        for late: UInt16 in [2, 4, 65_535] { #expect(order.arrived(flow: 2, sequence: late, at: at(2)) == .late) }
        #expect(order.lateTotal == 3)
        #expect(order.deliveredTotal == 6)
    }

    @Test("a second sender is not mixed in; it takes over once the first is silent")
    func takeOver() {
        var order = FlowOrder()
        #expect(order.arrived(flow: 2, sequence: 10, at: at(0)) == .deliver)
        #expect(order.arrived(flow: 4, sequence: 900, at: at(100)) == .foreign)
        #expect(order.arrived(flow: 4, sequence: 905, at: at(600)) == .deliver)
        #expect(order.arrived(flow: 2, sequence: 11, at: at(601)) == .foreign)
        #expect(order.lostTotal == 0)
    }

    @Test("after 20 s without a packet any number goes on")
    func resume() {
        var order = FlowOrder()
        _ = order.arrived(flow: 2, sequence: 10, at: at(0))
        #expect(order.arrived(flow: 2, sequence: 40_000, at: at(10_000)) == .late)
        #expect(order.arrived(flow: 2, sequence: 40_000, at: at(20_000)) == .deliver)
    }
}
