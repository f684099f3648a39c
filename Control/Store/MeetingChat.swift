import SQLite
import Units
package import Wire

/// What was written in an organisation's meetings, where it is kept.
package struct MeetingChat: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    /// Of one meeting; beyond it the oldest that are not pinned are forgotten.
    static let most = 20_000

    /// Somebody in a meeting, and what of it they may read: between two others nobody reads anything, whoever they are (decisions 43).
    package struct Reader: Sendable, Hashable {
        package let identity: String
        package let readsPublic: Bool
        package let readsPrivate: Bool

        package init(identity: String, readsPublic: Bool, readsPrivate: Bool) {
            self.identity = identity
            self.readsPublic = readsPublic
            self.readsPrivate = readsPrivate
        }
    }

    /// A message with whose it is, beyond the seats that they had.
    package struct Kept: Sendable, Hashable {
        package let message: RoomChatMessage
        package let author: String
        /// nil: everybody's.
        package let recipient: String?
    }

    /// - Parameters:
    ///   - author: whose it is, beyond their seat in the room.
    ///   - recipient: likewise; nil for everybody.
    package func add(_ message: RoomChatMessage, to meeting: MeetingID, by author: String, for recipient: String?) async throws {
        try await store.write { transaction in
            try transaction.insert(
                into: .chatMessages, in: scope,
                [
                    "id": message.id, "meeting": meeting, "participant": message.from, "author": author, "name": message.name,
                    "recipient": recipient, "recipient_participant": message.to, "recipient_name": message.toName, "text": message.text,
                    "folded": message.text.lowercased(), "is_pinned": message.isPinned, "sent_at": Timestamp(unixMs: message.atMs),
                ])
            try transaction.delete(
                from: .chatMessages, in: scope,
                where: """
                    meeting = \(meeting) AND is_pinned = 0 AND id <= (SELECT id FROM chat_messages
                        WHERE organization = \(scope.organization) AND meeting = \(meeting) ORDER BY id DESC LIMIT 1 OFFSET \(Self.most))
                    """)
        }
    }

    package func pin(_ id: ChatMessageID, _ isPinned: Bool, of meeting: MeetingID) async throws {
        try await store.write { transaction in
            _ = try transaction.update(
                .chatMessages, in: scope, set: ["is_pinned": isPinned], where: "id = \(id) AND meeting = \(meeting) AND recipient IS NULL")
        }
    }

    package func remove(_ id: ChatMessageID, of meeting: MeetingID) async throws {
        try await store.write { transaction in
            _ = try transaction.delete(from: .chatMessages, in: scope, where: "id = \(id) AND meeting = \(meeting)")
        }
    }

    /// The newest that are somebody's to read, the oldest of them first.
    ///
    /// - Parameters:
    ///   - before: nil: whatever there is.
    ///   - text: nil: whatever they say; in any case.
    package func read(
        of meeting: MeetingID, as reader: Reader, before: ChatMessageID?, text: String?, limit: Int
    ) async throws -> [RoomChatMessage] {
        let isTheirs: SQL = """
            (recipient IS NULL AND \(reader.readsPublic)) OR (recipient IS NOT NULL
                AND (author = \(reader.identity) OR (recipient = \(reader.identity) AND \(reader.readsPrivate))))
            """
        let words = text?.lowercased()
        let condition: SQL = """
            meeting = \(meeting) AND (\(before) IS NULL OR id < \(before)) AND (\(words) IS NULL OR instr(folded, \(words)) > 0)
                AND (\(part: isTheirs))
            """
        return try await store.read { transaction in
            try transaction.rows(ChatRow.self, in: scope, where: condition, order: "id DESC", limit: limit).reversed().map(\.message)
        }
    }

    /// The newest of all of them, in their order: for a room that is made anew.
    package func recall(of meeting: MeetingID, limit: Int) async throws -> [Kept] {
        try await store.read { transaction in
            let found = try transaction.rows(ChatRow.self, in: scope, where: "meeting = \(meeting)", order: "id DESC", limit: limit)
            return found.reversed().map(\.kept)
        }
    }

    /// What everybody there could read, from the first on: for whoever runs the meeting.
    ///
    /// - Throws: `.missing` where there is no such meeting.
    package func page(of meeting: MeetingID, after last: ChatMessageID?, limit: Int) async throws -> [RoomChatMessage] {
        try await store.read { transaction in
            _ = try transaction.row(Meeting.self, in: scope, where: "id = \(meeting)", or: "meeting")
            let condition: SQL = "meeting = \(meeting) AND recipient IS NULL AND (\(last) IS NULL OR id > \(last))"
            return try transaction.rows(ChatRow.self, in: scope, where: condition, order: "id", limit: limit).map(\.message)
        }
    }
}

private struct ChatRow: OrganizationRow {
    let kept: MeetingChat.Kept
    var message: RoomChatMessage { kept.message }

    static var table: OrganizationTable { .chatMessages }

    init(_ row: borrowing Row) throws {
        let sentAt: Timestamp = try row["sent_at"]
        let message = RoomChatMessage(
            id: try row["id"], from: try row["participant"], name: try row["name"], to: try row["recipient_participant"],
            toName: try row["recipient_name"], text: try row["text"], atMs: sentAt.unixMs, isPinned: try row["is_pinned"])
        kept = MeetingChat.Kept(message: message, author: try row["author"], recipient: try row["recipient"])
    }
}

extension Transaction {
    /// What an organisation keeps for so many days and no longer. Those that say nothing keep it until they are deleted (decisions 42).
    func removeOldChats() throws {
        let all = across(.operation)
        try all.run(
            """
            DELETE FROM chat_messages WHERE rowid IN (
                SELECT chat_messages.rowid FROM meeting_defaults
                JOIN chat_messages ON chat_messages.organization = meeting_defaults.organization
                WHERE json_extract(meeting_defaults.settings, '$.chatDays') > 0 AND chat_messages.sent_at
                    < \(now) - json_extract(meeting_defaults.settings, '$.chatDays') * 86400000
                LIMIT 50000)
            """)
    }
}

extension ControlStore {
    package func chat(in scope: OrganizationScope) -> MeetingChat { MeetingChat(store: self, scope: scope) }
}
