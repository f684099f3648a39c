package import BondWire

/// What forwarding has to know of a packet that came from a publisher.
package struct SourcePacket: Hashable, Sendable {
    /// Which of the track's sources (SSRC) it is of: its simulcast layer.
    package var layer: UInt8
    /// Extended by `Reception`; the low 16 bits are those on the wire.
    package var number: Int64
    package var timestamp: UInt32
    package var marker: Bool
    /// nil for a packet of padding alone.
    package var mark: PictureMark?

    package init(layer: UInt8, number: Int64, timestamp: UInt32, marker: Bool, mark: PictureMark?) {
        self.layer = layer
        self.number = number
        self.timestamp = timestamp
        self.marker = marker
        self.mark = mark
    }
}

/// Which part of a track a subscriber is to get.
package struct LayerTarget: Hashable, Sendable {
    package var layer: UInt8
    /// The highest it gets, of the layers within one source.
    package var spatial: UInt8
    package var temporal: UInt8

    package init(layer: UInt8, spatial: UInt8 = .max, temporal: UInt8 = .max) {
        self.layer = layer
        self.spatial = spatial
        self.temporal = temporal
    }
}

/// What has to be written over a packet for one subscriber.
package struct Rewritten: Hashable, Sendable {
    package var sequence: UInt16
    package var timestamp: UInt32
    package var marker: Bool
    /// For the places that the packet's mark names.
    package var number: UInt16?
    package var base: UInt8?
    package var keyIndex: UInt8?

    package init(
        sequence: UInt16, timestamp: UInt32, marker: Bool, number: UInt16? = nil, base: UInt8? = nil, keyIndex: UInt8? = nil
    ) {
        self.sequence = sequence
        self.timestamp = timestamp
        self.marker = marker
        self.number = number
        self.base = base
        self.keyIndex = keyIndex
    }

    /// Writes picture id, TL0PICIDX and KEYIDX into a copy of the payload that `mark` was read from.
    package func write(_ mark: PictureMark, payload: inout MutableSpan<UInt8>) {
        if let number, let place = mark.number {
            let at = Int(place.place)
            switch place.bits {
            case 7: payload[at] = UInt8(truncatingIfNeeded: number & 0x7f)
            case 15:
                payload[at] = 0x80 | UInt8(truncatingIfNeeded: number >> 8)
                payload[at + 1] = UInt8(truncatingIfNeeded: number)
            default: break
            }
        }
        if let base, let place = mark.base { payload[Int(place.place)] = base }
        if let keyIndex, let place = mark.keyIndex {
            payload[Int(place.place)] = payload[Int(place.place)] & 0xe0 | keyIndex & 0x1f
        }
    }

    /// Writes the frame number into a copy of the dependency descriptor that `mark` was read from.
    package func write(_ mark: PictureMark, descriptor: inout MutableSpan<UInt8>) {
        guard let number, let place = mark.number, place.bits == 16 else { return }
        descriptor[Int(place.place)] = UInt8(truncatingIfNeeded: number >> 8)
        descriptor[Int(place.place) + 1] = UInt8(truncatingIfNeeded: number)
    }
}

/// One subscriber's view of a track: a single line of sequence numbers, timestamps and picture numbers, whichever layer it comes from.
///
/// What the source lost is a gap here too, so that the subscriber asks for it; what is left out on purpose leaves none. Layers change at
/// a key frame of the new one only; the old one goes on until then. No number is ever used for two packets.
package struct TrackRewriter: Sendable {
    package enum Step: Hashable, Sendable {
        case forward(Rewritten)
        /// The first of another layer, or the first at all: what the cache has of this source behind it comes next, in order, as its
        /// packets have been refused until now.
        case begin(Rewritten)
        /// A number that was kept for a packet which is not for this subscriber: a packet of padding alone says that nothing is missing.
        case blank(sequence: UInt16, timestamp: UInt32)
        case drop(Reason)
    }

    package enum Reason: Hashable, Sendable {
        /// Nothing is wanted.
        case paused
        /// Of a layer that the subscriber does not get.
        case otherLayer
        /// Of the wanted layer, which has not begun with a key frame yet.
        case beforeKeyFrame
        /// Of a temporal or spatial layer above.
        case above
        case padding
        /// It was sent.
        case repeated
        /// Nobody knows its number any more, or it is of a layer's time before or after it was forwarded.
        case late
    }

    /// A jump of the source's numbers beyond this is a new beginning. Source: MAX_DROPOUT of RFC 3550, A.1.
    private static let jump: Int64 = 3000
    /// A key frame this far behind what was sent is refused once, for a newer one.
    private static let behind: Microseconds = 100_000
    /// Where sender reports and arrival disagree by more, the reports are wrong.
    private static let disagreement: Microseconds = 1_000_000

    private struct Sent {
        var number: Int64
        var timestamp: UInt32
        var layer: UInt8
        var sourceTimestamp: UInt32
        var at: Microseconds
        /// What the timestamp is beyond what the clocks say.
        var shift: Int64 = 0
        var picture: UInt16?
        var base: UInt8?
        var keyIndex: UInt8?
    }

    private let codec: Codec
    private let firstSequence: UInt16
    private let firstTimestamp: UInt32
    private var target: LayerTarget?
    /// What is forwarded now; nil before the first key frame and in a pause.
    private var open: RewriteSegment?
    private var history = RewriteHistory()
    private var used = UsedNumbers()
    /// The newest of the source's numbers that was looked at, and its picture's number.
    private var newest: Int64 = 0
    private var newestPicture: UInt16?
    private var last: Sent?
    private var hasRefused = false

    /// - Parameters:
    ///   - firstSequence: below 2^15, so that the peer's guess of the rollover counter is right. Source: RFC 3711, 3.3.1.
    ///   - firstTimestamp: of the first packet that is forwarded.
    package init(_ codec: Codec, firstSequence: UInt16, firstTimestamp: UInt32) {
        self.codec = codec
        self.firstSequence = firstSequence
        self.firstTimestamp = firstTimestamp
    }

    /// What is forwarded now; nil where nothing is.
    package var current: LayerTarget? { open.map { LayerTarget(layer: $0.layer, spatial: $0.spatial, temporal: $0.temporal) } }

    /// The layer whose key frame this subscriber waits for.
    package var awaitedLayer: UInt8? {
        guard let target else { return nil }
        guard let open, open.layer == target.layer, target.spatial <= open.spatial else { return target.layer }
        return nil
    }

    /// - Parameter target: nil for a pause.
    package mutating func select(_ target: LayerTarget?) {
        if self.target?.layer != target?.layer { hasRefused = false }
        self.target = target
        if target == nil { close() }
    }

    /// Under these layers comes another source from now on: nothing of it is late, wherever its numbers begin.
    package mutating func forget(_ layers: Range<UInt8>) {
        if let open, layers.contains(open.layer) { close() }
        history.forget(layers)
    }

    /// What is forwarded now ends, and nothing of it is missing: the next key frame of what is wanted is a beginning.
    package mutating func leave() { close() }

    /// - Parameters:
    ///   - backlog: where the packet is the first of one. All of it is taken in its order, and then what comes.
    ///   - clocks: of the track's sources, by layer.
    package mutating func take(
        _ packet: SourcePacket, of backlog: Backlog? = nil, clocks: [SourceClock], at now: Microseconds
    ) -> Step {
        guard let target else { return .drop(.paused) }
        if let open, open.layer == packet.layer {
            if packet.number <= newest { return fill(packet, at: now) }
            if packet.number - newest <= Self.jump { return advance(packet, open, target, at: now) }
            close()
        }
        if packet.layer == target.layer, let mark = packet.mark, mark.startsPicture, mark.isKey,
            !history.reaches(packet.layer, packet.number)
        {
            return begin(packet, mark, target, backlog, clocks, at: now)
        }
        let step = fill(packet, at: now)
        guard step == .drop(.late) else { return step }
        return .drop(packet.layer == target.layer ? .beforeKeyFrame : .otherLayer)
    }

    // MARK: - In order

    private mutating func advance(_ packet: SourcePacket, _ before: RewriteSegment, _ target: LayerTarget, at now: Microseconds) -> Step {
        defer { newest = packet.number }
        guard let mark = packet.mark else {
            leaveOut(packet, before, isNewPicture: false)
            return .drop(.padding)
        }
        var segment = before
        if mark.startsPicture, target.layer == segment.layer { segment = limited(segment, mark, target) }
        if let catchUp = segment.catchUp, packet.number > catchUp.last { segment.catchUp = nil }
        if segment.spatial != before.spatial || segment.temporal != before.temporal || segment.catchUp != before.catchUp {
            segment = split(segment, before, at: packet.number)
        }
        let isNewPicture = follows(mark.number)
        if isNewPicture { newestPicture = mark.number?.value }
        guard mark.spatial <= segment.spatial, mark.temporal <= segment.temporal else {
            leaveOut(packet, segment, isNewPicture: isNewPicture)
            return .drop(.above)
        }
        open = segment
        return .forward(send(packet, mark, segment, at: now))
    }

    /// What the subscriber gets from this picture on: less at any, more of spatial layers at a key frame, and of temporal ones where the
    /// source says that one may begin.
    private func limited(_ segment: RewriteSegment, _ mark: PictureMark, _ target: LayerTarget) -> RewriteSegment {
        var limited = segment
        if target.spatial < segment.spatial || mark.isKey { limited.spatial = target.spatial }
        if target.temporal < segment.temporal || mark.isKey {
            limited.temporal = target.temporal
        } else if mark.isSwitchUp, mark.temporal > segment.temporal {
            limited.temporal = min(target.temporal, mark.temporal)
        }
        return limited
    }

    /// The same numbers go on, with other limits, or on the line of what comes.
    private mutating func split(_ segment: RewriteSegment, _ before: RewriteSegment, at number: Int64) -> RewriteSegment {
        var after = segment
        if number > before.source {
            var closed = before
            closed.last = number - 1
            history.append(closed)
            after.outgoing = before.number(number)
            after.source = number
        }
        return after
    }

    /// Whether a picture is a later one than all before.
    private func follows(_ number: PictureNumber?) -> Bool {
        guard let number, let newestPicture else { return number != nil }
        let ahead = (number.value &- newestPicture) & number.mask
        return ahead > 0 && ahead <= number.mask / 2
    }

    /// The packet's number is the next one's. What was lost before it keeps its own.
    private mutating func leaveOut(_ packet: SourcePacket, _ before: RewriteSegment, isNewPicture: Bool) {
        var next = before
        if packet.number > before.source {
            var closed = before
            closed.last = packet.number - 1
            history.append(closed)
            next.outgoing = before.number(packet.number)
        }
        next.source = packet.number + 1
        // Others tell by the number which picture is which (VP9's groups, the dependency descriptor's differences); VP8's decoders
        // wait for what is missing. Source: RFC 7741, 4.2; RFC 9628, 4.2.
        if codec == .vp8, isNewPicture { next.numberOffset &+= 1 }
        open = next
    }

    private mutating func send(_ packet: SourcePacket, _ mark: PictureMark, _ segment: RewriteSegment, at now: Microseconds) -> Rewritten {
        let rewritten = rewrite(packet, mark, segment)
        let number = segment.number(packet.number)
        used.insert(number)
        var sent =
            last
            ?? Sent(
                number: number, timestamp: rewritten.timestamp, layer: packet.layer, sourceTimestamp: packet.timestamp, at: now)
        sent.number = max(sent.number, number)
        if Ticks.difference(rewritten.timestamp, sent.timestamp) >= 0 {
            sent.timestamp = rewritten.timestamp
            sent.layer = packet.layer
            sent.sourceTimestamp = packet.timestamp
            sent.at = now
            sent.shift = segment.shift + segment.lead(packet)
        }
        // A switch goes on from the newest of each, which late packets may have.
        let mask = mark.number?.mask ?? .max
        if let newer = rewritten.number, sent.picture.map({ (newer &- $0) & mask <= mask / 2 }) ?? true { sent.picture = newer }
        if let newer = rewritten.base, sent.base.map({ newer &- $0 < 0x80 }) ?? true { sent.base = newer }
        if let newer = rewritten.keyIndex, sent.keyIndex.map({ (newer &- $0) & 0x1f < 0x10 }) ?? true { sent.keyIndex = newer }
        last = sent
        return rewritten
    }

    private func rewrite(_ packet: SourcePacket, _ mark: PictureMark, _ segment: RewriteSegment) -> Rewritten {
        Rewritten(
            sequence: UInt16(truncatingIfNeeded: segment.number(packet.number)), timestamp: segment.timestamp(packet),
            marker: packet.marker || mark.endsFrame && mark.spatial == segment.spatial,
            number: mark.number.map { ($0.value &- segment.numberOffset) & $0.mask },
            base: mark.base.map { $0.value &- segment.baseOffset },
            keyIndex: mark.keyIndex.map { ($0.value &- segment.keyIndexOffset) & 0x1f })
    }

    // MARK: - Late

    private mutating func fill(_ packet: SourcePacket, at now: Microseconds) -> Step {
        guard let segment = segment(of: packet) else { return .drop(.late) }
        let number = segment.number(packet.number)
        guard used.isFree(number) else { return .drop(.repeated) }
        guard let mark = packet.mark, mark.spatial <= segment.spatial, mark.temporal <= segment.temporal, !isTaken(mark, segment) else {
            used.insert(number)
            if let newest = last?.number { last?.number = max(newest, number) }
            return .blank(sequence: UInt16(truncatingIfNeeded: number), timestamp: segment.timestamp(packet))
        }
        // It may lie behind all that was sent, where what followed it was left out.
        return .forward(send(packet, mark, segment, at: now))
    }

    /// Whether its picture's number is one of the next layer's: nobody knew of it when that began.
    private func isTaken(_ mark: PictureMark, _ segment: RewriteSegment) -> Bool {
        guard let end = segment.pictureEnd, let number = mark.number else { return false }
        return (number.value &- segment.numberOffset &- end) & number.mask <= number.mask / 2
    }

    private func segment(of packet: SourcePacket) -> RewriteSegment? {
        if let open, open.holds(packet.layer, packet.number) { return packet.number <= newest ? open : nil }
        return history.segment(packet.layer, packet.number)
    }

    // MARK: - Repeats

    /// Which packet of which layer a subscriber asks for (NACK); nil where that is not known any more, or was never sent.
    package func origin(of sequence: UInt16) -> (layer: UInt8, number: Int64)? {
        guard let last else { return nil }
        let behind = Int64(UInt16(truncatingIfNeeded: last.number) &- sequence)
        // More than half a turn behind is ahead.
        guard behind < 1 << 15 else { return nil }
        let number = last.number - behind
        if let open, number >= open.outgoing { return (open.layer, open.source + (number - open.outgoing)) }
        return history.segment(outgoing: number).map { ($0.layer, $0.source + (number - $0.outgoing)) }
    }

    /// The same that was written over a packet when it was sent, for its retransmission (RFC 4588). It changes nothing.
    package func repeated(_ packet: SourcePacket) -> Rewritten? {
        guard let segment = segment(of: packet), let mark = packet.mark, mark.spatial <= segment.spatial, mark.temporal <= segment.temporal
        else { return nil }
        return rewrite(packet, mark, segment)
    }

    // MARK: - Switching

    private mutating func close() {
        guard var closed = open else { return }
        open = nil
        guard newest >= closed.source else { return }
        closed.last = newest
        history.append(closed)
    }

    private mutating func begin(
        _ packet: SourcePacket, _ mark: PictureMark, _ target: LayerTarget, _ backlog: Backlog?, _ clocks: [SourceClock],
        at now: Microseconds
    ) -> Step {
        guard let start = startTimestamp(packet, backlog, clocks, at: now) else { return .drop(.beforeKeyFrame) }
        close()
        hasRefused = false
        var segment = RewriteSegment(
            layer: packet.layer, spatial: target.spatial, temporal: target.temporal, source: packet.number,
            outgoing: last.map { $0.number + 1 } ?? Int64(firstSequence))
        segment.timestampOffset = (backlog?.lastTimestamp ?? packet.timestamp) &- start.timestamp
        segment.shift = start.shift
        segment.catchUp = backlog?.catchUp
        // The line goes on by one; the first picture keeps its own numbers.
        if let number = mark.number, let before = last?.picture { segment.numberOffset = number.value &- (before &+ 1) }
        if let base = mark.base, let before = last?.base { segment.baseOffset = base.value &- (before &+ 1) }
        if let keyIndex = mark.keyIndex, let before = last?.keyIndex { segment.keyIndexOffset = keyIndex.value &- (before &+ 1) }
        history.free(from: segment.outgoing, picture: rewrite(packet, mark, segment).number)
        open = segment
        newest = packet.number
        newestPicture = mark.number?.value
        return .begin(send(packet, mark, segment, at: now))
    }

    /// Where the new layer's first picture, or the newest of a backlog, lies on the subscriber's line of timestamps: by the wall clock of
    /// both layers' sender reports, or, as long as one has none, by when it came. Always behind what was sent.
    /// - Returns: nil for a key frame that is too old; of the next one it is not asked again.
    private mutating func startTimestamp(
        _ packet: SourcePacket, _ backlog: Backlog?, _ clocks: [SourceClock], at now: Microseconds
    ) -> (timestamp: UInt32, shift: Int64)? {
        // Those before the newest lie between it and what was sent.
        let span = max(0, backlog?.span ?? 0) / CatchUp.share
        guard let last else { return (firstTimestamp &+ UInt32(truncatingIfNeeded: span), 0) }
        let rate = codec.clockRate
        var ahead = Ticks.of(max(0, now - last.at), rate: rate) ?? 0
        if let taken = clock(packet.layer, clocks)?.time(of: backlog?.lastTimestamp ?? packet.timestamp),
            let before = clock(last.layer, clocks)?.time(of: last.sourceTimestamp),
            let ticks = Ticks.of(taken.microseconds(since: before), rate: rate),
            (ticks - last.shift - ahead).magnitude <= (Self.disagreement * rate / 1_000_000).magnitude
        {
            ahead = ticks - last.shift
        }
        if ahead < -Self.behind * rate / 1_000_000, !hasRefused {
            hasRefused = true
            return nil
        }
        let step = max(ahead, 1 + span)
        return (last.timestamp &+ UInt32(truncatingIfNeeded: step), step - ahead)
    }

    private func clock(_ layer: UInt8, _ clocks: [SourceClock]) -> SourceClock? {
        Int(layer) < clocks.count ? clocks[Int(layer)] : nil
    }

    // MARK: - Time

    /// The subscriber's timestamp for one of the layer that is forwarded; nil where none is.
    package func timestamp(of source: UInt32) -> UInt32? { open.map { source &- $0.timestampOffset } }

    /// The newest timestamp that was sent, and when.
    package var newestSent: (timestamp: UInt32, at: Microseconds)? { last.map { ($0.timestamp, $0.at) } }
}
