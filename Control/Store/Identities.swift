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
    ///   - hash: what the password was checked against: a change since then ends a login that is under way too.
    ///   - token: 256 random bits as text; only its hash is stored.
    ///   - lifetime: until the session ends unless it is used; each rotation begins it anew.
    /// - Returns: the session, and those that ended for it.
    /// - Throws: `.missing` for a user who has another hash, or is shut out.
    package func openSession(
        for user: User, proven hash: Secret, token: Secret, lifetime: Duration, address: String?, userAgent: String?
    ) async throws -> (session: AuthSession, ended: [SessionID]) {
        let scope = OrganizationScope(user.organization, by: .user(user.id, address: address))
        return try await store.write(.durable) { transaction in
            let now = transaction.now
            let id: SessionID = transaction.newID()
            let ended = try transaction.makeRoom(for: user.id, store.quotas[.sessions], in: scope)
            try transaction.updateOne(
                .users, in: scope, set: ["last_login_at": now],
                where: "id = \(user.id) AND is_active = 1 AND password_hash = \(hash.revealed)", or: "active user")
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
            switch try transaction.judge(presented, grace: grace) {
            case .unknown: return .refused
            case .replaced(let account, let newest): return .rotated(account, token: newest)
            case .unused(let account, let token):
                try transaction.rotate(token, to: next, lifetime: lifetime, in: Self.scope(of: account))
                return .rotated(account, token: next)
            case .reused(let account):
                let scope = Self.scope(of: account)
                try transaction.note(.tokenReused, account.session.id.text, in: scope)
                let ended = try transaction.endSessions(of: account.user.id, in: scope, because: .tokenReused)
                return .reused(user: account.user.id, ended: ended)
            }
        }
    }

    /// What `rotate` would find, where nothing can be stored: no token is used up and no session ends.
    package func recognize(_ presented: Secret, grace: Duration) async throws -> Recognition {
        try await store.read { transaction in
            switch try transaction.judge(presented, grace: grace) {
            case .unknown: return .refused
            case .replaced(let account, let newest): return .good(account, newest: newest)
            case .unused(let account, _): return .good(account, newest: presented)
            case .reused(let account):
                let open = try transaction.openSessions(of: account.user.id, in: Self.scope(of: account))
                return .reused(account, open: open.map(\.id))
            }
        }
    }

    private static func scope(of account: Account) -> OrganizationScope {
        OrganizationScope(account.user.organization, by: .user(account.user.id, address: nil))
    }

    /// Ends a session of whichever user, for what was found out about its tokens earlier; nothing where it has ended.
    package func end(_ id: SessionID) async throws {
        try await store.write(.durable) { transaction in
            guard let account = try transaction.account(session: id, crossing: .identification) else { return }
            let scope = Self.scope(of: account)
            try transaction.note(.tokenReused, id.text, in: scope)
            try transaction.end([id], in: scope, because: .tokenReused)
        }
    }

    /// A user who is not shut out, as they are now.
    package func activeUser(_ id: UserID, of organization: OrganizationID) async throws -> User? {
        try await store.read { try $0.activeUser(id, of: organization) }
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

/// What a presented refresh token is.
private enum TokenJudgement {
    /// Of nobody, of an ended session or of a user who is shut out.
    case unknown
    case unused(Account, RefreshToken)
    /// Used up within the grace: this is the newest after it.
    case replaced(Account, Secret)
    /// Used up longer ago.
    case reused(Account)
}

extension Transaction {
    fileprivate func judge(_ presented: Secret, grace: Duration) throws -> TokenJudgement {
        guard var token = try refreshToken(presented), let account = try account(session: token.session, crossing: .identification)
        else { return .unknown }
        guard token.rotatedAt != nil else { return .unused(account, token) }
        // Follows the chain of successors; each was used up within the grace, so it is short.
        while let rotatedAt = token.rotatedAt {
            // Also ahead of now by no more: a clock that was set back must not make the grace longer.
            guard (.zero - grace...grace).contains(now - rotatedAt), let successor = try token.successor() else { return .reused(account) }
            guard let newer = try refreshToken(successor) else { return .unknown }
            token = newer
        }
        return .replaced(account, token.presented)
    }

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
        return try activeUser(session.user, of: session.organization).map { Account(user: $0, session: session) }
    }

    func activeUser(_ id: UserID, of organization: OrganizationID) throws -> User? {
        let user = try across(.identification).first(
            "SELECT * FROM users WHERE organization = \(organization) AND id = \(id)", User.init)
        return user.flatMap { $0.isActive ? $0 : nil }
    }
}
