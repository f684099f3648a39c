import BondWire

/// What a session keeps for each source: at most so many. Of one that is received and has to go, how far it came is kept by whoever takes
/// it out, because its packets could come again then.
struct StreamTable {
    struct Stream {
        let source: UInt32
        /// Of RTP, by 48-bit indices; nil before its first.
        var media: ReplayWindow?
        /// Of RTCP that was received.
        var control: ReplayWindow?
        /// Of RTCP that is sent next.
        var nextControl: UInt32 = 0
        /// The count of packets that were received, with its last one.
        var heard: UInt64 = 0
    }

    /// How far a source came.
    struct End {
        let media: UInt64?
        let control: UInt64?
    }

    let limit: Int
    private(set) var streams: [Stream] = []
    private var places: [UInt32: Int] = [:]
    /// Packets of one source come in rows.
    private var last: Int?
    private var received: UInt64 = 0

    init(limit: Int) { self.limit = limit }

    var isFull: Bool { streams.count >= limit }

    mutating func place(of source: UInt32) -> Int? {
        if let last, streams[last].source == source { return last }
        guard let place = places[source] else { return nil }
        last = place
        return place
    }

    /// Only for a source that has none, while there is room.
    ///
    /// - Parameter end: of one that was here before.
    mutating func add(_ source: UInt32, after end: End? = nil) -> Int {
        precondition(!isFull && places[source] == nil, "a new source within the limit")
        var stream = Stream(source: source)
        stream.media = end?.media.map { ReplayWindow(after: $0) }
        stream.control = end?.control.map { ReplayWindow(after: $0) }
        streams.append(stream)
        places[source] = streams.count - 1
        last = streams.count - 1
        return streams.count - 1
    }

    /// Only for a source that its owner never uses again.
    mutating func remove(at place: Int) {
        places[streams[place].source] = nil
        let moved = streams.removeLast()
        if place < streams.count {
            streams[place] = moved
            places[moved.source] = place
        }
        last = nil
    }

    /// Takes out the source that was heard the longest time ago; there is one.
    mutating func removeOldest() -> (source: UInt32, end: End)? {
        guard let place = streams.indices.min(by: { streams[$0].heard < streams[$1].heard }) else { return nil }
        let stream = streams[place]
        remove(at: place)
        return (stream.source, End(media: stream.media?.highest, control: stream.control?.highest))
    }

    /// Something of it came and was authentic.
    mutating func hear(at place: Int) {
        received += 1
        streams[place].heard = received
    }

    mutating func insertMedia(_ index: UInt64, at place: Int) {
        if streams[place].media == nil { streams[place].media = ReplayWindow() }
        streams[place].media?.insert(index)
    }

    mutating func insertControl(_ index: UInt64, at place: Int) {
        if streams[place].control == nil { streams[place].control = ReplayWindow() }
        streams[place].control?.insert(index)
    }

    /// The number of the next RTCP packet, which is used with that.
    mutating func takeControl(at place: Int) throws(SRTPError) -> UInt32 {
        let index = streams[place].nextControl
        guard index < 1 << 31 else { throw .exhausted }
        streams[place].nextControl += 1
        return index
    }
}

extension ReplayWindow {
    /// The 48-bit index of a packet: the one nearest to the highest that has this sequence number. Nil where that is beyond the last
    /// that a key may have. Source: RFC 3711 section 3.3.1.
    ///
    /// Before the first rollover, a number that would lie before the start counts as ahead instead.
    func index(of sequence: UInt16) -> UInt64? {
        guard let highest else { return UInt64(sequence) }
        let rollovers = highest >> 16
        let distance = Int(sequence) - Int(UInt16(truncatingIfNeeded: highest))
        let index =
            if distance > 0x8000, rollovers > 0 {
                (rollovers - 1) << 16 | UInt64(sequence)
            } else if distance < -0x8000 {
                (rollovers + 1) << 16 | UInt64(sequence)
            } else {
                rollovers << 16 | UInt64(sequence)
            }
        return index < 1 << 48 ? index : nil
    }
}
