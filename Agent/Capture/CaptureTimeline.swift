package import Posix
import Units

/// The timeline of a broadcast's media: which presentation time a moment has.
///
/// It runs on the monotonic clock, and can be handed from one pipeline to the next, whose timestamps then go on.
package struct CaptureTimeline: Sendable, Hashable {
    /// The moment that has `firstTicks`.
    package let base: Instant
    /// Ticks of the 90 kHz clock, 33 bits, at `base`.
    package let firstTicks: Int64

    /// What mpegtsmux adds to each time, so that a decoding time may lie before zero. Source: TS_MUX_CLOCK_BASE, one hour.
    static let muxerTicks: Int64 = 3600 * 90_000
    private static let wrap: Int64 = 1 << 33

    /// - Parameter firstTicks: at least one hour, the muxer's own start; a test begins shortly before the 33 bits wrap.
    package init(base: Instant, firstTicks: Int64 = 3600 * 90_000) {
        precondition(firstTicks >= CaptureTimeline.muxerTicks, "the muxer cannot count below its start")
        self.base = base
        self.firstTicks = firstTicks
    }

    /// Nanoseconds on the encode pipeline's running time for a moment.
    func position(of moment: Instant) -> Int64 {
        moment.nanoseconds - base.nanoseconds + start
    }

    /// The position of `base`.
    var start: Int64 { MediaTime(ticks: firstTicks - CaptureTimeline.muxerTicks).nanoseconds }

    /// The ticks that stand in the stream for a position.
    static func ticks(at position: Int64) -> Int64 { (MediaTime(nanoseconds: position).ticks + muxerTicks) % wrap }
}
