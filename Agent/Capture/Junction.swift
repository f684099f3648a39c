import GStreamer
import Posix
import Units

/// Where sources meet the encoder: takes raw frames and sound from whichever feed is active, puts them on the broadcast's timeline
/// and hands them on without copying. Called on the feeds' streaming threads; nothing here waits.
final class Junction: Sendable {
    let timeline: CaptureTimeline
    private let state: Guarded<State>
    private let frameRate: Int
    /// Where there is none, new frames are dropped.
    private let room: FrameRoom
    let look: MediaLook

    private struct State {
        var picture: FeedID?
        var sound: FeedID?
        var video: AppSource?
        var audio: AppSource?
        var lastPicture: Int64
        var lastFrameAt: Instant
        var soundSeen = false
        /// Begins with the first picture.
        var soundLine: SoundTimeline?
        var offeredFramesTotal = 0
        var inputFramesTotal = 0
        var droppedFramesTotal = 0
        var thinnedFramesTotal = 0
        /// One frame of so many goes on, and how many have come since the last that did.
        var keepsOneOf = 1
        var sinceKept = 0
    }

    init(timeline: CaptureTimeline, frameRate: Int, look: MediaLook) {
        self.timeline = timeline
        self.frameRate = frameRate
        self.look = look
        room = FrameRoom(frameRate: frameRate)
        state = Guarded(State(lastPicture: timeline.start - 1, lastFrameAt: .now))
    }

    // MARK: - From the owner

    /// From now on these feeds are heard and seen; the others are dropped.
    func activate(picture: FeedID?, sound: FeedID?) {
        state.withLock { state in
            if state.sound != sound { state.soundSeen = false }
            state.picture = picture
            state.sound = sound
            state.lastFrameAt = .now
        }
    }

    /// Where frames and sound go; nil while there is no encoder.
    func attach(video: AppSource?, audio: AppSource?) {
        state.withLock { state in
            state.video = video
            state.audio = audio
            state.lastFrameAt = .now
        }
    }

    /// From now on one frame of so many goes to the encoder, at even distances.
    func keep(oneOf count: Int) { state.withLock { $0.keepsOneOf = max(1, count) } }

    /// When the last frame of the active feed came.
    var lastFrameAt: Instant { state.withLock { $0.lastFrameAt } }

    func fill(_ figures: inout CaptureFigures) {
        state.withLock { state in
            figures.offeredFramesTotal = state.offeredFramesTotal
            figures.inputFramesTotal = state.inputFramesTotal
            figures.droppedFramesTotal = state.droppedFramesTotal
            figures.thinnedFramesTotal = state.thinnedFramesTotal
            figures.silentSamplesTotal = state.soundLine?.silentFramesTotal ?? 0
        }
    }

    // MARK: - From the feeds

    /// The input has given a frame of its own.
    func input(of feed: FeedID) {
        state.withLock { state in if state.picture == feed, state.video != nil { state.inputFramesTotal += 1 } }
    }

    func picture(_ sample: Sample, of feed: FeedID, base: Instant) {
        guard let running = sample.runningTime else { return }
        let position = timeline.position(of: Instant(nanoseconds: base.nanoseconds + running))
        if state.withLock({ $0.picture == feed }) { look.picture(at: .now) { sample.withBytes($0) } }
        state.withLock { state in
            guard state.picture == feed, let video = state.video, position > state.lastPicture else { return }
            state.lastFrameAt = .now
            state.offeredFramesTotal += 1
            state.sinceKept += 1
            if state.sinceKept >= state.keepsOneOf {
                guard room.takes(sample.byteCount, beside: video.queuedBuffers, of: video.queuedBytes) else {
                    state.droppedFramesTotal += 1
                    return
                }
                state.sinceKept = 0
                video.push(sharing: sample, AppSource.Stamp(pts: position, dts: position, isKeyFrame: sample.isKeyFrame))
            } else {
                state.thinnedFramesTotal += 1
            }
            // Sound goes on with each frame that there is, sent or not.
            state.lastPicture = position
            if state.soundLine == nil { state.soundLine = SoundTimeline(startingAt: position) }
            fillSilence(upTo: position, &state)
        }
    }

    func sound(_ sample: Sample, of feed: FeedID, base: Instant) {
        guard let running = sample.runningTime else { return }
        let position = timeline.position(of: Instant(nanoseconds: base.nanoseconds + running))
        state.withLock { state in
            guard state.sound == feed, let audio = state.audio, var line = state.soundLine else { return }
            // Sound waits for its picture, but not without limit: a device that gives it faster than time passes is cut.
            guard position < state.lastPicture + Junction.soundAhead else { return }
            state.soundSeen = true
            let frames = sample.byteCount / Junction.frameBytes
            let step = line.sound(at: position, frames: frames)
            state.soundLine = line
            Junction.pushSilence(step.silence, at: step.position, to: audio)
            let time = SoundTimeline.time(step.position + Int64(step.silence))
            if step.skip == 0 {
                audio.push(sharing: sample, AppSource.Stamp(pts: time))
            } else if step.skip < frames {
                sample.withBytes { bytes in
                    _ = audio.push(
                        UnsafeRawBufferPointer(rebasing: bytes[(step.skip * Junction.frameBytes)...]), AppSource.Stamp(pts: time))
                }
            }
        }
    }

    private static let soundAhead: Int64 = 2_000_000_000
    /// Two channels of 16 bits.
    private static let frameBytes = 4

    /// The muxer waits for sound, so there must always be some: a source that gave sound may be half a second late (its own buffers),
    /// one that never did is not waited for.
    private func fillSilence(upTo position: Int64, _ state: inout State) {
        let lag: Duration = state.soundSeen ? .milliseconds(500) : .milliseconds(100)
        guard let audio = state.audio, let step = state.soundLine?.picture(at: position, lag: lag) else { return }
        Junction.pushSilence(step.silence, at: step.position, to: audio)
    }

    private static func pushSilence(_ frames: Int, at position: Int64, to audio: AppSource) {
        var left = frames
        var position = position
        while left > 0 {
            let piece = min(left, SoundTimeline.rate)
            audio.push([UInt8](repeating: 0, count: piece * frameBytes), AppSource.Stamp(pts: SoundTimeline.time(position)))
            position += Int64(piece)
            left -= piece
        }
    }
}
