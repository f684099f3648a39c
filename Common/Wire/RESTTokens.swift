package import Units

// Bodies of the REST API: API tokens. Shapes and limits: the OpenAPI document.

/// What a program may use an API token for, as far as its user's role may; once shipped a name is never changed.
package enum APITokenScope: String, Codable, Sendable, CaseIterable {
    /// See the organisation, its senders, destinations and broadcasts, and how the server is.
    case read
    /// Start, stop and change broadcasts, and see what that takes.
    case broadcasts
    /// Enroll, configure, rename, measure and revoke senders, and see them.
    case senders
    /// Add, change and remove destinations, and see them.
    case destinations
    /// Invite people, change and shut out users, and see them.
    case members
    /// Read the audit log.
    case audit
}

/// `POST /api-tokens`.
package struct CreateAPITokenRequest: Codable, Sendable {
    package var name: String
    package var scopes: [APITokenScope]
    /// 90 days where nil.
    package var expiresInSeconds: Int?
    /// The user's own: a stolen session makes no tokens.
    package var password: SecretOnWire

    package init(name: String, scopes: [APITokenScope], expiresInSeconds: Int? = nil, password: SecretOnWire) {
        self.name = name
        self.scopes = scopes
        self.expiresInSeconds = expiresInSeconds
        self.password = password
    }
}

/// An API token that nobody has ended.
package struct APITokenView: Codable, Sendable, Hashable {
    package var id: APITokenID
    package var name: String
    package var scopes: [APITokenScope]
    /// Whom it speaks for.
    package var user: UserID
    package var createdAt: String
    package var expiresAt: String
    /// To the minute; nil: never.
    package var lastUsedAt: String?
    package var lastAddress: String?
    /// The token itself: in the answer to whoever made it, and nowhere else.
    package var token: SecretOnWire?

    package init(
        id: APITokenID, name: String, scopes: [APITokenScope], user: UserID, createdAt: String, expiresAt: String, lastUsedAt: String?,
        lastAddress: String?, token: SecretOnWire? = nil
    ) {
        self.id = id
        self.name = name
        self.scopes = scopes
        self.user = user
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.lastUsedAt = lastUsedAt
        self.lastAddress = lastAddress
        self.token = token
    }
}
