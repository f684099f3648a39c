import Meetings
package import Posix
import Units
package import Wire

/// What people write.
extension RoomState {
    /// Says something to everybody, or to one.
    ///
    /// - Parameters:
    ///   - message: a new one, in the order in which they come.
    ///   - atMs: milliseconds since 1970, later than `lastMessageMs`.
    /// - Throws: `.forbidden`, `.off`, `.malformed`, `.missing`, `.limited`.
    package mutating func say(
        _ saying: RoomSaying, by id: ParticipantID, as message: ChatMessageID, atMs: Int64, at now: Instant
    ) throws(RoomRefusal) {
        let actor = try whoActs(id)
        var (target, recipient) = (MeetingTarget.all, Seat?.none)
        if let to = saying.to {
            let seat = try other(to, as: actor)
            (target, recipient) = (Self.target(seat, of: actor), seat)
        }
        let act = MeetingAct.write(MeetingAct.Message(to: saying.to == nil ? .everybody : .one, hasFile: false))
        try demand(act, by: actor, to: target, "write that")
        guard RoomChatMessage.isGood(saying.text) else {
            let length = RoomChatMessage.length
            let expected = "\(length.lowerBound) to \(length.upperBound) characters, none of which hides or turns others around"
            throw RoomRefusal(.malformed, "a message has \(expected)")
        }
        try spend(\.messages, of: actor, at: now)
        let written = RoomChatMessage(
            id: message, from: id, name: actor.shown.name, to: recipient?.shown.id, toName: recipient?.shown.name, text: saying.text,
            atMs: atMs)
        let entry = Saying(message: written, author: actor.identity, recipient: recipient?.identity)
        lastMessageMs = atMs
        talk.append(entry)
        forgetTalk()
        note(.chat(entry))
        if charter.keepsChat { records.append(.said(written, by: entry.author, to: entry.recipient)) }
    }

    /// Those that are pinned stay.
    mutating func forgetTalk() {
        while talk.count(where: { !$0.message.isPinned }) > limits.messages {
            guard let first = talk.firstIndex(where: { !$0.message.isPinned }) else { return }
            talk.remove(at: first)
        }
    }

    /// - Throws: `.missing` for one that is not known any more, or is not theirs to read.
    private func index(of message: ChatMessageID, for actor: Seat) throws(RoomRefusal) -> Int {
        guard let place = talk.firstIndex(where: { $0.message.id == message }), reads(talk[place], actor) else {
            throw RoomRefusal(.missing, "there is no such message, or it lies too far back")
        }
        return place
    }

    /// Takes one's own message back, or as a host one that all read.
    ///
    /// - Throws: `.forbidden`, `.missing`, `.limited`.
    package mutating func unsay(_ message: ChatMessageID, by id: ParticipantID, at now: Instant) throws(RoomRefusal) {
        let actor = try whoActs(id)
        let place = try index(of: message, for: actor)
        let entry = talk[place]
        if entry.author != actor.identity {
            guard entry.recipient == nil else { throw RoomRefusal(.forbidden, "it is another one's message to you") }
            try demand(.moderateChat, by: actor, to: .all, "take away what others write")
        }
        try spend(\.signs, of: actor, at: now)
        talk.remove(at: place)
        withdrawn.append(message)
        if withdrawn.count > limits.withdrawn { withdrawn.removeFirst() }
        // Nobody who comes back, or reads slowly, is told its text any more.
        changes = changes.map { change in
            if case .chat(let one) = change, one.message.id == message { return .unsaid(one.withoutText) }
            return change
        }
        note(.unsaid(entry.withoutText))
        if charter.keepsChat { records.append(.unsaid(message)) }
    }

    /// - Throws: `.forbidden`, `.missing`, `.limited`.
    package mutating func pin(_ message: ChatMessageID, _ isPinned: Bool, by id: ParticipantID, at now: Instant) throws(RoomRefusal) {
        let actor = try whoActs(id)
        try demand(.moderateChat, by: actor, to: .all, "pin messages")
        let place = try index(of: message, for: actor)
        guard talk[place].recipient == nil else { throw RoomRefusal(.forbidden, "what is written to one is pinned for nobody") }
        guard talk[place].message.isPinned != isPinned else { return }
        guard !isPinned || talk.count(where: { $0.message.isPinned }) < limits.pins else {
            throw RoomRefusal(.limited, "\(limits.pins) messages are pinned at most")
        }
        try spend(\.commands, of: actor, at: now)
        talk[place].message.isPinned = isPinned
        note(.chat(talk[place]))
        if charter.keepsChat { records.append(.pinned(message, isPinned)) }
        forgetTalk()
    }

    /// Takes the word from somebody, or gives it back: by whichever seat, and when they come again.
    ///
    /// - Throws: `.forbidden`, `.missing`, `.limited`.
    package mutating func muteChat(
        of target: ParticipantID, _ isMuted: Bool, by id: ParticipantID, at now: Instant
    ) throws(RoomRefusal) {
        let actor = try whoActs(id)
        let seat = try other(target, as: actor)
        try demand(.muteChat, by: actor, to: Self.target(seat, of: actor), "take the word")
        try spend(\.commands, of: actor, at: now)
        curb(seat.identity) { $0.isChatMuted = isMuted }
        for one in seats.filter({ $0.value.identity == seat.identity }).keys {
            change(one) { $0.isChatMuted = isMuted }
            settleRights(of: one)
        }
    }

    // MARK: Reading

    /// What somebody may read of what was written before.
    ///
    /// - Parameter text: nil: whatever it says.
    /// - Throws: `.forbidden`, `.off`, `.malformed`, `.limited`.
    package mutating func query(
        before: ChatMessageID?, text: String?, by id: ParticipantID, at now: Instant
    ) throws(RoomRefusal) -> ChatQuery {
        let actor = try whoActs(id)
        if let text {
            let isGood = text.utf8.count <= RoomSearch.length.upperBound * 4 && RoomSearch.length.contains(text.unicodeScalars.count)
            guard isGood, text.isPlain else {
                throw RoomRefusal(
                    .malformed, "\(RoomSearch.length.lowerBound) to \(RoomSearch.length.upperBound) characters are looked for")
            }
        }
        let readsPublic = rulesAllow(.read(.everybody), actor), readsPrivate = rulesAllow(.read(.one), actor)
        if !readsPublic, !readsPrivate { try demand(.read(.everybody), by: actor, to: .all, "read what is written") }
        try spend(\.readings, of: actor, at: now)
        if text != nil, searches.take(at: now) != nil {
            throw RoomRefusal(.limited, "too many search in this room at once: again in a second")
        }
        return ChatQuery(
            reader: actor.identity, readsPublic: readsPublic, readsPrivate: readsPrivate, before: before, text: text,
            limit: RoomHistory.page)
    }

    private func rulesAllow(_ act: MeetingAct, _ actor: Seat) -> Bool {
        do throws(RoomRefusal) {
            try demand(act, by: actor, to: .all, "read")
            return true
        } catch {
            return false
        }
    }

    /// As much of it as is known here: of a room that keeps nothing that is all.
    package func messages(_ query: ChatQuery) -> [RoomChatMessage] {
        let words = query.text?.lowercased()
        let found = talk.filter { entry in
            let isToThem = query.readsPrivate && entry.recipient == query.reader
            let isTheirs = entry.recipient == nil ? query.readsPublic : entry.author == query.reader || isToThem
            guard isTheirs, query.before.map({ entry.message.id < $0 }) ?? true else { return false }
            return words.map { entry.message.text.lowercased().contains($0) } ?? true
        }
        return fitting(found.suffix(query.limit).map(\.message))
    }

    /// The same with what is kept, which may be behind what is known here. They may read less by now than when they asked.
    ///
    /// - Throws: `.outdated` where they do.
    package func messages(
        _ query: ChatQuery, with kept: [RoomChatMessage], for id: ParticipantID
    ) throws(RoomRefusal) -> [RoomChatMessage] {
        let actor = try whoActs(id)
        guard !query.readsPublic || rulesAllow(.read(.everybody), actor), !query.readsPrivate || rulesAllow(.read(.one), actor) else {
            throw RoomRefusal(.outdated, "what you may read has changed meanwhile")
        }
        let known = messages(query)
        let older = kept.filter { one in !withdrawn.contains(one.id) && !known.contains { $0.id == one.id } }
        return fitting((older + known).sorted { $0.id < $1.id }.suffix(query.limit))
    }

    /// The newest of them whose text one message to a page takes; one at least.
    package func fitting(_ messages: some BidirectionalCollection<RoomChatMessage>) -> [RoomChatMessage] {
        var left = limits.snapshotText
        let taken = messages.reversed().prefix { message in
            left -= message.text.utf8.count
            return left >= 0
        }
        return Array(messages.suffix(max(taken.count, 1)))
    }
}

extension RoomState.Saying {
    /// For whoever is told that it is no more.
    fileprivate var withoutText: RoomState.Saying {
        var copy = self
        copy.message.text = ""
        return copy
    }
}
