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

    /// Two seconds of 2,000 packets; a power of two. Where packets are told of sooner, less memory is taken.
    private static let limit = 4096
    private static let least = 256
    /// Reference times that went so far, in 64 ms, are nobody's clock.
    private static let longest = UInt64(1) << 40

    private var ring: [Sent] = []
    private var next: Int64
    /// The first that no feedback has spoken of.
    private var pending: Int64
    /// The receiver's reference time, in 64 ms, counted on over its wraps.
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
        if ring.isEmpty { ring = Array(repeating: Sent(), count: Self.least) }
        if ring[place(next)].number >= pending, ring.count < Self.limit { grow() }
        let index = place(next)
        // Nobody told what became of it for a whole ring: it is forgotten.
        if ring[index].number >= pending { forget(index) }
        ring[index] = Sent(number: next, at: now, bytes: Int32(clamping: bytes), probe: probe)
        bytesInFlight += bytes
        defer { next += 1 }
        return UInt16(truncatingIfNeeded: next)
    }

    private func place(_ number: Int64) -> Int { Int(number) & (ring.count - 1) }

    private mutating func grow() {
        let before = ring
        ring = Array(repeating: Sent(), count: 2 * before.count)
        for sent in before where sent.number >= 0 { ring[place(sent.number)] = sent }
    }

    private mutating func forget(_ index: Int) {
        bytesInFlight -= Int(ring[index].bytes)
        pending = ring[index].number + 1
    }

    /// Takes a feedback: what became of each of the `count` packets from `base` on.
    /// - Parameters:
    ///   - reference: its reference time, 24 bits with a sign, in 64 ms.
    ///   - arrivals: those that came, in the order of their numbers, with times of which the first counts from the reference.
    ///   - results: gets them in the order of sending, without those that nothing is known of or whose end was known before.
    package mutating func take(
        base: UInt16, count: Int, reference: Int32, arrivals: [(sequence: UInt16, at: Microseconds)], into results: inout [PacketResult]
    ) {
        let first = next - 1 - Int64(UInt16(truncatingIfNeeded: next - 1) &- base)
        guard !ring.isEmpty, first >= 0, next - first <= Int64(Self.limit) else { return }
        let turn = unwrap(reference)
        var index = 0
        for number in first..<min(first + Int64(max(0, count)), next) {
            var arrivedAt: Microseconds?
            if index < arrivals.count, arrivals[index].sequence == UInt16(truncatingIfNeeded: number) {
                arrivedAt = arrivals[index].at + turn
                index += 1
            }
            if let result = result(number, arrivedAt) { results.append(result) }
        }
    }

    /// What the wraps of the reference time, every 12 days, have to be made good by.
    private mutating func unwrap(_ reference: Int32) -> Microseconds {
        let before = self.reference ?? Int64(reference)
        // Nearest to the one before, with these low bits.
        let whole = before + ((Int64(reference) - before) << 40) >> 40
        guard whole.magnitude < Self.longest else {
            self.reference = Int64(reference)
            return 0
        }
        self.reference = whole
        return (whole - Int64(reference)) * 64_000
    }

    private mutating func result(_ number: Int64, _ arrivedAt: Microseconds?) -> PacketResult? {
        let index = place(number)
        guard ring[index].number == number else { return nil }
        let sent = ring[index]
        if number >= pending {
            // What lies between was passed over by a feedback that was lost: it stays unknown.
            for passed in pending...number where ring[place(passed)].number == passed { bytesInFlight -= Int(ring[place(passed)].bytes) }
            pending = number + 1
        }
        // One that is told as lost may be told as here by the next feedback; one that is here is told once.
        if arrivedAt != nil { ring[index].number = -1 }
        return PacketResult(sentAt: sent.at, arrivedAt: arrivedAt, bytes: Int(sent.bytes), probe: sent.probe)
    }
}
