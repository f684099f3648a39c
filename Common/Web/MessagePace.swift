package import Posix

/// How fast a peer is listened to: a bucket of credit that fills steadily. Holds no clock.
///
/// Everything behind it (events, writes, fan-out) has the bound that this gives; a peer that floods holds back itself.
package struct MessagePace: Sendable {
    private let perSecond: Double
    private let burst: Double
    private var credit: Double
    private var last: Instant?

    package init(perSecond: Double, burst: Double) {
        self.perSecond = perSecond
        self.burst = burst
        credit = burst
    }

    /// Counts a message.
    ///
    /// - Returns: how long it has to wait; nil where it need not.
    package mutating func take(at now: Instant) -> Duration? {
        if let last { credit = min(burst, credit + Double(now.nanoseconds - last.nanoseconds) / 1e9 * perSecond) }
        last = now
        credit -= 1
        return credit >= 0 ? nil : .milliseconds(Int64((-credit / perSecond * 1000).rounded(.up)))
    }
}
