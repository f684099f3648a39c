import Crypto
package import Units

/// A user who may be logging in: what a password is checked against.
package struct Login: Sendable {
    package let user: User
    package let organizationSlug: String
    package let organizationName: String
    /// Nil for a user without a password.
    package let passwordHash: Secret?
}

/// Whoever knocks, before it is known which organisation they belong to.
package struct Identities: Sendable {
    let store: ControlStore

    /// The users with a mail address: one in each organisation at most, the shut-out ones too.
    ///
    /// - Parameter slug: the organisation that the login names; nil for all.
    package func logins(email: String, slug: String? = nil) async throws -> [Login] {
        // An address that cannot be stored belongs to nobody: told apart from a wrong password nowhere.
        guard let email = try? NewUser.normalized(email) else { return [] }
        return try await store.read { transaction in
            try transaction.across(.identification).all(
                """
                SELECT users.*, organizations.slug AS slug, organizations.name AS organization_name
                FROM users JOIN organizations ON organizations.id = users.organization
                WHERE users.email = \(email) AND (\(slug) IS NULL OR organizations.slug = \(slug)) ORDER BY organizations.slug
                """
            ) { row in
                let hash: String? = try row["password_hash"]
                return Login(
                    user: try User(row), organizationSlug: try row["slug"], organizationName: try row["organization_name"],
                    passwordHash: hash.map(Secret.init))
            }
        }
    }

    /// Opens a session with its first refresh token. Where the user has as many as may be, those that were used longest ago end.
    ///
    /// - Parameters:
    ///   - token: 256 random bits as text; only its hash is stored.
    ///   - lifetime: until the session ends unless it is used; each rotation begins it anew.
    /// - Returns: the session, and those that ended for it.
    package func openSession(
        for user: User, token: Secret, lifetime: Duration, address: String?, userAgent: String?
    ) async throws -> (session: AuthSession, ended: [SessionID]) {
        let scope = OrganizationScope(user.organization, by: .user(user.id, address: address))
        return try await store.write(.durable) { transaction in
            let now = transaction.now
            let id: SessionID = transaction.newID()
            let ended = try transaction.makeRoom(for: user.id, store.quotas[.sessions], in: scope)
            try transaction.updateOne(
                .users, in: scope, set: ["last_login_at": now], where: "id = \(user.id) AND is_active = 1", or: "active user")
            try transaction.insert(
                into: .sessions, in: scope,
                [
                    "id": id, "user": user.id, "created_at": now, "last_used_at": now, "expires_at": now + lifetime,
                    "address": address.map { clipped($0, to: 64) }, "user_agent": userAgent.map { clipped($0) },
                ])
            try transaction.insert(
                into: .refreshTokens, in: scope, ["hash": SHA256.hash(token.revealed), "session": id, "issued_at": now])
            try transaction.note(.loggedIn, id.text, in: scope)
            return (try transaction.row(AuthSession.self, in: scope, where: "id = \(id)", or: "session"), ended)
        }
    }

    /// Uses a refresh token up and gives its successor, once.
    ///
    /// A token that was used up within `grace` gets the same successor again, or the newest one after it, so that two tabs
    /// that refresh at once stay logged in (THREATS 11). The successor lies sealed with a key derived from its predecessor:
    /// only whoever presents the one can be given the other, and the database alone reveals neither.
    ///
    /// - Parameter next: 256 fresh random bits as text: the successor, where one is needed.
    package func rotate(_ presented: Secret, to next: Secret, lifetime: Duration, grace: Duration) async throws -> Rotation {
        try await store.write(.durable) { transaction in
            guard var token = try transaction.refreshToken(presented),
                let account = try transaction.account(session: token.session, crossing: .identification)
            else { return .refused }
            let scope = OrganizationScope(account.user.organization, by: .user(account.user.id, address: nil))
            // Follows the chain of successors; each was used up within the grace, so it is short.
            while let rotatedAt = token.rotatedAt {
                // Also ahead of now by no more: a clock that was set back must not make the grace longer.
                guard (.zero - grace...grace).contains(transaction.now - rotatedAt), let successor = try token.successor() else {
                    try transaction.note(.tokenReused, token.session.text, in: scope)
                    let ended = try transaction.endSessions(of: account.user.id, in: scope, because: .tokenReused)
                    return .reused(user: account.user.id, ended: ended)
                }
                guard let newer = try transaction.refreshToken(successor) else { return .refused }
                guard newer.rotatedAt != nil else { return .rotated(account, token: successor) }
                token = newer
            }
            try transaction.rotate(token, to: next, lifetime: lifetime, in: scope)
            return .rotated(account, token: next)
        }
    }

    /// Who a session speaks for; nil where it ended, or its user is shut out or gone: asked for every request.
    package func account(session: SessionID) async throws -> Account? {
        try await store.read { try $0.account(session: session, crossing: .identification) }
    }

    /// The session that a refresh token belongs to, to end it: nil for an unknown token.
    package func account(refreshToken: Secret) async throws -> Account? {
        try await store.read { transaction in
            guard let token = try transaction.refreshToken(refreshToken) else { return nil }
            return try transaction.account(session: token.session, crossing: .identification)
        }
    }
}

extension ControlStore {
    package var identities: Identities { Identities(store: self) }
}

/// A refresh token as it is stored, with the secret that was presented for it.
private struct RefreshToken {
    let presented: Secret
    let hash: [UInt8]
    let session: SessionID
    let rotatedAt: Timestamp?
    let sealedSuccessor: [UInt8]?

    func successor() throws -> Secret? {
        guard let sealed = sealedSuccessor else { return nil }
        let (nonce, ciphertext) = (Array(sealed.prefix(AESGCM.nonceBytes)), Array(sealed.dropFirst(AESGCM.nonceBytes)))
        return Secret(String(decoding: try AESGCM.open(ciphertext, key: sealingKey, nonce: nonce), as: UTF8.self))
    }

    func seal(_ successor: Secret) throws -> [UInt8] {
        let nonce = randomBytes(AESGCM.nonceBytes)
        return nonce + (try AESGCM.seal(Array(successor.revealed.utf8), key: sealingKey, nonce: nonce))
    }

    private var sealingKey: [UInt8] { HKDF256.derive(secret: Array(presented.revealed.utf8), info: "strata refresh successor", count: 32) }
}

extension Transaction {
    fileprivate func refreshToken(_ presented: Secret) throws -> RefreshToken? {
        let hash = SHA256.hash(presented.revealed)
        return try across(.identification).first("SELECT * FROM refresh_tokens WHERE hash = \(hash)") { row in
            RefreshToken(
                presented: presented, hash: hash, session: try row["session"], rotatedAt: try row["rotated_at"],
                sealedSuccessor: try row["successor"])
        }
    }

    fileprivate func rotate(_ token: RefreshToken, to next: Secret, lifetime: Duration, in scope: OrganizationScope) throws {
        try update(
            .refreshTokens, in: scope, set: ["rotated_at": now, "successor": try token.seal(next)], where: "hash = \(token.hash)")
        try insert(into: .refreshTokens, in: scope, ["hash": SHA256.hash(next.revealed), "session": token.session, "issued_at": now])
        try update(
            .sessions, in: scope, set: ["last_used_at": now, "expires_at": now + lifetime], where: "id = \(token.session)")
    }

    func account(session id: SessionID, crossing: Crossing) throws -> Account? {
        let found = try across(crossing).first("SELECT * FROM sessions WHERE id = \(id)", AuthSession.init)
        guard let session = found, session.isOpen(at: now) else { return nil }
        let user = try across(crossing).first(
            "SELECT * FROM users WHERE organization = \(session.organization) AND id = \(session.user)", User.init)
        guard let user, user.isActive else { return nil }
        return Account(user: user, session: session)
    }
}
