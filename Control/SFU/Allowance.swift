import BondWire

/// So much in a while, and what is more is left out: a bucket that fills steadily. Holds no clock.
///
/// For what a stranger with keys may have this worker do: each piece costs, or is sent on to everybody in the room.
struct Allowance {
    private let perSecond: Int64
    private let most: Int64
    private var credit: Int64
    private var filled: Microseconds?

    /// - Parameter most: what may be had at once.
    init(perSecond: Int64, most: Int64) {
        self.perSecond = perSecond
        self.most = most
        credit = most
    }

    /// - Returns: whether there is so much left; if so it is taken.
    mutating func take(_ cost: Int64 = 1, at now: Microseconds) -> Bool {
        let elapsed = min(max(0, now - (filled ?? now)), 1_000_000)
        let gain = elapsed * perSecond / 1_000_000
        // What is less than one is waited for.
        if gain > 0 || filled == nil {
            credit = min(most, credit + gain)
            filled = now
        }
        guard cost <= credit else { return false }
        credit -= cost
        return true
    }
}
