import BondWire
import Forwarding
import RTP
import SDP

/// What a publisher sends in one section of its offer: one source, and those who get it.
final class IncomingTrack {
    let codec: Codec
    /// As the publisher named it, whose numbers a player has to take: another profile is another codec to it.
    let format: RoomCodec
    private let payloadType: UInt8
    /// Of repeats (RFC 4588); nil where the publisher sends none.
    private let repeatType: UInt8?
    /// Of its packets, learnt from the first; nil before.
    private(set) var source: UInt32?
    private(set) var repeatSource: UInt32?

    private(set) var clock: SourceClock
    private var reader: PictureReader
    private var reception: Reception
    private var missing = MissingPackets()
    private var requests = KeyFrameRequests(layers: 1)
    private var cache: PacketCache
    private(set) var subscribers: [OutgoingTrack] = []
    /// Since the last report.
    private(set) var bytes = 0
    private(set) var frames = 0

    init(_ agreed: AgreedCodec) {
        codec = Codec(agreed.codec)
        format = agreed.codec
        payloadType = agreed.payloadType
        repeatType = agreed.retransmissionType
        clock = SourceClock(rate: codec.clockRate)
        reader = PictureReader(codec)
        reception = Reception(rate: codec.clockRate)
        cache = PacketCache(codec.isVideo ? .video : .audio)
    }

    // MARK: Packets

    /// Whether a packet is this track's: the first one of each kind decides its source.
    func claims(_ fields: RTPFields) -> Bool {
        if fields.payloadType == payloadType {
            if source == nil { source = fields.source }
            return source == fields.source
        }
        guard fields.payloadType == repeatType else { return false }
        if repeatSource == nil { repeatSource = fields.source }
        return repeatSource == fields.source
    }

    /// - Parameter packet: authentic, of this track.
    func take(_ packet: UnsafeMutableRawBufferPointer, _ header: RTPHeader, at now: Microseconds) {
        bytes += packet.count
        guard header.fields.payloadType != repeatType else { return takeRepeat(packet, header, at: now) }
        let arrival = reception.take(header.fields.sequence, timestamp: header.fields.timestamp, at: now)
        forward(packet, header, arrival, at: now)
    }

    private func takeRepeat(_ packet: UnsafeMutableRawBufferPointer, _ header: RTPHeader, at now: Microseconds) {
        guard let source else { return }
        var bytes = MutableSpan<UInt8>(_unsafeBytes: packet)
        guard let count = Retransmission.unwrap(&bytes, header, source: source, payloadType: payloadType) else { return }
        let original = UnsafeMutableRawBufferPointer(rebasing: packet[..<count])
        // try?: what was inside is no packet; its like is counted where it is read first.
        guard let header = try? RTPHeader(Span(_unsafeBytes: UnsafeRawBufferPointer(original))) else { return }
        forward(original, header, reception.takeRepeated(header.fields.sequence), at: now)
    }

    private func forward(
        _ packet: UnsafeMutableRawBufferPointer, _ header: RTPHeader, _ arrival: Reception.Arrival, at now: Microseconds
    ) {
        let number: Int64
        switch arrival {
        case .packet(let extended): number = extended
        case .restart(let extended):
            number = extended
            missing.reset()
        case .duplicate, .stray: return
        }
        missing.take(number, at: now)
        let payload = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(packet)[header.payload])
        let span = Span<UInt8>(_unsafeBytes: payload)
        let mark = payload.isEmpty ? nil : reader.read(span, timestamp: header.fields.timestamp)
        if let mark, mark.startsPicture {
            frames += 1
            if mark.isKey, codec.isVideo {
                requests.came(0)
                missing.forget(before: number)
            }
        }
        let taken = SourcePacket(
            layer: 0, number: number, timestamp: header.fields.timestamp, marker: header.fields.marker, mark: mark)
        cache.store(taken, span, at: now)
        for subscriber in subscribers where subscriber.take(taken, payload, at: now) {
            // What was refused while its key frame was on its way.
            replay(to: subscriber, behind: number, at: now)
        }
    }

    private func replay(to subscriber: OutgoingTrack, behind number: Int64, at now: Microseconds) {
        guard let newest = cache.newestNumber, newest > number else { return }
        for next in number + 1...newest {
            cache.with(next, at: now) { packet, payload in
                payload.withUnsafeBytes { _ = subscriber.take(packet, $0, at: now) }
            }
        }
    }

    /// A packet that a subscriber asks for again.
    func repeated(_ number: Int64, at now: Microseconds, _ use: (SourcePacket, UnsafeRawBufferPointer) -> Void) {
        cache.with(number, at: now) { packet, payload in payload.withUnsafeBytes { use(packet, $0) } }
    }

    // MARK: Subscribers

    func add(_ subscriber: OutgoingTrack, at now: Microseconds) {
        subscribers.append(subscriber)
        wantKeyFrame(at: now)
    }

    func remove(_ subscriber: OutgoingTrack) { subscribers.removeAll { $0 === subscriber } }

    func wantKeyFrame(at now: Microseconds) { if codec.isVideo { requests.want(0, at: now) } }

    // MARK: Control

    func take(_ report: SenderReport, at now: Microseconds) {
        reception.takeReport(report.time, at: now)
        clock.take(ntp: report.time, timestamp: report.timestamp)
    }

    /// What is to be asked of the publisher now.
    /// - Parameter numbers: gets those of the packets that are missing.
    /// - Returns: whether a key frame is needed.
    func demands(at now: Microseconds, into numbers: inout [UInt16]) -> Bool {
        missing.due(at: now, roundTrip: nil, into: &numbers)
        if missing.needsKeyFrame {
            missing.needsKeyFrame = false
            wantKeyFrame(at: now)
        }
        for subscriber in subscribers where subscriber.waitsForKeyFrame { wantKeyFrame(at: now) }
        return requests.next(at: now) != nil
    }

    func block(at now: Microseconds) -> Reception.Block? { reception.block(at: now) }

    /// Bytes and pictures since the last call.
    func takeFigures() -> (bytes: Int, frames: Int) {
        defer { (bytes, frames) = (0, 0) }
        return (bytes, frames)
    }
}
