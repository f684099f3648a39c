import Mail
package import Store
package import Units

/// People who register by their organisation's code (ORG-06).
extension Gate {
    /// How long somebody may take who has asked for an account.
    static let registrationLifetime = Duration.seconds(86_400)

    /// What a code lets somebody register with; wrong ones are counted.
    ///
    /// - Throws: `StoreError.codeRefused`; `.tooMany`.
    package func registration(
        slug: String, code: Secret, from origin: Origin
    ) async throws -> (organization: Organization, settings: OrganizationSettings) {
        let attempt = try await take("registration code", "address \(origin.subscriber)", limits.registrationCode)
        guard let found = try await store.identities.registration(slug: slug, code: RegistrationCode.canonical(code)) else {
            throw StoreError.codeRefused
        }
        try await refund(attempt)
        return found
    }

    /// Has somebody register: they go on by a link, with which they choose a name and a password.
    ///
    /// - Returns: the token of the link where no mail is sent; nil where one goes to the address, which is said whether it is known or not.
    /// - Throws: as `registration`; `StoreError.invalid`, `.quota`; `.taken("email")` where no mail is sent.
    package func register(slug: String, code: Secret, email: String, agrees: Bool, from origin: Origin) async throws -> Secret? {
        _ = try await registration(slug: slug, code: code, from: origin)
        guard MailAddress(email) != nil else { throw StoreError.invalid(field: "user.email", expected: MailAddress.expected) }
        let attempt = try await take("register", "address \(origin.subscriber)", limits.register)
        let (token, letters, end) = (fresh(), letters, store.now + Self.registrationLifetime)
        let isMade: Bool
        do {
            isMade = try await store.identities.register(
                slug: slug, code: RegistrationCode.canonical(code), email: email, agrees: agrees, secret: token,
                lifetime: Self.registrationLifetime, from: origin.address,
                mail: { letters?.registration(to: $0.email, in: $0.organization, token: token, until: end) })
        } catch {
            try await refund(attempt)
            throw error
        }
        guard letters == nil else { return nil }
        guard isMade else { throw StoreError.taken("email") }
        return token
    }
}
