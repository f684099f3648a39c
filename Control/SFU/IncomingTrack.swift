import BondWire
import Forwarding
import RTP
import SDP
import Wire

/// What a publisher sends in one section of its offer: one source or, in a simulcast, several of one picture; and those who get it.
final class IncomingTrack {
    let codec: Codec
    /// As the publisher named it, whose numbers a player has to take: another profile is another codec to it.
    let format: RoomCodec
    /// Its section, as its packets name it; nil where they do not.
    let mid: Label?
    /// Among its publisher's tracks: the mid of its section, or its place where that has none.
    let name: String
    /// Who sends it; nil once that peer is gone.
    weak var publisher: Peer?
    private let layerNames: [Label]
    let layers: [IncomingLayer]
    let payloadType: UInt8
    /// Of repeats (RFC 4588); nil where the publisher sends none.
    private let repeatType: UInt8?

    private var requests: KeyFrameRequests
    /// What came and goes on with `forward`, in its order.
    private var waiting: [Waiting] = []
    private(set) var subscribers: [OutgoingTrack] = []
    /// By which it is written down; nil where it is not.
    var tap: TrackTap?
    /// It goes on to nobody.
    private(set) var isHeld = false
    private var released: Microseconds?
    /// What was found to be sent, and when: the same for all who get it.
    private var offered: (offers: [LayerChoice.Offer], at: Microseconds)?

    private static let offerTime: Microseconds = 100_000
    /// Bits per second, with what a packet costs beyond itself: twice of what Opus has at most (RFC 6716 section 2.1.1). Sound waits for
    /// nothing and is in nobody's estimate: all of it leaves at once for everybody in the room.
    private static let soundRate: Int64 = 1_000_000
    private static let packetBytes = 100
    private var sound = Allowance(perSecond: IncomingTrack.soundRate, most: IncomingTrack.soundRate)
    /// Repeats come as long behind what they repeat.
    private static let repeatTime: Microseconds = 2_000_000

    /// nil for a section without media.
    init?(_ section: AgreedSection) {
        guard let agreed = section.codecs.first else { return nil }
        let codec = Codec(agreed.codec)
        self.codec = codec
        format = agreed.codec
        mid = section.extensions[.mid] == nil ? nil : section.mid.flatMap { Label($0) }
        name = section.trackName
        layerNames = section.layers
        payloadType = agreed.payloadType
        repeatType = agreed.retransmissionType
        let names: [Label?] = section.layers.isEmpty ? [nil] : section.layers
        layers = names.enumerated().map { IncomingLayer(UInt8($0), $1, codec) }
        requests = KeyFrameRequests(layers: layers.count)
    }

    var kind: TrackKind { codec.isVideo ? .video : .audio }

    /// Whether it is what a section of a later offer asks for: then it goes on.
    func isOf(_ section: AgreedSection) -> Bool {
        guard name == section.trackName, let agreed = section.codecs.first else { return false }
        return agreed.codec == format && agreed.payloadType == payloadType && agreed.retransmissionType == repeatType
            && section.layers == layerNames
    }

    // MARK: Packets

    /// A source of a peer: what its packets are.
    struct Source {
        let track: IncomingTrack
        let layer: IncomingLayer
        let isRepeat: Bool

        /// Whether the layer's packets, or its repeats, come from this source still.
        func isCurrent(_ number: UInt32) -> Bool { (isRepeat ? layer.repeatSource : layer.source) == number }
    }

    /// Whose a new source is, where it is this track's.
    ///
    /// - Parameter values: what its packet says of itself; where it names a layer, an older source of that layer is over.
    func claim(_ fields: RTPFields, _ values: ExtensionValues) -> Source? {
        let isRepeat = fields.payloadType == repeatType
        guard isRepeat || fields.payloadType == payloadType, mid == nil || values.mid == nil || values.mid == mid else { return nil }
        let name = isRepeat ? values.repairedRID ?? values.rid : values.rid
        guard let layer = layers.count == 1 ? layers.first : layers.first(where: { $0.name == name }) else { return nil }
        // Without a word of whose it is, a track's first source is its only one.
        let isNamed = values.mid != nil || values.rid != nil || values.repairedRID != nil
        guard isNamed || (isRepeat ? layer.repeatSource : layer.source) == nil else { return nil }
        if isRepeat { layer.beginRepeats(fields.source) } else { layer.begin(fields.source) }
        return Source(track: self, layer: layer, isRepeat: isRepeat)
    }

    private struct Waiting {
        let packet: SourcePacket
        let payload: UnsafeRawBufferPointer
        let layer: IncomingLayer
    }

    /// Takes a packet, and sends it on to all who get it.
    ///
    /// - Parameter packet: authentic, of the layer's source.
    func take(
        _ packet: UnsafeMutableRawBufferPointer, _ header: RTPHeader, of layer: IncomingLayer, isRepeat: Bool, at now: Microseconds
    ) {
        accept(packet, header, of: layer, isRepeat: isRepeat, at: now)
        forward(at: now)
    }

    /// As `take`; it goes on with `forward`, and its bytes stay as they are until then.
    func accept(
        _ packet: UnsafeMutableRawBufferPointer, _ header: RTPHeader, of layer: IncomingLayer, isRepeat: Bool, at now: Microseconds
    ) {
        guard codec.isVideo || sound.take(Int64(packet.count + Self.packetBytes) * 8, at: now) else { return }
        let taken =
            isRepeat
            ? layer.takeRepeat(packet, header, payloadType: payloadType, isKept: !isFresh(at: now), at: now)
            : layer.take(packet, header, at: now)
        guard let (taken, payload) = taken, !isHeld, !isRepeat || !isFresh(at: now) else { return }
        if let mark = taken.mark, mark.startsPicture {
            if mark.isKey { requests.came(layer.number) }
            if !isRepeat { pass(layer, at: now) }
        }
        if let tap, tap.take(taken, payload, of: layer, at: now) { record(layer, behind: taken.number, at: now) }
        if !subscribers.isEmpty { waiting.append(Waiting(packet: taken, payload: payload, layer: layer)) }
    }

    var hasWaiting: Bool { !waiting.isEmpty }

    /// Sends on what was accepted: to one after the other all of it, so that what goes to one place may leave at once.
    func forward(at now: Microseconds) {
        for subscriber in subscribers {
            for one in waiting where subscriber.take(one.packet, one.payload, of: one.layer, at: now) {
                // What was refused while its key frame was on its way.
                replay(one.layer, to: subscriber, behind: one.packet.number, at: now)
            }
        }
        waiting.removeAll(keepingCapacity: true)
    }

    /// Stops it for all who get it, or has it go on for them: then it begins anew, and nothing of what came meanwhile is repeated to anybody.
    func hold(_ isHeld: Bool, at now: Microseconds) {
        guard self.isHeld != isHeld else { return }
        self.isHeld = isHeld
        offered = nil
        tap?.hold(isHeld, at: now)
        if isHeld {
            for subscriber in subscribers { subscriber.pause() }
        } else {
            released = now
            for layer in layers { layer.forget() }
            for subscriber in subscribers { subscriber.begin(self) }
        }
        for subscriber in subscribers { subscriber.offersChanged() }
    }

    private func isFresh(at now: Microseconds) -> Bool { released.map { now - $0 < Self.repeatTime } ?? false }

    /// A picture of this layer has begun: who gets one that is not sent any more is given another with the next tick.
    private func pass(_ layer: IncomingLayer, at now: Microseconds) {
        var hasEnded = false
        for other in layers where other !== layer && other.pass(at: now) { hasEnded = true }
        guard hasEnded else { return }
        offered = nil
        for subscriber in subscribers { subscriber.offersChanged() }
    }

    private func replay(_ layer: IncomingLayer, to subscriber: OutgoingTrack, behind number: Int64, at now: Microseconds) {
        guard let newest = layer.cache.newestNumber, newest > number else { return }
        for next in number + 1...newest {
            layer.cache.with(next, at: now) { packet, payload in
                payload.withUnsafeBytes { _ = subscriber.take(packet, $0, of: layer, at: now) }
            }
        }
    }

    private func record(_ layer: IncomingLayer, behind number: Int64, at now: Microseconds) {
        guard let newest = layer.cache.newestNumber, newest > number else { return }
        for next in number + 1...newest {
            layer.cache.with(next, at: now) { packet, payload in
                payload.withUnsafeBytes { _ = tap?.take(packet, $0, of: layer, at: now) }
            }
        }
    }

    /// It is not written down any more.
    func untap(at now: Microseconds) {
        tap?.end(at: now)
        tap = nil
    }

    /// A packet that a subscriber asks for again.
    func repeated(_ number: Int64, of layer: UInt8, at now: Microseconds, _ use: (SourcePacket, UnsafeRawBufferPointer) -> Void) {
        guard Int(layer) < layers.count, !isHeld else { return }
        layers[Int(layer)].cache.with(number, at: now) { packet, payload in payload.withUnsafeBytes { use(packet, $0) } }
    }

    /// With what somebody who comes late can begin in a layer (`IncomingLayer.backlog`).
    func backlog(of layer: UInt8, at now: Microseconds) -> Backlog? {
        isHeld || Int(layer) >= layers.count ? nil : layers[Int(layer)].backlog(at: now)
    }

    // MARK: Subscribers

    func add(_ subscriber: OutgoingTrack) {
        subscribers.append(subscriber)
        for layer in layers { layer.asked = 0 }
    }
    func remove(_ subscriber: OutgoingTrack) { subscribers.removeAll { $0 === subscriber } }

    func wantKeyFrame(of layer: UInt8, at now: Microseconds) {
        guard codec.isVideo, Int(layer) < layers.count, layers[Int(layer)].mayBeAsked(at: now) else { return }
        requests.want(layer, at: now)
    }

    /// What is sent of it now, the cheapest first; before anything came, its first layer. What it costs is a tenth of a second old at most.
    func offers(at now: Microseconds) -> [LayerChoice.Offer] {
        if isHeld { return [] }
        if let offered, now - offered.at < Self.offerTime { return offered.offers }
        let sent = layers.filter { $0.isSent(at: now) }.map { (layer: $0, bitrate: $0.bitrate(at: now)) }
        let ordered = sent.isEmpty ? Array(layers.prefix(1)) : sent.sorted { $0.bitrate < $1.bitrate }.map { $0.layer }
        let offers = LayerChoice.Offer.ladder(ordered.enumerated().map { $1.offers(isLeast: $0 == 0, at: now) })
        offered = (offers, now)
        return offers
    }

    // MARK: Control

    /// What is to be asked of the publisher now.
    func demands(at now: Microseconds, _ ask: (IncomingLayer, _ missing: [UInt16], _ needsKeyFrame: Bool) -> Void) {
        for subscriber in subscribers where !isHeld {
            if let layer = subscriber.awaitedLayer { wantKeyFrame(of: layer, at: now) }
        }
        if !isHeld, let layer = tap?.awaitedLayer { wantKeyFrame(of: layer, at: now) }
        let numbers: [[UInt16]] = layers.map { layer in
            var numbers: [UInt16] = []
            if layer.demands(at: now, into: &numbers) { wantKeyFrame(of: layer.number, at: now) }
            return numbers
        }
        var due = Set<UInt8>()
        while let request = requests.next(at: now) {
            due.insert(request.layer)
            layers[Int(request.layer)].asked += 1
        }
        for layer in layers {
            let missing = numbers[Int(layer.number)]
            if !missing.isEmpty || due.contains(layer.number) { ask(layer, missing, due.contains(layer.number)) }
        }
    }
}

extension AgreedSection {
    fileprivate var trackName: String { mid ?? "\(index)" }
}
