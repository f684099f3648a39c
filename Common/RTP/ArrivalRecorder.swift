package import BondWire

/// Keeps when packets arrived until a feedback tells their sender. Holds no clock.
///
/// At most `limit` arrivals wait; the oldest go first. A feedback goes on where the last one ended, so that what is missing is told
/// once; packets that come after they were told as missing are told again, each run of them by itself.
package struct ArrivalRecorder: Sendable {
    /// Two seconds of 2,000 packets a second.
    package static let limit = 4000
    /// Numbers that one feedback tells of: what fits a datagram when each has two bytes.
    private static let spanLimit: Int64 = 500

    private struct Waiting {
        let sequence: Int64
        let at: Microseconds
    }

    /// In the order of the numbers, each once.
    private var waiting: [Waiting] = []
    /// One behind the highest that was told.
    private var next: Int64?
    private var highest: Int64?
    private var number: UInt8 = 0
    package private(set) var dropped: UInt64 = 0

    package init() {}

    package var hasArrivals: Bool { !waiting.isEmpty }

    package mutating func arrived(_ sequence: UInt16, at now: Microseconds) {
        let whole = unwrap(sequence)
        highest = max(highest ?? whole, whole)
        var index = waiting.count
        while index > 0, waiting[index - 1].sequence >= whole { index -= 1 }
        if index < waiting.count, waiting[index].sequence == whole { return }
        waiting.insert(Waiting(sequence: whole, at: now), at: index)
        if waiting.count > Self.limit {
            waiting.removeFirst()
            dropped += 1
        }
    }

    /// Call it until it has no more, every 50 to 100 ms.
    /// - Parameters:
    ///   - sender: our own source.
    ///   - media: a source of the transport; which one has no meaning.
    package mutating func feedback(sender: UInt32, media: UInt32) -> TransportFeedback? {
        guard let first = waiting.first else { return nil }
        let start = base(first.sequence)
        let reference = first.at / TransportFeedback.referenceStep
        var time = reference * TransportFeedback.referenceStep
        var arrivals: [TransportFeedback.Arrival] = []
        var end = start
        for packet in waiting {
            let isLate = packet.sequence < (next ?? .min)
            // A late run ends where a number was told already.
            if let next, start < next, !isLate || packet.sequence != end { break }
            let steps = TransportFeedback.steps(from: time, to: packet.at)
            guard packet.sequence < start + Self.spanLimit, Int16(exactly: steps) != nil else { break }
            time += steps * TransportFeedback.deltaStep
            arrivals.append(.init(sequence: UInt16(truncatingIfNeeded: packet.sequence), at: time))
            end = packet.sequence + 1
        }
        guard !arrivals.isEmpty else { return missing(from: start, upTo: first.sequence, sender, media, reference) }
        waiting.removeFirst(arrivals.count)
        return finish(start, end, sender, media, reference, arrivals)
    }

    /// Where what is missing is more than one feedback tells: one that tells of these alone.
    private mutating func missing(
        from start: Int64, upTo end: Int64, _ sender: UInt32, _ media: UInt32, _ reference: Microseconds
    ) -> TransportFeedback {
        finish(start, min(end, start + Self.spanLimit), sender, media, reference, [])
    }

    private mutating func finish(
        _ start: Int64, _ end: Int64, _ sender: UInt32, _ media: UInt32, _ reference: Microseconds, _ arrivals: [TransportFeedback.Arrival]
    ) -> TransportFeedback {
        defer { number &+= 1 }
        next = max(next ?? end, end)
        let wrapped = ControlReader.signed24(UInt32(truncatingIfNeeded: reference))
        // The times are told from the reference, so they wrap with it.
        let shift = (reference - Microseconds(wrapped)) * TransportFeedback.referenceStep
        return TransportFeedback(
            sender: sender, media: media, base: UInt16(truncatingIfNeeded: start), count: Int(end - start), number: number,
            reference: wrapped, arrivals: arrivals.map { .init(sequence: $0.sequence, at: $0.at - shift) })
    }

    /// After a jump, what lies between is nobody's: it is not told as missing.
    private func base(_ first: Int64) -> Int64 {
        guard let next, first >= next, first - next < 4 * Self.spanLimit else { return first }
        return next
    }

    private func unwrap(_ sequence: UInt16) -> Int64 {
        guard let highest else { return Int64(sequence) + 0x1_0000 }
        return highest + Int64(Int16(truncatingIfNeeded: Int64(sequence) - highest))
    }
}
