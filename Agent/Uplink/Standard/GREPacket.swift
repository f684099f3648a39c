import Crypto

/// What librist's main profile sends with a key: a GRE header, two ports, and RTP or RTCP, all but the header encrypted by AES in counter mode.
///
/// Nothing in it is authenticated: what is read here is a hint, and what cannot be read goes on as it came.
/// Source: TR-06-2:2022 sections 5 and 6; librist 0.2.7 `rist_send_seq_rtcp`.
struct GREPacket {
    let nonce: UInt32
    private let sequence: UInt32
    /// Where the counter begins: librist's second version has the sequence number in front, its first one behind.
    private let isFirstVersion: Bool
    private let header: Int
    private let bytes: UnsafeRawBufferPointer

    /// The ports.
    private static let ports = 4

    /// - Parameter datagram: is read while this value is used.
    /// - Returns: nil for what is not of that shape, or has another size of key.
    init?(_ datagram: UnsafeRawBufferPointer) {
        guard datagram.count >= 28, datagram[0] & 0x30 == 0x30, datagram[2] == 0x88, datagram[3] == 0xb6 else { return nil }
        isFirstVersion = datagram[1] >> 3 & 7 == 0
        // Bit 6 says 256; the first version does not say, and ours is 256.
        guard isFirstVersion || datagram[1] & 0x40 != 0 else { return nil }
        let start = datagram[0] & 0x80 != 0 ? 8 : 4
        header = start + 8
        nonce = UInt32(bigEndian: datagram.loadUnaligned(fromByteOffset: start, as: UInt32.self))
        sequence = UInt32(bigEndian: datagram.loadUnaligned(fromByteOffset: start + 4, as: UInt32.self))
        guard datagram.count >= header + 16 else { return nil }
        bytes = datagram
    }

    enum Content: Equatable {
        /// The number of a media packet.
        case media(UInt16)
        /// A compound of RTCP packets.
        case control
        case other
    }

    /// From the first bytes alone.
    func content(_ key: AESCounter) -> Content {
        let start = turned(bytes[header..<header + Self.ports + 4], key).suffix(4).map { $0 }
        guard start[0] & 0xc0 == 0x80 else { return .other }
        if (200...207).contains(start[1]) { return .control }
        return .media(UInt16(start[2]) << 8 | UInt16(start[3]))
    }

    /// The compound, behind the ports.
    func control(_ key: AESCounter) -> [UInt8] { Array(turned(bytes[header...], key)[Self.ports...]) }

    /// The same datagram with another compound: same header, same counter, as if its sender had made that.
    ///
    /// For librist on this machine alone: on a network two contents under one counter would give each other away.
    func replacing(_ compound: [UInt8], _ key: AESCounter) -> [UInt8] {
        var body = Array(turned(bytes[header...], key).prefix(Self.ports)) + compound
        key.transform(&body, counter: counter)
        return Array(bytes[..<header]) + body
    }

    private func turned(_ encrypted: Slice<UnsafeRawBufferPointer>, _ key: AESCounter) -> [UInt8] {
        var body = Array(encrypted)
        key.transform(&body, counter: counter)
        return body
    }

    private var counter: (high: UInt64, low: UInt64) { isFirstVersion ? (0, UInt64(sequence)) : (UInt64(sequence) << 32, 0) }
}
