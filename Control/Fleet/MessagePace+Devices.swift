import Web

/// How fast devices are listened to.
extension MessagePace {
    /// Telemetry comes 5 times a second at most, states as they change.
    static let sender = MessagePace(perSecond: 50, burst: 250)
    /// A report each second and stream, and one for each change.
    static let pool = MessagePace(perSecond: 1000, burst: 5000)
    /// Four fragments a second, more where pictures are large.
    static let preview = MessagePace(perSecond: 50, burst: 100)
}
