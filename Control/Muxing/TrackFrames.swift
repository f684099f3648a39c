import BondWire
import Frames
import Posix
import Synchrony
import TrackLog

/// The frames of one track in order, each with its time by the take's clock.
///
/// A track may be of several sources, one after the other: layers of a simulcast, or a sender that began anew. Another one takes over with
/// a frame that can begin; what comes late of the one before is left out then, since nothing could be decoded behind it.
final class TrackFrames {
    struct Timed {
        let frame: EncodedFrame
        let time: Microseconds
    }

    /// Of one source.
    private struct Line {
        var order = PacketOrder()
        var assembler: FrameAssembler
        var timeline: SourceTimeline
        /// Of packets that are read and whose frames are not made yet, by their timestamps.
        var times: [UInt32: Microseconds] = [:]
    }

    private let track: TakeTrack
    private let timelines: [Survey.Source: SourceTimeline]
    private let cursor: LogCursor
    private var lines: [UInt32: Line] = [:]
    /// The sources in the order in which they came.
    private var met: [UInt32] = []
    private var current: UInt32?
    private var last: Microseconds = .min
    private var ready: [Timed] = []
    private var isEnded = false
    /// Entries that were lost before they were written.
    private(set) var lost = 0

    /// Times of packets whose frames were never made are forgotten beyond this.
    private static let mostTimes = 20_000
    private static let memory: Microseconds = 60_000_000

    init(_ track: TakeTrack, _ timelines: [Survey.Source: SourceTimeline]) {
        self.track = track
        self.timelines = timelines
        cursor = LogCursor(track.path)
    }

    var damaged: Int { cursor.damaged }
    var dropped: Int { lines.values.reduce(0) { $0 + $1.assembler.dropped } }

    /// The next frame; nil at the end.
    func next() throws(SystemError) -> Timed? {
        while ready.isEmpty, !isEnded {
            guard let record = try cursor.next() else {
                isEnded = true
                for source in met { finish(source) }
                break
            }
            switch record {
            case .packet(let packet): take(packet)
            case .event(let event): if event.kind == .lost { lost += Int(event.count) }
            case .head, .report: break
            }
        }
        return ready.isEmpty ? nil : ready.removeFirst()
    }

    private func take(_ packet: LoggedPacket) {
        let source = packet.fields.source
        if lines[source] == nil {
            guard let timeline = timelines[track.source(source)] else { return }
            lines[source] = Line(assembler: FrameAssembler(track.head.codec), timeline: timeline)
            met.append(source)
        }
        // Taken out, so that what it holds is not copied.
        guard var line = lines.removeValue(forKey: source) else { return }
        let time = line.timeline.time(of: packet.fields.timestamp, at: packet.at)
        if line.times[packet.fields.timestamp] == nil { line.times[packet.fields.timestamp] = time }
        if line.times.count > Self.mostTimes { line.times = line.times.filter { time - $0.value < Self.memory } }
        for ordered in line.order.take(packet) { give(line.assembler.take(ordered), of: source, &line.times) }
        lines[source] = line
    }

    private func finish(_ source: UInt32) {
        guard var line = lines.removeValue(forKey: source) else { return }
        for ordered in line.order.end() { give(line.assembler.take(ordered), of: source, &line.times) }
        line.assembler.end()
        lines[source] = line
    }

    private func give(_ frames: [EncodedFrame], of source: UInt32, _ times: inout [UInt32: Microseconds]) {
        for frame in frames {
            let time = times.removeValue(forKey: frame.timestamp) ?? frame.at
            if source != current {
                guard frame.isKey, time > last else { continue }
                current = source
            }
            last = max(last, time)
            ready.append(Timed(frame: frame, time: time))
        }
    }
}
