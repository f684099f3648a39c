import Units

/// Where pictures and sound lie in the pipeline's time: by one offset, so that they stay together.
struct FieldClock: Sendable {
    /// Nanoseconds.
    private var offset: Int64?

    /// So far from now nothing is placed: a stream that stood still, or whose clock was set, begins anew at its next key frame.
    private static let limit: Int64 = 3_000_000_000

    /// - Parameters:
    ///   - now: the pipeline's running time, nanoseconds.
    ///   - isStart: it may begin here.
    /// - Returns: running time, nanoseconds; nil before anything has begun.
    mutating func place(_ time: MediaTime, at now: Int64, isStart: Bool) -> Int64? {
        if isStart, offset.map({ abs(time.nanoseconds + $0 - now) > Self.limit }) ?? true { offset = now - time.nanoseconds }
        return offset.map { max(0, time.nanoseconds + $0) }
    }

    /// The next start is now.
    mutating func forget() { offset = nil }
}
