import BondWire
import Forwarding
import ICE
import RTP
import SDP
import TLS
import Units
import WebRTC
import Wire

/// Somebody's PeerConnection: an encoder that sends, or a player.
final class Peer {
    let id: PeerID
    let room: RoomID
    /// Whose it is; nil for a program's.
    let owner: ParticipantID?
    let session: SessionNumber
    /// Of its ICE credentials: another after a restart.
    var remoteUfrag: String
    /// Of its certificate, as its first description promised.
    let fingerprints: [Fingerprint]
    /// Of the one that offers; nil of one that answers.
    var answerer: Answerer?
    let transport: MediaTransport
    /// Where it is; nil until ICE has found it.
    var path: Path?
    /// Nothing authentic came of it for `Limits.quiet`.
    var isSilent = false
    /// What it sends, and its wall clock.
    var incoming: [IncomingTrack] = [] {
        didSet { for track in incoming { track.publisher = self } }
    }
    var clock = PublisherClock()
    /// What the ids of its packets' header extensions mean.
    var extensions = ExtensionMap()
    private var held: (kinds: Set<TrackKind>, spared: Set<String>) = ([], [])
    /// By their numbers (SSRC), and in the order in which they were met.
    private var sources: [UInt32: IncomingTrack.Source] = [:]
    private var met: [UInt32] = []
    private var arrivals = ArrivalRecorder()
    private var lastFeedback: Microseconds = 0
    /// What it gets, and how that leaves; nil for who gets nothing.
    private(set) var outgoing: [OutgoingTrack] = []
    var departures: Departures?
    /// Of our own reports.
    let reporter: UInt32
    /// Of our sources: one name for all that belong together.
    let name: String
    private var lastReport: Microseconds = 0
    private var writer = ControlWriter()
    /// Of what it tells and asks: a datagram of it has room for 8,000 numbers of packets, or for 80 feedbacks of 4,096 each. Browsers tell
    /// twenty times a second, and ask for what is lost of some hundred packets.
    private var repeats = Allowance(perSecond: 8000, most: 4000)
    private var feedback = Allowance(perSecond: 100, most: 50)

    /// Layers and their repeats of as many sections as an answer has, and as many again that took their places.
    private static let sourceLimit = 192
    /// Of one report (RFC 3550 section 6.4.1).
    private static let blockLimit = 31
    /// Between two reports.
    private static let reportInterval: Microseconds = 1_000_000
    /// Between two feedbacks of when packets arrived, by which a browser estimates what its way carries. Source: RFC 8888 section 5 for
    /// the range, which draft-holmer-rmcat-transport-wide-cc-extensions-01 leaves open.
    private static let feedbackInterval: Microseconds = 60_000
    /// What publishers are told that there is room for, whatever their ways carry.
    private static let ceiling: UInt64 = 4_000_000

    init(
        id: PeerID, room: RoomID, owner: ParticipantID?, session: SessionNumber, remoteUfrag: String, fingerprints: [Fingerprint],
        transport: MediaTransport, reporter: UInt32, name: String
    ) {
        self.id = id
        self.room = room
        self.owner = owner
        self.session = session
        self.remoteUfrag = remoteUfrag
        self.fingerprints = fingerprints
        self.transport = transport
        self.reporter = reporter
        self.name = name
    }

    // MARK: What it sends

    /// Takes on what another offer of it came to: sections that are as before keep their tracks.
    ///
    /// - Returns: the tracks that are over, and those that are new.
    func replaceTracks(_ sections: [AgreedSection], at now: Microseconds) -> (gone: [IncomingTrack], new: [IncomingTrack]) {
        let before = incoming
        incoming = sections.compactMap { section in before.first { $0.isOf(section) } ?? IncomingTrack(section) }
        let kept = incoming
        // What is new is held as what was there before, until it is spared.
        hold(at: now)
        let gone = before.filter { old in !kept.contains { $0 === old } }
        sources = sources.filter { source in !gone.contains { $0 === source.value.track } }
        met.removeAll { sources[$0] == nil }
        return (gone, kept.filter { new in !before.contains { $0 === new } })
    }

    /// What goes on to nobody, whatever else it sends.
    func hold(_ order: PeerHold, at now: Microseconds) {
        held = (Set(order.kinds), Set(order.spared))
        hold(at: now)
    }

    private func hold(at now: Microseconds) {
        for track in incoming { track.hold(held.kinds.contains(track.kind) && !held.spared.contains(track.name), at: now) }
    }

    /// What it sends, as control is told.
    var published: [PublishedTrack] {
        incoming.map { PublishedTrack(mid: $0.name, kind: $0.kind) }
    }

    /// - Parameter packet: authentic.
    func take(_ packet: UnsafeMutableRawBufferPointer, at now: Microseconds) { accept(packet, at: now)?.forward(at: now) }

    /// As `take`; it goes on with `IncomingTrack.forward`, and its bytes stay as they are until then.
    /// - Returns: the track that has something to go on since this packet; nil where it had before, or has nothing.
    func accept(_ packet: UnsafeMutableRawBufferPointer, at now: Microseconds) -> IncomingTrack? {
        // try?: a packet that is none is dropped, as one that was lost.
        guard let header = try? RTPHeader(Span(_unsafeBytes: UnsafeRawBufferPointer(packet))) else { return nil }
        // try?: extensions that are none say nothing; their packet is media all the same.
        let values = (try? ExtensionValues(Span(_unsafeBytes: UnsafeRawBufferPointer(packet)), header, extensions)) ?? ExtensionValues()
        if let sequence = values.transportSequence { arrivals.arrived(sequence, at: now) }
        guard let source = source(of: header.fields, values, at: now) else { return nil }
        let hadWaiting = source.track.hasWaiting
        source.track.accept(packet, header, of: source.layer, isRepeat: source.isRepeat, at: now)
        return !hadWaiting && source.track.hasWaiting ? source.track : nil
    }

    private func source(of fields: RTPFields, _ values: ExtensionValues, at now: Microseconds) -> IncomingTrack.Source? {
        if let known = sources[fields.source] {
            if known.isCurrent(fields.source) { return known }
            // What comes late of a source that another one has followed; it is had again where that one is silent.
            guard !known.layer.isSent(at: now) else { return nil }
        }
        if sources.count >= Self.sourceLimit { forgetFollowed() }
        guard sources.count < Self.sourceLimit else { return nil }
        // Asked once each: whoever is asked takes the source.
        for track in incoming {
            guard let found = track.claim(fields, values) else { continue }
            if sources.updateValue(found, forKey: fields.source) == nil { met.append(fields.source) }
            return found
        }
        return nil
    }

    /// Those that others have followed, the oldest first: of the newest something may still be on its way.
    private func forgetFollowed() {
        for number in met where sources.count > Self.sourceLimit / 2 {
            guard let source = sources[number], !source.isCurrent(number) else { continue }
            sources[number] = nil
        }
        met.removeAll { sources[$0] == nil }
    }

    /// - Parameter packet: authentic.
    func takeControl(_ packet: UnsafeMutableRawBufferPointer, at now: Microseconds) {
        // try?: as above.
        guard let parts = try? ControlReader.read(Span(_unsafeBytes: UnsafeRawBufferPointer(packet))) else { return }
        for part in parts { take(part, at: now) }
    }

    private func take(_ part: ControlPacket, at now: Microseconds) {
        switch part {
        case .senderReport(let report):
            if let source = sources[report.source], !source.isRepeat, source.isCurrent(report.source) {
                source.layer.take(report, at: now)
                source.track.tap?.take(report, at: now)
            }
            if report.time.value != 0 { clock.take(report.time, at: now) }
            take(report.blocks, at: now)
        case .receiverReport(let report): take(report.blocks, at: now)
        case .nack(let lost):
            guard let track = outgoing.first(where: { $0.source == lost.media }) else { return }
            lost.forEach { if repeats.take(at: now) { track.askedAgain($0, at: now) } }
        case .pictureLoss(_, let media): outgoing.first { $0.source == media }?.wantsKeyFrame(at: now)
        case .fullIntra(_, let requests):
            for request in requests { outgoing.first { $0.source == request.media }?.wantsKeyFrame(at: now) }
        case .bandwidth(let estimate): departures?.take(estimate: estimate.bitsPerSecond)
        case .transport(let told): if feedback.take(at: now) { departures?.take(told, at: now) }
        case .names, .goodbye, .other: break
        }
    }

    private func take(_ blocks: [ReportBlock], at now: Microseconds) {
        for block in blocks {
            outgoing.first { $0.source == block.source }?.takeBlock(
                fractionLost: block.fractionLost, lastReport: block.lastReport, delay: block.delay, at: now)
        }
    }

    private var layers: [IncomingLayer] { incoming.flatMap(\.layers) }

    // MARK: What it gets

    func add(_ track: OutgoingTrack) {
        outgoing.append(track)
        departures?.padded = padded
    }

    func drop(_ track: OutgoingTrack) {
        outgoing.removeAll { $0 === track }
        departures?.padded = padded
        // A room's tracks come and go for as long as it lasts, and a connection has places for 256 sources.
        transport.sender?.retire(track.source)
        transport.sender?.retire(track.repeatSource)
    }

    /// Whether it plays what another one sends, and has got nothing of anybody yet.
    func waits(for publisher: Peer) -> Bool {
        outgoing.contains { $0.track?.publisher === publisher } && !outgoing.contains(where: \.hasSent)
    }

    private var padded: OutgoingTrack? { outgoing.first { $0.codec.isVideo && $0.repeatType != nil } }

    /// Gives each picture the best of what its publisher sends that its way carries. What it shows on its page it does not tell yet.
    func choose(at now: Microseconds) {
        guard let departures else { return }
        let pictures = outgoing.filter(\.codec.isVideo)
        let tracks = pictures.map { LayerChoice.Track(id: $0.source, offers: $0.track?.offers(at: now) ?? [], viewport: 1) }
        for (track, choice) in zip(pictures, departures.choose(tracks, at: now)) {
            switch choice {
            case .target(let target): track.select(target)
            case .noRoom: track.pause()
            case .unseen, .noSource: break
            }
        }
    }

    /// What is due of what it gets: layers, packets that waited, and what those tracks begin with that get nothing yet.
    func advance(to now: Microseconds) {
        guard let departures else { return }
        if departures.isDue(at: now) { choose(at: now) }
        flush(at: now)
        // Those that are behind first: all together have one way.
        guard !departures.isBehind else { return }
        var bytes = 0
        for track in outgoing { bytes += track.beginBehind(bytes, at: now) ?? 0 }
        if bytes > 0 { flush(at: now) }
    }

    /// Lets go what may leave now: what waits, and then what its tracks are behind.
    func flush(at now: Microseconds) {
        guard let departures else { return }
        departures.isBehind = outgoing.contains(where: \.isBehind)
        departures.flush(at: now)
        guard departures.isBehind else { return }
        // One after the other: all together have one way, and the first picture of one is worth more than halves of many.
        var left = OutgoingTrack.stepLimit(departures.feedback)
        for track in outgoing { track.catchUp(&left, at: now) }
        departures.isBehind = outgoing.contains(where: \.isBehind)
    }

    // MARK: What it is told

    /// The control packets that are due, each a compound for a datagram of its own.
    func controls(clocks: (OutgoingTrack) -> PublisherClock, at now: Microseconds) -> [[UInt8]] {
        var packets: [ControlPacket] = []
        for track in incoming {
            track.demands(at: now) { layer, missing, needsKeyFrame in
                guard let source = layer.source else { return }
                if !missing.isEmpty { packets.append(.nack(LostPackets(sender: reporter, media: source, sequences: missing))) }
                if needsKeyFrame { packets.append(.pictureLoss(sender: reporter, media: source)) }
            }
        }
        packets += feedbacks(at: now)
        let isDue = now - lastReport >= Self.reportInterval
        guard isDue || !packets.isEmpty else { return [] }
        if isDue { lastReport = now }
        return compounds(reports(clocks, isDue: isDue, at: now) + packets)
    }

    /// When its packets arrived, where that is due.
    private func feedbacks(at now: Microseconds) -> [ControlPacket] {
        guard now - lastFeedback >= Self.feedbackInterval, arrivals.hasArrivals, let media = layers.lazy.compactMap(\.source).first else {
            return []
        }
        lastFeedback = now
        var packets: [ControlPacket] = []
        // Each tells of 500 numbers: so many come in 60 ms of 50 Mbit/s.
        while packets.count < 4, let feedback = arrivals.feedback(sender: reporter, media: media) { packets.append(.transport(feedback)) }
        return packets
    }

    private func reports(_ clocks: (OutgoingTrack) -> PublisherClock, isDue: Bool, at now: Microseconds) -> [ControlPacket] {
        guard isDue else { return [.receiverReport(ReceiverReport(source: reporter))] }
        var packets: [ControlPacket] = []
        for track in outgoing {
            guard let report = track.report(clocks(track), at: now) else { continue }
            packets.append(
                .senderReport(
                    SenderReport(
                        source: track.source, time: report.ntp, timestamp: report.timestamp, packets: report.packets,
                        bytes: report.bytes)))
            packets.append(.names([SourceName(source: track.source, name: name)]))
        }
        let blocks = layers.compactMap { layer in
            layer.source.flatMap { source in
                layer.block(at: now).map { block in
                    ReportBlock(
                        source: source, fractionLost: block.fractionLost, lost: block.cumulativeLost, highest: block.extendedHighest,
                        jitter: block.jitter, lastReport: block.lastReport, delay: block.delaySinceLastReport)
                }
            }
        }
        for start in stride(from: 0, to: blocks.count, by: Self.blockLimit) {
            let some = Array(blocks[start..<min(start + Self.blockLimit, blocks.count)])
            packets.append(.receiverReport(ReceiverReport(source: reporter, blocks: some)))
        }
        if packets.isEmpty { packets.append(.receiverReport(ReceiverReport(source: reporter))) }
        let sources = layers.compactMap(\.source)
        if !sources.isEmpty {
            packets.append(.bandwidth(BandwidthEstimate(sender: reporter, bitsPerSecond: Self.ceiling, sources: sources)))
        }
        return packets
    }

    private func compounds(_ packets: [ControlPacket]) -> [[UInt8]] {
        var compounds: [[UInt8]] = []
        for packet in packets where !writer.append(packet) {
            compounds.append(writer.bytes)
            writer.removeAll()
            // A compound begins with a report (RFC 3550 section 6.1).
            _ = writer.append(.receiverReport(ReceiverReport(source: reporter)))
            _ = writer.append(packet)
        }
        if !writer.isEmpty { compounds.append(writer.bytes) }
        writer.removeAll()
        return compounds
    }
}
