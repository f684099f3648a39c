import BondWire

/// The least of a value over the last 8 to 16 seconds.
///
/// Two halves: a path that became longer is believed after 16 s at the latest, and one whose queue never empties keeps its
/// minimum for at least 8 s.
struct WindowedMinimum: Hashable, Sendable {
    static let half: Microseconds = 8_000_000
    private var current: Microseconds?
    private var previous: Microseconds?
    private var halfEnds = Microseconds.longAgo

    var value: Microseconds? {
        guard let current else { return previous }
        return min(current, previous ?? current)
    }

    mutating func add(_ sample: Microseconds, at now: Microseconds) {
        if now >= halfEnds {
            previous = now < halfEnds &+ Self.half ? current : nil
            current = nil
            halfEnds = now &+ Self.half
        }
        current = min(sample, current ?? sample)
    }
}
