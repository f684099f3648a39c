/// Where an RTP packet's payload begins, and whose the packet is. Source: RFC 3550 sections 5.1 and 5.3.1.
struct PacketLayout {
    /// Fixed header, contributing sources and extension: what SRTP leaves readable (RFC 3711 section 3.1).
    let headerBytes: Int
    let sequence: UInt16
    let source: UInt32

    /// nil where it is of another version, or ends before its own header does.
    init?(_ packet: UnsafeRawBufferPointer) {
        guard packet.count >= 12, packet[0] >> 6 == 2 else { return nil }
        var end = 12 + 4 * Int(packet[0] & 0x0f)
        if packet[0] & 0x10 != 0 {
            guard packet.count >= end + 4 else { return nil }
            end += 4 + 4 * Int(packet.word16(end + 2))
        }
        guard packet.count >= end else { return nil }
        headerBytes = end
        sequence = packet.word16(2)
        source = packet.word32(8)
    }
}

/// The part of an RTCP compound that stays readable: the head of its first packet, with its source (RFC 3711 section 3.4).
enum ControlLayout {
    static let headerBytes = 8

    /// nil where it is no RTCP.
    static func source(of packet: UnsafeRawBufferPointer) -> UInt32? {
        guard packet.count >= headerBytes, packet[0] >> 6 == 2 else { return nil }
        return packet.word32(4)
    }
}

extension UnsafeRawBufferPointer {
    /// Big endian, as `word32`.
    func word16(_ offset: Int) -> UInt16 { UInt16(self[offset]) << 8 | UInt16(self[offset + 1]) }
    func word32(_ offset: Int) -> UInt32 { UInt32(word16(offset)) << 16 | UInt32(word16(offset + 2)) }

    /// The bytes of a range, from index 0 on.
    func part(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[range]) }
}

extension UnsafeMutableRawBufferPointer {
    func part(_ range: Range<Int>) -> UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(rebasing: self[range]) }

    /// Big endian.
    func store32(_ value: UInt32, at offset: Int) {
        for place in 0..<4 { self[offset + place] = UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32(place))) }
    }
}
