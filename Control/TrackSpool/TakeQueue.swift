import BondWire
import RTP
import TrackLog

/// What waits to be written of a take's tracks: whoever brings it never waits for a disk, and it has a bound.
struct TakeQueue {
    /// What waits of one track.
    struct Line {
        let head: TrackHead
        /// Whole records without their checksums.
        var bytes: [UInt8] = []
        /// How many these are.
        var records = 0
        /// Records that had no room since it was last taken.
        var lost = 0
        var isEnded = false

        /// Nothing ever came of the track but its end.
        var isBare: Bool { isEnded && records == 1 && lost == 0 }
    }

    /// Some ten seconds of ten good pictures, in bytes.
    static let usual = 32 << 20
    /// Of one take, over all that come and go.
    static let mostTracks = 99_999

    /// In bytes: what may wait.
    let most: Int
    private(set) var lines: [Int: Line] = [:]
    /// Of all that is in no file yet, also of what was taken and is being written.
    private(set) var bytes = 0
    private(set) var lost = 0
    private var last = 0
    var isClosed = false

    init(most: Int = TakeQueue.usual) { self.most = most }

    /// - Returns: the track's number; nil where nothing is taken any more.
    mutating func begin(_ head: TrackHead) -> Int? {
        guard !isClosed else { return nil }
        guard last < Self.mostTracks else {
            lost += 1
            return nil
        }
        last += 1
        lines[last] = Line(head: head)
        return last
    }

    mutating func append(_ fields: RTPFields, layer: UInt8, _ payload: UnsafeRawBufferPointer, at: Microseconds, to track: Int) {
        let count = LogLayout.headBytes + RTPHeader.fixedBytes + payload.count
        guard !isClosed, payload.count <= LogLayout.payloadBytes, bytes + count <= most else { return lose(track) }
        guard lines[track]?.append(fields, layer, payload, at) != nil else { return }
        bytes += count
    }

    /// Anything but a packet: of these there are few, and they have room beyond the bound.
    mutating func append(_ record: LogRecord, to track: Int) {
        guard !isClosed, let before = lines[track]?.bytes.count else { return }
        guard bytes <= 2 * most else { return lose(track) }
        lines[track]?.append(record)
        bytes += (lines[track]?.bytes.count ?? before) - before
    }

    mutating func end(_ track: Int, at: Microseconds) {
        append(.event(LoggedEvent(at: at, kind: .ended)), to: track)
        lines[track]?.isEnded = true
    }

    private mutating func lose(_ track: Int) {
        lost += 1
        lines[track]?.lost += 1
    }

    /// What was taken is in its file: there is room for as much.
    mutating func wrote(_ count: Int) { bytes -= count }

    /// What was taken will be in no file.
    mutating func gaveUp(_ line: Line) {
        bytes -= line.bytes.count
        lost += line.records
    }

    /// All that waits, which counts as waiting until it is written; of tracks that have ended nothing comes any more.
    mutating func takeAll() -> [(track: Int, line: Line)] {
        var all: [(track: Int, line: Line)] = []
        for (track, line) in lines where !line.bytes.isEmpty || line.isEnded || line.lost > 0 {
            all.append((track, line))
            if line.isEnded {
                lines[track] = nil
            } else {
                lines[track]?.clear()
            }
        }
        return all.sorted { $0.track < $1.track }
    }
}

extension TakeQueue.Line {
    fileprivate mutating func append(_ fields: RTPFields, _ layer: UInt8, _ payload: UnsafeRawBufferPointer, _ at: Microseconds) {
        LogLayout.append(fields, layer: layer, payload: payload.count, at: at, to: &bytes)
        bytes.append(contentsOf: payload)
        records += 1
    }

    fileprivate mutating func append(_ record: LogRecord) {
        LogLayout.append(record, to: &bytes)
        records += 1
    }

    /// Whoever took it has its bytes; the next ones have room of their own.
    fileprivate mutating func clear() {
        let usual = bytes.count
        bytes = []
        bytes.reserveCapacity(usual + usual / 4)
        (records, lost) = (0, 0)
    }
}
