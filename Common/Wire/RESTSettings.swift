package import Units

// Bodies of the REST API: an organisation's settings, and registering by its code. Shapes and limits: the OpenAPI document.

/// How somebody becomes a user of an organisation whom nobody has named; once shipped a name is never changed.
package enum RegistrationPolicy: String, Codable, Sendable, CaseIterable {
    /// Nobody does: an admin invites.
    case inviteOnly = "invite_only"
    /// As a member, with the organisation's code.
    case open
}

/// The language that an organisation's pages have for whoever has chosen none; BCP 47, but for `auto`, which is what each browser asks for.
package enum PageLocale: String, Codable, Sendable, CaseIterable {
    case automatic = "auto"
    case english = "en-US"
    case german = "de-DE"
}

/// `GET /organization/settings`.
package struct SettingsView: Codable, Sendable, Hashable {
    package var name: String
    package var locale: PageLocale
    package var registration: RegistrationPolicy
    /// What whoever registers shows; nil unless the registration is open.
    package var code: SecretOnWire?
    /// To be handed out: has the code in it.
    package var link: SecretOnWire?
    /// What whoever registers agrees to, and where it stands; nil: nothing.
    package var terms: String?
    package var termsURL: String?

    package init(
        name: String, locale: PageLocale, registration: RegistrationPolicy, code: SecretOnWire?, link: SecretOnWire?, terms: String?,
        termsURL: String?
    ) {
        self.name = name
        self.locale = locale
        self.registration = registration
        self.code = code
        self.link = link
        self.terms = terms
        self.termsURL = termsURL
    }
}

/// `PATCH /organization/settings`: what is nil stays.
package struct ChangeSettingsRequest: Codable, Sendable {
    package var name: String?
    package var locale: PageLocale?
    package var registration: RegistrationPolicy?
    /// true: the code until now opens nothing any more, and another one does.
    package var newCode: Bool?
    /// Empty: none.
    package var terms: String?
    package var termsURL: String?

    package init(
        name: String? = nil, locale: PageLocale? = nil, registration: RegistrationPolicy? = nil, newCode: Bool? = nil, terms: String? = nil,
        termsURL: String? = nil
    ) {
        self.name = name
        self.locale = locale
        self.registration = registration
        self.newCode = newCode
        self.terms = terms
        self.termsURL = termsURL
    }
}

/// `DELETE /organization`.
package struct DeleteOrganizationRequest: Codable, Sendable {
    /// Its slug, typed by whoever means it.
    package var organization: String
    package var password: SecretOnWire

    package init(organization: String, password: SecretOnWire) {
        self.organization = organization
        self.password = password
    }
}

/// `POST /auth/registration`.
package struct RegistrationCodeRequest: Codable, Sendable {
    /// The organisation's slug.
    package var organization: String
    package var code: SecretOnWire

    package init(organization: String, code: SecretOnWire) {
        self.organization = organization
        self.code = code
    }
}

/// What a code lets somebody register with.
package struct RegistrationView: Codable, Sendable, Hashable {
    /// The organisation's name.
    package var organization: String
    package var terms: String?
    package var termsURL: String?

    package init(organization: String, terms: String?, termsURL: String?) {
        self.organization = organization
        self.terms = terms
        self.termsURL = termsURL
    }
}

/// `POST /auth/registration/request`.
package struct JoinRequest: Codable, Sendable {
    package var organization: String
    package var code: SecretOnWire
    package var email: String
    /// Whether the terms are agreed to, where there are any.
    package var agrees: Bool?

    package init(organization: String, code: SecretOnWire, email: String, agrees: Bool? = nil) {
        self.organization = organization
        self.code = code
        self.email = email
        self.agrees = agrees
    }
}

/// How whoever registers goes on.
package struct JoinView: Codable, Sendable {
    /// Whether it is by a mail to the address, which is said of every address.
    package var sent: Bool
    /// Where not, as the server sends none: the link that would be in it.
    package var link: SecretOnWire?

    package init(sent: Bool, link: SecretOnWire? = nil) {
        self.sent = sent
        self.link = link
    }
}
