import BondWire

/// Tells a way that became longer from a queue, by what comes late. Holds no clock.
///
/// A link is given a packet only where it is predicted to be there within the limit of its queue. Where packet after packet comes later than
/// that, and all of them by as much, there is no queue: one that is given too much grows, one that is given less shrinks, and what was
/// sent while a link stood still arrives together, each packet having taken less than the one before.
struct LongerWay: Hashable, Sendable {
    /// Of what was sent within `length` from then on.
    private struct Stretch: Hashable {
        var from: Microseconds
        /// Least `arrival - sent`.
        var least: Microseconds
    }

    /// So long that what stood still for its length would show in it, and so many that a burst is no evidence.
    private static let length: Microseconds = 100_000
    private static let needed = 5
    /// Between two stretches at most: what was sent before that tells of another time.
    private static let pause: Microseconds = 1_000_000

    private var stretches: [Stretch] = []
    private var late = 0
    private var onTime = 0

    /// The next arrival.
    /// - Parameters:
    ///   - raw: `arrival - sent`, in the two clocks.
    ///   - isLate: it came so much later than predicted that no queue was given that.
    ///   - tolerance: by how much packets that are alike may differ.
    /// - Returns: the least of a way that is longer for good.
    mutating func add(sentAt: Microseconds, raw: Microseconds, isLate: Bool, tolerance: Microseconds) -> Microseconds? {
        if let last = stretches.last, let least = leasts.min(), raw < least - tolerance || sentAt > last.from + Self.pause {
            self = LongerWay()
        }
        guard isLate else {
            onTime += stretches.isEmpty ? 0 : 1
            return nil
        }
        late += 1
        if let last = stretches.indices.last, sentAt < stretches[last].from + Self.length {
            stretches[last].least = min(stretches[last].least, raw)
        } else {
            stretches = stretches.suffix(Self.needed - 1) + [Stretch(from: sentAt, least: raw)]
        }
        guard stretches.count == Self.needed, late > 2 * onTime, let least = leasts.min(), let most = leasts.max(),
            most - least <= tolerance
        else { return nil }
        self = LongerWay()
        return least
    }

    private var leasts: [Microseconds] { stretches.map(\.least) }
}
