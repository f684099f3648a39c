package import Units

/// Maps the timestamps of a sender to timestamps that go on over its restarts.
///
/// While the sender's clock runs on, every timestamp is moved by the same offset, so that the distances between streams, and
/// between the clock and the pictures, stay what they were; drift of the sender's clock passes through. When the clock jumps
/// (back by more than `backwardTolerance`, or ahead by more than the time that really passed and `forwardTolerance`), an epoch
/// begins: the next timestamp lies as far behind the last one as the arrivals lie apart, one frame at least.
/// Arrival times come from a clock that nobody sets (`CLOCK_MONOTONIC`), so steps of the wall clock have no effect.
package struct Timeline: Sendable {
    /// What a timestamp belongs to: the clock or the pictures and sound of a PID. Each runs forward by itself.
    package enum Track: Hashable, Sendable {
        case clock(UInt16), media(UInt16)
    }

    package struct Placement: Hashable, Sendable {
        /// Where it lies on the outgoing timeline, unwrapped.
        package let time: MediaTime
        /// This timestamp is the first of an epoch.
        package let beginsEpoch: Bool
    }

    /// Senders shuffle decode times by some milliseconds; a restart goes back to the start.
    package static let backwardTolerance: Int64 = 9_000
    /// A bond that was stuck delivers a burst; five seconds are more than any buffer of it.
    package static let forwardTolerance: Int64 = 450_000
    /// One frame at 30 fps.
    package static let frame: Int64 = 3_000

    /// Tracks that are remembered; a sender of ours has three.
    private static let trackLimit = 64

    /// Added to the sender's timestamps.
    package private(set) var offset: Int64 = 0
    /// Epochs after the first.
    package private(set) var jumps = 0
    /// Those of them that were asked for by `splice`.
    package private(set) var splices = 0
    /// This epoch was asked for: who did so has seen to it that nothing goes back.
    private var isSpliced = false

    private struct Last {
        var source: Int64
        var output: Int64
        var epoch: Int
    }

    private var lasts: [Track: Last] = [:]
    private var reference: Int64?
    private var lastArrival: Duration = .zero

    package init() {}

    /// Places a PCR base or a DTS.
    /// - Parameters:
    ///   - value: 33 bits, 90 kHz.
    ///   - arrival: on a steady clock with any origin; must not go back.
    package mutating func place(_ value: Int64, on track: Track, arrival: Duration) -> Placement {
        let gap = max(0, ticks(arrival - lastArrival))
        defer { lastArrival = arrival }
        guard let reference else {
            remember(track, source: Timestamp.wrap(value))
            return Placement(time: MediaTime(ticks: Timestamp.wrap(value)), beginsEpoch: false)
        }
        var source = Timestamp.unwrap(value, near: reference)
        let jumped = isJump(source, track, gap: gap)
        if jumped {
            // Counted from zero again, so that no number of jumps can overflow.
            source = Timestamp.wrap(value)
            beginEpoch(source, track, gap: gap)
        }
        keepForward(source, track)
        remember(track, source: source)
        return Placement(time: MediaTime(ticks: source + offset), beginsEpoch: jumped)
    }

    /// Another source comes next: an epoch begins in which its time `source` lies at `output`, both DTS.
    ///
    /// Pictures and sound are the caller's to keep forward. A clock may step back by what the sources' multiplexers differ in; it
    /// is flagged (`Restamper`).
    package mutating func splice(_ source: MediaTime, at output: MediaTime) {
        jumps += 1
        splices += 1
        isSpliced = true
        let wrapped = Timestamp.wrap(source.ticks)
        reference = wrapped
        offset = output.ticks - wrapped
    }

    /// Where the last timestamp of a track lies; nil where there was none.
    package func last(on track: Track) -> MediaTime? { lasts[track].map { MediaTime(ticks: $0.output) } }

    private func isJump(_ source: Int64, _ track: Track, gap: Int64) -> Bool {
        guard let reference else { return false }
        if source > reference + gap + Timeline.forwardTolerance { return true }
        if source < reference - Timeline.forwardTolerance { return true }
        guard let last = lasts[track], last.epoch == jumps else { return false }
        return source < last.source - Timeline.backwardTolerance
    }

    private mutating func beginEpoch(_ source: Int64, _ track: Track, gap: Int64) {
        jumps += 1
        isSpliced = false
        // A track that was never seen goes on behind the last of all.
        let previous = lasts[track]?.output ?? lasts.values.reduce(Int64.min) { max($0, $1.output) }
        offset = previous + max(gap, Timeline.frame) - source
    }

    /// The new sender may interleave differently from the old one: no track may go back on the way into an epoch.
    private mutating func keepForward(_ source: Int64, _ track: Track) {
        guard let last = lasts[track], last.epoch != jumps, !isSpliced else { return }
        offset += max(0, last.output + Timeline.frame - (source + offset))
    }

    private mutating func remember(_ track: Track, source: Int64) {
        reference = source
        let output = source + offset
        guard lasts[track] != nil || lasts.count < Timeline.trackLimit else { return }
        let furthest = lasts[track].map { $0.epoch == jumps ? max($0.source, source) : source } ?? source
        lasts[track] = Last(source: furthest, output: max(output, lasts[track]?.output ?? output), epoch: jumps)
    }

    private func ticks(_ duration: Duration) -> Int64 { MediaTime(nanoseconds: duration.nanoseconds).ticks }
}
