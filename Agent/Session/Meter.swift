import Capture
import Posix
import Units
import Wire

/// Turns totals into figures of an interval, over captures that follow each other.
struct Meter {
    private var frames = 0
    private var droppedFrames = 0
    private var lastBytes = 0
    private var lastAt: Instant?

    /// The capture ends: its frames stay counted.
    mutating func carry(_ figures: CaptureFigures) {
        frames += figures.framesTotal
        droppedFrames += figures.droppedFramesTotal
        lastBytes = 0
    }

    /// - Parameter figures: of the capture that runs; nil between two.
    mutating func read(
        _ figures: CaptureFigures?, at now: Instant, restarts: Int, dropped: Int, pace: FramePace, watch: MediaWatch
    ) -> PipelineTelemetry {
        let total = figures?.producedBytesTotal ?? 0
        let bytes = max(0, total - lastBytes)
        let produced = lastAt.map { Bitrate(bytes: bytes, in: now - $0) } ?? Bitrate(bitsPerSecond: 0)
        lastBytes = total
        lastAt = now
        return PipelineTelemetry(
            produced: produced, framesTotal: frames + (figures?.framesTotal ?? 0), restartsTotal: restarts,
            droppedPackets: dropped,
            frames: .init(
                made: Self.tenths(pace.made), input: Self.tenths(pace.input), dropped: droppedFrames + (figures?.droppedFramesTotal ?? 0)),
            levels: watch.levels, alarms: watch.raised)
    }

    /// Seventeen digits of a sample that a narrow modem carries would be fifteen too many.
    private static func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}
