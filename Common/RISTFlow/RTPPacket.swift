/// One RTP packet of a RIST flow. Source: RFC 3550 section 5.1; TR-06-1:2020 section 5.
package struct RTPPacket: Hashable, Sendable {
    package var sequence: UInt16
    /// Of the source, 90 kHz.
    package var timestamp: UInt32
    /// Even: the flow; its odd neighbour marks a retransmission.
    package var source: UInt32
    package var payload: [UInt8]

    package static let headerBytes = 12
    /// An MPEG-2 transport stream. Source: RFC 3551 section 6.
    package static let payloadType: UInt8 = 33

    package init(sequence: UInt16, timestamp: UInt32, source: UInt32, payload: [UInt8]) {
        self.sequence = sequence
        self.timestamp = timestamp
        self.source = source
        self.payload = payload
    }

    /// nil for everything but a plain packet: version 2, no padding, extension or contributing source, and a payload.
    package init?(_ bytes: consuming [UInt8]) {
        guard bytes.count > Self.headerBytes, bytes[0] == 0x80, bytes[1] & 0x7f == Self.payloadType else { return nil }
        sequence = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        timestamp = integer(bytes, 4)
        source = integer(bytes, 8)
        // In place: there is no second copy of what came.
        bytes.removeFirst(Self.headerBytes)
        payload = bytes
    }

    package var isRetransmission: Bool { source & 1 == 1 }

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerBytes + payload.count)
        bytes += [0x80, Self.payloadType, UInt8(truncatingIfNeeded: sequence >> 8), UInt8(truncatingIfNeeded: sequence)]
        bytes.append(timestamp)
        bytes.append(source)
        bytes += payload
        return bytes
    }
}

/// Four bytes, big endian; the caller has looked that they are there.
func integer(_ bytes: [UInt8], _ index: Int) -> UInt32 {
    UInt32(bytes[index]) << 24 | UInt32(bytes[index + 1]) << 16 | UInt32(bytes[index + 2]) << 8 | UInt32(bytes[index + 3])
}

extension [UInt8] {
    mutating func append(_ value: UInt32) {
        append(UInt8(truncatingIfNeeded: value >> 24))
        append(UInt8(truncatingIfNeeded: value >> 16))
        append(UInt8(truncatingIfNeeded: value >> 8))
        append(UInt8(truncatingIfNeeded: value))
    }
}
