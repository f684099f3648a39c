package import Units

// Bodies of the REST API: accounts. Times are ISO 8601 in UTC; ids are ULIDs. Shapes and limits: the OpenAPI document.

/// What a user may do in an organisation; ranks are ordered (ORG-02). Guests have no account and so no role here.
package enum Role: String, Codable, Sendable, CaseIterable, Comparable {
    case owner, admin, host, member

    /// 5 for the owner down to 2 for a member; 1 is a guest's.
    package var rank: Int {
        switch self {
        case .owner: 5
        case .admin: 4
        case .host: 3
        case .member: 2
        }
    }

    package static func < (left: Role, right: Role) -> Bool { left.rank < right.rank }
}

/// `POST /auth/register`: the first owner, by the setup secret.
package struct RegisterRequest: Codable, Sendable {
    package var setupSecret: SecretOnWire
    package var organizationName: String
    package var organizationSlug: String
    package var email: String
    package var password: SecretOnWire
    package var displayName: String

    package init(
        setupSecret: SecretOnWire, organizationName: String, organizationSlug: String, email: String, password: SecretOnWire,
        displayName: String
    ) {
        self.setupSecret = setupSecret
        self.organizationName = organizationName
        self.organizationSlug = organizationSlug
        self.email = email
        self.password = password
        self.displayName = displayName
    }
}

/// `POST /auth/login`.
package struct LoginRequest: Codable, Sendable {
    package var email: String
    package var password: SecretOnWire
    /// The organisation's slug; needed only where the address belongs to several.
    package var organization: String?

    package init(email: String, password: SecretOnWire, organization: String? = nil) {
        self.email = email
        self.password = password
        self.organization = organization
    }
}

/// What login, register and refresh answer; the refresh token goes in its cookie.
package struct SessionView: Codable, Sendable {
    package var accessToken: SecretOnWire
    package var expiresInSeconds: Int
    package var user: UserView
    /// The actions that the policy lets the user's role do, by their names: what a page offers. nil from a control that does not say it yet.
    package var may: [String]?

    package init(accessToken: SecretOnWire, expiresInSeconds: Int, user: UserView, may: [String]?) {
        self.accessToken = accessToken
        self.expiresInSeconds = expiresInSeconds
        self.user = user
        self.may = may
    }
}

package struct UserView: Codable, Sendable, Hashable {
    package var id: UserID
    package var email: String
    package var displayName: String
    package var role: Role
    package var active: Bool
    package var organization: OrganizationView
    /// Where their picture lies, below the server's origin, for the next five to ten minutes; nil: there is none.
    package var avatar: String?

    package init(
        id: UserID, email: String, displayName: String, role: Role, active: Bool, organization: OrganizationView, avatar: String? = nil
    ) {
        self.id = id
        self.email = email
        self.displayName = displayName
        self.role = role
        self.active = active
        self.organization = organization
        self.avatar = avatar
    }
}

package struct OrganizationView: Codable, Sendable, Hashable {
    package var id: OrganizationID
    package var name: String
    package var slug: String
    /// Its own picture for silent senders; nil: it has none, or it was not asked for.
    package var slate: SlateView?
    /// What its pages have for whoever has chosen no language; nil: it was not asked for.
    package var locale: PageLocale?
    /// What its pages look like; nil: nobody has chosen anything, or it was not asked for.
    package var branding: BrandingView?

    package init(
        id: OrganizationID, name: String, slug: String, slate: SlateView? = nil, locale: PageLocale? = nil, branding: BrandingView? = nil
    ) {
        self.id = id
        self.name = name
        self.slug = slug
        self.slate = slate
        self.locale = locale
        self.branding = branding
    }
}

/// What `GET /organization/slate` gives.
package struct SlateView: Codable, Sendable, Hashable {
    package var kind: SlateFile.Kind
    /// In points.
    package var width, height: Int
    package var bytes: Int

    package init(_ picture: OwnPicture) {
        kind = picture.kind
        width = picture.width
        height = picture.height
        bytes = picture.bytes.count
    }
}

/// `POST /users` by an admin, with a first password.
package struct CreateUserRequest: Codable, Sendable {
    package var email: String
    package var displayName: String
    package var role: Role
    package var password: SecretOnWire

    package init(email: String, displayName: String, role: Role, password: SecretOnWire) {
        self.email = email
        self.displayName = displayName
        self.role = role
        self.password = password
    }
}

/// `PATCH /users/{id}`.
package struct ChangeUserRequest: Codable, Sendable {
    package var role: Role?
    package var active: Bool?
    package var displayName: String?

    package init(role: Role? = nil, active: Bool? = nil, displayName: String? = nil) {
        self.role = role
        self.active = active
        self.displayName = displayName
    }
}

package struct ChangePasswordRequest: Codable, Sendable {
    package var current: SecretOnWire
    package var password: SecretOnWire

    package init(current: SecretOnWire, password: SecretOnWire) {
        self.current = current
        self.password = password
    }
}

/// `POST /auth/password-reset`, by somebody who forgot it.
package struct PasswordResetRequest: Codable, Sendable {
    package var email: String
    /// The organisation's slug; nil for all in which the address has an account.
    package var organization: String?

    package init(email: String, organization: String? = nil) {
        self.email = email
        self.organization = organization
    }
}

/// `PUT /auth/password-reset`: the token is the part of the mailed link behind `#token=`.
package struct NewPasswordRequest: Codable, Sendable {
    package var token: SecretOnWire
    package var password: SecretOnWire

    package init(token: SecretOnWire, password: SecretOnWire) {
        self.token = token
        self.password = password
    }
}

/// What became of a link that an admin asked for.
package struct PasswordResetLinkView: Codable, Sendable {
    /// Whether the user gets it by mail.
    package var sent: Bool
    /// To be handed over, where not.
    package var link: SecretOnWire?

    package init(sent: Bool, link: SecretOnWire? = nil) {
        self.sent = sent
        self.link = link
    }
}

/// `PUT /organization/owner`: who becomes the owner.
package struct TransferRequest: Codable, Sendable {
    package var user: UserID
    /// Of whoever is the owner until then.
    package var password: SecretOnWire

    package init(user: UserID, password: SecretOnWire) {
        self.user = user
        self.password = password
    }
}

/// A signed-in session: one browser or one command.
package struct LoginView: Codable, Sendable, Hashable {
    package var id: SessionID
    package var createdAt: String
    package var lastUsedAt: String
    package var address: String
    package var userAgent: String
    /// The session of the request itself.
    package var current: Bool

    package init(id: SessionID, createdAt: String, lastUsedAt: String, address: String, userAgent: String, current: Bool) {
        self.id = id
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
        self.address = address
        self.userAgent = userAgent
        self.current = current
    }
}

/// A single-use ticket that opens one WSS within 30 s.
package struct TicketView: Codable, Sendable {
    package var ticket: SecretOnWire
    package init(ticket: SecretOnWire) { self.ticket = ticket }
}

/// A list, whole: `{"items": […]}`, so that fields can be added beside it.
package struct ListView<Item: Codable & Sendable>: Codable, Sendable {
    package var items: [Item]
    package init(items: [Item]) { self.items = items }
}

/// `POST /operator/organizations`, with the operator's token.
package struct CreateOrganizationRequest: Codable, Sendable {
    package var name: String
    package var slug: String
    package var ownerEmail: String
    package var ownerDisplayName: String
    package var ownerPassword: SecretOnWire

    package init(name: String, slug: String, ownerEmail: String, ownerDisplayName: String, ownerPassword: SecretOnWire) {
        self.name = name
        self.slug = slug
        self.ownerEmail = ownerEmail
        self.ownerDisplayName = ownerDisplayName
        self.ownerPassword = ownerPassword
    }
}

/// An error: problem+json (RFC 9457).
package struct Problem: Codable, Sendable, Hashable, Error {
    /// `https://strata.invalid/problems/<name>` is stable; the name is what programs compare.
    package var type: String
    package var title: String
    package var status: Int
    /// What failed, where, and what to do.
    package var detail: String?
    /// The fields that are wrong, each with what was expected.
    package var faults: [Fault]?

    package struct Fault: Codable, Sendable, Hashable {
        package var field: String
        package var expected: String
        package init(field: String, expected: String) {
            self.field = field
            self.expected = expected
        }
    }

    package init(type: String, title: String, status: Int, detail: String? = nil, faults: [Fault]? = nil) {
        self.type = type
        self.title = title
        self.status = status
        self.detail = detail
        self.faults = faults
    }
}
