import Posix
import Testing
import Units
import Wire

@testable import Relay

struct IngestWatchTests {
    private func figures(bytes: Int = 0, keyFrames: Int = 1, last: Double?) -> MediaPath.Figures {
        var figures = MediaPath.Figures()
        figures.bytes = bytes
        figures.keyFrames = keyFrames
        figures.lastMedia = last.map { Instant(nanoseconds: 0) + .seconds($0) }
        return figures
    }

    private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: 0) + .seconds(seconds) }

    @Test("a stream flows from its first key frame on, and is interrupted after a second without media")
    func states() {
        #expect(IngestWatch.state(figures(keyFrames: 0, last: nil), at: at(0)) == .waiting)
        #expect(IngestWatch.state(figures(keyFrames: 0, last: 5), at: at(5)) == .waiting)
        #expect(IngestWatch.state(figures(last: 5), at: at(6)) == .flowing)
        #expect(IngestWatch.state(figures(last: 5), at: at(6.01)) == .interrupted)
    }

    @Test("while the slate is shown a stream is interrupted, though media comes, and for how long is told")
    func slate() {
        var shown = figures(last: 9.9)
        shown.slateSince = at(7.5)
        let report = IngestWatch().reported(shown, at: at(10))
        #expect(report.state == .interrupted && report.slateMs == 2500)
        #expect(IngestWatch().reported(figures(last: 9.9), at: at(10)).slateMs == nil)
    }

    @Test("the rate is that of the last whole second, however often it is asked for")
    func rate() {
        var watch = IngestWatch()
        #expect(watch.report(figures(bytes: 0, last: 0), nil, at: at(0)).bitrate == .kilobits(0))
        #expect(watch.report(figures(bytes: 50_000, last: 0.5), nil, at: at(0.5)).bitrate == .kilobits(0))
        #expect(watch.report(figures(bytes: 125_000, last: 1), nil, at: at(1)).bitrate == .kilobits(1000))
        #expect(watch.report(figures(bytes: 130_000, last: 1.2), nil, at: at(1.2)).bitrate == .kilobits(1000))
        #expect(watch.report(figures(bytes: 130_000, last: 1.2), nil, at: at(2)).bitrate == .kilobits(40))
    }
}

struct MediaRingTests {
    @Test("bytes come out in order, the media thread is told once for a batch, and what is over the limit is counted")
    func bounded() {
        let ring = MediaRing()
        func put(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { ring.put($0) } }
        #expect(put([1, 2]))
        #expect(!put([3]))
        #expect(ring.take() == [1, 2, 3])
        #expect(put([4]))
        let whole = [UInt8](repeating: 5, count: 1 << 20)
        for _ in 0..<4 { _ = put(whole) }
        #expect(ring.droppedBytes == 1 << 20)
        #expect(ring.take().count == (3 << 20) + 1)
        #expect(ring.take().isEmpty)
    }
}

extension IngestWatch {
    fileprivate func reported(_ figures: MediaPath.Figures, at now: Instant) -> IngestReport {
        var watch = self
        return watch.report(figures, nil, at: now)
    }
}
