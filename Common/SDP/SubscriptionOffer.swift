package import RTP

/// The offers to one subscriber, as tracks come and go: their sections keep their places and mids, and places are used again, so that
/// offers do not grow with all that ever was.
///
/// Holds no clock: who owns it waits a little after a change, so that several go into one offer.
package struct SubscriptionOffer: Sendable {
    /// What becomes of a section whose track has gone.
    package enum Places: Hashable, Sendable {
        /// It is inactive and takes the next track of its kind under the same mid.
        case reused
        /// It is stopped, and its place takes the next track under a new mid: for Safari, which shows nothing in a section that it
        /// had before.
        case retired
    }

    /// What came of an answer.
    package struct Agreed: Hashable, Sendable {
        /// nil while all sections are stopped.
        package var remote: RemoteTransport?
        /// Those that are sent, and the data channel.
        package var sections: [AgreedSection]
        /// That the other end refused: it has no such codec.
        package var refused: [SentTrack]
    }

    /// Sections of one offer, those without a track too: what a browser answers to so many, of 1 kB each, is within a message of a page in
    /// a room (128 KiB).
    package static let sectionLimit = 120

    private struct Place {
        var mid: String
        let kind: MediaSection.Kind
        var track: SentTrack?
        /// What the section told last.
        var codec: RoomCodec?
        /// The other end was offered the track.
        var isOffered = false
        /// Port 0: from now on, or until the place is taken again.
        var isStopped = false
        /// The other end knows that there is nothing in it, so another track may have it.
        var isFree = false
    }

    package var local: LocalTransport
    private let policy: Places
    private let sessionID: UInt64
    private var version: UInt64 = 0
    private var places: [Place] = []
    private var nextMid = 0
    /// The offer that has no answer yet.
    private var pending: SessionDescription?
    /// Something changed since the last offer.
    package private(set) var hasChanges = false
    /// Known from the first answer on: later offers keep the role.
    private var weArePassive: Bool?

    /// - Parameter sessionID: random; the same in all offers.
    package init(local: LocalTransport, places policy: Places, hasData: Bool, sessionID: UInt64) {
        self.local = local
        self.policy = policy
        self.sessionID = sessionID & (1 << 63 - 1)
        if hasData { _ = place(.application) }
    }

    /// An answer is awaited.
    package var isPending: Bool { pending != nil }

    /// What ids mean in every offer to a subscriber.
    package static let extensions: ExtensionMap = {
        var map = ExtensionMap()
        for (kind, id) in extensionIDs { _ = map.set(kind, id) }
        return map
    }()

    private static let extensionIDs: [(HeaderExtension, Int)] = [(.mid, 1), (.sendTime, 2), (.transportSequence, 3), (.audioLevel, 4)]

    /// - Returns: the mid under which the track will go; nil where all sections are taken.
    package mutating func add(_ track: SentTrack) -> String? {
        guard let index = place(track.codec.kind) else { return nil }
        places[index].isOffered = false
        places[index].track = track
        places[index].codec = track.codec
        return places[index].mid
    }

    /// Takes the track out of the section `mid`; of one that has none, nothing happens.
    package mutating func remove(_ mid: String) {
        guard let index = places.firstIndex(where: { $0.mid == mid && $0.track != nil }) else { return }
        vacate(index)
    }

    /// New credentials for our end: the next offer restarts ICE.
    package mutating func restart(_ local: LocalTransport) {
        self.local = local
        hasChanges = true
    }

    private mutating func vacate(_ index: Int) {
        places[index].track = nil
        // Of what came and went while an answer was awaited the other end knows nothing.
        places[index].isFree = !places[index].isOffered
        places[index].isStopped = policy == .retired
        hasChanges = true
    }

    /// The place for a new section: one that is free, else one more.
    private mutating func place(_ kind: MediaSection.Kind) -> Int? {
        // A stopped place keeps its kind: recycling it for another is allowed, but not needed.
        if let index = places.firstIndex(where: { $0.isFree && $0.kind == kind }) {
            places[index].isFree = false
            if places[index].isStopped { places[index].mid = newMid() }
            places[index].isStopped = false
            hasChanges = true
            return index
        }
        guard places.count < Self.sectionLimit else { return nil }
        places.append(Place(mid: newMid(), kind: kind))
        hasChanges = true
        return places.count - 1
    }

    private mutating func newMid() -> String {
        defer { nextMid += 1 }
        return "\(nextMid)"
    }

    /// The next offer; nil where nothing changed, or while an answer is awaited.
    package mutating func offer() -> SessionDescription? {
        guard hasChanges, pending == nil, !places.isEmpty else { return nil }
        var description = SessionDescription(sessionID: sessionID, version: version)
        version += 1
        description.isLite = true
        description.allowsMixedExtensions = true
        let live = places.filter { !$0.isStopped }.map(\.mid)
        if !live.isEmpty { description.bundles = [live] }
        description.sections = places.map { place in
            var section = describe(place)
            if !place.isStopped { section.transport = local.lines(.actpass, isFirst: place.mid == live.first) }
            return section
        }
        pending = description
        hasChanges = false
        for index in places.indices where places[index].track != nil { places[index].isOffered = true }
        return description
    }

    private func describe(_ place: Place) -> MediaSection {
        guard place.kind != .application else {
            var section = MediaSection(kind: .application, port: 9, transportName: "UDP/DTLS/SCTP", formats: ["webrtc-datachannel"])
            section.mid = place.mid
            section.sctpPort = 5000
            section.messageLimit = 262_144
            return section
        }
        let codecs = place.codec.map(Self.codecs) ?? []
        var section = MediaSection(
            kind: place.kind, port: place.isStopped ? 0 : 9, transportName: "UDP/TLS/RTP/SAVPF",
            formats: codecs.map { "\($0.payloadType)" })
        section.mid = place.mid
        section.codecs = codecs
        section.direction = place.track == nil ? .inactive : .send
        section.multiplexesControl = true
        section.takesReducedControl = true
        for (kind, id) in Self.extensionIDs where place.kind == .audio || kind != .audioLevel {
            section.extensions.append(MediaExtension(id: id, uri: kind.uri))
        }
        place.track?.write(to: &section, hasRetransmission: place.codec?.retransmissionType != nil)
        return section
    }

    private static func codecs(_ codec: RoomCodec) -> [MediaCodec] {
        var first = MediaCodec(payloadType: codec.payloadType, name: codec.encodingName, clockRate: codec.clockRate)
        first.channels = codec == .opus ? 2 : 1
        first.parameters = codec.parameters
        first.feedback = FeedbackKinds.known(codec.kind).texts
        guard let repair = codec.retransmissionType else { return [first] }
        let second = MediaCodec(
            payloadType: repair, name: "rtx", clockRate: codec.clockRate, parameters: [.init("apt", "\(codec.payloadType)")])
        return [first, second]
    }
}

extension SubscriptionOffer {
    /// Reads the answer to the offer that awaits one. After a fault the offer still awaits one: the connection is of no use, unless
    /// another answer comes.
    package mutating func take(_ answer: SessionDescription) throws(NegotiationFault) -> Agreed {
        guard let pending else { throw .unexpected }
        guard answer.sections.count == pending.sections.count else { throw .otherSections }
        for (offered, answered) in zip(pending.sections, answer.sections) {
            guard offered.kind == answered.kind, answered.mid == nil || answered.mid == offered.mid else { throw .otherSections }
        }
        let live = answer.sections.filter { !$0.isRejected }
        let remote = live.isEmpty ? nil : try RemoteTransport(answer, live, isOffer: false, role: weArePassive)
        weArePassive = weArePassive ?? remote?.weArePassive
        self.pending = nil
        var agreed = Agreed(remote: remote, sections: [], refused: [])
        for (index, offered) in pending.sections.enumerated() { take(answer, index, offered, &agreed) }
        return agreed
    }

    private mutating func take(_ answer: SessionDescription, _ index: Int, _ offered: MediaSection, _ agreed: inout Agreed) {
        let answered = answer.sections[index]
        // What changed after the offer, the next one tells.
        let isCurrent = places[index].mid == offered.mid
        if offered.kind == .application {
            guard !answered.isRejected, answered.isDataChannel else { return }
            agreed.sections.append(
                AgreedSection(answered, index: index, direction: .both, codecs: [], extensions: ExtensionMap()))
            agreed.sections[agreed.sections.count - 1].mid = offered.mid
            return
        }
        if offered.direction != .send || offered.isRejected || answered.isRejected {
            takeEmpty(index, offered, answered, &agreed)
            return
        }
        guard isCurrent, let codec = places[index].codec, answer.direction(of: answered).receives,
            let track = places[index].track, offered.streams == [track.stream]
        else { return }
        guard let agreedCodec = Self.agreed(codec, answered) else {
            agreed.refused.append(track)
            vacate(index)
            return
        }
        var extensions = ExtensionMap()
        for (kind, id) in Self.extensionIDs where answered.extensions.contains(where: { $0.id == id && $0.uri == kind.uri }) {
            _ = extensions.set(kind, id)
        }
        var section = AgreedSection(answered, index: index, direction: .send, codecs: [agreedCodec], extensions: extensions)
        section.mid = offered.mid
        agreed.sections.append(section)
    }

    /// A section without a track, or one that either end stopped.
    private mutating func takeEmpty(
        _ index: Int, _ offered: MediaSection, _ answered: MediaSection, _ agreed: inout Agreed
    ) {
        if answered.isRejected, !offered.isRejected {
            // Its place can be had again under a new mid alone (RFC 9429 section 5.2.2).
            if let track = places[index].track {
                agreed.refused.append(track)
                places[index].track = nil
            }
            places[index].isStopped = true
            hasChanges = true
        }
        if places[index].track == nil { places[index].isFree = true }
    }

    /// The offered codec as the other end took it; it may not answer another number for it than ours.
    private static func agreed(_ codec: RoomCodec, _ answered: MediaSection) -> AgreedCodec? {
        let isSame: (MediaCodec) -> Bool = { $0.payloadType == codec.payloadType && RoomCodec($0)?.encodingName == codec.encodingName }
        guard let taken = answered.codecs.first(where: isSame) else { return nil }
        let repair = answered.codecs.first {
            $0.payloadType == codec.retransmissionType && $0.isNamed("rtx") && $0["apt"] == "\(codec.payloadType)"
        }
        return AgreedCodec(
            codec: codec, payloadType: codec.payloadType, retransmissionType: repair?.payloadType,
            feedback: FeedbackKinds(answered.feedback(taken)).intersection(.known(codec.kind)))
    }
}
