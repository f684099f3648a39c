import Posix

/// How fast a device is listened to: a bucket of credit that fills steadily. Holds no clock.
///
/// Everything behind it (events, writes, fan-out) has the bound that this gives; a device that floods holds back itself.
struct MessagePace: Sendable {
    /// Telemetry comes 5 times a second at most, states as they change.
    static let sender = MessagePace(perSecond: 50, burst: 250)
    /// A report each second and stream, and one for each change.
    static let pool = MessagePace(perSecond: 1000, burst: 5000)
    /// Four fragments a second, more where pictures are large.
    static let preview = MessagePace(perSecond: 50, burst: 100)

    private let perSecond: Double
    private let burst: Double
    private var credit: Double
    private var last: Instant?

    init(perSecond: Double, burst: Double) {
        self.perSecond = perSecond
        self.burst = burst
        credit = burst
    }

    /// Counts a message.
    ///
    /// - Returns: how long it has to wait; nil where it need not.
    mutating func take(at now: Instant) -> Duration? {
        if let last { credit = min(burst, credit + (now - last).seconds * perSecond) }
        last = now
        credit -= 1
        return credit >= 0 ? nil : .milliseconds(Int64((-credit / perSecond * 1000).rounded(.up)))
    }
}
