import Meetings
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

/// Who is in a room, what they send, do and say, and what of it has changed, numbered one by one. Holds no clock, no socket and no
/// randomness. Everybody is told of each number, and of what it stands for as far as it is theirs to know.
///
/// A seat belongs to a pass: whoever comes again by it, or by the seat's own resume token, takes the seat over.
package struct RoomState: Sendable {
    package struct Limits: Sendable, Hashable {
        package var participants = WireLimits.participants
        /// Live broadcasts and encoders beside them.
        package var programs = 16
        /// How long a seat is kept whose connection is lost.
        package var grace = Duration.seconds(60)
        /// Changes that are kept for those who come back, or who read slowly.
        package var changes = 512
        /// Passes of those who were sent away; beyond it the one that ends first is forgotten.
        package var removed = 1000
        /// In seconds: an account that was sent away does not come back for so long, which is as long as a meeting lasts at most.
        package var removal: Int64 = 86_400
        /// Messages that are known without asking the store, beside those that are pinned; and how many of those there may be.
        package var messages = 200
        package var pins = 20
        /// Messages that were taken back and are told from those that the store still has.
        package var withdrawn = 1000
        /// Messages that are had from the store where a room is made anew; those that are pinned further back are in its history alone.
        package var recalled = 500
        /// Bytes of text in a snapshot: it is one message to a page.
        package var snapshotText = 64 * 1024
        package var spotlight = 9
        /// Reactions and casts of all together within a second.
        package var shows = 30
        /// Searches of all together within a second: each goes through all that is kept of the meeting, on the store that everybody has.
        package var searches = 5

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
        /// People: a live broadcast keeps no meeting going, and takes nobody's place.
        package var all = 0
        package var hosts = 0
        /// Guests who may be heard or seen.
        package var sendingGuests = 0

        package init() {}
    }

    /// Somebody who is there, as whoever looks after their meeting is told of them.
    package struct Person: Sendable, Hashable {
        package let name: String
        package let role: RoomRole
        package let isAway: Bool
        /// nil for a guest.
        package let user: UserID?
    }

    enum Link: Sendable, Hashable {
        case here(Int)
        case away(since: Instant)
    }

    struct Seat: Sendable {
        var shown: RoomParticipant
        let holder: RoomPass.Holder
        let passEnd: Int64
        var preset: PresetName
        /// Of the preset, with what a host has allowed.
        var permissions: MeetingPermissions
        /// What a host has allowed that the preset leaves to hosts.
        var granted: Set<RoomMedia> = []
        var isChatMuted = false
        /// What they may do, as they are told it.
        var rights: (number: Int, shown: RoomRights)
        /// Before this change they saw others than now.
        var seesSince: Int
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
        var attendee: Attendee { Attendee(role: shown.meetingRole, permissions: permissions, isChatMuted: isChatMuted) }
        /// Beyond the seat: of an account, or of a guest's pass.
        var identity: String { RoomState.identity(of: holder) }
    }

    /// What a host has taken from somebody, which coming again gives nobody back.
    struct Curb: Sendable, Hashable {
        /// They are no more than this; nil: what their pass says.
        var most: MeetingRole?
        var isChatMuted = false
    }

    package let limits: Limits
    package internal(set) var charter: RoomCharter
    /// Of the last change.
    package internal(set) var seq: Int
    package internal(set) var conditions: RoomConditions
    var changes: [Change] = []
    var seats: [ParticipantID: Seat] = [:]
    /// In their order, with those that are pinned.
    var talk: [Saying] = []
    /// Messages that were taken back last: the store may not have heard of it yet.
    var withdrawn: [ChatMessageID] = []
    /// By identity.
    var turns: [String: PersonalTurns] = [:]
    var curbs: [String: Curb] = [:]
    var shows: Turns
    var searches: Turns
    /// For the store, in their order: `takeRecords` empties it.
    var records: [RoomRecord] = []
    /// Of the last one, in milliseconds since 1970: the next one's is later.
    package internal(set) var lastMessageMs: Int64 = 0
    /// Passes that were sent away, until they end, and users, as long as `Limits.removal` says (Unix seconds).
    var removed: [String: Int64] = [:]

    /// - Parameters:
    ///   - seq: random, below 2^52: a number from another life of the room is then unknown here.
    ///   - talk: what was written in its meeting before, in its order.
    package init(_ limits: Limits, _ charter: RoomCharter, seq: Int, talk: [Saying] = []) {
        self.limits = limits
        self.charter = charter
        self.seq = seq
        conditions = RoomConditions(hasChat: charter.options.chat, endsAtMs: charter.endsAtMs)
        shows = Turns(limits.shows, per: .seconds(1))
        searches = Turns(limits.searches, per: .seconds(1))
        self.talk = talk
        lastMessageMs = talk.last?.message.atMs ?? 0
        forgetTalk()
    }

    package var count: Int { seats.count }
    /// Of people.
    package var attendance: Int { seats.values.count { $0.holder.kind == nil } }
    /// Nothing of it has to be remembered.
    package func isEmpty(at unixSeconds: Int64) -> Bool {
        // What a host has decided is not undone by everybody's going, nor is a pace by going alone.
        guard seats.isEmpty, curbs.isEmpty, !conditions.isLocked else { return false }
        return !removed.values.contains { $0 > unixSeconds } && !turns.values.contains { $0.arrivals.isHalfSpent }
    }

    // MARK: Coming

    /// Lets somebody in.
    ///
    /// - Parameters:
    ///   - passEnd: in Unix seconds.
    ///   - id: a new one, for a new seat.
    ///   - connection: a new number.
    ///   - resume: SHA-256 of the token by which they come back.
    /// - Returns: who they are, and the connection that had the seat before.
    /// - Throws: `.pass`, `.locked`, `.full`, `.limited`.
    package mutating func join(
        _ holder: RoomPass.Holder, until passEnd: Int64, as id: ParticipantID, over connection: Int, resume: [UInt8],
        at unixSeconds: Int64, now: Instant
    ) throws(RoomRefusal) -> (participant: ParticipantID, replaced: Int?) {
        removed = removed.filter { $0.value > unixSeconds }
        guard Self.names(holder).allSatisfy({ removed[$0] == nil }) else { throw RoomRefusal(.pass, "you were sent away from this room") }
        if let there = seats.first(where: { $0.value.holder.id == holder.id })?.key {
            seats[there]?.resume = resume
            return (there, take(there, over: connection))
        }
        let curb = curbs[Self.identity(of: holder)] ?? Curb()
        let most = min(holder.meetingRole, curb.most ?? .host)
        // Where a meeting has no such role, they watch.
        let role = charter.preset(of: most) == nil ? .viewer : most
        guard let preset = charter.preset(of: role) else {
            throw RoomRefusal(.pass, "this pass is of another kind of meeting")
        }
        // A live broadcast is brought in by whoever runs rooms, and comes back by itself.
        guard !conditions.isLocked || role >= .coHost || holder.field != nil else {
            throw RoomRefusal(.locked, "a host has locked the room: nobody else comes in")
        }
        let places = min(limits.participants, holder.places ?? limits.participants)
        guard holder.kind == nil || seats.count - attendance < limits.programs else {
            throw RoomRefusal(.full, "the room is full: \(limits.programs) live broadcasts and encoders may be in it")
        }
        guard holder.kind != nil || attendance < places else { throw RoomRefusal(.full, "the room is full: \(places) may be in it") }
        var permissions = charter.permissions(of: preset)
        // Whoever has brought it in has said that it speaks.
        let granted: Set<RoomMedia> = holder.kind == nil ? [] : [.audio, .video]
        for media in granted { permissions.grant(media) }
        if let guests = holder.guestPlaces, holder.role == .guest, permissions.mayPublish, headcount.sendingGuests >= guests {
            throw RoomRefusal(.full, "the room is full: \(guests) of those in it may be guests")
        }
        try spend(\.arrivals, by: Self.identity(of: holder), at: now)
        let shownRole = curb.most == nil ? holder.role : .shown(role, isGuest: holder.role == .guest)
        let shown = RoomParticipant(
            id: id, name: holder.name, role: shownRole, isAway: false, tracks: [], meetingRole: role,
            kind: holder.kind)
        var seat = Seat(
            shown: shown, holder: holder, passEnd: passEnd, preset: preset, permissions: permissions, granted: granted,
            isChatMuted: curb.isChatMuted,
            rights: (1, Self.rights(role, preset, permissions, isChatMuted: curb.isChatMuted)), seesSince: seq, resume: resume,
            link: .here(connection))
        seat.lastNote = 1
        seats[id] = seat
        tell(id, was: nil)
        record(.joined, seat, to: preset)
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
            change(id) { $0.shown.isAway = false }
        }
        return before
    }

    static func names(_ holder: RoomPass.Holder) -> [String] { [holder.id] + (holder.account.map { [$0.user.text] } ?? []) }

    // MARK: Going

    /// A connection is lost: its seat is kept for a while.
    ///
    /// - Returns: whether anything changed; nothing does where another connection has the seat.
    package mutating func drop(_ connection: Int, at now: Instant) -> Bool {
        guard let id = participant(over: connection) else { return false }
        change(id) { seat in
            seat.link = .away(since: now)
            seat.shown.isAway = true
        }
        return true
    }

    /// - Returns: nil where there is no such seat.
    package mutating func leave(_ id: ParticipantID, _ reason: RoomLeaving.Reason = .left) -> Remains? {
        guard let seat = seats.removeValue(forKey: id) else { return nil }
        note(.left(seat.shown, isHidden: seat.isHidden, reason))
        if reason != .removed { record(.left, seat) }
        if conditions.spotlight.contains(id) {
            conditions.spotlight.removeAll { $0 == id }
            note(.conditions(conditions))
        }
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

    /// Whoever came in by a user's account.
    package mutating func leave(user: UserID) -> [Remains] {
        seats.filter { $0.value.holder.account?.user == user }.keys.sorted().compactMap { leave($0) }
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
    package func isHere(_ user: UserID) -> Bool { seats.values.contains { $0.holder.account?.user == user } }
    /// The id of the pass by which they came.
    package func pass(of id: ParticipantID) -> String? { seats[id]?.holder.id }
    package func publisher(of id: ParticipantID) -> PeerID? { seats[id]?.publisher }
    /// nil for who is no live broadcast.
    package func field(of id: ParticipantID) -> RoomPass.Field? { seats[id]?.holder.field }
    /// Who sends by this one and has no page.
    package func program(sendingBy peer: PeerID) -> ParticipantID? {
        seats.first { $0.value.publisher == peer && $0.value.holder.kind != nil }?.key
    }
    /// Those without a page to whom sending was forbidden: nothing of them is left to be there.
    package var idlePrograms: [ParticipantID] {
        seats.filter { $0.value.holder.kind != nil && $0.value.publisher == nil }.keys.sorted()
    }
    /// Who it is by its output.
    package func field(of output: OutputID) -> ParticipantID? { seats.first { $0.value.holder.field?.output == output }?.key }
    package var fields: [RoomPass.Field] { seats.values.compactMap(\.holder.field) }
    package func subscriber(of id: ParticipantID) -> PeerID? { seats[id]?.subscriber }

    package var headcount: Headcount {
        var count = Headcount()
        count.all = attendance
        count.hosts = seats.values.count { $0.shown.role == .host }
        count.sendingGuests = seats.values.count { $0.holder.role == .guest && $0.permissions.mayPublish }
        return count
    }

    /// Everybody, by their names.
    package var people: [Person] {
        seats.values.map { seat in
            Person(name: seat.shown.name, role: seat.shown.role, isAway: seat.shown.isAway, user: seat.holder.account?.user)
        }.sorted { $0.name < $1.name }
    }

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
        change(id) { $0.shown.tracks = tracks }
    }

    mutating func nextNote(of id: ParticipantID) -> Int {
        seats[id]?.lastNote += 1
        return seats[id]?.lastNote ?? 0
    }

    // MARK: What is told

    /// What somebody has to be told next: the changes that they have not, or everything, and what is for them alone.
    ///
    /// Nothing is kept for whoever is slow: it asks again at its own pace.
    package func next(of id: ParticipantID, after cursor: Cursor) -> (messages: [RoomMessage], cursor: Cursor) {
        guard let seat = seats[id] else { return ([], cursor) }
        var messages = cursor.seq.flatMap { after($0, for: seat) } ?? [.snapshot(snapshot(for: seat))]
        var notes = seat.endings.values.map { (number: $0.number, message: RoomMessage.ended($0.shown)) }
        notes.append((seat.rights.number, .rights(seat.rights.shown)))
        if let offer = seat.offer?.shown { notes.append((offer.number, .offer(offer))) }
        messages += notes.filter { $0.number > cursor.note }.sorted { $0.number < $1.number }.map { $0.message }
        var next = Cursor(seq: seq)
        next.note = seat.lastNote
        return (messages, next)
    }
}
