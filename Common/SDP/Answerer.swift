package import RTP

/// Makes our answers to the offers of one client: to publish (signalling, WHIP: RFC 9725) or to play (WHEP).
///
/// Sections that we do not know, or that the room does not take, are refused by port 0; the others are bundled on one transport.
package struct Answerer: Sendable {
    package enum Purpose: Hashable, Sendable {
        /// We receive: sound, pictures and data as far as they are named here.
        case publish(accepts: Set<MediaSection.Kind>)
        /// We send these, each in the first free section of its kind that has its codec.
        case play([SentTrack])
    }

    package struct Answer: Hashable, Sendable {
        package var description: SessionDescription
        /// nil where the offer has no section that is not stopped.
        package var remote: RemoteTransport?
        /// Without those that are refused.
        package var sections: [AgreedSection]
        /// Of all sections: what their ids mean on the transport.
        package var extensions: ExtensionMap
        /// Of each of `Purpose.play`'s tracks its section's index; those that found none are not here.
        package var tracks: [SentTrack: Int]
    }

    /// Sections with media in one answer; more are refused.
    package static let sectionLimit = 16
    /// Layers of one simulcast; more are not answered.
    package static let layerLimit = 3

    package var codecs: RoomCodecs
    package var local: LocalTransport
    private let sessionID: UInt64
    private var version: UInt64 = 0
    /// Of the last offer that was answered.
    private var remote: RemoteTransport?

    /// - Parameter sessionID: random; the same in all answers (RFC 9429 section 5.2.1).
    package init(codecs: RoomCodecs, local: LocalTransport, sessionID: UInt64) {
        self.codecs = codecs
        self.local = local
        // 63 bits at most.
        self.sessionID = sessionID & (1 << 63 - 1)
    }

    /// Whether the offer has other credentials than the last: then `local` has to get new ones before it is answered (RFC 8839 section
    /// 4.4.1.1.1).
    package func isRestart(_ offer: SessionDescription) -> Bool {
        guard let remote else { return false }
        return offer.sections.contains { section in
            let lines = offer.transport(of: section)
            return !section.isRejected && lines.ufrag != nil && (lines.ufrag != remote.ufrag || lines.password != remote.password)
        }
    }

    package mutating func answer(to offer: SessionDescription, _ purpose: Purpose) throws(NegotiationFault) -> Answer {
        var draft = Draft(offer: offer, codecs: codecs, purpose: purpose)
        for section in offer.sections { draft.take(section) }
        let isStopped = offer.sections.allSatisfy(\.isRejected)
        let taken = draft.taken.map { offer.sections[$0.index] }
        let remote = isStopped ? nil : try RemoteTransport(offer, taken, isOffer: true, role: self.remote?.weArePassive)
        self.remote = remote ?? self.remote
        var description = SessionDescription(sessionID: sessionID, version: version)
        version += 1
        description.isLite = true
        description.allowsMixedExtensions = offer.allowsMixedExtensions
        description.bundles = [draft.taken.compactMap(\.mid)].filter { !$0.isEmpty }
        description.sections = draft.sections
        for (place, section) in draft.taken.enumerated() {
            guard let remote else { break }
            description.sections[section.index].transport = local.lines(remote.ourRole, isFirst: place == 0)
        }
        return Answer(
            description: description, remote: remote, sections: draft.taken, extensions: draft.extensions, tracks: draft.tracks)
    }
}

/// An answer as it grows, section by section.
private struct Draft {
    let offer: SessionDescription
    let codecs: RoomCodecs
    let purpose: Answerer.Purpose
    /// One for each of the offer.
    var sections: [MediaSection] = []
    var taken: [AgreedSection] = []
    var tracks: [SentTrack: Int] = [:]
    var extensions = ExtensionMap()

    mutating func take(_ section: MediaSection) {
        var answer = MediaSection(kind: section.kind, port: 0, transportName: section.transportName, formats: section.formats)
        answer.mid = section.mid
        defer { sections.append(answer) }
        guard !section.isRejected, taken.count < Answerer.sectionLimit else { return }
        // A second data section would be a second association over the same port.
        if section.isDataChannel {
            guard accepts(.application), !taken.contains(where: { $0.kind == .application }) else { return }
            takeData(section, &answer)
        } else if section.isSecureMedia, section.kind == .audio || section.kind == .video, accepts(section.kind) {
            takeMedia(section, &answer)
        }
    }

    private func accepts(_ kind: MediaSection.Kind) -> Bool {
        switch purpose {
        case .publish(let kinds): kinds.contains(kind)
        case .play: kind != .application
        }
    }

    private mutating func takeData(_ section: MediaSection, _ answer: inout MediaSection) {
        answer.port = 9
        answer.sctpPort = 5000
        answer.messageLimit = 262_144
        taken.append(
            AgreedSection(section, index: sections.count, direction: .both, codecs: [], extensions: ExtensionMap()))
    }

    private mutating func takeMedia(_ section: MediaSection, _ answer: inout MediaSection) {
        let offered = offer.direction(of: section)
        let isReceiving = if case .publish = purpose { true } else { false }
        var track: SentTrack?
        var wanted = codecs.list(section.kind)
        if case .play(let all) = purpose, offered.receives {
            // The track's codec is what it is; without a track the section waits, with all codecs.
            let known = section.codecs.compactMap(RoomCodec.init)
            track = all.first { $0.codec.kind == section.kind && tracks[$0] == nil && known.contains($0.codec) }
            if let track { wanted = [track.codec] }
        }
        let agreement = Agreement(section, wanted, Agreement.kinds(section.kind, isReceiving: isReceiving), &extensions)
        guard !agreement.agreed.isEmpty else { return }
        let direction: MediaDirection = isReceiving ? (offered.sends ? .receive : .inactive) : (track == nil ? .inactive : .send)
        answer.port = 9
        answer.formats = agreement.codecs.map { "\($0.payloadType)" }
        answer.codecs = agreement.codecs
        answer.extensions = agreement.lines
        answer.direction = direction
        answer.multiplexesControl = true
        answer.takesReducedControl = section.takesReducedControl
        answer.allowsMixedExtensions = section.allowsMixedExtensions
        var agreed = AgreedSection(
            section, index: sections.count, direction: direction, codecs: agreement.agreed, extensions: agreement.extensions)
        if direction == .receive { takeLayers(section, &answer, &agreed) }
        if let track {
            track.write(to: &answer, hasRetransmission: agreement.agreed[0].retransmissionType != nil)
            tracks[track] = sections.count
        }
        taken.append(agreed)
    }

    /// RFC 8853 section 5.3: what is sent is answered as received, in the same order. Without the extensions that name the layers in
    /// packets they cannot be told apart: then there is one stream.
    private func takeLayers(_ section: MediaSection, _ answer: inout MediaSection, _ agreed: inout AgreedSection) {
        guard let offered = section.simulcast?.send, agreed.extensions[.rid] != nil, agreed.extensions[.mid] != nil else { return }
        let sent = Set(section.layers.filter { $0.direction == .send }.map(\.id))
        // Of alternatives the first that is described; the sender's own pauses stay.
        let layers = offered.compactMap { $0.first { sent.contains($0.id) && Label($0.id) != nil } }.prefix(Answerer.layerLimit)
        var seen = Set<String>()
        let distinct = layers.filter { seen.insert($0.id).inserted }
        guard distinct.count > 1 else { return }
        answer.layers = distinct.map { LayerName(id: $0.id, direction: .receive) }
        answer.simulcast = Simulcast(receive: distinct.map { [Simulcast.Layer(id: $0.id)] })
        agreed.layers = distinct.compactMap { Label($0.id) }
    }
}
