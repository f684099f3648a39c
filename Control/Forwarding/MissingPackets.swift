package import BondWire

/// What one source's packets are missing here, and when each is asked for (NACK, RFC 4585, 6.2.1).
///
/// A packet is asked for once the others may have overtaken it, then once in a round trip, with more time each time; after ten times, or
/// when it would be too late, no more. Who loses more than can be repaired asks for a key frame instead.
package struct MissingPackets: Sendable {
    package struct Pace: Hashable, Sendable {
        /// How long others may overtake a packet.
        package var reorder: Microseconds = 10_000
        /// Between two requests of the same, at least.
        package var least: Microseconds = 20_000
        package var tries = 10
        /// After so long nobody waits for it.
        package var age: Microseconds = 1_500_000

        package init() {}

        package static let standard = Pace()
    }

    private struct Missing {
        var number: Int64
        var since: Microseconds
        var next: Microseconds
        var tries = 0
    }

    /// More at once is an outage, which a key frame repairs.
    package static let limit = 512
    /// In one answer of `due`: 17 of them are in one field of a NACK. Source: RFC 4585, 6.2.1.
    package static let dueLimit = 128

    private let pace: Pace
    /// In the order of their numbers.
    private var missing: [Missing] = []
    private var newest: Int64?

    /// Asked for, and came.
    package private(set) var repaired: UInt64 = 0
    /// Asked for in vain.
    package private(set) var givenUp: UInt64 = 0
    /// Something is lost for good: of a picture a key frame is needed. The owner sets it back when it has asked for one.
    package var needsKeyFrame = false

    package init(_ pace: Pace = .standard) {
        self.pace = pace
        missing.reserveCapacity(64)
    }

    package var count: Int { missing.count }

    /// Takes the number of a packet that has come, whether in order or late.
    package mutating func take(_ number: Int64, at now: Microseconds) {
        guard let newest else {
            newest = number
            return
        }
        guard number > newest else {
            fill(number)
            return
        }
        let gap = number - newest - 1
        self.newest = number
        guard gap > 0 else { return }
        guard gap + Int64(missing.count) <= Int64(Self.limit) else {
            giveUp(missing.count + Int(min(gap, Int64(Int32.max))))
            missing.removeAll(keepingCapacity: true)
            return
        }
        for lost in newest + 1..<number { missing.append(Missing(number: lost, since: now, next: now + pace.reorder)) }
    }

    private mutating func fill(_ number: Int64) {
        guard let index = index(number), missing[index].number == number else { return }
        if missing[index].tries > 0 { repaired += 1 }
        missing.remove(at: index)
    }

    /// The first that is not before `number`.
    private func index(_ number: Int64) -> Int? {
        var low = 0
        var high = missing.count
        while low < high {
            let middle = (low + high) / 2
            if missing[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low < missing.count ? low : nil
    }

    private mutating func giveUp(_ count: Int) {
        givenUp += UInt64(count)
        needsKeyFrame = true
    }

    /// A key frame has begun here: nothing before it is needed any more.
    package mutating func forget(before number: Int64) {
        missing.removeAll { $0.number < number }
    }

    /// Nothing of before is known any more: the source has begun anew.
    package mutating func reset() {
        missing.removeAll(keepingCapacity: true)
        newest = nil
    }

    /// When `due` has something; nil where nothing is missing.
    package var nextDue: Microseconds? {
        var next: Microseconds?
        for lost in missing { next = min(next ?? lost.next, lost.next) }
        return next
    }

    /// Appends the numbers that are to be asked for now, the lowest first, and gives up those that nobody waits for any more.
    /// - Parameter roundTrip: to the source and back; nil where it is not known yet.
    package mutating func due(at now: Microseconds, roundTrip: Microseconds?, into numbers: inout [UInt16]) {
        let trip = max(pace.least, min(roundTrip ?? 100_000, pace.age))
        var kept = 0
        var asked = 0
        for index in missing.indices {
            var lost = missing[index]
            if now - lost.since >= pace.age || lost.tries >= pace.tries && now >= lost.next {
                giveUp(1)
                continue
            }
            if now >= lost.next, asked < Self.dueLimit {
                numbers.append(UInt16(truncatingIfNeeded: lost.number))
                asked += 1
                // A quarter more each time, up to three times as long: what is lost again is lost in a queue that is full.
                lost.next = now + trip + trip * Microseconds(min(lost.tries, 8)) / 4
                lost.tries += 1
            }
            missing[kept] = lost
            kept += 1
        }
        missing.removeSubrange(kept...)
    }
}
