package import RTP

/// Why no connection comes of a description; the offer or answer as a whole is refused.
package enum NegotiationFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// A media section without ICE credentials, at its own level and the session's.
    case noCredentials
    /// No fingerprint of SHA-256 or better.
    case noFingerprint
    /// Sections with credentials or fingerprints of their own: we have one transport.
    case notBundled
    /// Media without `a=rtcp-mux`: we have one port.
    case noMultiplexing
    /// A role of DTLS that fits none of ours.
    case role
    /// Both ends are ICE-lite: nobody would ask.
    case bothLite
    /// No section that we take.
    case nothingTaken
    /// An answer whose sections are not those of the offer.
    case otherSections
    /// An answer though nothing is offered.
    case unexpected

    package var description: String {
        switch self {
        case .noCredentials: "a section has no a=ice-ufrag or no a=ice-pwd"
        case .noFingerprint: "there is no a=fingerprint of SHA-256 or better"
        case .notBundled: "its sections have transports of their own: a=group:BUNDLE has to name them all"
        case .noMultiplexing: "a section has no a=rtcp-mux"
        case .role: "a=setup is none of actpass, active and passive, or fits none of ours"
        case .bothLite: "a=ice-lite at both ends: nobody would look for a path"
        case .nothingTaken: "no section is taken: sound in Opus and pictures in VP8, VP9, H.264 or AV1 are"
        case .otherSections: "its sections are not those of the offer"
        case .unexpected: "nothing is offered"
        }
    }
}

/// Our end of the transport, as we tell it.
package struct LocalTransport: Hashable, Sendable {
    package var ufrag: String
    package var password: String
    package var fingerprint: Fingerprint
    /// All of them: an ICE-lite end has no more to come.
    package var candidates: [Candidate]

    package init(ufrag: String, password: String, fingerprint: Fingerprint, candidates: [Candidate]) {
        self.ufrag = ufrag
        self.password = password
        self.fingerprint = fingerprint
        self.candidates = candidates
    }

    /// The candidates stand in the first section of a bundle alone.
    func lines(_ setup: SetupRole, isFirst: Bool) -> TransportLines {
        TransportLines(
            ufrag: ufrag, password: password, options: ["trickle", "ice2"], fingerprints: [fingerprint], setup: setup,
            candidates: isFirst ? candidates : [], isComplete: isFirst)
    }
}

/// The other end of the transport, as it told it.
package struct RemoteTransport: Hashable, Sendable {
    package var ufrag: String
    package var password: String
    /// One of them is its certificate's; at least one, each of SHA-256 or better.
    package var fingerprints: [Fingerprint]
    package var candidates: [Candidate]
    /// We wait for its ClientHello; false where we send ours.
    package var weArePassive: Bool

    /// New credentials are a restart of ICE: RFC 8839 section 4.4.1.1.1.
    package func isRestart(after other: RemoteTransport) -> Bool { ufrag != other.ufrag || password != other.password }

    /// Reads the transport that all of `sections` share.
    /// - Parameters:
    ///   - isOffer: an offer may leave the role to us, an answer may not.
    ///   - role: of an association that is there: it stays (RFC 8842 section 5.5).
    init(_ description: SessionDescription, _ sections: [MediaSection], isOffer: Bool, role: Bool?) throws(NegotiationFault) {
        guard !sections.isEmpty else { throw .nothingTaken }
        guard !description.isLite else { throw .bothLite }
        // Sections that are bundled only may leave theirs out.
        guard let lines = sections.lazy.map(description.transport(of:)).first(where: { $0.ufrag != nil }) else { throw .noCredentials }
        guard let ufrag = lines.ufrag, let password = lines.password else { throw .noCredentials }
        let strong = lines.fingerprints.filter(\.algorithm.isStrong)
        guard !strong.isEmpty else { throw .noFingerprint }
        let mids = sections.compactMap(\.mid)
        if sections.count > 1 {
            // What one transport cannot carry: sections outside of the bundle.
            let isBundled = description.bundles.contains { Set($0).isSuperset(of: mids) }
            guard mids.count == sections.count, isBundled else { throw .notBundled }
        }
        for section in sections {
            let own = description.transport(of: section)
            // An offer may have a transport for each section: the first one's is that of all then. Source: RFC 9143 sections 7.2 and 7.3.
            if !isOffer {
                guard own.ufrag == ufrag || own.ufrag == nil, own.password == password || own.password == nil else { throw .notBundled }
                guard own.fingerprints.isEmpty || Set(own.fingerprints) == Set(lines.fingerprints) else { throw .notBundled }
            }
            guard section.isDataChannel || section.multiplexesControl || section.isBundleOnly else { throw .noMultiplexing }
        }
        self.ufrag = ufrag
        self.password = password
        fingerprints = strong
        candidates = sections.map(\.transport).filter { $0.ufrag == nil || $0.ufrag == ufrag }.flatMap(\.candidates)
        switch (lines.setup ?? .actpass, isOffer) {
        case (.active, _): weArePassive = true
        case (.passive, _): weArePassive = false
        case (.actpass, true): weArePassive = role ?? true
        case (.actpass, false), (.holdconn, _): throw .role
        }
        guard role == nil || role == weArePassive else { throw .role }
    }

    var ourRole: SetupRole { weArePassive ? .passive : .active }
}

/// One codec that both ends have, under the payload type of this transport.
package struct AgreedCodec: Hashable, Sendable {
    package var codec: RoomCodec
    package var payloadType: UInt8
    /// nil without RTX.
    package var retransmissionType: UInt8?
    package var feedback: FeedbackKinds

    package init(codec: RoomCodec, payloadType: UInt8, retransmissionType: UInt8?, feedback: FeedbackKinds) {
        self.codec = codec
        self.payloadType = payloadType
        self.retransmissionType = retransmissionType
        self.feedback = feedback
    }
}

/// What came of one section.
package struct AgreedSection: Hashable, Sendable {
    /// Its place among all sections, refused ones too.
    package var index: Int
    /// nil where the other end gave none: media is told apart by its sources.
    package var mid: String?
    package var kind: MediaSection.Kind
    /// As we see it: `.receive` of a publisher, `.send` to a player.
    package var direction: MediaDirection
    /// In the order of the answer; empty for data channels.
    package var codecs: [AgreedCodec]
    /// The same ids mean the same in all sections of one bundle.
    package var extensions: ExtensionMap
    /// Of a simulcast that we receive, in the order of the offer; empty without.
    package var layers: [Label]
    /// As the other end named its track.
    package var stream: StreamName?
    /// That the other end named for what it sends.
    package var sources: [MediaSource]
    package var sourceGroups: [SourceGroup]
    /// Of a data channel: the other end's port and the largest message it takes, 0 for any.
    package var sctpPort: UInt16?
    package var messageLimit: UInt64?

    /// What both sides of an exchange say of `remote`.
    init(_ remote: MediaSection, index: Int, direction: MediaDirection, codecs: [AgreedCodec], extensions: ExtensionMap) {
        self.index = index
        mid = remote.mid
        kind = remote.kind
        self.direction = direction
        self.codecs = codecs
        self.extensions = extensions
        layers = []
        stream = remote.streams.first ?? remote.sources.lazy.compactMap(\.stream).first
        sources = remote.sources
        sourceGroups = remote.sourceGroups
        if remote.isDataChannel {
            sctpPort = remote.sctpPort ?? 5000
            // RFC 8841 section 6.1: 64 kB where nothing is said.
            messageLimit = remote.messageLimit ?? 65_536
        }
    }
}

/// A track that we send, in a WHEP answer or an offer to a subscriber.
package struct SentTrack: Hashable, Sendable {
    package var codec: RoomCodec
    /// Of its stream and its own; both tokens of at most 64 bytes.
    package var stream: StreamName
    /// The canonical name of the participant: sound and picture of one have one, so that they are played in step.
    package var name: String
    package var source: UInt32
    /// nil for sound.
    package var retransmissionSource: UInt32?

    package init(codec: RoomCodec, stream: StreamName, name: String, source: UInt32, retransmissionSource: UInt32? = nil) {
        self.codec = codec
        self.stream = stream
        self.name = name
        self.source = source
        self.retransmissionSource = retransmissionSource
    }

    func write(to section: inout MediaSection, hasRetransmission: Bool) {
        section.streams = [stream]
        section.sources = [MediaSource(source: source, name: name, stream: stream)]
        guard hasRetransmission, let retransmissionSource else { return }
        section.sources.append(MediaSource(source: retransmissionSource, name: name, stream: stream))
        section.sourceGroups = [SourceGroup(semantics: "FID", sources: [source, retransmissionSource])]
    }
}
