import Meetings
package import Wire

/// What of a room each of those in it is told.
extension RoomState {
    /// One of the numbered changes, before it is anybody's.
    enum Change: Sendable {
        /// With what was shown of them before; nil for somebody new.
        case participant(RoomParticipant, was: RoomParticipant?, isHidden: Bool)
        case left(RoomParticipant, isHidden: Bool, RoomLeaving.Reason)
        case conditions(RoomConditions)
        case chat(Saying)
        case unsaid(Saying)
        case reaction(RoomParticipant, isHidden: Bool, RoomReaction)
        case cast(ParticipantID, RoomCast)
    }

    /// A message, with whose it is beyond their seats.
    package struct Saying: Sendable, Hashable {
        package internal(set) var message: RoomChatMessage
        package let author: String
        /// nil: everybody's.
        package let recipient: String?

        package init(message: RoomChatMessage, author: String, recipient: String?) {
            self.message = message
            self.author = author
            self.recipient = recipient
        }
    }

    // MARK: Noting

    mutating func note(_ change: Change) {
        seq += 1
        changes.append(change)
        if changes.count > limits.changes { changes.removeFirst(changes.count - limits.changes) }
    }

    mutating func tell(_ id: ParticipantID, was: RoomParticipant?) {
        guard let seat = seats[id] else { return }
        note(.participant(seat.shown, was: was, isHidden: seat.isHidden))
    }

    /// Changes a seat, and tells it where it shows.
    mutating func change(_ id: ParticipantID, _ body: (inout Seat) -> Void) {
        guard let before = seats[id], var seat = seats[id] else { return }
        body(&seat)
        seats[id] = seat
        if seat.shown != before.shown { tell(id, was: before.shown) }
    }

    // MARK: Telling

    /// The changes after a number, as somebody is told them; nil where that is not known any more, never was, or they see others since.
    func after(_ number: Int, for seat: Seat) -> [RoomMessage]? {
        guard number <= seq, number >= seq - changes.count, number >= seat.seesSince else { return nil }
        var messages: [RoomMessage] = []
        var passed: Int?
        for (offset, change) in changes.suffix(seq - number).enumerated() {
            let number = number + 1 + offset
            guard let message = shape(change, number, for: seat) else {
                passed = number
                continue
            }
            if let number = passed { messages.append(.passed(RoomPassed(seq: number))) }
            passed = nil
            messages.append(message)
        }
        if let passed { messages.append(.passed(RoomPassed(seq: passed))) }
        return messages
    }

    /// - Returns: nil for what is not theirs to know.
    private func shape(_ change: Change, _ seq: Int, for seat: Seat) -> RoomMessage? {
        switch change {
        case .participant(let shown, let was, let isHidden):
            if sees(shown, isHidden: isHidden, seat) { return .participant(RoomParticipantChange(seq: seq, participant: shown)) }
            guard let was, sees(was, isHidden: isHidden, seat) else { return nil }
            return .left(RoomLeaving(seq: seq, participant: shown.id, reason: .unseen))
        case .left(let was, let isHidden, let reason):
            guard sees(was, isHidden: isHidden, seat) else { return nil }
            return .left(RoomLeaving(seq: seq, participant: was.id, reason: reason))
        case .conditions(let conditions): return .conditions(RoomConditionsChange(seq: seq, conditions: conditions))
        case .chat(let saying):
            return reads(saying, seat) ? .chat(RoomChatChange(seq: seq, message: saying.message)) : nil
        case .unsaid(let saying):
            return reads(saying, seat) ? .unsaid(RoomUnsaid(seq: seq, message: saying.message.id)) : nil
        case .reaction(let shown, let isHidden, let reaction):
            let who = sees(shown, isHidden: isHidden, seat) ? shown.id : nil
            return .reaction(RoomReacted(seq: seq, participant: who, reaction: reaction))
        case .cast(let who, let cast):
            return .cast(RoomCasted(seq: seq, participant: who, type: cast.type, payload: cast.payload))
        }
    }

    /// Everything there is, as somebody is told it.
    func snapshot(for seat: Seat) -> RoomSnapshot {
        let shown = seats.values.filter { sees($0.shown, isHidden: $0.isHidden, seat) }.map(\.shown).sorted { $0.id < $1.id }
        return RoomSnapshot(seq: seq, participants: shown, conditions: conditions, chat: chat(for: seat))
    }

    package func snapshot(for id: ParticipantID) -> RoomSnapshot? { seats[id].map { snapshot(for: $0) } }

    /// The newest messages that are theirs, as many as a snapshot takes, and those that are pinned before any other.
    private func chat(for seat: Seat) -> [RoomChatMessage] {
        let theirs = talk.filter { reads($0, seat) }.map(\.message)
        var (left, taken) = (limits.snapshotText, Set<ChatMessageID>())
        for message in theirs.reversed().filter(\.isPinned) + theirs.reversed().filter({ !$0.isPinned }) {
            left -= message.text.utf8.count
            guard left >= 0 else { break }
            taken.insert(message.id)
        }
        return theirs.filter { taken.contains($0.id) }
    }

    // MARK: Who knows what

    /// Whoever has no list of participants sees those whom the meeting shows: its hosts, and who is heard or seen.
    func sees(_ shown: RoomParticipant, isHidden: Bool, _ seat: Seat) -> Bool {
        if shown.id == seat.shown.id { return true }
        guard !isHidden else { return false }
        return seat.permissions.allows(.seeParticipants) || !shown.tracks.isEmpty || shown.role == .host
    }

    /// What was written to everybody whoever may read it, and between two each of them: nobody else, hosts neither.
    func reads(_ saying: Saying, _ seat: Seat) -> Bool {
        guard let recipient = saying.recipient else { return seat.permissions.allows(.receivePublic) }
        return saying.author == seat.identity || recipient == seat.identity && seat.permissions.allows(.receivePrivate)
    }

    // MARK: Rights

    static func rights(_ role: MeetingRole, _ preset: PresetName, _ permissions: MeetingPermissions, isChatMuted: Bool) -> RoomRights {
        RoomRights(
            role: role, preset: preset, audio: permissions.audio, video: permissions.video, screenShare: permissions.screenShare,
            allowed: permissions.allowed.sorted(), isChatMuted: isChatMuted)
    }

    /// What somebody may do is not as before: they are told, and see anew where they see others by it.
    mutating func settleRights(of id: ParticipantID) {
        guard var seat = seats[id] else { return }
        let saw = Self.sight(seat.permissions)
        seat.permissions = charter.permissions(of: seat.preset)
        for media in seat.granted { seat.permissions.grant(media) }
        let rights = Self.rights(seat.shown.meetingRole, seat.preset, seat.permissions, isChatMuted: seat.isChatMuted)
        if rights != seat.rights.shown {
            seat.lastNote += 1
            seat.rights = (seat.lastNote, rights)
        }
        seats[id] = seat
        guard Self.sight(seat.permissions) != saw else { return }
        // With a number of its own: whoever knows all until now is told anew all the same.
        tell(id, was: seat.shown)
        seats[id]?.seesSince = seq
    }

    /// What decides what of the room somebody is told.
    private static func sight(_ permissions: MeetingPermissions) -> Set<MeetingPermission> {
        permissions.allowed.intersection([.seeParticipants, .receivePublic, .receivePrivate])
    }
}

extension RoomState.Seat {
    var isHidden: Bool { permissions.allows(.hidden) }
}

extension MeetingPermissions {
    /// What is done once a host has agreed, now that one has.
    mutating func grant(_ media: RoomMedia) {
        switch media {
        case .audio: if audio == .onRequest { audio = .allowed }
        case .video: if video == .onRequest { video = .allowed }
        case .screen: if screenShare == .onRequest { screenShare = .allowed }
        }
    }

    func permission(for media: RoomMedia) -> MediaPermission {
        switch media {
        case .audio: audio
        case .video: video
        case .screen: screenShare
        }
    }
}
