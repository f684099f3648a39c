import Units

/// Keeps sound continuous: where a source leaves a gap, silence goes in; where it overlaps, the overlap goes out. So the encoder
/// sees one unbroken row of samples, whatever comes, goes, stalls or has no sound at all. Holds no clock and no bytes.
///
/// Times are nanoseconds on the broadcast's timeline.
struct SoundTimeline: Equatable {
    /// What to do with a piece of sound.
    struct Step: Equatable {
        /// Frames of silence to put before it.
        var silence: Int
        /// Frames to leave out at its beginning.
        var skip: Int
        /// The index of the first frame that goes out, silence included.
        var position: Int64
    }

    static let rate = 48_000
    /// Frames by which a piece may lie beside its place and still count as its continuation: 20 ms. Sources stamp with jitter;
    /// sound is never more than this off the picture.
    static let tolerance = rate / 50

    /// The index of the next frame.
    private(set) var next: Int64
    private(set) var silentFramesTotal = 0

    init(startingAt time: Int64) { next = SoundTimeline.index(time) }

    static func index(_ nanoseconds: Int64) -> Int64 { (nanoseconds / 1000 * 48 + 500) / 1000 }
    static func time(_ index: Int64) -> Int64 { index * 1_000_000 / 48 }

    /// A piece of `frames` frames has come, stamped `time`.
    mutating func sound(at time: Int64, frames: Int) -> Step {
        let offset = SoundTimeline.index(time) - next
        var step = Step(silence: 0, skip: 0, position: next)
        if offset > SoundTimeline.tolerance {
            step.silence = Int(offset)
        } else if offset < -SoundTimeline.tolerance {
            step.skip = Int(min(Int64(frames), -offset))
        }
        silentFramesTotal += step.silence
        next += Int64(step.silence + frames - step.skip)
        return step
    }

    /// The picture has reached `time`: sound that is more than `lag` behind it is not coming, or there is none.
    ///
    /// - Returns: silence up to `lag` behind the picture; nil where there is sound enough.
    mutating func picture(at time: Int64, lag: Duration) -> Step? {
        let wanted = SoundTimeline.index(time - lag.nanoseconds)
        // In pieces of an AAC frame at least, so that no buffer holds a handful of samples.
        guard wanted - next >= 1024 else { return nil }
        let step = Step(silence: Int(wanted - next), skip: 0, position: next)
        silentFramesTotal += step.silence
        next = wanted
        return step
    }
}
