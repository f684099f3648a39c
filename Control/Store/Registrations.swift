import Crypto
import SQLite
package import Units
import Wire

/// Somebody who registers by an organisation's code, as the mail that goes to them needs it.
package struct Registration: Sendable {
    package let organization: String
    /// In the form that addresses are stored in.
    package let email: String
}

extension Identities {
    /// What an organisation's code lets somebody register with: nil for another code, and where the registration is not open.
    package func registration(slug: String, code: Secret) async throws -> (organization: Organization, settings: OrganizationSettings)? {
        let keyring = store.keyring
        return try await store.read { transaction in
            guard let organization = try transaction.organization(slug: slug, code: code) else { return nil }
            let scope = OrganizationScope(organization.id, by: .system)
            return (organization, try transaction.settings(in: scope, openedBy: keyring))
        }
    }

    /// Has somebody register by an organisation's code: makes an invitation of its own, as a member, which proves the address where it is mailed.
    ///
    /// Asked again for the same address it has another link. An address that is a user's, or that somebody has invited, gets none: they have a way in.
    /// Nor does one that got too many mails within a day; the audit log says so. What is thrown is the same for every address.
    ///
    /// - Parameters:
    ///   - secret: 256 random bits as text, of the link; only its hash is stored.
    ///   - mail: has the link in it; nil where whoever asks gets it in the answer.
    /// - Returns: whether a link was made.
    /// - Throws: `.codeRefused`; `.invalid` for an address, or for terms that are not agreed to; `.quota`.
    package func register(
        slug: String, code: Secret, email: String, agrees: Bool, secret: Secret, lifetime: Duration, from address: String,
        mail: @Sendable (Registration) -> NewMail?
    ) async throws -> Bool {
        let email = try NewUser.normalized(email)
        return try await store.write(.durable) { transaction in
            guard let organization = try transaction.organization(slug: slug, code: code) else { throw StoreError.codeRefused }
            let scope = OrganizationScope(organization.id, by: .visitor(address: address))
            guard try agrees || !transaction.settings(in: scope, openedBy: store.keyring).hasTerms else {
                throw StoreError.invalid(field: "registration.agrees", expected: "true: whoever registers agrees to the terms")
            }
            try transaction.admitRegistration(of: email, by: store.quotas, in: scope)
            guard try !transaction.isKnown(email, in: scope) else {
                // As much as is written for another one.
                try transaction.note(.registrationNeedless, detail: email, in: scope)
                return false
            }
            let letter = mail(Registration(organization: organization.name, email: email))
            if let letter, try transaction.holdBack(letter, about: email, by: store.quotas, in: scope) != nil { return false }
            let id = try transaction.register(email, secret, lifetime: lifetime, in: scope)
            guard let letter else { return true }
            try transaction.post(letter, about: id.text, until: transaction.now + lifetime, sealedBy: store.keyring, in: scope)
            return true
        }
    }
}

extension Transaction {
    private static let open: SQL = "by_code = 1 AND accepted_at IS NULL AND withdrawn_at IS NULL"

    /// Takes back whoever has registered by a code and has not come yet.
    ///
    /// - Parameter email: nil for all of them.
    func endRegistrations(of email: String? = nil, in scope: OrganizationScope) throws {
        let condition: SQL = email.map { "\(part: Self.open) AND email = \($0)" } ?? Self.open
        for invitation in try rows(Invitation.self, in: scope, where: condition) {
            try unpost(.registration, about: invitation.id.text, in: scope)
        }
        try update(.invitations, in: scope, set: ["withdrawn_at": now], where: condition)
    }

    /// Found by both at once: what is compared with the code is its hash, and a name without a code is like one that nobody has.
    fileprivate func organization(slug: String, code: Secret) throws -> Organization? {
        let hash = SHA256.hash(code.revealed)
        return try across(.identification).first(
            """
            SELECT organizations.* FROM organizations JOIN organization_settings AS settings ON settings.organization = organizations.id
            WHERE organizations.slug = \(slug) AND settings.registration = 'open' AND settings.code_hash = \(hash)
            """, Organization.init)
    }

    /// Whether an address is a user's, or somebody has invited it.
    fileprivate func isKnown(_ email: String, in scope: OrganizationScope) throws -> Bool {
        if try row(User.self, in: scope, where: "email = \(email)") != nil { return true }
        return try row(
            Invitation.self, in: scope,
            where: "email = \(email) AND by_code = 0 AND accepted_at IS NULL AND withdrawn_at IS NULL AND expires_at > \(now)") != nil
    }

    /// Beside all others but the same address, whose link is replaced.
    fileprivate func admitRegistration(of email: String, by quotas: Quotas, in scope: OrganizationScope) throws {
        try admit(.users, of: .users, where: "is_active = 1", by: quotas, in: scope)
        try admit(
            .registrations, of: .invitations, where: "\(part: Self.open) AND expires_at > \(now) AND email <> \(email)", by: quotas,
            in: scope)
    }

    fileprivate func register(_ email: String, _ secret: Secret, lifetime: Duration, in scope: OrganizationScope) throws -> InvitationID {
        try endRegistrations(of: email, in: scope)
        // One of somebody's that is over makes room for another one.
        try update(
            .invitations, in: scope, set: ["withdrawn_at": now],
            where: "email = \(email) AND accepted_at IS NULL AND withdrawn_at IS NULL AND expires_at <= \(now)")
        let owner: UserID? = try column("id", of: .users, in: scope, where: "role = 'owner'")
        let id: InvitationID = newID()
        try insert(
            into: .invitations, in: scope,
            [
                "id": id, "email": email, "role": Role.member, "hash": SHA256.hash(secret.revealed), "created_by": owner,
                "created_at": now, "issued_at": now, "expires_at": now + lifetime, "by_code": true,
            ])
        try note(.registrationAsked, id.text, detail: email, in: scope)
        return id
    }
}
