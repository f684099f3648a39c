package import BondWire

/// What became of a packet that was sent.
package struct PacketResult: Hashable, Sendable {
    package var sentAt: Microseconds
    /// By the receiver's clock, of which only differences count; nil where it was lost.
    package var arrivedAt: Microseconds?
    package var bytes: Int
    /// Of which probe it was a part; 0 for none.
    package var probe: UInt16
}

/// The packets of one transport under their transport-wide sequence numbers, until a feedback says what became of them.
///
/// Source: draft-holmer-rmcat-transport-wide-cc-extensions-01. All that is sent is numbered, repeats and padding too.
package struct SentPackets: Sendable {
    private struct Sent: Sendable {
        var number: Int64 = -1
        var at: Microseconds = 0
        var bytes: Int32 = 0
        var probe: UInt16 = 0
    }

    /// Two seconds of 2,000 packets; a power of two.
    private static let limit = 4096

    private var ring: [Sent] = []
    private var next: Int64
    /// The first that no feedback has spoken of.
    private var pending: Int64
    /// Of the receiver's reference time, 24 bits of 64 ms with a sign, counted on over its wrap every 12 days.
    private var reference: Int64?

    /// Sent, and not yet spoken of by a feedback.
    package private(set) var bytesInFlight = 0

    package init(first: UInt16 = 0) {
        next = Int64(first)
        pending = next
    }

    /// Numbers a packet that is sent now.
    /// - Returns: its transport-wide sequence number.
    package mutating func sent(bytes: Int, probe: UInt16 = 0, at now: Microseconds) -> UInt16 {
        if ring.isEmpty { ring = Array(repeating: Sent(), count: Self.limit) }
        let index = Int(next) & (Self.limit - 1)
        // Nobody told what became of it for a whole ring: it is forgotten.
        if ring[index].number >= pending { forget(index) }
        ring[index] = Sent(number: next, at: now, bytes: Int32(clamping: bytes), probe: probe)
        bytesInFlight += bytes
        defer { next += 1 }
        return UInt16(truncatingIfNeeded: next)
    }

    private mutating func forget(_ index: Int) {
        bytesInFlight -= Int(ring[index].bytes)
        pending = ring[index].number + 1
    }

    /// Begins a feedback.
    /// - Parameters:
    ///   - base: the number of its first packet.
    ///   - reference: its reference time, 24 bits with a sign, in 64 ms.
    /// - Returns: what its packets are counted from; nil where it speaks of nothing that was sent.
    package mutating func begin(base: UInt16, reference: Int32) -> Feedback? {
        let number = next - 1 - Int64(UInt16(truncatingIfNeeded: next - 1) &- base)
        guard !ring.isEmpty, number >= 0, next - number <= Int64(Self.limit) else { return nil }
        let low = Int64(reference) & 0xff_ffff
        let before = self.reference ?? low
        // Nearest to the one before, with these low bits.
        let step = ((low - before) << 40) >> 40
        self.reference = before + step
        return Feedback(number: number, time: (before + step) * 64_000)
    }

    /// Where the reading of a feedback is.
    package struct Feedback: Hashable, Sendable {
        var number: Int64
        var time: Microseconds
    }

    /// Takes what a feedback says of its next packet.
    /// - Parameter delta: since the packet before that came, 250 us; nil for one that has not come.
    /// - Returns: nil where nothing is known of it, or where its end was known before.
    package mutating func next(_ feedback: inout Feedback, delta: Int16?) -> PacketResult? {
        let number = feedback.number
        feedback.number += 1
        if let delta { feedback.time += Microseconds(delta) * 250 }
        let index = Int(number) & (Self.limit - 1)
        guard number < next, ring[index].number == number else { return nil }
        let sent = ring[index]
        if number >= pending {
            // What lies between was passed over by a feedback that was lost: it stays unknown.
            for passed in pending...number where ring[Int(passed) & (Self.limit - 1)].number == passed {
                bytesInFlight -= Int(ring[Int(passed) & (Self.limit - 1)].bytes)
            }
            pending = number + 1
        }
        // One that is told as lost may be told as here by the next feedback; one that is here is told once.
        guard delta != nil else { return PacketResult(sentAt: sent.at, arrivedAt: nil, bytes: Int(sent.bytes), probe: sent.probe) }
        ring[index].number = -1
        return PacketResult(sentAt: sent.at, arrivedAt: feedback.time, bytes: Int(sent.bytes), probe: sent.probe)
    }
}
