import BondWire
import SDP
import Units
import Wire

/// How participants get what the others send: offers are made here, and answered by their pages.
extension RoomWorker {
    /// - Throws: `Refusal`.
    func subscribe(_ order: PeerSubscription) throws {
        guard peers[order.peer] == nil, subscribers[order.peer] == nil else { throw Refusal(reason: "somebody is here by that id") }
        guard subscribers.count < Self.peerLimit else { throw Refusal(reason: "this worker has no room for more than \(Self.peerLimit)") }
        let subscriber = Subscriber(id: order.peer, room: order.room, owner: order.owner)
        subscribers[order.peer] = subscriber
        show(to: subscriber)
    }

    /// - Throws: `Refusal`, `TLSError` without memory.
    func answer(_ order: PeerReply) throws {
        guard let subscriber = subscribers[order.peer], let session = subscriber.session else {
            throw Refusal(reason: "nobody is here by that id")
        }
        guard subscriber.peer != nil || peers.count < Self.connectionLimit else {
            throw Refusal(step: .full, reason: "this worker has no room for more than \(Self.connectionLimit)")
        }
        let answered = try subscriber.take(try Self.read(order.answer, "answer", .answer), to: order.number)
        let now = now
        if let remote = answered.opening {
            guard agent.learn(session, remoteUfrag: remote.ufrag, remotePassword: Secret(remote.password)) else {
                throw Refusal(reason: "its ice-ufrag is none")
            }
            subscriber.open(try open(order.peer, subscriber.room, subscriber.owner, session, remote))
        }
        guard let peer = subscriber.peer else { return }
        for track in outgoing(answered.begins, to: peer, at: now) { subscriber.began(track) }
        guard peer.transport.isOpen else { return }
        subscriber.feed()
        peer.choose(at: now)
    }

    // MARK: What there is to get

    /// What of all that is sent in its room it does not get yet.
    func show(to subscriber: Subscriber) {
        for publisher in publishers(in: subscriber.room) { show(publisher, to: subscriber) }
    }

    /// A participant's tracks, to everybody else of the room.
    func show(_ publisher: Peer) {
        for subscriber in subscribers.values where subscriber.room == publisher.room { show(publisher, to: subscriber) }
    }

    private func show(_ publisher: Peer, to subscriber: Subscriber) {
        guard let owner = publisher.owner else { return }
        for track in publisher.incoming where subscriber.takes(track, of: owner) {
            guard prepare(subscriber) else { return }
            let source = freshSource()
            let sent = SentTrack(
                codec: track.format, stream: StreamName(stream: owner.text, track: "\(publisher.id.text)-\(source)"),
                name: publisher.name, source: source, retransmissionSource: track.format.kind == .video ? freshSource() : nil)
            subscriber.add(track, sent, of: owner)
        }
    }

    /// A track is no more: whoever got it is told, and a player that took the first one gets the next.
    func end(_ source: IncomingTrack, in room: RoomID, at now: Microseconds) {
        source.untap(at: now)
        for subscriber in subscribers.values where subscriber.room == room { subscriber.drop(source) }
        for track in source.subscribers {
            track.starve()
            feed(track, in: room)
        }
        for player in peers.values where player.room == room && player.transport.isOpen { player.choose(at: now) }
    }

    /// Its ICE session begins with the first offer: without one nobody would answer it, and it would end.
    private func prepare(_ subscriber: Subscriber) -> Bool {
        if subscriber.session != nil { return true }
        // try?: there is a certificate, or nobody would have come in. Without a session it gets nothing of this publisher.
        guard let fingerprint = try? self.fingerprint(), let (session, credentials) = agent.open(at: now) else {
            log.warning("a subscriber has no room", ["peer": .text(subscriber.id.text)])
            return false
        }
        let local = LocalTransport(
            ufrag: credentials.ufrag, password: credentials.password.revealed, fingerprint: fingerprint, candidates: candidates)
        subscriber.begin(session, local, sessionID: .random(in: 1 ... .max))
        return true
    }
}
