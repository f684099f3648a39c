package import Units

// What people write in a room: bodies of `RoomOrder` and `RoomMessage`.

extension Kind {
    package enum ChatMessage {}
}

/// In the order in which messages were taken.
package typealias ChatMessageID = ID<Kind.ChatMessage>

package struct RoomChatMessage: Codable, Sendable, Hashable {
    package var id: ChatMessageID
    /// Whose it is, by the seat that they had.
    package var from: ParticipantID
    /// As they were called then.
    package var name: String
    /// nil: everybody.
    package var to: ParticipantID?
    package var toName: String?
    /// Of several lines.
    package var text: String
    /// Milliseconds since 1970.
    package var atMs: Int64
    package var isPinned: Bool

    /// In Unicode's code points.
    package static let length = 1...2000

    package init(
        id: ChatMessageID, from: ParticipantID, name: String, to: ParticipantID? = nil, toName: String? = nil, text: String, atMs: Int64,
        isPinned: Bool = false
    ) {
        self.id = id
        self.from = from
        self.name = name
        self.to = to
        self.toName = toName
        self.text = text
        self.atMs = atMs
        self.isPinned = isPinned
    }

    /// Whether a text may be one: what turns lines around or shows nothing is in none.
    package static func isGood(_ text: String) -> Bool {
        guard text.utf8.count <= length.upperBound * 4, length.contains(text.unicodeScalars.count) else { return false }
        return text.contains { !$0.isWhitespace } && !text.unicodeScalars.contains { $0.isHostile && $0 != "\n" && $0 != "\t" }
    }
}

/// `say`.
package struct RoomSaying: Codable, Sendable, Hashable {
    package var text: String
    /// nil: everybody.
    package var to: ParticipantID?

    package init(text: String, to: ParticipantID? = nil) {
        self.text = text
        self.to = to
    }
}

/// `unsay`: one's own, or for hosts one that all see.
package struct RoomUnsaying: Codable, Sendable, Hashable {
    package var message: ChatMessageID
    package init(message: ChatMessageID) { self.message = message }
}

/// `pin`: one that all see.
package struct RoomPin: Codable, Sendable, Hashable {
    package var message: ChatMessageID
    package var isPinned: Bool

    package init(message: ChatMessageID, isPinned: Bool) {
        self.message = message
        self.isPinned = isPinned
    }
}

/// `history`: what was written before, the newest of it.
package struct RoomHistory: Codable, Sendable, Hashable {
    /// nil: the newest there is.
    package var before: ChatMessageID?
    package init(before: ChatMessageID? = nil) { self.before = before }

    /// In one answer.
    package static let page = 50
}

/// `search`: the newest messages that hold a text, whatever their case.
package struct RoomSearch: Codable, Sendable, Hashable {
    package var text: String
    package init(text: String) { self.text = text }

    /// In Unicode's code points.
    package static let length = 2...100
}

/// New, or not as before: pinned, or no more.
package struct RoomChatChange: Codable, Sendable, Hashable {
    package var seq: Int
    package var message: RoomChatMessage

    package init(seq: Int, message: RoomChatMessage) {
        self.seq = seq
        self.message = message
    }
}

package struct RoomUnsaid: Codable, Sendable, Hashable {
    package var seq: Int
    package var message: ChatMessageID

    package init(seq: Int, message: ChatMessageID) {
        self.seq = seq
        self.message = message
    }
}
