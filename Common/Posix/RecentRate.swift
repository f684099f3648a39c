/// How much there was of something in the last second, by the time that it really was: who looks four times a second looks late on a busy
/// machine, and always by a little.
package struct RecentRate: Equatable, Sendable {
    private struct Look: Equatable {
        let at: Instant
        let total: Int
    }

    /// The newest five, the oldest first: four quarters of a second.
    private var looks: [Look]
    private var total = 0

    package init(at now: Instant = .now) { looks = [Look(at: now, total: 0)] }

    package mutating func add(_ count: Int) { total += count }

    /// About once in a quarter of a second.
    package mutating func turn(at now: Instant) {
        if looks.count == 5 { looks.removeFirst() }
        looks.append(Look(at: now, total: total))
    }

    /// Between the oldest look and the newest.
    package var perSecond: Int {
        guard let first = looks.first, let last = looks.last, last.at > first.at else { return 0 }
        return Int((Double(last.total - first.total) / ((last.at - first.at) / .seconds(1))).rounded())
    }
}
