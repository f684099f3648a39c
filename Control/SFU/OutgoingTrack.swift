import BondWire
import Forwarding
import RTP
import SDP
import SRTP

/// What a player gets in one section of its offer: of whichever track feeds it, one line of numbers.
final class OutgoingTrack {
    let codec: Codec
    let payloadType: UInt8
    /// Of repeats (RFC 4588); nil where the player takes none.
    let repeatType: UInt8?
    let source: UInt32
    let repeatSource: UInt32

    private let send: (UnsafeRawBufferPointer) -> Void
    private let protection: () -> SRTPSender?
    /// For one packet with its protection, as it is made.
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
    private var bytes = 0
    /// Of the second before.
    private var bitrate = 0

    /// - Parameters:
    ///   - random: of the system: where its numbers begin (RFC 3550 section 5.1).
    ///   - protection: nil as long as the peer's handshake lasts.
    init(
        _ agreed: AgreedCodec, source: UInt32, repeatSource: UInt32, random: UInt64, buffer: UnsafeMutableRawBufferPointer,
        at now: Microseconds, protection: @escaping () -> SRTPSender?, send: @escaping (UnsafeRawBufferPointer) -> Void
    ) {
        codec = Codec(agreed.codec)
        payloadType = agreed.payloadType
        repeatType = agreed.retransmissionType
        self.source = source
        self.repeatSource = repeatSource
        self.buffer = buffer
        self.protection = protection
        self.send = send
        clocks = [SourceClock](repeating: SourceClock(rate: codec.clockRate), count: Int(2 * Self.layersOfTrack))
        // Below 2^15, so that the peer's guess of the rollover counter is right (RFC 3711 section 3.3.1).
        rewriter = TrackRewriter(
            codec, firstSequence: UInt16(random & 0x7fff), firstTimestamp: UInt32(truncatingIfNeeded: random >> 16))
        sending = Sending(rate: codec.clockRate)
        repeats = RepeatLimit(at: now)
        repeatSequence = UInt16(random >> 48 & 0x7fff)
    }

    /// The layer of its track whose key frame it waits for.
    var awaitedLayer: UInt8? {
        guard codec.isVideo, let layer = rewriter.awaitedLayer, layer >= base else { return nil }
        return layer - base
    }

    func feed(from track: IncomingTrack, at now: Microseconds) {
        self.track = track
        base = base == 0 ? Self.layersOfTrack : 0
        for layer in track.layers { clocks[Int(base + layer.number)] = layer.clock }
        track.add(self)
        if let target = track.offers(at: now).last?.target { select(target) }
    }

    /// - Parameter target: of its track.
    func select(_ target: LayerTarget) {
        rewriter.select(LayerTarget(layer: base + target.layer, spatial: target.spatial, temporal: target.temporal))
    }

    /// Whoever fed it is gone; the line of its numbers goes on with the next one.
    func starve() {
        track = nil
        rewriter.select(nil)
    }

    // MARK: Packets

    /// - Returns: whether it begins with this one, and what came behind it is wanted now.
    func take(_ packet: SourcePacket, _ payload: UnsafeRawBufferPointer, at now: Microseconds) -> Bool {
        guard let track, Int(packet.layer) < track.layers.count, let protection = protection() else { return false }
        var packet = packet
        clocks[Int(base + packet.layer)] = track.layers[Int(packet.layer)].clock
        packet.layer += base
        switch rewriter.take(packet, clocks: clocks, at: now) {
        case .forward(let rewritten):
            put(packet, payload, rewritten, protection)
            return false
        case .begin(let rewritten):
            put(packet, payload, rewritten, protection)
            return true
        case .blank, .drop: return false
        }
    }

    private func put(
        _ packet: SourcePacket, _ payload: UnsafeRawBufferPointer, _ rewritten: Rewritten, _ protection: SRTPSender
    ) {
        let fields = RTPFields(
            marker: rewritten.marker, payloadType: payloadType, sequence: rewritten.sequence, timestamp: rewritten.timestamp,
            source: source)
        guard let count = write(fields, packet, payload, rewritten, original: nil) else { return }
        sending.sent(payload: payload.count)
        protect(count, protection)
    }

    /// - Parameter original: of a repeat: the number that was sent first.
    /// - Returns: the packet's bytes in `buffer`; nil where it has no room.
    private func write(
        _ fields: RTPFields, _ packet: SourcePacket, _ payload: UnsafeRawBufferPointer, _ rewritten: Rewritten, original: UInt16?
    ) -> Int? {
        var bytes = MutableSpan<UInt8>(_unsafeBytes: buffer)
        // try?: the buffer has room for every datagram that comes in.
        guard var start = try? fields.write(into: &bytes) else { return nil }
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

    private func protect(_ count: Int, _ protection: SRTPSender) {
        // try?: of a source of our own with numbers that are used once nothing is refused; a packet that was is lost like any other.
        guard let protected = try? protection.protect(buffer, count, .first) else { return }
        bytes += protected
        send(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<protected]))
    }

    // MARK: What the player asks for

    func askedAgain(_ sequence: UInt16, at now: Microseconds) {
        guard let repeatType, let track, let protection = protection(), let origin = rewriter.origin(of: sequence),
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
            protect(count, protection)
        }
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
        repeats.setBitrate(Int64(bitrate))
        return sending.report(rewriter, publisher: publisher, source: clocks[Int(layer)], at: now)
    }

    func takeBytes() -> Int {
        defer { bytes = 0 }
        bitrate = bytes * 8
        return bytes
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
