import Crypto
import SQLite
package import Units
package import Wire

/// What a user's program shows in the user's place; the secret itself is shown once and stored as its hash only.
package struct APIToken: Sendable, Hashable, OrganizationRow {
    package let id: APITokenID
    package let organization: OrganizationID
    /// Whom it speaks for: it may nothing that this user may not, now.
    package let user: UserID
    package let name: String
    package let scopes: Set<APITokenScope>
    package let createdAt: Timestamp
    package let expiresAt: Timestamp
    /// Within `useNoted` of it.
    package let lastUsedAt: Timestamp?
    package let lastAddress: String?
    package let endedAt: Timestamp?

    static var table: OrganizationTable { .apiTokens }
    /// How far a wall clock may be set back before a token is not believed: more, and it would be good for longer than its time.
    static let setBack = Duration.seconds(60)
    /// How often its use is written down: a write for each request would be more than the requests themselves.
    static let useNoted = Duration.seconds(60)

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        organization = try row["organization"]
        user = try row["user"]
        name = try row["name"]
        let scopes: String = try row["scopes"]
        // What a newer program knows as a scope is none here, and allows nothing.
        self.scopes = Set(scopes.split(separator: " ").compactMap { APITokenScope(rawValue: String($0)) })
        createdAt = try row["created_at"]
        expiresAt = try row["expires_at"]
        lastUsedAt = try row["last_used_at"]
        lastAddress = try row["last_address"]
        endedAt = try row["ended_at"]
    }

    func isGood(at now: Timestamp) -> Bool { endedAt == nil && createdAt <= now + Self.setBack && now < expiresAt }

    /// Whether a use now says nothing new. One that lies ahead was written before the clock was set back.
    func isNoted(at now: Timestamp, from address: String) -> Bool {
        guard let lastUsedAt, lastAddress == address else { return false }
        return (.zero..<Self.useNoted).contains(now - lastUsedAt)
    }
}

/// An organisation's API tokens.
package struct APITokens: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    /// Makes a token of a user.
    ///
    /// - Parameters:
    ///   - secret: 256 random bits as text; only its hash is stored.
    ///   - hash: what the user's password was checked against: a change since then, which ends tokens, ends this one before it is there.
    /// - Throws: `.missing` for a user who has another hash, or is shut out; `.quota`; `.invalid` for the name.
    package func create(
        _ secret: Secret, name: String, scopes: Set<APITokenScope>, lifetime: Duration, of user: UserID, proven hash: Secret
    ) async throws -> APIToken {
        let name = try checked(name, "token.name", upTo: 100)
        let scopes = scopes.map(\.rawValue).sorted().joined(separator: " ")
        return try await store.write(.durable) { transaction in
            _ = try transaction.row(
                User.self, in: scope, where: "id = \(user) AND is_active = 1 AND password_hash = \(hash.revealed)", or: "active user")
            try transaction.admit(
                .apiTokens, of: .apiTokens, where: "user = \(user) AND ended_at IS NULL AND expires_at > \(transaction.now)",
                by: store.quotas, in: scope)
            let id: APITokenID = transaction.newID()
            try transaction.insert(
                into: .apiTokens, in: scope,
                [
                    "id": id, "user": user, "name": name, "scopes": scopes, "hash": SHA256.hash(secret.revealed),
                    "created_at": transaction.now, "expires_at": transaction.now + lifetime,
                ])
            try transaction.note(.apiTokenCreated, id.text, detail: "\(name): \(scopes)", in: scope)
            return try transaction.row(APIToken.self, in: scope, where: "id = \(id)", or: "API token")
        }
    }

    /// Those that nobody has ended, the newest first; those that have expired too.
    ///
    /// - Parameter user: nil for everybody's.
    package func all(of user: UserID?) async throws -> [APIToken] {
        let condition: SQL = user.map { "ended_at IS NULL AND user = \($0)" } ?? "ended_at IS NULL"
        return try await store.read { try $0.rows(APIToken.self, in: scope, where: condition, order: "id DESC") }
    }

    /// Ends a token for good.
    ///
    /// - Parameter user: whose it has to be; nil for anybody's.
    /// - Throws: `.missing` where there is no such token that nobody has ended.
    package func end(_ id: APITokenID, of user: UserID?) async throws {
        let condition: SQL = user.map { "id = \(id) AND ended_at IS NULL AND user = \($0)" } ?? "id = \(id) AND ended_at IS NULL"
        try await store.write(.durable) { transaction in
            let token = try transaction.row(APIToken.self, in: scope, where: condition, or: "API token")
            try transaction.end(token, in: scope, because: .ended)
        }
    }

    /// Writes down that a token was used now, where that is not known yet.
    package func used(_ token: APIToken, from address: String) async throws {
        guard !token.isNoted(at: store.now, from: address) else { return }
        _ = try await store.write { transaction in
            try transaction.update(
                .apiTokens, in: scope, set: ["last_used_at": transaction.now, "last_address": clipped(address, to: 64)],
                where: "id = \(token.id)")
        }
    }
}

extension Identities {
    /// Whom a token speaks for: nil for one that is unknown, has expired or was ended, and where its user is shut out. Asked for every request.
    package func holder(of secret: Secret) async throws -> (user: User, token: APIToken)? {
        let hash = SHA256.hash(secret.revealed)
        return try await store.read { transaction in
            let found = try transaction.across(.identification).first("SELECT * FROM api_tokens WHERE hash = \(hash)", APIToken.init)
            guard let token = found, token.isGood(at: transaction.now) else { return nil }
            return try transaction.activeUser(token.user, of: token.organization).map { (user: $0, token: token) }
        }
    }
}

extension ControlStore {
    package func apiTokens(in scope: OrganizationScope) -> APITokens { APITokens(store: self, scope: scope) }
}

extension Transaction {
    /// Ends every token of a user.
    func endTokens(of user: UserID, in scope: OrganizationScope, because reason: SessionEnd) throws {
        for token in try rows(APIToken.self, in: scope, where: "user = \(user) AND ended_at IS NULL") {
            try end(token, in: scope, because: reason)
        }
    }

    fileprivate func end(_ token: APIToken, in scope: OrganizationScope, because reason: SessionEnd) throws {
        try update(.apiTokens, in: scope, set: ["ended_at": now], where: "id = \(token.id)")
        try note(.apiTokenEnded, token.id.text, detail: "\(token.name): \(reason.rawValue)", in: scope)
    }
}
