package import Units

// Bodies of the REST API: invitations. Shapes and limits: the OpenAPI document.

/// `POST /invitations`.
package struct InviteRequest: Codable, Sendable {
    package var email: String
    package var role: Role
    /// A line of the mail, in the inviter's words.
    package var message: String?
    /// 7 days where nil.
    package var expiresInSeconds: Int?

    package init(email: String, role: Role, message: String? = nil, expiresInSeconds: Int? = nil) {
        self.email = email
        self.role = role
        self.message = message
        self.expiresInSeconds = expiresInSeconds
    }
}

/// `POST /invitations/csv`: many at once, all or none.
package struct InviteManyRequest: Codable, Sendable {
    /// As `InvitationList` reads it.
    package var csv: String
    /// Of the lines that name none.
    package var role: Role
    package var message: String?
    package var expiresInSeconds: Int?

    package init(csv: String, role: Role, message: String? = nil, expiresInSeconds: Int? = nil) {
        self.csv = csv
        self.role = role
        self.message = message
        self.expiresInSeconds = expiresInSeconds
    }
}

/// An invitation that nobody has accepted.
package struct InvitationView: Codable, Sendable, Hashable {
    package enum State: String, Codable, Sendable, CaseIterable { case open, expired }

    package var id: InvitationID
    package var email: String
    package var role: Role
    package var state: State
    package var createdAt: String
    package var expiresAt: String
    /// Who made it, or sent it again last.
    package var invitedBy: UserID
    /// true: nobody has; they have registered by the organisation's code.
    package var byCode: Bool?
    package var message: String?
    /// To be handed over: in the answer to whoever made it, where no mail is sent.
    package var link: SecretOnWire?

    package init(
        id: InvitationID, email: String, role: Role, state: State, createdAt: String, expiresAt: String, invitedBy: UserID,
        byCode: Bool?, message: String?, link: SecretOnWire? = nil
    ) {
        self.id = id
        self.email = email
        self.role = role
        self.state = state
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.invitedBy = invitedBy
        self.byCode = byCode
        self.message = message
        self.link = link
    }
}

/// `POST /auth/invitation`: the token is the part of the link behind `#token=`.
package struct OfferRequest: Codable, Sendable {
    package var token: SecretOnWire
    package init(token: SecretOnWire) { self.token = token }
}

/// What somebody is invited to.
package struct OfferView: Codable, Sendable, Hashable {
    /// The organisation's name.
    package var organization: String
    package var email: String
    package var role: Role
    package var expiresAt: String

    package init(organization: String, email: String, role: Role, expiresAt: String) {
        self.organization = organization
        self.email = email
        self.role = role
        self.expiresAt = expiresAt
    }
}

/// `POST /auth/invitation/accept`.
package struct AcceptRequest: Codable, Sendable {
    package var token: SecretOnWire
    package var displayName: String
    package var password: SecretOnWire

    package init(token: SecretOnWire, displayName: String, password: SecretOnWire) {
        self.token = token
        self.displayName = displayName
        self.password = password
    }
}
