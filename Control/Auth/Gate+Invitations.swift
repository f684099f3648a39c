import Mail
package import Store
package import Units
package import Wire

/// Whom somebody invites, and as what.
package struct Invite: Sendable, Hashable {
    package let email: String
    package let role: Role
    package let message: String?

    package init(email: String, role: Role, message: String?) {
        self.email = email
        self.role = role
        self.message = message
    }
}

/// An invitation, and the token of its link where it is to be handed over, because no mail is sent.
package struct MadeInvitation: Sendable {
    package let invitation: Invitation
    package let token: Secret?
}

/// People who are asked to become users (ORG-05).
extension Gate {
    /// Invites all of them or none.
    ///
    /// - Throws: `EntryFaults`, for what `refusals` tells or a `StoreError` of each; `StoreError.invalid` for a message.
    package func invite(
        _ invites: [Invite], lifetime: Duration, by principal: Principal, from origin: Origin
    ) async throws -> [MadeInvitation] {
        let scope = try principal.scope(for: .manageUsers, from: origin.address)
        let refused = refusals(of: invites, by: principal)
        guard refused.isEmpty else { throw EntryFaults(refused) }
        let (name, end, tokens) = (try await organizationName(of: principal), store.now + lifetime, invites.map { _ in fresh() })
        let entries = try zip(invites, tokens).map { invite, token in
            try NewInvitation(email: invite.email, role: invite.role, message: invite.message, secret: token) { email in
                letters?.invitation(
                    to: email, as: invite.role, in: name, by: principal.user, saying: invite.message, token: token, until: end)
            }
        }
        let made = try await store.invitations(in: scope).create(entries, lifetime: lifetime)
        return zip(made, tokens).map { MadeInvitation(invitation: $0, token: letters == nil ? $1 : nil) }
    }

    /// Which of them cannot be made by this principal whatever is stored, by their place, and why: `.notAllowed` for a role that is not below the
    /// principal's, `StoreError.invalid` for an address.
    package func refusals(of invites: [Invite], by principal: Principal) -> [(index: Int, reason: any Error)] {
        invites.enumerated().compactMap { index, invite in
            guard Policy.manages(principal.role, invite.role) else { return (index, AuthError.notAllowed(.manageUsers)) }
            // An account whose address gets no mail cannot be helped later either.
            guard MailAddress(invite.email) != nil else {
                return (index, StoreError.invalid(field: "user.email", expected: MailAddress.expected))
            }
            return nil
        }
    }

    /// Sends an invitation again, with a new link; the one before opens nothing any more.
    ///
    /// - Throws: `.notAllowed` for a role that is not below the principal's; `StoreError.missing`, `.quota`, `.enoughMails`.
    package func renew(
        _ id: InvitationID, lifetime: Duration, by principal: Principal, from origin: Origin
    ) async throws -> MadeInvitation {
        let (invitations, old) = try await managing(id, as: principal, from: origin)
        let token = fresh()
        let mail = letters?.invitation(
            to: old.email, as: old.role, in: try await organizationName(of: principal), by: principal.user, saying: old.message,
            token: token, until: store.now + lifetime)
        let invitation = try await invitations.renew(id, token, mail: mail, lifetime: lifetime)
        return MadeInvitation(invitation: invitation, token: mail == nil ? token : nil)
    }

    /// Takes an invitation back.
    package func withdraw(_ id: InvitationID, by principal: Principal, from origin: Origin) async throws {
        try await managing(id, as: principal, from: origin).0.withdraw(id)
    }

    /// What a link invites to.
    ///
    /// - Throws: `StoreError.linkRefused`.
    package func offer(_ token: Secret) async throws -> (invitation: Invitation, organization: String) {
        guard let offer = try await store.identities.offer(token, by: Policy.manages) else { throw StoreError.linkRefused }
        return offer
    }

    /// Makes the user that a link invites, and logs them in.
    ///
    /// - Throws: `StoreError.linkRefused`; what leaves the link as it is: `StoreError.taken("email")`, `.quota`, `.invalid`,
    ///   `.weakPassword`, `.busy`.
    package func accept(_ token: Secret, displayName: String, password: Secret, from origin: Origin) async throws -> Grant {
        _ = try await offer(token)
        let hash = try await hasher.hash(password)
        let user = try await store.identities.accept(
            token, displayName: displayName, passwordHash: hash, by: Policy.manages, from: origin.address)
        return try await open(user, proven: hash, from: origin)
    }

    func organizationName(of principal: Principal) async throws -> String {
        let organization = try await store.organizations.find(principal.user.organization)
        guard let organization else { throw StoreError.missing("organization") }
        return organization.name
    }

    private func managing(_ id: InvitationID, as principal: Principal, from origin: Origin) async throws -> (Invitations, Invitation) {
        let invitations = store.invitations(in: try principal.scope(for: .manageUsers, from: origin.address))
        let found = try await invitations.find(id)
        guard Policy.manages(principal.role, found.role) else { throw AuthError.notAllowed(.manageUsers) }
        return (invitations, found)
    }
}
