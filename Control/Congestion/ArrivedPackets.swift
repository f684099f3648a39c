package import BondWire

/// The transport-wide numbers that came from a publisher, until a feedback tells them.
///
/// Source: draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1. A feedback goes each 100 ms, or sooner where there is much to tell.
package struct ArrivedPackets: Sendable {
    /// What one feedback says; which form its chunks have is the writer's to choose.
    package struct Feedback: Hashable, Sendable {
        package var count: UInt8
        package var base: UInt16
        /// 24 bits with a sign, in 64 ms.
        package var reference: Int32
        /// For each number from `base` on: the time since the one before that came (the first since the reference), in 250 us; nil for a
        /// number that has not come.
        package var deltas: [Int16?]
    }

    package static let interval: Microseconds = 100_000
    /// In one feedback: with two bytes for each delta and the chunks it stays within 1,200 bytes.
    package static let limit = 400

    private var arrivals: [(number: Int64, at: Microseconds)] = []
    private var newest: Int64?
    /// The first that was not told.
    private var next: Int64?
    private var count: UInt8 = 0

    package init() { arrivals.reserveCapacity(64) }

    /// Whether there is as much to tell as one feedback holds.
    package var isFull: Bool { arrivals.count >= Self.limit / 2 }

    package mutating func take(_ sequence: UInt16, at now: Microseconds) {
        // An authentic sender's numbers do not jump; whoever's do is told of the newest alone.
        let number = newest.map { $0 + Int64(Int16(bitPattern: sequence &- UInt16(truncatingIfNeeded: $0))) } ?? Int64(sequence) + 1 << 16
        newest = max(newest ?? number, number)
        // What comes after it was told as missing is told again: then everything since is.
        if let told = next, number < told {
            guard told - number < Int64(Self.limit / 4) else { return }
        }
        guard arrivals.count < 2 * Self.limit else { return }
        arrivals.append((number, now))
    }

    /// What is to be told now; nil where nothing has come.
    package mutating func feedback() -> Feedback? {
        guard !arrivals.isEmpty else { return nil }
        arrivals.sort { ($0.number, $0.at) < ($1.number, $1.at) }
        let oldest = arrivals[0].number
        let highest = arrivals[arrivals.count - 1].number
        // From where the last one ended, so that the lost between are told; of a jump only what is behind it.
        var base = min(next ?? oldest, oldest)
        if highest - base >= Int64(Self.limit) { base = oldest }
        let reference = (arrivals[0].at / 64_000)
        var time = reference * 64_000
        var deltas: [Int16?] = []
        var told = 0
        while told < arrivals.count {
            let arrival = arrivals[told]
            if base + Int64(deltas.count) > arrival.number {
                told += 1
                continue
            }
            let delta = (arrival.at - time) / 250
            guard arrival.number - base < Int64(Self.limit), let short = Int16(exactly: delta) else { break }
            while base + Int64(deltas.count) < arrival.number { deltas.append(nil) }
            deltas.append(short)
            time += delta * 250
            told += 1
        }
        arrivals.removeFirst(told)
        next = max(next ?? 0, base + Int64(deltas.count))
        count &+= 1
        let wrapped = Int32(truncatingIfNeeded: (reference << 40) >> 40)
        return Feedback(count: count &- 1, base: UInt16(truncatingIfNeeded: base), reference: wrapped, deltas: deltas)
    }
}
