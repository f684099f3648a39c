import Testing
import Units

@testable import Broadcasts

@Suite struct UnheardLeaseTests {
    private let host = DeviceID("0000000000000000000000000A")!
    private let other = DeviceID("0000000000000000000000000B")!
    private let output = OutputID("0000000000000000000000000C")!
    private let later = OutputID("0000000000000000000000000D")!

    @Test("what a host took with a lease that it did not answer is what it has, whatever is asked again")
    func repeated() {
        var lease = UnheardLease()
        #expect(lease.edition(of: output, now: 3, at: host) == 3)
        lease.unanswered(by: host, [output: 3])
        lease.unanswered(by: host, [output: 4, later: 0])
        #expect(lease.edition(of: output, now: 4, at: host) == 3)
        // It was not in the first, and the repeated one does not bring it.
        #expect(lease.edition(of: later, now: 0, at: host) == -1)
        #expect(lease.edition(of: output, now: 4, at: other) == 4)
        lease.answered()
        #expect(lease.edition(of: output, now: 4, at: host) == 4)
    }
}
