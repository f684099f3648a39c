import BondWire
import RISTFlow
import Testing

@Suite struct RTPPacketTests {
    /// V=2, PT=33, sequence 0xfffe, timestamp 0x01020304, source 0x0a0b0c0d (odd: a retransmission), payload 47 11.
    private let bytes: [UInt8] = [0x80, 0x21, 0xff, 0xfe, 0x01, 0x02, 0x03, 0x04, 0x0a, 0x0b, 0x0c, 0x0d, 0x47, 0x11]

    @Test("a packet has the bytes of RFC 3550") func vector() throws {
        let packet = RTPPacket(sequence: 0xfffe, timestamp: 0x0102_0304, source: 0x0a0b_0c0d, payload: [0x47, 0x11])
        #expect(packet.bytes == bytes)
        #expect(try #require(RTPPacket(bytes)) == packet)
        #expect(packet.isRetransmission)
    }

    @Test("what is no plain packet of a transport stream is refused", arguments: [(0, 0xa0), (0, 0x90), (0, 0x81), (0, 0x40), (1, 96)])
    func refused(_ index: Int, _ value: UInt8) {
        var changed = bytes
        changed[index] = value
        #expect(RTPPacket(changed) == nil)
    }

    @Test("a packet cut anywhere in its header, or without a payload, is refused") func cut() {
        for count in 0...12 { #expect(RTPPacket(Array(bytes[..<count])) == nil) }
    }
}
