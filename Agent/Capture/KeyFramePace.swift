/// Says when a key frame is to be asked for, as the encoder's own regular one is late. Holds no clock.
///
/// Encoders count frames: where some are left out in front of them, or a camera gives fewer than it said, as in the dark, two seconds of frames
/// take longer, and as much longer waits whoever lost a key frame or has seen none.
struct KeyFramePace {
    /// After a key frame, in nanoseconds: two seconds, and a little for those that come at uneven distances.
    static let limit: Int64 = 2_200_000_000
    /// Between two questions.
    private static let pause: Int64 = 500_000_000

    private var due: Int64?

    /// The next encoded frame.
    /// - Parameter time: on the broadcast's timeline, in nanoseconds.
    /// - Returns: whether to ask for a key frame now.
    mutating func isLate(isKeyFrame: Bool, at time: Int64) -> Bool {
        guard !isKeyFrame, let due else {
            self.due = time + Self.limit
            return false
        }
        guard time >= due else { return false }
        self.due = time + Self.pause
        return true
    }
}
