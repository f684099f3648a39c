package import Units

// Bodies of the REST API: one's own account. Shapes and limits: the OpenAPI document.

/// `PATCH /auth/me`: what is nil stays.
package struct ChangeProfileRequest: Codable, Sendable {
    package var displayName: String?
    /// The name of a file that was uploaded; empty: none.
    package var avatar: String?

    package init(displayName: String? = nil, avatar: String? = nil) {
        self.displayName = displayName
        self.avatar = avatar
    }
}

/// `POST /auth/me/email`.
package struct ChangeEmailRequest: Codable, Sendable {
    package var email: String
    /// One's own.
    package var password: SecretOnWire

    package init(email: String, password: SecretOnWire) {
        self.email = email
        self.password = password
    }
}

/// `PUT /auth/email`.
package struct ConfirmEmailRequest: Codable, Sendable {
    package var token: SecretOnWire

    package init(token: SecretOnWire) { self.token = token }
}
