/// How many raw frames may wait for the encoder: by their number, and by the memory that they take.
struct FrameRoom: Equatable {
    private let frames: Int

    /// Whatever size they have: one that is being encoded, and the next.
    static let leastFrames = 2
    /// Five frames of 3840x2160 in NV12, and a second of 1280x720 at 48 frames a second.
    static let mostBytes = 64 << 20

    /// - Parameter frameRate: a second's worth may wait.
    init(frameRate: Int) { frames = max(10, frameRate) }

    /// Whether one more frame of this size may wait beside those that do.
    func takes(_ bytes: Int, beside waitingFrames: Int, of waitingBytes: Int) -> Bool {
        guard waitingFrames >= Self.leastFrames else { return true }
        return waitingFrames < frames && waitingBytes + bytes <= Self.mostBytes
    }
}
