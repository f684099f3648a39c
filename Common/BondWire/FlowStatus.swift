/// The sender's word on the flow, ten times a second over each link.
package struct FlowStatus: Hashable, Sendable {
    /// A packet with source time t of the sender's clock leaves the receiver at t + this, of the receiver's clock.
    package var playoutOffset: Microseconds
    /// From source to output, as the sender measures the clocks: what was agreed, but for what the measured offset has moved since.
    package var latency: Microseconds

    static let byteCount = 12

    /// - Parameter latency: 0 to 2^32 - 1; what is beyond is bounded.
    package init(playoutOffset: Microseconds, latency: Microseconds) {
        self.playoutOffset = playoutOffset
        self.latency = min(max(latency, 0), Microseconds(UInt32.max))
    }

    init?(_ reader: inout ByteReader) {
        guard let offset = reader.u64(), let latency = reader.u32() else { return nil }
        playoutOffset = Microseconds(bitPattern: offset)
        self.latency = Microseconds(latency)
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append64(UInt64(bitPattern: playoutOffset))
        bytes.append32(UInt32(truncatingIfNeeded: latency))
    }
}
