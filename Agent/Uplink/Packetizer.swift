import Posix

/// A packet of the flow on its way to the loop: its payload, and when the source gave it.
struct FlowPacket: Sendable {
    var payload: [UInt8]
    var at: Instant
}

/// Cuts what a multiplexer gives into payloads of whole transport stream packets.
enum Packetizer {
    static let packetBytes = 188
    /// Seven packets: what fits into 1,500 bytes with all headers.
    static let largestPayload = 7 * packetBytes
    /// Five: what every path carries (IPv6 demands 1,280 bytes, RFC 8200 section 5).
    static let smallestPayload = 5 * packetBytes

    static func split(_ bytes: UnsafeRawBufferPointer, limit: Int) -> [[UInt8]] {
        let step = max(packetBytes, limit / packetBytes * packetBytes)
        return stride(from: 0, to: bytes.count, by: step).map { Array(bytes[$0..<min($0 + step, bytes.count)]) }
    }
}
