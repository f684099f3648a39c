import Posix
package import Store
package import Wire
package import Units

/// Whoever makes a request, as they are now: read anew for each request, not taken from the token.
package struct Principal: Sendable, Hashable {
    /// What the request was let in by.
    private enum Credential: Sendable, Hashable {
        case session(AuthSession)
        case token(APIToken)
    }

    package let user: User
    private let credential: Credential

    init(_ account: Account) {
        user = account.user
        credential = .session(account.session)
    }

    init(_ user: User, _ token: APIToken) {
        self.user = user
        credential = .token(token)
    }

    package var role: Role { user.role }

    /// The session of whoever has signed in.
    ///
    /// - Throws: `.notInScope` for an API token, which has none.
    package var session: AuthSession {
        get throws(AuthError) {
            guard case .session(let session) = credential else { throw .notInScope(.manageOwnAccount) }
            return session
        }
    }

    /// nil for whoever has signed in.
    var token: APIToken? { if case .token(let token) = credential { token } else { nil } }

    package func may(_ action: Action) -> Bool {
        Policy.allows(role, action) && token.map { !$0.scopes.isDisjoint(with: Policy.scopes(for: action)) } ?? true
    }

    /// - Throws: `.notAllowed` where the role does not allow it, `.notInScope` where the API token does not.
    package func demand(_ action: Action) throws(AuthError) {
        guard Policy.allows(role, action) else { throw .notAllowed(action) }
        guard may(action) else { throw .notInScope(action) }
    }

    /// The scope of the principal's organisation, for the store; whether the principal may do it was asked before.
    ///
    /// - Parameter address: where the request came from, for the audit log.
    package func scope(from address: String?) -> OrganizationScope {
        OrganizationScope(user.organization, by: .user(user.id, address: address, token: token?.id))
    }

    /// The scope of the principal's organisation, for the store.
    ///
    /// - Parameters:
    ///   - action: what the route does.
    ///   - address: where the request came from, for the audit log.
    /// - Throws: as `demand`.
    package func scope(for action: Action, from address: String?) throws(AuthError) -> OrganizationScope {
        try demand(action)
        return scope(from: address)
    }
}

/// What a successful login or refresh gives.
package struct Grant: Sendable {
    package let principal: Principal
    /// A JWT for `Authorization: Bearer`; kept in memory by the page.
    package let accessToken: Secret
    package let accessExpiresAt: Timestamp
    /// Opaque; belongs into the HttpOnly, Secure, SameSite=Strict cookie and nowhere else (THREATS 11). Nil where no session could be
    /// stored: then this access token is all there is of it.
    package let refreshToken: Secret?
    package let refreshExpiresAt: Timestamp
    /// Whether the store has taken part: it has not where its disk is full.
    package let isStored: Bool
}

/// Where a request came from.
package struct Origin: Sendable, Hashable {
    /// The client's address behind the trusted proxies (THREATS 15).
    package let address: String
    package let userAgent: String?

    package init(address: String, userAgent: String?) {
        self.address = address
        self.userAgent = userAgent
    }

    /// Whose attempts are counted together: an IPv4 address, or the /64 of an IPv6 one, in which a subscriber has any number.
    package var subscriber: String { Self.subscriber(address) }

    static func subscriber(_ address: String) -> String { SocketAddress(address, port: 0)?.unmapped.network.host ?? address }
}

/// What an access token says (SEC-03). Short names are registered ones (RFC 7519, 4.1).
struct AccessClaims: Codable, Hashable {
    let sub: UserID
    let org: OrganizationID
    let role: String
    let sid: SessionID
    /// Unix seconds.
    let iat: Int64
    let exp: Int64
}
