import BondWire
import Congestion
import Forwarding
import ICE
import Posix
import SDP
import TLS
import Units
import WebRTC
import Wire

/// How peers come in: one negotiation for those that send and those that receive.
extension RoomWorker {
    /// What an offer came to.
    typealias Agreement = (text: String, tag: String)

    /// - Throws: `Refusal`, `TLSError` without memory.
    func publish(_ order: PeerOffer) throws -> Agreement {
        if let peer = peers[order.peer] { return try renegotiate(peer, order) }
        let offer = try Self.read(order.offer)
        return try enter(order, offer, Self.codecs(of: offer), .publish(accepts: [.audio, .video])) { peer, answer in
            peer.incoming = answer.sections.filter { $0.direction == .receive }.compactMap(IncomingTrack.init)
            peer.extensions = answer.extensions
            guard !peer.incoming.isEmpty else {
                throw Refusal(step: .unanswerable, reason: "the offer sends nothing: its sections are recvonly or inactive")
            }
            try Self.expectAll(of: offer, in: answer)
        }
    }

    /// - Throws: as `publish`.
    func play(_ order: PeerOffer) throws -> Agreement {
        let offer = try Self.read(order.offer)
        let (now, name) = (now, Self.name())
        var tracks: [SentTrack] = []
        // One of each kind: the first publisher's.
        let publishers = publishers(in: order.room)
        for kind in [MediaSection.Kind.audio, .video] {
            let sent = publishers.lazy.filter { !$0.isSilent }.flatMap(\.incoming).first { $0.format.kind == kind }
            guard let sent else { continue }
            tracks.append(
                SentTrack(
                    codec: sent.format, stream: StreamName(stream: name, track: kind.text), name: name, source: freshSource(),
                    retransmissionSource: kind == .video ? freshSource() : nil))
        }
        guard !tracks.isEmpty else {
            throw Refusal(step: .noPublisher, reason: publishers.isEmpty ? "nobody sends into the room yet" : Self.silence)
        }
        return try enter(order, offer, .standard, .play(tracks)) { peer, answer in
            let taken = answer.tracks.compactMap { sent, index in
                answer.sections.first { $0.index == index }.map { (agreed: $0, sent: sent) }
            }
            for track in outgoing(taken, to: peer, at: now) { peer.add(track) }
            guard !peer.outgoing.isEmpty else {
                throw Refusal(
                    step: .unanswerable,
                    reason: "the offer takes nothing of what is sent: \(tracks.map(\.codec.encodingName).joined(separator: ", "))")
            }
        }
    }

    /// The next offer of a peer that sends: tracks come and go with it, and ICE may start again.
    private func renegotiate(_ peer: Peer, _ order: PeerOffer) throws -> Agreement {
        guard var answerer = peer.answerer, peer.room == order.room, peer.owner == order.owner else {
            throw Refusal(reason: "somebody is here by that id")
        }
        let offer = try Self.read(order.offer)
        if answerer.codecs.video.isEmpty { answerer.codecs = Self.codecs(of: offer) }
        var tag = answerer.local.ufrag
        if answerer.isRestart(offer) {
            guard let credentials = agent.restart(peer.session) else { throw Refusal(reason: "its session is over") }
            answerer.local.ufrag = credentials.ufrag
            answerer.local.password = credentials.password.revealed
            tag = credentials.ufrag
        }
        let answer = try Self.answer(&answerer, offer, .publish(accepts: [.audio, .video]))
        guard let remote = answer.remote else { throw Refusal(reason: "the offer has no section that is not stopped") }
        guard remote.fingerprints == peer.fingerprints else {
            throw Refusal(reason: "the offer is another connection's: its fingerprint is another")
        }
        if remote.ufrag != peer.remoteUfrag {
            guard agent.learn(peer.session, remoteUfrag: remote.ufrag, remotePassword: Secret(remote.password)) else {
                throw Refusal(reason: "its ice-ufrag is none")
            }
            peer.remoteUfrag = remote.ufrag
        }
        peer.answerer = answerer
        peer.extensions = answer.extensions
        let now = now
        let (gone, new) = peer.replaceTracks(answer.sections.filter { $0.direction == .receive }, at: now)
        for track in gone { end(track, in: peer.room, at: now) }
        if peer.transport.isOpen {
            for track in new { self.offer(track, in: peer.room, at: now) }
            show(peer)
            tap(peer, at: now)
        }
        return (answer.description.text, tag)
    }

    /// - Throws: `Refusal` where there is no such peer.
    func hold(_ order: PeerHold) throws {
        guard let peer = peers[order.peer] else { throw Refusal(reason: "there is no such peer") }
        peer.hold(order, at: now)
        // Who gets pictures chooses anew at once.
        for player in peers.values where player.room == peer.room && player.transport.isOpen { player.choose(at: now) }
    }

    /// What agreed sections of a player become, and how that leaves.
    func outgoing(_ taken: [(agreed: AgreedSection, sent: SentTrack)], to peer: Peer, at now: Microseconds) -> [OutgoingTrack] {
        let departures = departures(to: peer, Self.feedback(taken.map(\.agreed)))
        return taken.compactMap { section, sent in
            section.codecs.first.map { codec in
                OutgoingTrack(
                    codec, section.extensions, source: sent.source, repeatSource: sent.retransmissionSource ?? 0,
                    random: .random(in: 0 ... .max), departures: departures, buffer: made, at: now)
            }
        }
    }

    /// Who gets sound alone needs no estimate: the first pictures say how the way is known.
    private func departures(to peer: Peer, _ feedback: Downlink.Feedback) -> Departures {
        if let departures = peer.departures {
            if departures.feedback == .nothing, feedback != .nothing {
                departures.begin(feedback)
                for track in peer.outgoing { track.stamp() }
            }
            return departures
        }
        let departures = Departures(
            feedback, buffer: made, protection: { [unowned peer] in peer.transport.sender },
            send: { [unowned self, unowned peer] in send($0, to: peer) },
            waits: { [unowned self, unowned peer] in wait(for: peer.id) })
        peer.departures = departures
        return departures
    }

    /// How a player's way can be known. Without repeats (RTX) nothing can be probed, and an estimate made here would only fall.
    private static func feedback(_ sections: [AgreedSection]) -> Downlink.Feedback {
        let pictures = sections.filter { $0.kind == .video }
        let isNumbered = pictures.allSatisfy { section in
            let agreed = section.codecs.first
            return section.extensions[.transportSequence] != nil && agreed?.feedback.contains(.transport) == true
                && agreed?.retransmissionType != nil
        }
        if pictures.isEmpty { return .nothing }
        if isNumbered { return .transport }
        return pictures.allSatisfy { $0.codecs.first?.feedback.contains(.bandwidth) == true } ? .receiver : .nothing
    }

    /// Candidates, which an end that only answers does not need, or new credentials.
    ///
    /// - Returns: nil where nothing is to be answered.
    func trickle(_ order: PeerFragment) throws -> Agreement? {
        guard let peer = peers[order.peer] else { throw Refusal(reason: "nobody is here by that id") }
        let fragment: TrickleFragment
        do throws(SDPFault) {
            fragment = try TrickleFragment(parsing: Array(order.fragment.utf8))
        } catch {
            throw Refusal(reason: "\(error)")
        }
        guard let ufrag = fragment.ufrag, ufrag != peer.remoteUfrag else { return nil }
        guard let password = fragment.password else { throw Refusal(reason: "a restart has its ice-pwd beside its ice-ufrag") }
        guard let credentials = agent.restart(peer.session),
            agent.learn(peer.session, remoteUfrag: ufrag, remotePassword: Secret(password))
        else { throw Refusal(reason: "its ice-ufrag is none") }
        peer.remoteUfrag = ufrag
        var answer = TrickleFragment(
            bundle: fragment.bundle, isLite: true,
            transport: TransportLines(
                ufrag: credentials.ufrag, password: credentials.password.revealed, options: ["trickle", "ice2"], fingerprints: [],
                setup: nil,
                candidates: [], isComplete: false),
            parts: [])
        answer.parts = fragment.parts.prefix(1).map { part in
            var part = part
            part.transport = TransportLines(
                ufrag: nil, password: nil, options: [], fingerprints: [], setup: nil, candidates: candidates, isComplete: true)
            return part
        }
        return (answer.text, credentials.ufrag)
    }

    // MARK: One negotiation

    private func enter(
        _ order: PeerOffer, _ offer: SessionDescription, _ codecs: RoomCodecs, _ purpose: Answerer.Purpose,
        _ furnish: (Peer, Answerer.Answer) throws -> Void
    ) throws -> Agreement {
        guard peers[order.peer] == nil else { throw Refusal(reason: "somebody is here by that id") }
        guard peers.count < Self.peerLimit, let (session, credentials) = agent.open(at: now) else {
            throw Refusal(step: .full, reason: "this worker has no room for more than \(Self.peerLimit)")
        }
        do {
            let local = LocalTransport(
                ufrag: credentials.ufrag, password: credentials.password.revealed, fingerprint: try fingerprint(), candidates: candidates)
            var answerer = Answerer(codecs: codecs, local: local, sessionID: .random(in: 1 ... .max))
            let answer = try Self.answer(&answerer, offer, purpose)
            guard let remote = answer.remote else {
                throw Refusal(step: .unanswerable, reason: "the offer has no section that is not stopped")
            }
            guard agent.learn(session, remoteUfrag: remote.ufrag, remotePassword: Secret(remote.password)) else {
                throw Refusal(reason: "its ice-ufrag is none")
            }
            let peer = try open(order.peer, order.room, order.owner, session, remote)
            do {
                try furnish(peer, answer)
            } catch {
                peers[order.peer] = nil
                bySession[session] = nil
                throw error
            }
            peer.answerer = answerer
            return (answer.description.text, credentials.ufrag)
        } catch {
            agent.close(session)
            throw error
        }
    }

    /// A peer whose description has come.
    ///
    /// - Throws: `TLSError` without memory.
    func open(
        _ id: PeerID, _ room: RoomID, _ owner: ParticipantID?, _ session: SessionNumber, _ remote: RemoteTransport
    ) throws -> Peer {
        let transport = try MediaTransport(
            context, remote.weArePassive ? .server : .client,
            peer: remote.fingerprints.compactMap { CertificateFingerprint($0.text) }, at: now)
        let peer = Peer(
            id: id, room: room, owner: owner, session: session, remoteUfrag: remote.ufrag, fingerprints: remote.fingerprints,
            transport: transport, reporter: freshSource(), name: Self.name())
        peers[id] = peer
        bySession[session] = peer
        return peer
    }

    /// Who sends more than is taken is told so, in place of half a session that looks like a whole one. Source: RFC 9725 section 4.4.3.
    private static func expectAll(of offer: SessionDescription, in answer: Answerer.Answer) throws {
        let taken = Set(answer.sections.map(\.index))
        guard let left = offer.sections.indices.first(where: { !offer.sections[$0].isRejected && !taken.contains($0) }) else { return }
        throw Refusal(
            step: .unanswerable,
            reason: "section \(left + 1) of the offer cannot be taken: sound in Opus and pictures in VP8, VP9, H.264 or AV1 are, "
                + "\(Answerer.sectionLimit) sections at most")
    }

    private static func answer(
        _ answerer: inout Answerer, _ offer: SessionDescription, _ purpose: Answerer.Purpose
    ) throws -> Answerer.Answer {
        do throws(NegotiationFault) {
            return try answerer.answer(to: offer, purpose)
        } catch {
            throw Refusal(step: .unanswerable, reason: "the offer cannot be answered: \(error)")
        }
    }

    static func read(_ text: String, _ what: String = "offer", _ limits: SDPLimits = .offer) throws -> SessionDescription {
        do throws(SDPFault) {
            return try SessionDescription(parsing: text, limits: limits)
        } catch {
            throw Refusal(reason: "the \(what) is no SDP: \(error)")
        }
    }

    /// Of pictures the one codec that the offer likes best: a track is of one for as long as it lasts.
    private static func codecs(of offer: SessionDescription) -> RoomCodecs {
        let offered = offer.sections.first { $0.kind == .video && !$0.isRejected }?.codecs.compactMap(RoomCodec.init) ?? []
        let first = offered.first { RoomCodecs.standard.video.contains($0) }
        return RoomCodecs(audio: RoomCodecs.standard.audio, video: first.map { [$0] } ?? [])
    }

    var candidates: [SDP.Candidate] {
        announced.enumerated().map { index, address in
            SDP.Candidate(
                host: address.host, port: UInt16(address.port), transport: .udp, preference: UInt16(65_535 - index),
                foundation: "\(index + 1)")
        }
    }

    func fingerprint() throws -> Fingerprint {
        guard let fingerprint = Fingerprint(.sha256, context.fingerprint.bytes) else {
            throw Refusal(reason: "the worker has no certificate")
        }
        return fingerprint
    }

    /// A source (SSRC) that nobody else of this worker has been given by chance.
    func freshSource() -> UInt32 { .random(in: 1 ... .max) }

    private static func name() -> String { String(UInt64.random(in: 0 ... .max), radix: 36) }
}
