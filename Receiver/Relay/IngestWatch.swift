import Ingest
import MPEGTS
import Posix
import Units
import Wire

/// Says what state the incoming stream is in, from what was seen of it. Holds no clock.
struct IngestWatch {
    private var rateFrom: (at: Instant, bytes: Int)?
    private var rate = Bitrate(bitsPerSecond: 0)

    /// Longer without media is an interruption.
    static let silence: Duration = .seconds(1)

    static func state(_ figures: MediaPath.Figures, at now: Instant) -> IngestReport.State {
        guard let last = figures.lastMedia, figures.keyFrames > 0 else { return .waiting }
        // Media may come again already, without a key frame yet.
        if figures.slateSince != nil { return .interrupted }
        return now - last > silence ? .interrupted : .flowing
    }

    /// - Parameter transport: what the transport counts; nil before it listens.
    mutating func report(_ figures: MediaPath.Figures, _ transport: IngestStatistics?, at now: Instant) -> IngestReport {
        measure(figures, at: now)
        return IngestReport(
            state: IngestWatch.state(figures, at: now), bitrate: rate, keyFramesTotal: figures.keyFrames,
            lostPacketsTotal: transport?.lostPacketsTotal ?? 0, recoveredPacketsTotal: transport?.recoveredPacketsTotal ?? 0,
            guardDroppedTotal: transport?.guardDropped.total ?? 0, video: figures.coding.map { $0 == .h265 ? .h265 : .h264 },
            width: figures.size?.width, height: figures.size?.height, paths: transport?.paths ?? [],
            latencyMs: transport?.latencyMs, slateMs: figures.slateSince.map { (now - $0).milliseconds },
            deliveredPacketsTotal: transport?.deliveredPacketsTotal)
    }

    /// Over at least 900 ms, so that a report in between shows the last whole second.
    private mutating func measure(_ figures: MediaPath.Figures, at now: Instant) {
        guard let from = rateFrom else {
            rateFrom = (now, figures.bytes)
            return
        }
        let elapsed = now - from.at
        guard elapsed >= .milliseconds(900) else { return }
        rate = Bitrate(bytes: figures.bytes - from.bytes, in: elapsed)
        rateFrom = (now, figures.bytes)
    }
}
