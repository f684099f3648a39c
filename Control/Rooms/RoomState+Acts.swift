import Meetings
package import Posix
package import Units
package import Wire

/// What people do to each other and to the room: `MeetingRules` says who may do what to whom.
extension RoomState {
    // MARK: Who may

    private var rules: MeetingRules {
        var options = charter.options
        options.chat = conditions.hasChat
        return MeetingRules(options)
    }

    /// Whoever acts.
    ///
    /// - Throws: `.forbidden` for nobody who is there.
    func whoActs(_ id: ParticipantID) throws(RoomRefusal) -> Seat {
        guard let seat = seats[id] else { throw RoomRefusal(.forbidden, "who is not in the room does nothing in it") }
        return seat
    }

    /// Somebody whom the actor knows of.
    ///
    /// - Throws: `.missing`.
    func other(_ id: ParticipantID, as actor: Seat) throws(RoomRefusal) -> Seat {
        guard let seat = seats[id], sees(seat.shown, isHidden: seat.isHidden, actor) else {
            throw RoomRefusal(.missing, "there is no such participant")
        }
        return seat
    }

    static func target(_ seat: Seat, of actor: Seat) -> MeetingTarget {
        seat.shown.id == actor.shown.id ? .oneself : .other(seat.attendee)
    }

    /// - Parameter what: as in: you may not `what`.
    /// - Throws: `.forbidden`, `.off`.
    func demand(_ act: MeetingAct, by actor: Seat, to target: MeetingTarget, _ what: String) throws(RoomRefusal) {
        switch rules.ruling(on: act, by: actor.attendee, to: target) {
        case .allowed: return
        case .onRequest: throw RoomRefusal(.forbidden, "a host has to allow you to \(what): raise your hand")
        case .refused(let reason): throw RoomRefusal(reason == .off ? .off : .forbidden, Self.text(reason, what))
        }
    }

    private static func text(_ reason: MeetingRules.Reason, _ what: String) -> String {
        switch reason {
        case .outside: "who waits does not \(what), and nothing is done to them"
        case .permission: "your role in this meeting does not let you \(what)"
        case .rank: "you may not \(what) of somebody of your rank or above"
        case .off: "there is no chat in this meeting"
        case .muted: "a host has taken the word from you"
        case .target: "you cannot \(what) there: it is not done to them"
        }
    }

    /// - Throws: `.limited`.
    mutating func spend(_ turn: WritableKeyPath<PersonalTurns, Turns>, of seat: Seat, at now: Instant) throws(RoomRefusal) {
        try spend(turn, by: seat.identity, at: now)
    }

    /// - Throws: `.limited`.
    mutating func spend(_ turn: WritableKeyPath<PersonalTurns, Turns>, by identity: String, at now: Instant) throws(RoomRefusal) {
        if turns[identity] == nil, turns.count >= 4 * limits.participants {
            for one in turns.keys { turns[one]?.forget(at: now) }
            turns = turns.filter { !$0.value.isUnused }
        }
        guard let wait = turns[identity, default: PersonalTurns()][keyPath: turn].take(at: now) else { return }
        let most = PersonalTurns()[keyPath: turn]
        throw RoomRefusal(
            .limited,
            "\(most.limit) times in \(most.span.components.seconds) s is the most: again in \(wait.components.seconds + 1) s")
    }

    /// - Throws: `.limited`.
    private mutating func spendShow(at now: Instant) throws(RoomRefusal) {
        guard shows.take(at: now) != nil else { return }
        throw RoomRefusal(.limited, "too much happens in this room at once: again in a second")
    }

    static func identity(of holder: RoomPass.Holder) -> String { holder.account?.user.text ?? holder.id }

    /// Remembers what a host has taken from somebody; it keeps the room from being forgotten.
    mutating func curb(_ identity: String, _ body: (inout Curb) -> Void) {
        var curb = curbs[identity] ?? Curb()
        body(&curb)
        curbs[identity] = curb == Curb() ? nil : curb
        guard curbs.count > limits.removed else { return }
        let there = Set(seats.values.map(\.identity))
        if let gone = curbs.keys.first(where: { !there.contains($0) }) { curbs[gone] = nil }
    }

    // MARK: Others

    /// Sends somebody away; where it is for good, from each of their seats that is the actor's to take.
    ///
    /// - Parameter mayReturn: whether their pass lets them in again, and another one of theirs.
    /// - Throws: `.forbidden`, `.missing`, `.limited`.
    package mutating func remove(
        _ target: ParticipantID, by id: ParticipantID, mayReturn: Bool = false, at now: Instant, unixSeconds: Int64
    ) throws(RoomRefusal) -> [Remains] {
        let actor = try whoActs(id)
        guard actor.permissions.allows(.kick) else { throw RoomRefusal(.forbidden, "only a host sends somebody away") }
        let seat = try other(target, as: actor)
        try demand(.kick, by: actor, to: Self.target(seat, of: actor), "send away somebody")
        try spend(\.commands, of: actor, at: now)
        guard let remains = leave(target, .removed) else { throw RoomRefusal(.missing, "there is no such participant") }
        record(.kicked, seat, from: seat.preset, by: actor)
        guard !mayReturn else { return [remains] }
        removed[seat.holder.id] = seat.passEnd
        // An account has another pass whenever it asks for one: what it is kept away by outlasts the one that it came by.
        if let user = seat.holder.account?.user.text { removed[user] = max(seat.passEnd, unixSeconds + limits.removal) }
        while removed.count > limits.removed, let first = removed.min(by: { $0.value < $1.value })?.key { removed[first] = nil }
        var all = [remains]
        for one in seats.keys.sorted() {
            guard let other = seats[one], other.identity == seat.identity,
                rules.ruling(on: .kick, by: actor.attendee, to: .other(other.attendee)) == .allowed
            else { continue }
            if let remains = leave(one, .removed) { all.append(remains) }
            record(.kicked, other, from: other.preset, by: actor)
        }
        return all
    }

    /// Gives somebody another role, and what goes with it: it is theirs until they leave. One beneath that of their pass is theirs when
    /// they come again, too.
    ///
    /// - Returns: the PeerConnection by which they sent what is theirs to send no more.
    /// - Throws: `.forbidden`, `.missing`, `.limited`.
    package mutating func promote(
        _ target: ParticipantID, to role: MeetingRole, by id: ParticipantID, at now: Instant
    ) throws(RoomRefusal) -> PeerID? {
        let actor = try whoActs(id)
        let seat = try other(target, as: actor)
        try demand(.giveRole(role), by: actor, to: Self.target(seat, of: actor), "change the role")
        guard let preset = charter.preset(of: role) else { throw RoomRefusal(.missing, "a meeting of this kind has no such role") }
        try spend(\.commands, of: actor, at: now)
        let before = seat.shown.meetingRole
        guard before != role else { return nil }
        give(role, preset, to: target)
        curb(seat.identity) { $0.most = role < seat.holder.meetingRole ? role : nil }
        record(role > before ? .promoted : .demoted, seat, from: seat.preset, to: preset, by: actor)
        return evict(target)
    }

    private mutating func give(_ role: MeetingRole, _ preset: PresetName, to id: ParticipantID) {
        change(id) { seat in
            seat.preset = preset
            seat.granted = []
            seat.shown.meetingRole = role
            seat.shown.role = .shown(role, isGuest: seat.holder.role == .guest)
        }
        settleRights(of: id)
    }

    /// A user is no more than this by right any more: nor are they where they came in as more. What a host has made them stays.
    ///
    /// - Returns: the PeerConnections by which they sent what is theirs to send no more.
    package mutating func bound(_ user: UserID, to most: MeetingRole) -> [PeerID] {
        let role = charter.preset(of: most) == nil ? .viewer : most
        guard let preset = charter.preset(of: role) else { return [] }
        var over: [PeerID] = []
        for id in seats.keys.sorted() {
            guard let seat = seats[id], seat.holder.account?.user == user, seat.holder.meetingRole > most,
                seat.shown.meetingRole > role
            else { continue }
            give(role, preset, to: id)
            record(.demoted, seat, from: seat.preset, to: preset)
            if let peer = evict(id) { over.append(peer) }
        }
        return over
    }

    /// - Parameter target: nil: whoever asks.
    /// - Parameter name: checked.
    /// - Throws: `.forbidden`, `.missing`, `.limited`.
    package mutating func rename(
        _ target: ParticipantID?, to name: String, by id: ParticipantID, at now: Instant
    ) throws(RoomRefusal) {
        let actor = try whoActs(id)
        let seat = try other(target ?? id, as: actor)
        try demand(.rename, by: actor, to: Self.target(seat, of: actor), "change the name")
        try spend(\.commands, of: actor, at: now)
        guard seat.shown.name != name else { return }
        change(seat.shown.id) { $0.shown.name = name }
        if let renamed = seats[seat.shown.id] { record(.renamed, renamed, by: actor) }
    }

    // MARK: Sound and pictures

    /// Stops what somebody sends, or everybody: only they turn it on again.
    ///
    /// - Returns: those of whom something was stopped.
    /// - Throws: `.forbidden`, `.missing`, `.limited`.
    package mutating func stop(
        _ media: RoomMedia, of target: ParticipantID?, by id: ParticipantID, at now: Instant
    ) throws(RoomRefusal) -> [ParticipantID] {
        let actor = try whoActs(id)
        var stopped: [ParticipantID]
        if let target {
            let seat = try other(target, as: actor)
            try demand(media.stopping, by: actor, to: Self.target(seat, of: actor), "stop what somebody sends")
            stopped = [target]
        } else {
            try demand(media.stopping, by: actor, to: .all, "stop what others send")
            stopped = seats.values.filter { $0.shown.id != id && $0.shown.meetingRole <= actor.shown.meetingRole }.map(\.shown.id).sorted()
        }
        try spend(\.commands, of: actor, at: now)
        stopped.removeAll { seats[$0]?.shown.off.contains(media) != false }
        for one in stopped {
            change(one) { seat in
                seat.shown.off = RoomMedia.allCases.filter { $0 == media || seat.shown.off.contains($0) }
                seat.shown.stoppedBy = one == id ? nil : id
            }
        }
        return stopped
    }

    /// Stops one's own, or has it go on.
    ///
    /// - Throws: `.forbidden` for what is not theirs to send, `.limited`.
    package mutating func turn(_ media: RoomMedia, isOn: Bool, by id: ParticipantID, at now: Instant) throws(RoomRefusal) {
        let actor = try whoActs(id)
        if isOn { try demand(media.sending, by: actor, to: .oneself, "send that") }
        try spend(\.signs, of: actor, at: now)
        change(id) { seat in
            let off = RoomMedia.allCases.filter { $0 == media ? !isOn : seat.shown.off.contains($0) }
            guard off != seat.shown.off else { return }
            seat.shown.off = off
            seat.shown.stoppedBy = nil
        }
    }

    /// What the worker passes on to nobody of what somebody sends; nil for who sends nothing.
    package func hold(of id: ParticipantID) -> PeerHold? {
        guard let seat = seats[id], let peer = seat.publisher else { return nil }
        let off = seat.shown.off
        let kinds = TrackKind.allCases.filter { kind in
            kind == .audio ? off.contains(.audio) : off.contains(.video) || off.contains(.screen)
        }
        // What they send anew is held until it is known what it shows.
        let spared = seat.shown.tracks.filter { kinds.contains($0.kind) && !off.contains(RoomMedia($0.kind, $0.source)) }
        return PeerHold(peer: peer, kinds: kinds, spared: spared.map(\.mid))
    }

    /// Why they do not send what they offer; nil where they do.
    ///
    /// - Parameter tracks: nil: anything at all.
    package func refusal(of tracks: [RoomTrack]?, by id: ParticipantID) -> RoomRefusal? {
        guard let permissions = seats[id]?.permissions else { return RoomRefusal(.outdated, "this connection has no seat any more") }
        let theirs = RoomMedia.allCases.filter { permissions.permission(for: $0) == .allowed }
        let refusal = RoomRefusal(.forbidden, "what you offer is not yours to send in this room")
        guard let tracks else { return theirs.isEmpty ? refusal : nil }
        guard tracks.allSatisfy({ theirs.contains(RoomMedia($0.kind, $0.source)) }) else { return refusal }
        guard !theirs.contains(.screen) else { return nil }
        // A second picture is a screen, whatever it is called, and a second sound is one's.
        let isOne = TrackKind.allCases.allSatisfy { kind in tracks.count { $0.kind == kind } <= 1 }
        return isOne && !tracks.contains { $0.source == .screen || $0.source == .screenSound } ? nil : refusal
    }

    /// Ends what somebody sends, where it is theirs to send no more.
    private mutating func evict(_ id: ParticipantID) -> PeerID? {
        guard let seat = seats[id], let peer = seat.publisher, refusal(of: seat.shown.tracks, by: id) != nil else { return nil }
        _ = ended(peer, "a host has decided that this is not yours to send any more")
        return peer
    }

    // MARK: Hands

    /// - Parameter target: nil: whoever asks.
    /// - Throws: `.forbidden`, `.missing`, `.limited`.
    package mutating func raise(
        _ isUp: Bool, of target: ParticipantID?, by id: ParticipantID, at now: Instant
    ) throws(RoomRefusal) {
        let actor = try whoActs(id)
        let seat = try other(target ?? id, as: actor)
        if seat.shown.id == id {
            if isUp, !actor.permissions.mayPublish { throw RoomRefusal(.forbidden, "who only watches this meeting does not ask to speak") }
            try spend(\.signs, of: actor, at: now)
        } else {
            guard !isUp else { throw RoomRefusal(.forbidden, "nobody raises another one's hand") }
            try demand(.takeOnStage, by: actor, to: .other(seat.attendee), "take hands down")
            try spend(\.commands, of: actor, at: now)
        }
        guard isUp != (seat.shown.hand != nil) else { return }
        // The numbers of changes: whoever raises it first is first.
        let number = seq + 1
        change(seat.shown.id) { $0.shown.hand = isUp ? number : nil }
    }

    /// Lets somebody send what their preset leaves to hosts, or takes that back.
    ///
    /// - Returns: as `promote`.
    /// - Throws: `.forbidden`, `.missing` for what needs no leave, `.limited`.
    package mutating func allow(
        _ media: [RoomMedia], to target: ParticipantID, by id: ParticipantID, at now: Instant
    ) throws(RoomRefusal) -> PeerID? {
        let actor = try whoActs(id)
        let seat = try other(target, as: actor)
        try demand(.takeOnStage, by: actor, to: Self.target(seat, of: actor), "let somebody speak")
        let preset = charter.permissions(of: seat.preset)
        let granted = Set(media.filter { preset.permission(for: $0) == .onRequest })
        guard granted.count == Set(media).count else {
            throw RoomRefusal(.missing, "their role never sends that, or needs no leave for it")
        }
        try spend(\.commands, of: actor, at: now)
        change(target) { seat in
            seat.granted = granted
            seat.shown.hand = nil
        }
        settleRights(of: target)
        record(.allowed, seat, by: actor)
        return evict(target)
    }

    // MARK: The room

    /// Who is large for all, in this order.
    ///
    /// - Throws: `.forbidden`, `.missing`, `.limited`.
    package mutating func spotlight(_ targets: [ParticipantID], by id: ParticipantID, at now: Instant) throws(RoomRefusal) {
        let actor = try whoActs(id)
        guard targets.count <= limits.spotlight else { throw RoomRefusal(.limited, "\(limits.spotlight) are large at once at most") }
        // Nobody at all is what concerns whoever asks.
        for target in targets.isEmpty ? [id] : targets {
            let seat = try other(target, as: actor)
            try demand(.spotlight, by: actor, to: Self.target(seat, of: actor), "choose who is large for all")
        }
        try spend(\.commands, of: actor, at: now)
        var chosen: [ParticipantID] = []
        for target in targets where !chosen.contains(target) { chosen.append(target) }
        amend { $0.spotlight = chosen }
    }

    /// Lets nobody else in but hosts.
    ///
    /// - Throws: `.forbidden`, `.limited`.
    package mutating func lock(_ isLocked: Bool, by id: ParticipantID, at now: Instant) throws(RoomRefusal) {
        let actor = try whoActs(id)
        try demand(.lock, by: actor, to: .all, "lock the room")
        try spend(\.commands, of: actor, at: now)
        amend { $0.isLocked = isLocked }
    }

    /// Whether anybody writes.
    ///
    /// - Throws: `.forbidden`, `.off` where the organisation has decided it for all its meetings, `.limited`.
    package mutating func switchChat(_ isOn: Bool, by id: ParticipantID, at now: Instant) throws(RoomRefusal) {
        let actor = try whoActs(id)
        try demand(.changeOptions, by: actor, to: .all, "turn the chat on or off")
        guard !charter.locked.contains(.chat) else { throw RoomRefusal(.off, "your organisation has decided it for all meetings") }
        try spend(\.commands, of: actor, at: now)
        amend { $0.hasChat = isOn }
    }

    /// - Throws: `.forbidden` for who does not end it.
    package func end(by id: ParticipantID) throws(RoomRefusal) {
        try demand(.end, by: whoActs(id), to: .all, "end the meeting")
        guard charter.meeting != nil else { throw RoomRefusal(.missing, "this room is no meeting: it does not end") }
    }

    /// What holds in the room has been decided anew outside of it.
    package mutating func adopt(_ new: RoomCharter) {
        let old = charter
        charter = new
        amend { conditions in
            conditions.endsAtMs = new.endsAtMs
            if new.options.chat != old.options.chat || new.locked.contains(.chat) { conditions.hasChat = new.options.chat }
        }
    }

    private mutating func amend(_ body: (inout RoomConditions) -> Void) {
        let before = conditions
        body(&conditions)
        if conditions != before { note(.conditions(conditions)) }
    }

    // MARK: What is shown for a moment

    /// - Throws: `.forbidden`, `.limited`.
    package mutating func react(_ reaction: RoomReaction, by id: ParticipantID, at now: Instant) throws(RoomRefusal) {
        let actor = try whoActs(id)
        try spend(\.reactions, of: actor, at: now)
        try spendShow(at: now)
        note(.reaction(actor.shown, isHidden: actor.isHidden, reaction))
    }

    /// - Throws: `.forbidden`, `.malformed`, `.limited`.
    package mutating func cast(_ cast: RoomCast, by id: ParticipantID, at now: Instant) throws(RoomRefusal) {
        let actor = try whoActs(id)
        try demand(.runPlugins, by: actor, to: .all, "cast to all pages")
        let isName = cast.type.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"): true
            default: false
            }
        }
        guard isName, RoomCast.typeBytes.contains(cast.type.utf8.count), cast.payload.utf8.count <= RoomCast.payloadBytes else {
            throw RoomRefusal(
                .malformed, "a type of 1 to 64 small letters, digits, dots and hyphens, and \(RoomCast.payloadBytes) bytes at most")
        }
        try spend(\.casts, of: actor, at: now)
        try spendShow(at: now)
        note(.cast(id, cast))
    }

    // MARK: What is kept

    /// What is to be kept since the last call, in its order.
    package mutating func takeRecords() -> [RoomRecord] {
        defer { records = [] }
        return records
    }

    mutating func record(_ kind: MeetingEventKind, _ seat: Seat, from: PresetName? = nil, to: PresetName? = nil, by actor: Seat? = nil) {
        guard charter.meeting != nil else { return }
        // A live broadcast and an encoder attend nothing: what is done to them is kept, and not that they come and go.
        guard seat.holder.kind == nil || ![.joined, .left].contains(kind) else { return }
        records.append(.event(RoomEvent(kind: kind, person: seat.person, from: from, to: to, actor: actor?.person)))
    }
}

extension RoomState.Seat {
    fileprivate var person: RoomEvent.Person { RoomEvent.Person(participant: shown.id, identity: identity, name: shown.name) }
}

extension RoomMedia {
    fileprivate var stopping: MeetingAct {
        switch self {
        case .audio: .stopAudio
        case .video: .stopVideo
        case .screen: .stopScreenShare
        }
    }

    fileprivate var sending: MeetingAct {
        switch self {
        case .audio: .speak
        case .video: .show
        case .screen: .shareScreen
        }
    }
}

extension RoomRole {
    /// What a role in a meeting comes to.
    package static func shown(_ role: MeetingRole, isGuest: Bool) -> RoomRole { role >= .coHost ? .host : isGuest ? .guest : .member }
}
