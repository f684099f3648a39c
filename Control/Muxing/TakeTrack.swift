package import Posix
import Synchrony
package import TrackLog
package import TrackSpool

/// One track of a take, as its log says.
package struct TakeTrack: Sendable, Hashable {
    package let number: TakeFolder.Number
    package let head: TrackHead
    let path: String

    /// All tracks whose logs say whose they are, in the order in which they were begun.
    package static func all(of folder: TakeFolder) throws(SystemError) -> [TakeTrack] {
        var tracks: [TakeTrack] = []
        for number in try folder.logs() {
            let path = folder.file(number)
            guard let head = try Self.head(of: path) else { continue }
            tracks.append(TakeTrack(number: number, head: head, path: path))
        }
        return tracks
    }

    /// What says whose it is; where a log's beginning is damaged, it is said again later.
    private static func head(of path: String) throws(SystemError) -> TrackHead? {
        let cursor = LogCursor(path)
        while let record = try cursor.next() {
            if case .head(let head) = record { return head }
        }
        return nil
    }

    /// How the packets of these tracks lie in time: all that one publisher sent in one segment, since its reports speak of one wall clock.
    static func timelines(of tracks: [TakeTrack]) throws(SystemError) -> [Survey.Source: SourceTimeline] {
        var survey = Survey()
        var lines: [(cursor: LogCursor, track: TakeTrack, next: LogRecord)] = []
        for track in tracks {
            let cursor = LogCursor(track.path)
            if let next = try cursor.next() { lines.append((cursor, track, next)) }
        }
        // In the order in which all of it came.
        while let index = lines.indices.min(by: { lines[$0].next.at < lines[$1].next.at }) {
            lines[index].track.tell(lines[index].next, to: &survey)
            if let next = try lines[index].cursor.next() { lines[index].next = next } else { lines.remove(at: index) }
        }
        return survey.timelines()
    }

    func source(_ number: UInt32) -> Survey.Source { Survey.Source(publisher: head.publisher, number: number) }

    private func tell(_ record: LogRecord, to survey: inout Survey) {
        switch record {
        case .packet(let packet):
            survey.take(packet.fields.timestamp, of: source(packet.fields.source), rate: head.codec.clockRate, at: packet.at)
        case .report(let report): survey.take(report.time, timestamp: report.timestamp, of: source(report.source), at: report.at)
        case .head, .event: break
        }
    }
}
