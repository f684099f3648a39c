import Crypto
import SQLite
package import Units
package import Wire

/// Somebody who may become a user of an organisation (ORG-05), by a link that is good until its end, once.
package struct Invitation: Sendable, Hashable, OrganizationRow {
    package let id: InvitationID
    package let organization: OrganizationID
    package let email: String
    package let role: Role
    package let message: String?
    /// Who made it, or sent it again last: it is good for as long as they may make one.
    package let createdBy: UserID
    package let createdAt: Timestamp
    package let expiresAt: Timestamp
    /// Nobody invited them: they have registered by the organisation's code.
    package let byCode: Bool

    static var table: OrganizationTable { .invitations }

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        organization = try row["organization"]
        email = try row["email"]
        role = try row["role"]
        message = try row["message"]
        createdBy = try row["created_by"]
        createdAt = try row["created_at"]
        expiresAt = try row["expires_at"]
        byCode = try row["by_code"]
    }
}

/// An invitation to be made.
package struct NewInvitation: Sendable {
    let email: String
    let role: Role
    let message: String?
    /// 256 random bits as text; only its hash is stored.
    let secret: Secret
    /// Has the link in it; nil where whoever invites hands it over.
    let mail: NewMail?

    /// - Throws: `.invalid` for an address or a message that cannot be one.
    package init(email: String, role: Role, message: String?, secret: Secret, mail: (String) -> NewMail?) throws {
        self.email = try NewUser.normalized(email)
        self.role = role
        self.message = try message.map { try checked($0, "invitation.message", upTo: 300) }
        self.secret = secret
        self.mail = mail(self.email)
    }
}

/// Which entries of a list cannot be taken, by their place in it, and why: then none was.
package struct EntryFaults: Error, Sendable {
    package let faults: [(index: Int, reason: any Error)]

    package init(_ faults: [(index: Int, reason: any Error)]) { self.faults = faults }
}

/// An organisation's invitations.
package struct Invitations: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    private static let open: SQL = "accepted_at IS NULL AND withdrawn_at IS NULL"

    /// Makes all of them or none.
    ///
    /// - Throws: `EntryFaults`, each of them `.taken` for an address that is a user's or is invited, `.ownerStays`, `.quota` or `.enoughMails`.
    package func create(_ entries: [NewInvitation], lifetime: Duration) async throws -> [Invitation] {
        return try await store.write(.durable) { transaction in
            var made: [Invitation] = []
            var faults: [(index: Int, reason: any Error)] = []
            for (index, entry) in entries.enumerated() {
                do {
                    made.append(try create(entry, lifetime: lifetime, in: transaction))
                } catch let reason as StoreError {
                    faults.append((index, reason))
                }
            }
            guard faults.isEmpty else { throw EntryFaults(faults) }
            return made
        }
    }

    private func create(_ entry: NewInvitation, lifetime: Duration, in transaction: Transaction) throws -> Invitation {
        let now = transaction.now
        guard entry.role != .owner else { throw StoreError.ownerStays }
        guard try transaction.row(User.self, in: scope, where: "email = \(entry.email)") == nil else { throw StoreError.taken("email") }
        // Whoever registers is invited now; one that is over makes room for another one.
        try transaction.endRegistrations(of: entry.email, in: scope)
        try transaction.update(
            .invitations, in: scope, set: ["withdrawn_at": now],
            where: "email = \(entry.email) AND \(part: Self.open) AND expires_at <= \(now)")
        try transaction.admit(
            .invitations, of: .invitations, where: "\(part: Self.open) AND by_code = 0 AND expires_at > \(now)", by: store.quotas, in: scope
        )
        let id: InvitationID = transaction.newID()
        try naming("invitation") {
            try transaction.insert(
                into: .invitations, in: scope,
                [
                    "id": id, "email": entry.email, "role": entry.role, "message": entry.message,
                    "hash": SHA256.hash(entry.secret.revealed), "created_by": scope.author.id, "created_at": now, "issued_at": now,
                    "expires_at": now + lifetime,
                ])
        }
        try transaction.note(.invitationCreated, id.text, detail: "\(entry.email) as \(entry.role.rawValue)", in: scope)
        try post(entry.mail, about: id, until: now + lifetime, in: transaction)
        return try transaction.row(Invitation.self, in: scope, where: "id = \(id)", or: "invitation")
    }

    private func post(_ mail: NewMail?, about id: InvitationID, until end: Timestamp, in transaction: Transaction) throws {
        guard let mail else { return }
        try transaction.admitMail(mail, by: store.quotas, in: scope)
        try transaction.post(mail, about: id.text, until: end, sealedBy: store.keyring, in: scope)
    }

    /// Those that nobody has accepted and nobody has withdrawn, the newest first; those that are over too.
    package func all() async throws -> [Invitation] {
        try await store.read { try $0.rows(Invitation.self, in: scope, where: Self.open, order: "id DESC") }
    }

    package func find(_ id: InvitationID) async throws -> Invitation {
        try await store.read {
            try $0.row(Invitation.self, in: scope, where: "id = \(id) AND \(part: Self.open)", or: "open invitation")
        }
    }

    /// Gives an invitation another link and more time; the link before opens nothing any more.
    ///
    /// - Throws: `.missing` where it was accepted or withdrawn; `.quota`, `.enoughMails`.
    package func renew(_ id: InvitationID, _ secret: Secret, mail: NewMail?, lifetime: Duration) async throws -> Invitation {
        return try await store.write(.durable) { transaction in
            let now = transaction.now
            try transaction.updateOne(
                .invitations, in: scope,
                set: [
                    "hash": SHA256.hash(secret.revealed), "created_by": scope.author.id, "issued_at": now, "expires_at": now + lifetime,
                    "by_code": false,
                ], where: "id = \(id) AND \(part: Self.open)", or: "open invitation")
            // One that was over comes back into what room there is.
            try transaction.admit(
                .invitations, of: .invitations, where: "\(part: Self.open) AND by_code = 0 AND expires_at > \(now) AND id <> \(id)",
                by: store.quotas, in: scope)
            try transaction.unpost(.invitation, about: id.text, in: scope)
            try transaction.note(.invitationRenewed, id.text, in: scope)
            try post(mail, about: id, until: now + lifetime, in: transaction)
            return try transaction.row(Invitation.self, in: scope, where: "id = \(id)", or: "invitation")
        }
    }

    /// Takes an invitation back; its mail too, where it still waits.
    package func withdraw(_ id: InvitationID) async throws {
        try await store.write(.durable) { transaction in
            try transaction.updateOne(
                .invitations, in: scope, set: ["withdrawn_at": transaction.now], where: "id = \(id) AND \(part: Self.open)",
                or: "open invitation")
            try transaction.unpost(.invitation, about: id.text, in: scope)
            try transaction.note(.invitationWithdrawn, id.text, in: scope)
        }
    }
}

extension Identities {
    /// Whether somebody of the first role may invite one of the second: asked anew when an invitation is accepted.
    package typealias InvitationRule = @Sendable (Role, Role) -> Bool

    /// What a link invites to; nil where it is not good now.
    package func offer(_ secret: Secret, by rule: InvitationRule) async throws -> (invitation: Invitation, organization: String)? {
        try await store.read { transaction in
            guard let invitation = try transaction.invitation(of: secret, by: rule) else { return nil }
            let name: String? = try transaction.shared.first("SELECT name FROM organizations WHERE id = \(invitation.organization)") {
                try $0["name"]
            }
            guard let name else { return nil }
            return (invitation, name)
        }
    }

    /// Uses a link up: makes the user that it invites.
    ///
    /// - Parameter address: where the request came from, for the audit log.
    /// - Throws: `.linkRefused`; `.taken("email")` and `.quota(.users)`, which leave the link as it is; `.invalid` for the name.
    package func accept(
        _ secret: Secret, displayName: String, passwordHash: Secret, by rule: InvitationRule, from address: String
    ) async throws -> User {
        try await store.write(.durable) { transaction in
            guard let invitation = try transaction.invitation(of: secret, by: rule) else { throw StoreError.linkRefused }
            let scope = OrganizationScope(invitation.organization, by: .visitor(address: address))
            try transaction.admit(.users, of: .users, where: "is_active = 1", by: store.quotas, in: scope)
            let new = try NewUser(email: invitation.email, displayName: displayName, passwordHash: passwordHash)
            let user = try transaction.createUser(new, role: invitation.role, in: scope)
            try transaction.updateOne(
                .invitations, in: scope, set: ["accepted_at": transaction.now, "user": user.id], where: "id = \(invitation.id)",
                or: "invitation")
            try transaction.unpost(.invitation, about: invitation.id.text, in: scope)
            try transaction.note(.invitationAccepted, invitation.id.text, detail: user.id.text, in: scope)
            return user
        }
    }
}

extension ControlStore {
    package func invitations(in scope: OrganizationScope) -> Invitations { Invitations(store: self, scope: scope) }
}

extension Transaction {
    /// An invitation whose link is good now, made by somebody who may still make it.
    fileprivate func invitation(of secret: Secret, by rule: Identities.InvitationRule) throws -> Invitation? {
        let hash = SHA256.hash(secret.revealed)
        let latest = now + PasswordResets.setBack
        let found = try across(.identification).first(
            """
            SELECT * FROM invitations WHERE hash = \(hash) AND accepted_at IS NULL AND withdrawn_at IS NULL
                AND expires_at > \(now) AND issued_at <= \(latest)
            """, Invitation.init)
        guard let invitation = found else { return nil }
        let scope = OrganizationScope(invitation.organization, by: .system)
        let host = try row(User.self, in: scope, where: "id = \(invitation.createdBy) AND is_active = 1")
        return host.flatMap { rule($0.role, invitation.role) ? invitation : nil }
    }
}
