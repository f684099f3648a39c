import BondWire

/// The encoder's rate from usable capacity and queue: a share of the capacity, more while the queue is short, less while it is long.
struct EncoderControl: Hashable, Sendable {
    static let first = 500_000
    /// Not so low that an estimate of nothing is never tried again. Below what links carry a floor would lose what is over: how a source makes so
    /// little, and what of, is its own decision.
    static let floor = 20_000
    private static let interval: Microseconds = 5_000

    private(set) var bitsPerSecond = Self.first
    private var due = Microseconds.longAgo
    /// The highest of the last half second, for telling a cut.
    private var peak = Self.first
    private var peakUntil = Microseconds.longAgo

    mutating func isDue(at now: Microseconds) -> Bool {
        guard now >= due else { return false }
        due = now + Self.interval
        return true
    }

    /// - Parameters:
    ///   - capacity: bits per second of payload.
    ///   - queueMs: how long what waits takes at this capacity.
    mutating func set(capacity: Double, queueMs: Double, _ tuning: Tuning, at now: Microseconds) {
        let rate = capacity * (tuning.share + (tuning.queueAim - queueMs) / tuning.queueWeight)
        bitsPerSecond = max(Self.floor, Int(min(max(rate, 0), 1e9)))
    }

    /// - Returns: the rate before, if this is a cut that is worth telling.
    mutating func cut(from before: Int, at now: Microseconds) -> Int? {
        if before > peak || now >= peakUntil {
            peak = before
            peakUntil = now + 500_000
        }
        guard bitsPerSecond * 3 <= peak * 2 else { return nil }
        defer { peak = bitsPerSecond }
        return peak
    }
}
