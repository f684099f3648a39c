/// The outside of a RIST main profile packet that carries encrypted data: the one shape that is let through.
///
/// Source: TR-06-2:2022 section 5 (GRE over UDP, RFC 8086 and RFC 2890); librist 0.2.7 `struct rist_gre_key_seq`.
struct GREHeader: Equatable {
    /// Names the key: librist derives one (PBKDF2) for each nonce it meets.
    var nonce: UInt32
    /// Counts the packets of one nonce, retransmissions too.
    var sequence: UInt32

    enum Fault: Error, Equatable {
        /// Too short for a header and anything in it, or longer than any RIST packet.
        case length
        /// Not GRE in the version and protocols of RIST's encrypted media.
        case shape
        /// Without key or sequence bit: librist would take it as clear text, with a key configured too (0.2.7).
        case plaintext
        /// librist skips decryption for nonce 0.
        case zeroNonce
    }

    /// 12 bytes of GRE and 8 of anything: librist 0.2.11 sends VSF keep-alives of 22 bytes in all.
    static let shortest = 20
    /// GRE with checksum 16, ports and RTP 16, RTP extension 8, media 1316; rounded up to an Ethernet's UDP payload.
    static let longest = 1472

    init(_ packet: UnsafeRawBufferPointer) throws(Fault) {
        guard (Self.shortest...Self.longest).contains(packet.count) else { throw .length }
        let flags = packet[0]
        let type = UInt16(packet[2]) << 8 | UInt16(packet[3])
        // 0x88b6 reduced overhead; 0xcce0 the VSF EtherType, which librist 0.2.8 and later use once both ends know it.
        guard type == 0x88b6 || type == 0xcce0, packet[1] & 0x07 == 0 else { throw .shape }
        let hasKey = flags & 0x20 != 0
        let hasSequence = flags & 0x10 != 0
        guard hasKey, hasSequence else { throw .plaintext }
        // Routing, strict source route and recursion bits are of another GRE (RFC 1701).
        guard flags & 0x4f == 0 else { throw .shape }
        let start = flags & 0x80 != 0 ? 8 : 4
        nonce = packet.loadUnaligned(fromByteOffset: start, as: UInt32.self).bigEndian
        sequence = packet.loadUnaligned(fromByteOffset: start + 4, as: UInt32.self).bigEndian
        guard nonce != 0 else { throw .zeroNonce }
    }

    init(nonce: UInt32, sequence: UInt32) {
        self.nonce = nonce
        self.sequence = sequence
    }
}
