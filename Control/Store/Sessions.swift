import Crypto
import SQLite
package import Units

/// A login on one browser or program: the family of refresh tokens that began with it.
package struct AuthSession: Sendable, Hashable, Encodable, OrganizationRow {
    package let id: SessionID
    package let organization: OrganizationID
    package let user: UserID
    package let createdAt: Timestamp
    package let lastUsedAt: Timestamp
    package let expiresAt: Timestamp
    package let address: String?
    package let userAgent: String?
    package let endedAt: Timestamp?
    package let endReason: SessionEnd?

    static var table: OrganizationTable { .sessions }

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        organization = try row["organization"]
        user = try row["user"]
        createdAt = try row["created_at"]
        lastUsedAt = try row["last_used_at"]
        expiresAt = try row["expires_at"]
        address = try row["address"]
        userAgent = try row["user_agent"]
        endedAt = try row["ended_at"]
        endReason = try row["end_reason"]
    }

    /// One that is in no database, while there is no room in it.
    package init(unstoredOf user: User, at now: Timestamp, lifetime: Duration, address: String?, userAgent: String?) {
        var generator = SystemRandomNumberGenerator()
        id = SessionID(ULID(unixMs: now.unixMs, random: &generator))
        organization = user.organization
        self.user = user.id
        (createdAt, lastUsedAt, expiresAt) = (now, now, now + lifetime)
        (self.address, self.userAgent) = (address, userAgent)
        (endedAt, endReason) = (nil, nil)
    }

    package func isOpen(at now: Timestamp) -> Bool { endedAt == nil && now < expiresAt }
}

/// Why a session ended before its time.
package enum SessionEnd: String, ColumnValue, Codable {
    case loggedOut = "logged_out"
    /// From the list of sessions, by its user or an admin.
    case ended
    case deactivated
    case passwordChanged = "password_changed"
    /// A refresh token was used twice: somebody has a copy (SEC-04).
    case tokenReused = "token_reused"
    /// The user has as many sessions as may be, and this one was used longest ago.
    case crowdedOut = "crowded_out"
}

/// Whoever a checked token speaks for, as they are now.
package struct Account: Sendable, Hashable {
    package let user: User
    package let session: AuthSession

    package init(user: User, session: AuthSession) {
        self.user = user
        self.session = session
    }
}

/// What became of a presented refresh token.
package enum Rotation: Sendable {
    /// Here is its successor; the presented token is used up.
    case rotated(Account, token: Secret)
    /// Unknown, expired, of an ended session or of a user who is shut out.
    case refused
    /// It had been used up longer ago than the grace: every session of the user was ended (SEC-04).
    case reused(user: UserID, ended: [SessionID])
}

/// What a presented refresh token is, while none can be used up.
package enum Recognition: Sendable {
    /// Not used up, or within the grace: the newest token of its session.
    case good(Account, newest: Secret)
    /// Unknown, expired, of an ended session or of a user who is shut out.
    case refused
    /// It had been used up longer ago than the grace: every open session of the user has to end.
    case reused(Account, open: [SessionID])
}

/// A user's sessions.
package struct Sessions: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    /// The open sessions of a user, the newest first.
    package func open(of user: UserID) async throws -> [AuthSession] {
        try await store.read { try $0.openSessions(of: user, in: scope) }
    }

    /// Ends one session of a user.
    ///
    /// - Throws: `.missing` where this user has no such open session.
    package func end(_ id: SessionID, of user: UserID, because reason: SessionEnd = .ended) async throws {
        try await store.write(.durable) { transaction in
            try transaction.updateOne(
                .sessions, in: scope, set: ["ended_at": transaction.now, "end_reason": reason],
                where: "id = \(id) AND user = \(user) AND ended_at IS NULL", or: "session")
            try transaction.delete(from: .refreshTokens, in: scope, where: "session = \(id)")
            try transaction.note(.sessionEnded, id.text, detail: reason.rawValue, in: scope)
        }
    }

    /// Ends all sessions of a user, but for the one that asks.
    ///
    /// - Returns: the sessions that ended.
    package func endAll(of user: UserID, but kept: SessionID? = nil) async throws -> [SessionID] {
        try await store.write(.durable) { try $0.endSessions(of: user, in: scope, because: .ended, but: kept) }
    }
}

extension ControlStore {
    package func sessions(in scope: OrganizationScope) -> Sessions { Sessions(store: self, scope: scope) }
}

extension Transaction {
    func endSessions(
        of user: UserID, in scope: OrganizationScope, because reason: SessionEnd, but kept: SessionID? = nil
    ) throws -> [SessionID] {
        let open = try openSessions(of: user, in: scope).map(\.id).filter { $0 != kept }
        try end(open, in: scope, because: reason)
        return open
    }

    /// Ends the sessions that were used longest ago, so that one more fits.
    func makeRoom(for user: UserID, _ limit: Int, in scope: OrganizationScope) throws -> [SessionID] {
        let surplus = try openSessions(of: user, in: scope).dropFirst(max(limit - 1, 0)).map(\.id)
        try end(surplus, in: scope, because: .crowdedOut)
        return surplus
    }

    /// Those used last come first.
    func openSessions(of user: UserID, in scope: OrganizationScope) throws -> [AuthSession] {
        try rows(
            AuthSession.self, in: scope, where: "user = \(user) AND ended_at IS NULL AND expires_at > \(now)",
            order: "last_used_at DESC, id DESC")
    }

    func end(_ sessions: [SessionID], in scope: OrganizationScope, because reason: SessionEnd) throws {
        for id in sessions {
            try update(.sessions, in: scope, set: ["ended_at": now, "end_reason": reason], where: "id = \(id)")
            // A used-up token of an ended session is refused either way; no copy of a successor stays behind.
            try delete(from: .refreshTokens, in: scope, where: "session = \(id)")
            try note(.sessionEnded, id.text, detail: reason.rawValue, in: scope)
        }
    }
}
