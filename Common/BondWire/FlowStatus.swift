/// The sender's word on the flow, ten times a second over each link.
package struct FlowStatus: Hashable, Sendable {
    /// A packet with source time t of the sender's clock leaves the receiver at t + this, of the receiver's clock.
    package var playoutOffset: Microseconds
    /// From source to output, in milliseconds.
    package var latencyMs: UInt32
    /// How many packets the flow had so far; the low 16 bits are the RTP sequence number of the next.
    package var packets: UInt64
    /// Source time of the newest of them, in the sender's clock.
    package var newest: Microseconds

    static let byteCount = 28

    package init(playoutOffset: Microseconds, latencyMs: UInt32, packets: UInt64 = 0, newest: Microseconds = 0) {
        self.playoutOffset = playoutOffset
        self.latencyMs = latencyMs
        self.packets = packets
        self.newest = newest
    }

    init?(_ reader: inout ByteReader) {
        guard let offset = reader.u64(), let latency = reader.u32(), let packets = reader.u64(), let newest = reader.u64() else {
            return nil
        }
        playoutOffset = Microseconds(bitPattern: offset)
        latencyMs = latency
        self.packets = packets
        self.newest = Microseconds(bitPattern: newest)
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append64(UInt64(bitPattern: playoutOffset))
        bytes.append32(latencyMs)
        bytes.append64(packets)
        bytes.append64(UInt64(bitPattern: newest))
    }
}
