import BondWire
import Congestion
import Forwarding
import RTP
import SDP

/// What a player gets in one section of its offer: of whichever track feeds it, one line of numbers.
final class OutgoingTrack {
    let codec: Codec
    let payloadType: UInt8
    /// Of repeats (RFC 4588); nil where the player takes none.
    let repeatType: UInt8?
    let source: UInt32
    let repeatSource: UInt32

    private(set) var header: OutgoingHeader
    private let extensions: ExtensionMap
    /// What the player tells of its packets.
    private let feedback: FeedbackKinds
    private let departures: Departures
    /// For one packet as it is made; the same as that of `departures`.
    private let buffer: UnsafeMutableRawBufferPointer
    private(set) weak var track: IncomingTrack?
    /// Each layer of each track that feeds it is another one to the rewriter: one line of numbers goes on over all of them. Two tracks
    /// in a row have places of their own.
    private var base: UInt8 = 0
    private static let layersOfTrack: UInt8 = 4
    private var clocks: [SourceClock]
    private var rewriter: TrackRewriter
    private var sending: Sending
    private var repeats: RepeatLimit
    private var repeatSequence: UInt16
    private var rate = RateWindow(span: 1_000_000)
    /// What was before this number was dropped for the key frame that has it: it is not repeated either. And when that was.
    private var forgotten: (before: UInt16, at: Microseconds)?

    /// It gets what is kept of a layer, and what comes of that only behind it.
    private var behind: Behind?

    /// Packets are not kept for longer, and their numbers come again later.
    private static let memory: Microseconds = 5_000_000
    /// A backlog that is larger, or that its way carries only in a longer time, is not sent: a new key frame is shown sooner.
    private static let mostBehind = 256_000
    private static let longestBehind: Microseconds = 500_000
    /// Of a player's tracks together, in a step of a millisecond: where nobody knows what the way carries some 40 Mbit/s, else as many as may
    /// leave.
    private static let steps = (blind: 4, paced: 32)

    private struct Behind {
        /// Of its track.
        let layer: UInt8
        /// The source's number of the next packet.
        var next: Int64
        /// The key frame has left.
        var hasBegun = false
    }

    /// - Parameters:
    ///   - extensions: of the section.
    ///   - random: of the system: where its numbers begin (RFC 3550 section 5.1).
    init(
        _ agreed: AgreedCodec, _ extensions: ExtensionMap, source: UInt32, repeatSource: UInt32, random: UInt64, departures: Departures,
        buffer: UnsafeMutableRawBufferPointer, at now: Microseconds
    ) {
        codec = Codec(agreed.codec)
        payloadType = agreed.payloadType
        repeatType = agreed.retransmissionType
        self.source = source
        self.repeatSource = repeatSource
        self.extensions = extensions
        feedback = agreed.feedback
        header = Self.header(extensions, agreed.feedback, departures.feedback)
        self.departures = departures
        self.buffer = buffer
        clocks = [SourceClock](repeating: SourceClock(rate: codec.clockRate), count: Int(2 * Self.layersOfTrack))
        // Below 2^15, so that the peer's guess of the rollover counter is right (RFC 3711 section 3.3.1).
        rewriter = TrackRewriter(
            codec, firstSequence: UInt16(random & 0x7fff), firstTimestamp: UInt32(truncatingIfNeeded: random >> 16))
        sending = Sending(rate: codec.clockRate)
        repeats = RepeatLimit(at: now)
        repeatSequence = UInt16(random >> 48 & 0x7fff)
    }

    /// What leaves for the player is told of in another way.
    func stamp() { header = Self.header(extensions, feedback, departures.feedback) }

    private static func header(_ extensions: ExtensionMap, _ told: FeedbackKinds, _ known: Downlink.Feedback) -> OutgoingHeader {
        // What is not told of has no number either.
        OutgoingHeader(extensions, known == .transport && !told.contains(.transport) ? .nothing : known)
    }

    /// The player has got something by it.
    var hasSent: Bool { rewriter.newestSent != nil }

    /// The layer of its track whose key frame it waits for.
    var awaitedLayer: UInt8? {
        guard codec.isVideo, let layer = rewriter.awaitedLayer, layer >= base, behind?.layer != layer - base else { return nil }
        return layer - base
    }

    /// Sound begins at once. Which layer of a picture comes is chosen with all others that the player gets.
    func feed(from track: IncomingTrack) {
        self.track = track
        track.add(self)
        begin(track)
    }

    /// What comes from now on is another line of layers than what came before.
    ///
    /// - Parameter track: its own.
    func begin(_ track: IncomingTrack) {
        behind = nil
        base = base == 0 ? Self.layersOfTrack : 0
        for layer in track.layers { clocks[Int(base + layer.number)] = layer.clock }
        // Whoever had these places before is gone.
        rewriter.forget(base..<base + Self.layersOfTrack)
        if codec.isVideo { rewriter.select(nil) } else { select(LayerTarget(layer: 0)) }
    }

    /// - Parameter target: of its track.
    func select(_ target: LayerTarget) {
        rewriter.select(LayerTarget(layer: base + target.layer, spatial: target.spatial, temporal: target.temporal))
    }

    /// What there is to select is less than before.
    func offersChanged() { departures.offersChanged() }

    /// Until something is selected again nothing comes: its way does not carry it.
    func pause() {
        behind = nil
        rewriter.select(nil)
        departures.drop(source)
    }

    /// Whoever fed it is gone; the line of its numbers goes on with the next one.
    func starve() {
        track = nil
        behind = nil
        rewriter.select(nil)
    }

    // MARK: Packets

    /// - Parameter layer: of its track, from which the packet came: handed in, since to look it up costs each packet of each player.
    /// - Returns: whether it begins with this one, and what came behind it is wanted now.
    func take(_ packet: SourcePacket, _ payload: UnsafeRawBufferPointer, of layer: IncomingLayer, at now: Microseconds) -> Bool {
        // What is behind the place that it has come to is kept for it.
        if let behind, behind.layer == packet.layer, packet.number >= behind.next { return false }
        guard pass(packet, of: nil, payload, layer, at: now) else { return false }
        // Another layer than the one of which it got what is kept.
        behind = nil
        return true
    }

    /// - Returns: whether it begins with this one.
    private func pass(
        _ packet: SourcePacket, of backlog: Backlog?, _ payload: UnsafeRawBufferPointer, _ layer: IncomingLayer, at now: Microseconds
    ) -> Bool {
        guard departures.isOpen else { return false }
        var packet = packet
        clocks[Int(base + packet.layer)] = layer.clock
        packet.layer += base
        switch rewriter.take(packet, of: backlog, clocks: clocks, at: now) {
        case .forward(let rewritten):
            put(packet, payload, rewritten, at: now)
            return false
        case .begin(let rewritten):
            if codec.isVideo, departures.makeRoom(for: source) { forgotten = (rewritten.sequence, now) }
            put(packet, payload, rewritten, at: now)
            return true
        case .blank, .drop: return false
        }
    }

    // MARK: Coming late

    var isBehind: Bool { behind != nil }

    /// Begins with what is kept of the layer that it waits for, where it gets nothing yet and that is worth it; `catchUp` goes on with it.
    /// For another layer than the one that it gets it waits for a key frame: it has seen what is kept.
    ///
    /// - Parameter others: bytes that its player's other tracks have begun with just now.
    /// - Returns: how many bytes it has begun with; nil where it has to wait for a key frame.
    func beginBehind(_ others: Int, at now: Microseconds) -> Int? {
        guard behind == nil, rewriter.current == nil, departures.isOpen, let layer = awaitedLayer,
            let backlog = track?.backlog(of: layer, at: now), backlog.bytes <= Self.mostBehind,
            departures.drainTime(backlog.bytes + others) <= Self.longestBehind
        else { return nil }
        behind = Behind(layer: layer, next: backlog.first)
        return backlog.bytes
    }

    /// How many packets the tracks of one player may send in a step of what they are behind.
    static func stepLimit(_ feedback: Downlink.Feedback) -> Int { feedback == .nothing ? steps.blind : steps.paced }

    /// Sends of what it is behind as much as may leave now.
    /// - Parameter left: packets that may leave in this step; those that do are taken off.
    func catchUp(_ left: inout Int, at now: Microseconds) {
        guard behind != nil else { return }
        guard let track else { return behind = nil }
        while left > 0, let place = behind, Int(place.layer) < track.layers.count, departures.hasTurn(at: now) {
            behind = follow(place, track.layers[Int(place.layer)], at: now)
            left -= 1
        }
    }

    /// Sends the next of what is kept.
    /// - Returns: the place behind it; nil where what comes is the next, or where only a key frame helps.
    private func follow(_ place: Behind, _ layer: IncomingLayer, at now: Microseconds) -> Behind? {
        var place = place
        if let newer = layer.cache.keyFrame, newer > place.next {
            // Nobody needs the pictures before it.
            if place.hasBegun { rewriter.leave() }
            place = Behind(layer: place.layer, next: newer)
        }
        guard place.hasBegun else { return start(place, layer, at: now) }
        guard let newest = layer.cache.newestNumber, place.next <= newest else { return nil }
        guard newest - place.next < Int64(PacketCache.Limits.video.packets), !layer.cache.hasLost(place.next, at: now) else {
            // Its way is too slow for it, or another source has followed.
            rewriter.leave()
            return nil
        }
        // Nothing is there of what has not come yet: that goes on when it comes.
        _ = layer.cache.with(place.next, at: now) { packet, payload in
            payload.withUnsafeBytes { _ = pass(packet, of: nil, $0, layer, at: now) }
        }
        place.next += 1
        return place
    }

    private func start(_ place: Behind, _ layer: IncomingLayer, at now: Microseconds) -> Behind? {
        guard let backlog = layer.backlog(at: now), backlog.first == place.next else { return nil }
        let hasBegun = layer.cache.with(place.next, at: now) { packet, payload in
            payload.withUnsafeBytes { pass(packet, of: backlog, $0, layer, at: now) }
        }
        // It has had that before it paused.
        guard hasBegun == true else { return nil }
        return Behind(layer: place.layer, next: place.next + 1, hasBegun: true)
    }

    // MARK: One packet

    private func put(_ packet: SourcePacket, _ payload: UnsafeRawBufferPointer, _ rewritten: Rewritten, at now: Microseconds) {
        let fields = RTPFields(
            marker: rewritten.marker, payloadType: payloadType, sequence: rewritten.sequence, timestamp: rewritten.timestamp,
            source: source)
        guard let count = write(fields, packet, payload, rewritten, original: nil) else { return }
        sending.sent(payload: payload.count)
        rate.add(count, at: now)
        let hasLeft = departures.take(codec.isVideo ? .picture : .sound, count, of: source, stamp: header.stamp, at: now)
        // What waited is gone with it: only a key frame helps.
        if !hasLeft { wantsKeyFrame(at: now) }
    }

    /// - Parameter original: of a repeat: the number that was sent first.
    /// - Returns: the packet's bytes in `buffer`; nil where it has no room.
    private func write(
        _ fields: RTPFields, _ packet: SourcePacket, _ payload: UnsafeRawBufferPointer, _ rewritten: Rewritten, original: UInt16?
    ) -> Int? {
        var bytes = MutableSpan<UInt8>(_unsafeBytes: buffer)
        guard var start = header.write(fields, into: &bytes) else { return nil }
        if let original {
            bytes[start] = UInt8(truncatingIfNeeded: original >> 8)
            bytes[start + 1] = UInt8(truncatingIfNeeded: original)
            start += Retransmission.headerBytes
        }
        guard start + payload.count + 32 <= buffer.count else { return nil }
        let place = UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + payload.count])
        place.copyMemory(from: payload)
        if let mark = packet.mark {
            var copy = MutableSpan<UInt8>(_unsafeBytes: place)
            rewritten.write(mark, payload: &copy)
        }
        return start + payload.count
    }

    /// Writes a packet of padding alone on its source of repeats, which no decoder looks at.
    ///
    /// - Parameter count: bytes of padding, 1...255.
    /// - Returns: the packet's bytes in the buffer; nil where it has no repeats.
    func pad(_ count: Int) -> Int? {
        guard let repeatType, 1...255 ~= count else { return nil }
        let fields = RTPFields(
            payloadType: repeatType, sequence: repeatSequence &+ 1, timestamp: rewriter.newestSent?.timestamp ?? 0, source: repeatSource)
        var bytes = MutableSpan<UInt8>(_unsafeBytes: buffer)
        guard let start = header.write(fields, into: &bytes), start + count + 32 <= buffer.count else { return nil }
        repeatSequence &+= 1
        for place in start..<start + count - 1 { bytes[place] = 0 }
        // RFC 3550 section 5.1: the last byte tells how many.
        bytes[start + count - 1] = UInt8(count)
        bytes[0] |= 0x20
        return start + count
    }

    // MARK: What the player asks for

    func askedAgain(_ sequence: UInt16, at now: Microseconds) {
        guard let repeatType, let track, departures.isOpen, !isForgotten(sequence, at: now), let origin = rewriter.origin(of: sequence),
            (base..<base + Self.layersOfTrack).contains(origin.layer)
        else { return }
        track.repeated(origin.number, of: origin.layer - base, at: now) { packet, payload in
            var packet = packet
            packet.layer = origin.layer
            guard let rewritten = rewriter.repeated(packet),
                repeats.mayRepeat(sequence, of: 0, bytes: payload.count + 30, roundTrip: sending.roundTrip, at: now)
            else { return }
            repeatSequence &+= 1
            let fields = RTPFields(
                marker: rewritten.marker, payloadType: repeatType, sequence: repeatSequence, timestamp: rewritten.timestamp,
                source: repeatSource)
            guard let count = write(fields, packet, payload, rewritten, original: sequence) else { return }
            _ = departures.take(.repeat, count, of: source, stamp: header.stamp, at: now)
        }
    }

    private func isForgotten(_ sequence: UInt16, at now: Microseconds) -> Bool {
        guard let forgotten, now - forgotten.at < Self.memory else { return false }
        return 1..<0x8000 ~= forgotten.before &- sequence
    }

    func wantsKeyFrame(at now: Microseconds) {
        guard let layer = rewriter.current?.layer, layer >= base else { return }
        track?.wantKeyFrame(of: layer - base, at: now)
    }

    func takeBlock(fractionLost: UInt8, lastReport: UInt32, delay: UInt32, at now: Microseconds) {
        sending.take(fractionLost: fractionLost, lastReport: lastReport, delay: delay, at: now)
    }

    /// - Parameter publisher: the wall clock of whom the track is.
    func report(_ publisher: PublisherClock, at now: Microseconds) -> Sending.Report? {
        guard track != nil, let layer = rewriter.current?.layer else { return nil }
        repeats.setBitrate(rate.bitrate(at: now))
        return sending.report(rewriter, publisher: publisher, source: clocks[Int(layer)], at: now)
    }
}

extension Codec {
    init(_ codec: RoomCodec) {
        switch codec {
        case .opus: self = .opus
        case .vp8: self = .vp8
        case .vp9: self = .vp9
        case .h264Baseline, .h264Main, .h264High: self = .h264
        case .av1: self = .av1
        }
    }
}
