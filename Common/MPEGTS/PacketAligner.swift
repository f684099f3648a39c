/// Cuts a stream of bytes, in any chunking and with garbage in between, into whole transport packets.
package struct PacketAligner: Sendable {
    /// Bytes that were thrown away because no packet could begin there.
    package private(set) var skippedBytes = 0
    /// Less than a packet holds: what is kept until more arrives.
    private var rest: [UInt8] = []

    /// Whether the next bytes may go on with a packet that has begun.
    package var isWithinPacket: Bool { !rest.isEmpty }

    package init() {}

    /// - Returns: whole packets, each beginning with the sync byte; the remainder is kept for the next call.
    package mutating func align(_ bytes: [UInt8]) -> [UInt8] {
        if rest.isEmpty, bytes.count % Packet.size == 0, isAligned(bytes) { return bytes }
        rest.append(contentsOf: bytes)
        var aligned: [UInt8] = []
        aligned.reserveCapacity(rest.count)
        var position = 0
        while position + Packet.size <= rest.count {
            if rest[position] == Packet.syncByte, isPlausible(at: position) {
                aligned.append(contentsOf: rest[position..<position + Packet.size])
                position += Packet.size
            } else {
                position += 1
                skippedBytes += 1
            }
        }
        rest.removeFirst(position)
        return aligned
    }

    private func isAligned(_ bytes: [UInt8]) -> Bool {
        var position = 0
        while position < bytes.count {
            guard bytes[position] == Packet.syncByte else { return false }
            position += Packet.size
        }
        return true
    }

    /// A 0x47 inside a payload is not a packet: the byte behind the packet must be one too, where it is here already.
    private func isPlausible(at position: Int) -> Bool {
        let next = position + Packet.size
        return next >= rest.count || rest[next] == Packet.syncByte
    }
}
