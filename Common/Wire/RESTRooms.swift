// Bodies of the REST API: rooms.

/// `POST /rooms`.
package struct CreateRoomRequest: Codable, Sendable {
    package var name: String
    package init(name: String) { self.name = name }
}

package struct RoomView: Codable, Sendable, Hashable {
    package var id: RoomID
    package var name: String
    package var createdAt: String

    package init(id: RoomID, name: String, createdAt: String) {
        self.id = id
        self.name = name
        self.createdAt = createdAt
    }
}

/// What somebody with a pass may do in the room.
package enum RoomUse: String, Codable, Sendable, CaseIterable {
    case publish, play
    /// With a page, as a guest.
    case join
}

/// `POST /rooms/{id}/passes`.
package struct RoomPassRequest: Codable, Sendable {
    package var use: RoomUse
    /// How long one may come in with it; nil is four hours.
    package var minutes: Int?
    /// Of a guest, or of an encoder, which is a participant then.
    package var name: String?

    package static let standardMinutes = 240
    package static let bounds = 1...10_080

    package init(use: RoomUse, minutes: Int? = nil, name: String? = nil) {
        self.use = use
        self.minutes = minutes
        self.name = name
    }
}

package struct RoomPassView: Codable, Sendable, Hashable {
    /// Of WHIP or WHEP: what an encoder or a player is given, with the token beside it; of the pages' WebSocket, whose first message has the token.
    package var url: String
    package var token: String
    package var expiresAt: String

    package init(url: String, token: String, expiresAt: String) {
        self.url = url
        self.token = token
        self.expiresAt = expiresAt
    }
}
