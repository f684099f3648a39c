import BondWire
import Forwarding
import RTP

/// One source of a publisher's track: a layer of its simulcast, or all that there is of it.
final class IncomingLayer {
    /// Its place in the track.
    let number: UInt8
    /// As its packets name it (RFC 8852); nil where there is one alone.
    let name: Label?
    private let codec: Codec

    /// Of its packets and of their repeats, learnt from the first of each; nil before.
    private(set) var source: UInt32?
    private(set) var repeatSource: UInt32?
    private(set) var clock: SourceClock
    private var reader: PictureReader
    private var reception: Reception
    private var missing = MissingPackets()
    private(set) var cache: PacketCache

    private var last: Microseconds?
    /// Pictures of other layers of its track since then, and whether they say that it is not sent any more.
    private var passed = 0
    private var isOver = false
    /// How often a key frame was asked for since the last packet, or since the last one came who gets it.
    var asked = 0
    /// Since `takeFigures`.
    private var bytes = 0
    private var frames = 0
    private var rates: LayerRates

    /// Without a packet for so long it is not sent any more: browsers leave layers out that their way does not carry.
    private static let silence: Microseconds = 1_000_000
    /// Sooner where others go on, because all are made of the same pictures. Of one that is sent an encoder leaves out a few in a row.
    private static let gap = (time: Microseconds(200_000), pictures: 4)
    /// Whoever has paused is not asked for a key frame again and again: it sends one when it goes on, or is asked then.
    private static let askLimit = 5
    /// Of the key frame of a backlog. Packets are kept for half a second longer, for whoever loses some of it.
    private static let backlogAge: Microseconds = 1_500_000
    /// Of its timestamps, in seconds: others are nobody's who means it.
    private static let longestSpan: Int64 = 4

    init(_ number: UInt8, _ name: Label?, _ codec: Codec) {
        self.number = number
        self.name = name
        self.codec = codec
        clock = SourceClock(rate: codec.clockRate)
        reader = PictureReader(codec)
        reception = Reception(rate: codec.clockRate)
        cache = PacketCache(codec.isVideo ? .video : .audio)
        rates = LayerRates(codec)
    }

    // MARK: Sources

    /// From here on its packets come from this source.
    func begin(_ source: UInt32) {
        guard self.source != source else { return }
        if self.source != nil {
            clock = SourceClock(rate: codec.clockRate)
            reader = PictureReader(codec)
            reception = Reception(rate: codec.clockRate, after: reception.newest)
            missing.reset()
            cache = PacketCache(codec.isVideo ? .video : .audio)
        }
        self.source = source
    }

    func beginRepeats(_ source: UInt32) { repeatSource = source }

    func isSent(at now: Microseconds) -> Bool { last.map { !isOver && now - $0 < Self.silence } ?? false }

    /// Whether there is somebody who would hear a request for a key frame.
    func mayBeAsked(at now: Microseconds) -> Bool { source != nil && (isSent(at: now) || asked < Self.askLimit) }

    /// A picture of another layer of the same track has begun.
    /// - Returns: whether that says that this one is not sent any more, and nothing said so before.
    func pass(at now: Microseconds) -> Bool {
        guard !isOver, let last else { return false }
        passed += 1
        isOver = passed >= Self.gap.pictures && now - last >= Self.gap.time
        return isOver
    }

    /// Bits per second, as a player would get all of it.
    func bitrate(at now: Microseconds) -> Int64 { rates.bitrate(at: now) }

    func offers(isLeast: Bool, at now: Microseconds) -> [LayerChoice.Offer] { rates.offers(of: number, isLeast: isLeast, at: now) }

    /// What is kept is nobody's from now on.
    func forget() { cache = PacketCache(codec.isVideo ? .video : .audio) }

    // MARK: Packets

    /// - Parameter packet: authentic, of its source.
    /// - Returns: what is to be forwarded, with its payload; nil for what came before, and what is nobody's.
    func take(_ packet: UnsafeMutableRawBufferPointer, _ header: RTPHeader, at now: Microseconds) -> (SourcePacket, UnsafeRawBufferPointer)?
    {
        bytes += packet.count
        (last, passed, isOver, asked) = (now, 0, false, 0)
        let arrival = reception.take(header.fields.sequence, timestamp: header.fields.timestamp, at: now)
        return keep(packet, header, arrival, isKept: true, at: now)
    }

    /// As `take`, of a repeat (RFC 4588).
    /// - Parameters:
    ///   - payloadType: of what is repeated.
    ///   - isKept: others may get it later.
    func takeRepeat(
        _ packet: UnsafeMutableRawBufferPointer, _ header: RTPHeader, payloadType: UInt8, isKept: Bool, at now: Microseconds
    ) -> (SourcePacket, UnsafeRawBufferPointer)? {
        bytes += packet.count
        guard let source else { return nil }
        var bytes = MutableSpan<UInt8>(_unsafeBytes: packet)
        guard let count = Retransmission.unwrap(&bytes, header, source: source, payloadType: payloadType) else { return nil }
        let original = UnsafeMutableRawBufferPointer(rebasing: packet[..<count])
        // try?: what was inside is no packet; its like is counted where it is read first.
        guard let header = try? RTPHeader(Span(_unsafeBytes: UnsafeRawBufferPointer(original))) else { return nil }
        return keep(original, header, reception.takeRepeated(header.fields.sequence), isKept: isKept, at: now)
    }

    private func keep(
        _ packet: UnsafeMutableRawBufferPointer, _ header: RTPHeader, _ arrival: Reception.Arrival, isKept: Bool, at now: Microseconds
    ) -> (SourcePacket, UnsafeRawBufferPointer)? {
        let number: Int64
        switch arrival {
        case .packet(let extended): number = extended
        case .restart(let extended):
            number = extended
            missing.reset()
        case .duplicate, .stray: return nil
        }
        missing.take(number, at: now)
        let payload = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(packet)[header.payload])
        let span = Span<UInt8>(_unsafeBytes: payload)
        let mark = payload.isEmpty ? nil : reader.read(span, timestamp: header.fields.timestamp)
        if let mark, mark.startsPicture {
            frames += 1
            if mark.isKey, codec.isVideo { missing.forget(before: number) }
        }
        if let mark { rates.count(packet.count + Departures.overhead, mark, at: now) }
        let taken = SourcePacket(
            layer: self.number, number: number, timestamp: header.fields.timestamp, marker: header.fields.marker, mark: mark)
        if isKept { cache.store(taken, span, at: now) }
        return (taken, payload)
    }

    /// With what a subscriber that comes late can begin; nil where it has to wait for the next key frame: what is kept is too old, or of
    /// what is missing something will not come any more.
    func backlog(at now: Microseconds) -> Backlog? {
        guard codec.isVideo, isSent(at: now), let backlog = cache.backlog(within: Self.backlogAge, at: now),
            backlog.holes <= missing.count, 0...Self.longestSpan * codec.clockRate ~= backlog.span
        else { return nil }
        return backlog
    }

    // MARK: Control

    func take(_ report: SenderReport, at now: Microseconds) {
        reception.takeReport(report.time, at: now)
        clock.take(ntp: report.time, timestamp: report.timestamp)
    }

    /// - Parameter numbers: gets those of the packets that are missing.
    /// - Returns: whether so much is missing that a key frame is needed.
    func demands(at now: Microseconds, into numbers: inout [UInt16]) -> Bool {
        missing.due(at: now, roundTrip: nil, into: &numbers)
        defer { missing.needsKeyFrame = false }
        return missing.needsKeyFrame
    }

    func block(at now: Microseconds) -> Reception.Block? { reception.block(at: now) }

    /// Bytes and pictures since the last call: what was taken, for whoever wants to know.
    func takeFigures() -> (bytes: Int, frames: Int) {
        defer { (bytes, frames) = (0, 0) }
        return (bytes, frames)
    }
}
