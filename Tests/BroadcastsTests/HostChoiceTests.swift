import Testing
import Units

@testable import Broadcasts

@Suite("The choice of a pool host")
struct HostChoiceTests {
    private static let (a, b, c) = (
        DeviceID("0000000000000000000000000A")!, DeviceID("0000000000000000000000000B")!, DeviceID("0000000000000000000000000C")!
    )

    @Test("the emptiest by share, then by id; one that refused lately comes last, and a full one never")
    func order() {
        func choose(_ offers: [(DeviceID, taken: Int, of: Int, isIll: Bool)]) -> HostChoice.Choice {
            HostChoice.choose(offers.map { HostChoice.Offer(host: $0.0, capacity: $0.of, taken: $0.taken, isIll: $0.isIll) })
        }
        #expect(choose([(Self.a, 2, 4, false), (Self.b, 3, 10, false)]) == .host(Self.b))
        #expect(choose([(Self.b, 0, 4, false), (Self.a, 0, 10, false)]) == .host(Self.a))
        #expect(choose([(Self.a, 0, 4, true), (Self.b, 3, 4, false)]) == .host(Self.b))
        #expect(choose([(Self.a, 0, 4, true), (Self.b, 4, 4, false)]) == .host(Self.a))
        #expect(choose([(Self.c, 4, 4, false)]) == .none(reason: "every pool host is full: 4 of 4 streams are in use"))
        #expect(choose([]) == .none(reason: "no pool host is connected"))
    }
}
