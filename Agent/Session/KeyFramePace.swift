import Posix

/// How often a key frame is made because somebody asks for one. Holds no clock.
struct KeyFramePace: Sendable {
    static let pause = Duration.seconds(1)

    private var last: Instant?

    /// Whether one is to be made now; the next one is not within the pause then.
    mutating func isDue(at now: Instant) -> Bool {
        if let last, now - last < Self.pause { return false }
        last = now
        return true
    }
}
