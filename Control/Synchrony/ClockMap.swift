package import BondWire

/// From the time of one clock to that of another, by moments of which both are known: straight between knots, each of which stands for all
/// moments of a while.
package struct ClockMap: Hashable, Sendable {
    package struct Moment: Hashable, Sendable {
        package var from: Microseconds
        package var to: Microseconds

        package init(from: Microseconds, to: Microseconds) {
            self.from = from
            self.to = to
        }

        var offset: Microseconds { to - from }
    }

    private struct Knot: Hashable {
        var from: Microseconds
        var offset: Microseconds
    }

    /// Crystals of two machines differ by less than 200 in a million; twice of that is no drift.
    private static let drift = 0.000_4
    /// A line that is known for less says nothing of how it goes on.
    private static let least: Microseconds = 60_000_000
    /// Knots that are further apart are of two clocks: between them the nearer one counts.
    private static let step: Microseconds = 250_000

    private var knots: [Knot] = []
    /// What the offset grows in a microsecond beyond the knots.
    private var slope = 0.0

    /// Each moment is a little wrong, one way or the other: of a while the middle one counts.
    /// - Returns: nil without a moment.
    package init?(middle moments: [Moment], of window: Microseconds) {
        self.init(moments, window) { group in
            let offset = group.map(\.offset).sorted()[group.count / 2]
            // From the first one, so that no sum is too large.
            let from = group[0].from + group.reduce(0) { $0 + ($1.from - group[0].from) } / Int64(group.count)
            return Knot(from: from, offset: offset)
        }
    }

    /// Each moment is too late by what its way took: of a while the earliest counts.
    /// - Returns: nil without a moment.
    package init?(earliest moments: [Moment], of window: Microseconds) {
        self.init(moments, window) { group in
            let first = group.dropFirst().reduce(group[0]) { $1.offset < $0.offset ? $1 : $0 }
            return Knot(from: first.from, offset: first.offset)
        }
    }

    private init?(_ moments: [Moment], _ window: Microseconds, _ knot: ([Moment]) -> Knot) {
        let moments = moments.sorted { $0.from < $1.from }
        var group: [Moment] = []
        for moment in moments {
            if let first = group.first, moment.from - first.from >= window {
                knots.append(knot(group))
                group.removeAll(keepingCapacity: true)
            }
            group.append(moment)
        }
        guard !group.isEmpty else { return nil }
        // The last while is the shortest, and alone it might be one bad moment.
        let isShort = group[group.count - 1].from - group[0].from < window / 2
        if !isShort || knots.isEmpty { knots.append(knot(group)) }
        if let first = knots.first, let last = knots.last, last.from - first.from >= Self.least {
            let slope = Double(last.offset - first.offset) / Double(last.from - first.from)
            if slope.magnitude <= Self.drift { self.slope = slope }
        }
    }

    /// What the other clock told when this one told `time`.
    package func time(_ time: Microseconds) -> Microseconds {
        guard let first = knots.first, let last = knots.last else { return time }
        if time <= first.from { return time + first.offset + Int64((Double(time - first.from) * slope).rounded()) }
        if time >= last.from { return time + last.offset + Int64((Double(time - last.from) * slope).rounded()) }
        var (low, high) = (0, knots.count - 1)
        while high - low > 1 {
            let middle = (low + high) / 2
            if knots[middle].from <= time { low = middle } else { high = middle }
        }
        let (left, right) = (knots[low], knots[high])
        if (right.offset - left.offset).magnitude > Self.step.magnitude {
            return time + (time - left.from <= right.from - time ? left.offset : right.offset)
        }
        let share = Double(time - left.from) / Double(right.from - left.from)
        return time + left.offset + Int64((Double(right.offset - left.offset) * share).rounded())
    }
}
