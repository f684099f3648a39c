import Crypto
import SQLite
package import Units

/// The links by which whoever forgot their password gets a new one (SEC-06): one of each user is good at a time, for an hour and once.
package struct PasswordResets: Sendable {
    let store: ControlStore

    /// Source: SEC-06.
    package static let lifetime = Duration.seconds(3600)
    /// How far a wall clock may be set back before a link is not believed: more, and it would be good for longer than its time.
    static let setBack = Duration.seconds(60)

    /// Makes the link of a user, in place of an older one, whose mail is taken back where it still waits.
    ///
    /// - Parameters:
    ///   - secret: 256 random bits as text; only its hash is stored.
    ///   - mail: has the link in it; nil where whoever asked hands it over.
    /// - Returns: why there are too many mails, where there are: then nothing was made, and the audit log says so.
    /// - Throws: `.missing` for a user who is shut out.
    package func issue(_ secret: Secret, for user: UserID, mail: NewMail?, in scope: OrganizationScope) async throws -> StoreError? {
        return try await store.write(.durable) { transaction -> StoreError? in
            _ = try transaction.row(User.self, in: scope, where: "id = \(user) AND is_active = 1", or: "active user")
            if let mail, let refusal = try transaction.holdBack(mail, about: user.text, by: store.quotas, in: scope) { return refusal }
            try transaction.endReset(of: user, in: scope)
            let end = transaction.now + Self.lifetime
            try transaction.insert(
                into: .passwordResets, in: scope,
                ["user": user, "hash": SHA256.hash(secret.revealed), "created_at": transaction.now, "expires_at": end])
            try transaction.note(.passwordResetIssued, user.text, detail: mail == nil ? "handed over" : "mailed", in: scope)
            // The organisation's own log has it as well; the operator reads this one only.
            if scope.author == .operator { try transaction.noteOfOperator(.passwordResetIssued, user.text, detail: "handed over") }
            if let mail { try transaction.post(mail, about: user.text, until: end, sealedBy: store.keyring, in: scope) }
            return nil
        }
    }

    /// Whether a link is good now: asked before the cost of hashing a password is spent.
    package func accepts(_ secret: Secret) async throws -> Bool {
        try await store.read { try $0.holder(of: secret, within: Self.setBack) != nil }
    }

    /// Uses a link up: its user has another password, and every session of theirs ends.
    ///
    /// - Parameters:
    ///   - address: where the request came from, for the audit log.
    ///   - notice: tells the user; nil where no mail is sent.
    /// - Throws: `.linkRefused`.
    package func redeem(
        _ secret: Secret, hash: Secret, from address: String, notice: @Sendable (User) -> NewMail?
    ) async throws -> (user: UserID, ended: [SessionID]) {
        return try await store.write(.durable) { transaction in
            guard let user = try transaction.holder(of: secret, within: Self.setBack) else { throw StoreError.linkRefused }
            let scope = OrganizationScope(user.organization, by: .user(user.id, address: address))
            let ended = try transaction.setPassword(
                of: user.id, from: nil, to: hash, noting: .passwordReset, notice: notice(user), in: scope, of: store)
            return (user.id, ended)
        }
    }
}

extension ControlStore {
    package var passwordResets: PasswordResets { PasswordResets(store: self) }
}

extension Transaction {
    /// Takes back what would give a user another password.
    func endReset(of user: UserID, in scope: OrganizationScope) throws {
        try delete(from: .passwordResets, in: scope, where: "user = \(user)")
        try unpost(.passwordReset, about: user.text, in: scope)
    }

    /// Whose link it is; nil where it is not good now.
    fileprivate func holder(of secret: Secret, within setBack: Duration) throws -> User? {
        let hash = SHA256.hash(secret.revealed)
        return try across(.identification).first(
            """
            SELECT users.* FROM password_resets AS links
            JOIN users ON users.organization = links.organization AND users.id = links.user
            WHERE links.hash = \(hash) AND links.expires_at > \(now) AND links.created_at <= \(now + setBack) AND users.is_active = 1
            """, User.init)
    }
}
