import Posix
import Testing

@testable import Ingest

@Suite struct SourceGateTests {
    let start = Instant(nanoseconds: 1_000_000_000_000)
    func at(_ ms: Int) -> Instant { start + .milliseconds(ms) }
    func source(_ number: Int) -> SocketAddress { SocketAddress("192.0.2.\(number % 250 + 1)", port: 10_000 + number)! }

    /// A gate with one source that librist has answered for two seconds, at nonce 1.
    func established() -> SourceGate {
        var gate = SourceGate(at: start)
        #expect(gate.arrived(GREHeader(nonce: 1, sequence: 0), from: source(0), at: start) == .forward(slot: 0, isNew: true))
        for _ in 0..<20 { gate.answered(slot: 0) }
        return gate
    }

    @Test("the packets of a nonce that is in use are never delayed, whatever others send")
    func known() {
        var gate = established()
        var passed = 0
        for ms in 0..<10_000 {
            // A flood of new nonces from another source and from ever new ones.
            _ = gate.arrived(GREHeader(nonce: UInt32(1000 + ms), sequence: 0), from: source(1), at: at(ms))
            _ = gate.arrived(GREHeader(nonce: UInt32(100_000 + ms), sequence: 0), from: source(2 + ms), at: at(ms))
            let verdict = gate.arrived(GREHeader(nonce: 1, sequence: UInt32(ms + 1)), from: source(0), at: at(ms))
            if verdict == .forward(slot: 0, isNew: false) { passed += 1 }
        }
        #expect(passed == 10_000)
    }

    @Test("a source changes its nonce five times a second, all sources together twenty times")
    func limits() {
        var gate = established()
        func admitted(_ source: (Int) -> SocketAddress) -> Int {
            var count = 0
            for ms in 0..<10_000 {
                if case .forward = gate.arrived(GREHeader(nonce: UInt32(50_000 + ms), sequence: 0), from: source(ms), at: at(ms)) {
                    count += 1
                }
            }
            return count
        }
        #expect((50...60).contains(admitted { _ in self.source(1) }))
        gate = established()
        #expect((200...225).contains(admitted { self.source(1 + $0 % 60) }))
    }

    @Test("a source that was never answered passes 250 packets a second, and as many as it likes once it was")
    func unanswered() {
        var gate = SourceGate(at: start)
        func passed(_ range: Range<Int>) -> Int {
            var count = 0
            for number in range {
                let header = GREHeader(nonce: 9, sequence: UInt32(number))
                if case .forward = gate.arrived(header, from: source(3), at: at(number / 10)) { count += 1 }
            }
            return count
        }
        #expect((2_990...3_010).contains(passed(0..<100_000)))
        gate.answered(slot: 0)
        #expect(passed(100_000..<110_000) == 10_000)
    }

    @Test("two nonces of one source in turn cost as much as new ones")
    func alternating() {
        var gate = established()
        _ = gate.arrived(GREHeader(nonce: 2, sequence: 0), from: source(0), at: start)
        var forwarded = 0
        for ms in 0..<1_000 {
            let header = GREHeader(nonce: ms % 2 == 0 ? 1 : 2, sequence: UInt32(ms))
            if case .forward = gate.arrived(header, from: source(0), at: at(ms)) { forwarded += 1 }
        }
        // Each run between two changes passes; changes are what is limited: half of the packets are of the current nonce.
        #expect(forwarded <= 515)
    }

    @Test("captured packets from another address do not pass, while the stream runs and after it")
    func replay() {
        var gate = established()
        for ms in 0..<1_000 { _ = gate.arrived(GREHeader(nonce: 1, sequence: UInt32(ms)), from: source(0), at: at(ms)) }
        #expect(gate.arrived(GREHeader(nonce: 1, sequence: 2_000), from: source(1), at: at(1_001)) == .drop(.replayed))
        #expect(gate.arrived(GREHeader(nonce: 1, sequence: 500), from: source(1), at: at(5_000)) == .drop(.replayed))
        #expect(gate.expire(at: at(20_000)) == [0])
        #expect(gate.arrived(GREHeader(nonce: 1, sequence: 999), from: source(1), at: at(20_000)) == .drop(.replayed))
    }

    @Test("a stream goes on from another address: a NAT that bound again")
    func moved() {
        var gate = established()
        for ms in 0..<1_000 { _ = gate.arrived(GREHeader(nonce: 1, sequence: UInt32(ms)), from: source(0), at: at(ms)) }
        #expect(gate.arrived(GREHeader(nonce: 1, sequence: 1_000), from: source(1), at: at(1_010)) == .drop(.replayed))
        #expect(gate.arrived(GREHeader(nonce: 1, sequence: 1_100), from: source(1), at: at(1_110)) == .forward(slot: 1, isNew: true))
        #expect(gate.arrived(GREHeader(nonce: 1, sequence: 1_101), from: source(1), at: at(1_111)) == .forward(slot: 1, isNew: false))
    }

    @Test("one forged packet with a sequence number far ahead does not stop a real move")
    func forged() {
        var gate = established()
        for ms in 0..<1_000 { _ = gate.arrived(GREHeader(nonce: 1, sequence: UInt32(ms)), from: source(0), at: at(ms)) }
        _ = gate.arrived(GREHeader(nonce: 1, sequence: 2_000_000_000), from: source(0), at: at(1_000))
        #expect(gate.arrived(GREHeader(nonce: 1, sequence: 1_100), from: source(1), at: at(1_200)) == .forward(slot: 1, isNew: true))
    }

    @Test("at most 64 sources, of which those never established give way, the longest silent first")
    func places() {
        var gate = established()
        for number in 1..<64 {
            #expect(
                gate.arrived(GREHeader(nonce: UInt32(number + 1), sequence: 0), from: source(number), at: at(number * 60))
                    == .forward(slot: number, isNew: true))
            if number != 7 { for _ in 0..<20 { gate.answered(slot: number) } }
        }
        #expect(gate.arrived(GREHeader(nonce: 900, sequence: 0), from: source(900), at: at(4_000)) == .forward(slot: 7, isNew: true))
        for _ in 0..<20 { gate.answered(slot: 7) }
        #expect(gate.arrived(GREHeader(nonce: 901, sequence: 0), from: source(901), at: at(5_000)) == .drop(.full))
    }
}
