import Crypto
import SQLite
package import Units

/// Mail addresses that users want in place of theirs, until the link that went there is followed (ORG-07): one of each user at a time, for an hour
/// and once.
package struct EmailChanges: Sendable {
    let store: ControlStore

    package static let lifetime = Duration.seconds(3600)

    /// Makes the link of a user, in place of an older one, whose mail is taken back where it still waits. Whether the address is somebody's already
    /// is not looked at: only whoever reads its mail learns that.
    ///
    /// - Parameters:
    ///   - secret: 256 random bits as text, of the link; only its hash is stored.
    ///   - mail: has the link in it, and goes to the new address.
    /// - Returns: why there are too many mails, where there are: then nothing was made, and the audit log says so.
    /// - Throws: `.missing` for a user who is shut out; `.invalid` for what is no address.
    package func issue(
        _ secret: Secret, for user: UserID, to email: String, mail: NewMail, in scope: OrganizationScope
    ) async throws -> StoreError? {
        let email = try NewUser.normalized(email)
        return try await store.write(.durable) { transaction -> StoreError? in
            _ = try transaction.row(User.self, in: scope, where: "id = \(user) AND is_active = 1", or: "active user")
            if let refusal = try transaction.holdBack(mail, about: user.text, by: store.quotas, in: scope) { return refusal }
            try transaction.endEmailChange(of: user, in: scope)
            let end = transaction.now + Self.lifetime
            try transaction.insert(
                into: .emailChanges, in: scope,
                ["user": user, "email": email, "hash": SHA256.hash(secret.revealed), "created_at": transaction.now, "expires_at": end])
            try transaction.note(.emailChangeAsked, user.text, detail: email, in: scope)
            try transaction.post(mail, about: user.text, until: end, sealedBy: store.keyring, in: scope)
            return nil
        }
    }

    /// Uses a link up: its user has the new address, and no link to a new password that went to the one before is good.
    ///
    /// - Parameters:
    ///   - address: where the request came from, for the audit log.
    ///   - notice: tells the address until now, of the user as they were; nil where no mail is sent.
    /// - Throws: `.linkRefused`; `.taken("email")` where another user of the organisation has it, which leaves the link as it is.
    package func redeem(_ secret: Secret, from address: String, notice: @Sendable (User, String) -> NewMail?) async throws {
        try await store.write(.durable) { transaction in
            guard let (user, email) = try transaction.emailChange(by: secret) else { throw StoreError.linkRefused }
            let scope = OrganizationScope(user.organization, by: .user(user.id, address: address))
            try naming("email") {
                try transaction.updateOne(.users, in: scope, set: ["email": email], where: "id = \(user.id)", or: "user")
            }
            try transaction.endEmailChange(of: user.id, in: scope)
            try transaction.endReset(of: user.id, in: scope)
            try transaction.note(.emailChanged, user.id.text, detail: "\(user.email) to \(email)", in: scope)
            if let mail = notice(user, email) { try transaction.postNotice(mail, about: user.id.text, in: scope, of: store) }
        }
    }
}

extension ControlStore {
    package var emailChanges: EmailChanges { EmailChanges(store: self) }
}

extension Transaction {
    /// Takes back what would give a user another address.
    func endEmailChange(of user: UserID, in scope: OrganizationScope) throws {
        try delete(from: .emailChanges, in: scope, where: "user = \(user)")
        try unpost(.emailChange, about: user.text, in: scope)
    }

    /// Whose link it is, and to what; nil where it is not good now.
    fileprivate func emailChange(by secret: Secret) throws -> (User, String)? {
        let hash = SHA256.hash(secret.revealed)
        return try across(.identification).first(
            """
            SELECT users.*, links.email AS new_email FROM email_changes AS links
            JOIN users ON users.organization = links.organization AND users.id = links.user
            WHERE links.hash = \(hash) AND links.expires_at > \(now) AND links.created_at <= \(now + PasswordResets.setBack)
                AND users.is_active = 1
            """
        ) { row -> (User, String) in (try User(row), try row["new_email"]) }
    }
}
