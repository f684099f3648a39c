package import Units

// Bodies of the REST API: links by which players outside the dashboard take a running broadcast. Shapes and limits: the OpenAPI document.

extension Kind {
    package enum PlayerLink {}
}

package typealias PlayerLinkID = ID<Kind.PlayerLink>

/// `POST /broadcasts/{id}/players`.
package struct CreatePlayerLinkRequest: Codable, Sendable {
    /// Twelve hours where nil.
    package var expiresInSeconds: Int?

    package init(expiresInSeconds: Int? = nil) { self.expiresInSeconds = expiresInSeconds }
}

/// A link that is good for now.
package struct PlayerLinkView: Codable, Sendable, Hashable {
    package var id: PlayerLinkID
    package var createdAt: String
    package var expiresAt: String
    /// Players that have it now.
    package var players: Int
    /// The link itself: in the answer to whoever made it, and nowhere else.
    package var url: SecretOnWire?

    package init(id: PlayerLinkID, createdAt: String, expiresAt: String, players: Int, url: SecretOnWire? = nil) {
        self.id = id
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.players = players
        self.url = url
    }
}
