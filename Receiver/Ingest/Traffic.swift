import Posix

/// Bytes and packets of one source: a total, and the bytes of the last second.
struct Traffic: Equatable {
    private(set) var packetsTotal = 0
    private var rate = RecentRate()

    mutating func add(bytes count: Int) {
        packetsTotal += 1
        rate.add(count)
    }

    /// About once in a quarter of a second.
    mutating func turn(at now: Instant) { rate.turn(at: now) }

    var lastSecond: Int { rate.perSecond }
}
