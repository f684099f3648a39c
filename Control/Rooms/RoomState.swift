package import Posix
package import Units
package import Wire

/// Why somebody gets nothing done in a room; `text` is for a person.
package struct RoomRefusal: Error, Sendable, Hashable {
    package let reason: RoomRefused.Reason
    package let text: String

    package init(_ reason: RoomRefused.Reason, _ text: String) {
        self.reason = reason
        self.text = text
    }
}

/// Who is in a room, what they send, and what of it has changed, numbered one by one. Holds no clock, no socket and no randomness.
///
/// A seat belongs to a pass: whoever comes again by it, or by the seat's own resume token, takes the seat over.
package struct RoomState: Sendable {
    package struct Limits: Sendable, Hashable {
        package var participants = WireLimits.participants
        /// How long a seat is kept whose connection is lost.
        package var grace = Duration.seconds(60)
        /// Changes that are kept for those who come back, or who read slowly.
        package var changes = 512
        /// Passes of those who were sent away; beyond it the one that ends first is forgotten.
        package var removed = 1000

        package init() {}
    }

    /// How far one connection has been told.
    package struct Cursor: Sendable, Hashable {
        /// The number of the last change; nil: none is known.
        package var seq: Int?
        /// Of what is for one participant alone.
        package var note = 0

        package init(seq: Int?) { self.seq = seq }
    }

    /// What is left of a seat: it is the caller's to end.
    package struct Remains: Sendable, Hashable {
        package var peers: [PeerID]
        /// nil where nobody was there.
        package var connection: Int?
    }

    /// How many there are, with those who are away.
    package struct Headcount: Sendable, Hashable {
        package var all = 0
        package var hosts = 0
        /// Guests who may be heard or seen.
        package var sendingGuests = 0

        package init() {}
    }

    private enum Link: Sendable, Hashable {
        case here(Int)
        case away(since: Instant)
    }

    private struct Seat: Sendable {
        var shown: RoomParticipant
        let holder: RoomPass.Holder
        let passEnd: Int64
        /// SHA-256 of its resume token.
        var resume: [UInt8]
        var link: Link
        var publisher: PeerID?
        var subscriber: PeerID?
        /// What waits for its answer; with the number that the worker gave it.
        var offer: (shown: RoomOffer, number: Int)?
        var endings: [RoomEnding.Side: (number: Int, shown: RoomEnding)] = [:]
        var lastNote = 0

        var peers: [PeerID] { [publisher, subscriber].compactMap { $0 } }
        var connection: Int? { if case .here(let connection) = link { connection } else { nil } }
    }

    package let limits: Limits
    /// Of the last change.
    package private(set) var seq: Int
    private var changes: [RoomMessage] = []
    private var seats: [ParticipantID: Seat] = [:]
    /// Passes and users that were sent away, until their passes end (Unix seconds).
    private var removed: [String: Int64] = [:]

    /// - Parameter seq: random, below 2^52: a number from another life of the room is then unknown here.
    package init(_ limits: Limits, seq: Int) {
        self.limits = limits
        self.seq = seq
    }

    package var count: Int { seats.count }
    /// Nothing of it has to be remembered.
    package func isEmpty(at unixSeconds: Int64) -> Bool { seats.isEmpty && !removed.values.contains { $0 > unixSeconds } }

    // MARK: Coming

    /// Lets somebody in.
    ///
    /// - Parameters:
    ///   - passEnd: in Unix seconds.
    ///   - id: a new one, for a new seat.
    ///   - connection: a new number.
    ///   - resume: SHA-256 of the token by which they come back.
    /// - Returns: who they are, and the connection that had the seat before.
    /// - Throws: `.pass`, `.full`.
    package mutating func join(
        _ holder: RoomPass.Holder, until passEnd: Int64, as id: ParticipantID, over connection: Int, resume: [UInt8],
        at unixSeconds: Int64
    ) throws(RoomRefusal) -> (participant: ParticipantID, replaced: Int?) {
        removed = removed.filter { $0.value > unixSeconds }
        guard Self.names(holder).allSatisfy({ removed[$0] == nil }) else { throw RoomRefusal(.pass, "you were sent away from this room") }
        if let there = seats.first(where: { $0.value.holder.id == holder.id })?.key {
            seats[there]?.resume = resume
            return (there, take(there, over: connection))
        }
        let places = min(limits.participants, holder.places ?? limits.participants)
        guard seats.count < places else { throw RoomRefusal(.full, "the room is full: \(places) may be in it") }
        if let most = holder.guestPlaces, holder.isSendingGuest, headcount.sendingGuests >= most {
            throw RoomRefusal(.full, "the room is full: \(most) of those in it may be guests")
        }
        let shown = RoomParticipant(id: id, name: holder.name, role: holder.role, isAway: false, tracks: [])
        seats[id] = Seat(shown: shown, holder: holder, passEnd: passEnd, resume: resume, link: .here(connection))
        tell(id)
        return (id, nil)
    }

    /// Gives a seat back to whoever shows its token.
    ///
    /// - Returns: as `join`.
    /// - Throws: `.resume`.
    package mutating func resume(
        _ token: [UInt8], over connection: Int
    ) throws(RoomRefusal) -> (participant: ParticipantID, replaced: Int?) {
        guard let id = seats.first(where: { $0.value.resume == token })?.key else {
            throw RoomRefusal(.resume, "no seat is kept under this token: join again")
        }
        return (id, take(id, over: connection))
    }

    private mutating func take(_ id: ParticipantID, over connection: Int) -> Int? {
        let before = seats[id]?.connection
        seats[id]?.link = .here(connection)
        if seats[id]?.shown.isAway == true {
            seats[id]?.shown.isAway = false
            tell(id)
        }
        return before
    }

    private static func names(_ holder: RoomPass.Holder) -> [String] { [holder.id] + (holder.account.map { [$0.user.text] } ?? []) }

    // MARK: Going

    /// A connection is lost: its seat is kept for a while.
    ///
    /// - Returns: whether anything changed; nothing does where another connection has the seat.
    package mutating func drop(_ connection: Int, at now: Instant) -> Bool {
        guard let id = participant(over: connection) else { return false }
        seats[id]?.link = .away(since: now)
        seats[id]?.shown.isAway = true
        tell(id)
        return true
    }

    /// - Returns: nil where there is no such seat.
    package mutating func leave(_ id: ParticipantID, _ reason: RoomLeaving.Reason = .left) -> Remains? {
        guard let seat = seats.removeValue(forKey: id) else { return nil }
        note { .left(RoomLeaving(seq: $0, participant: id, reason: reason)) }
        return Remains(peers: seat.peers, connection: seat.connection)
    }

    /// Whoever came in by a session that has ended.
    ///
    /// - Parameter session: nil: any.
    package mutating func leave(session: SessionID?) -> [Remains] {
        let over = seats.filter { (_, seat) -> Bool in
            guard let account = seat.holder.account else { return false }
            return session == nil || account.session == session
        }
        return over.keys.sorted().compactMap { leave($0) }
    }

    /// - Throws: `.forbidden` for who is no host, or not above whom they send away; `.missing`.
    package mutating func remove(_ target: ParticipantID, by id: ParticipantID) throws(RoomRefusal) -> Remains {
        guard let own = seats[id], own.shown.role == .host else { throw RoomRefusal(.forbidden, "only a host sends somebody away") }
        guard let seat = seats[target] else { throw RoomRefusal(.missing, "there is no such participant") }
        if let rank = own.holder.rank, let other = seat.holder.rank, other >= rank {
            throw RoomRefusal(.forbidden, "they are a host as you are, or above")
        }
        guard let remains = leave(target, .removed) else { throw RoomRefusal(.missing, "there is no such participant") }
        for name in Self.names(seat.holder) { removed[name] = seat.passEnd }
        while removed.count > limits.removed, let first = removed.min(by: { $0.value < $1.value })?.key { removed[first] = nil }
        return remains
    }

    /// Seats whose time is over.
    package mutating func expire(at now: Instant) -> [PeerID] {
        let over = seats.filter { (_, seat) -> Bool in
            if case .away(let since) = seat.link { now - since >= limits.grace } else { false }
        }
        return over.keys.sorted().flatMap { leave($0, .lost)?.peers ?? [] }
    }

    /// When `expire` has to be called; nil where nobody is away.
    package var deadline: Instant? {
        let since = seats.values.compactMap { seat -> Instant? in if case .away(let since) = seat.link { since } else { nil } }
        return since.min().map { $0 + limits.grace }
    }

    // MARK: Who is there

    /// nil for a connection that has no seat, or none any more.
    package func participant(over connection: Int) -> ParticipantID? { seats.first { $0.value.link == .here(connection) }?.key }
    package func shown(_ id: ParticipantID) -> RoomParticipant? { seats[id]?.shown }
    /// The id of the pass by which they came.
    package func pass(of id: ParticipantID) -> String? { seats[id]?.holder.id }
    /// What they may send; nil: whatever they have.
    package func sends(of id: ParticipantID) -> Set<TrackKind>? { seats[id]?.holder.sends }
    package func publisher(of id: ParticipantID) -> PeerID? { seats[id]?.publisher }
    package func subscriber(of id: ParticipantID) -> PeerID? { seats[id]?.subscriber }

    package var headcount: Headcount {
        var count = Headcount()
        count.all = seats.count
        count.hosts = seats.values.count { $0.shown.role == .host }
        count.sendingGuests = seats.values.count { $0.holder.isSendingGuest }
        return count
    }

    package var snapshot: RoomSnapshot { RoomSnapshot(seq: seq, participants: seats.values.map(\.shown).sorted { $0.id < $1.id }) }

    // MARK: What they send and get

    /// From now on they send by this one.
    ///
    /// - Parameter peer: nil: they send no more.
    /// - Returns: the one that they sent by before.
    package mutating func publish(by peer: PeerID?, of id: ParticipantID) -> PeerID? {
        let before = seats[id]?.publisher
        seats[id]?.publisher = peer
        seats[id]?.endings[.publish] = nil
        show([], of: id)
        return before
    }

    /// What came of their offer.
    ///
    /// - Returns: false where they send by another one meanwhile, or are gone.
    package mutating func published(_ tracks: [RoomTrack], by peer: PeerID) -> Bool {
        guard let id = seats.first(where: { $0.value.publisher == peer })?.key else { return false }
        show(tracks, of: id)
        return true
    }

    /// As `publish(by:)`, for what they get.
    package mutating func subscribe(by peer: PeerID?, of id: ParticipantID) -> PeerID? {
        let before = seats[id]?.subscriber
        seats[id]?.subscriber = peer
        seats[id]?.endings[.subscribe] = nil
        seats[id]?.offer = nil
        return before
    }

    /// What they are to answer, in place of what they were to answer before.
    ///
    /// - Returns: whether it is anybody's.
    package mutating func offered(_ offer: PeerOffered) -> Bool {
        guard let id = seats.first(where: { $0.value.subscriber == offer.peer })?.key else { return false }
        let number = nextNote(of: id)
        let shown = RoomOffer(number: number, isFirst: offer.number == 0, offer: offer.offer, tracks: offer.tracks)
        seats[id]?.offer = (shown, offer.number)
        return true
    }

    /// - Parameter number: as they were told it.
    /// - Returns: whose it is, by the worker's number.
    /// - Throws: `.outdated` where another one waits, or none.
    package func offer(_ number: Int, of id: ParticipantID) throws(RoomRefusal) -> (peer: PeerID, number: Int) {
        guard let seat = seats[id], let offer = seat.offer, offer.shown.number == number, let peer = seat.subscriber else {
            throw RoomRefusal(.outdated, "this offer awaits no answer")
        }
        return (peer, offer.number)
    }

    package mutating func answered(_ number: Int, of id: ParticipantID) {
        if seats[id]?.offer?.shown.number == number { seats[id]?.offer = nil }
    }

    /// One of theirs is over by itself.
    ///
    /// - Returns: whether it was anybody's.
    package mutating func ended(_ peer: PeerID, _ reason: String) -> Bool {
        guard let (id, seat) = seats.first(where: { $0.value.peers.contains(peer) }) else { return false }
        let side: RoomEnding.Side = seat.publisher == peer ? .publish : .subscribe
        if side == .publish { _ = publish(by: nil, of: id) } else { _ = subscribe(by: nil, of: id) }
        let number = nextNote(of: id)
        seats[id]?.endings[side] = (number, RoomEnding(side: side, reason: reason))
        return true
    }

    private mutating func show(_ tracks: [RoomTrack], of id: ParticipantID) {
        guard let shown = seats[id]?.shown, shown.tracks != tracks else { return }
        seats[id]?.shown.tracks = tracks
        tell(id)
    }

    private mutating func nextNote(of id: ParticipantID) -> Int {
        seats[id]?.lastNote += 1
        return seats[id]?.lastNote ?? 0
    }

    // MARK: What is told

    /// What somebody has to be told next: the changes that they have not, or everything, and what is for them alone.
    ///
    /// Nothing is kept for whoever is slow: it asks again at its own pace.
    package func next(of id: ParticipantID, after cursor: Cursor) -> (messages: [RoomMessage], cursor: Cursor) {
        guard let seat = seats[id] else { return ([], cursor) }
        var messages = cursor.seq.flatMap(after) ?? [.snapshot(snapshot)]
        var notes = seat.endings.values.map { (number: $0.number, message: RoomMessage.ended($0.shown)) }
        if let offer = seat.offer?.shown { notes.append((offer.number, .offer(offer))) }
        messages += notes.filter { $0.number > cursor.note }.sorted { $0.number < $1.number }.map { $0.message }
        var next = Cursor(seq: seq)
        next.note = seat.lastNote
        return (messages, next)
    }

    /// The changes after a number; nil where that is not known any more, or never was.
    private func after(_ number: Int) -> [RoomMessage]? {
        guard number <= seq, number >= seq - changes.count else { return nil }
        return Array(changes.suffix(seq - number))
    }

    private mutating func tell(_ id: ParticipantID) {
        guard let shown = seats[id]?.shown else { return }
        note { .participant(RoomParticipantChange(seq: $0, participant: shown)) }
    }

    private mutating func note(_ message: (Int) -> RoomMessage) {
        seq += 1
        changes.append(message(seq))
        if changes.count > limits.changes { changes.removeFirst(changes.count - limits.changes) }
    }
}
