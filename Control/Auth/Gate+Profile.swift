import Mail
package import Store
package import Units

/// What people change of their own account (ORG-07).
extension Gate {
    /// Changes what is given of the principal's own name and picture.
    ///
    /// - Throws: `StoreError.invalid`.
    package func changeProfile(
        displayName: String?, avatar: String?, by principal: Principal, from origin: Origin
    ) async throws -> User {
        try await store.users(in: own(principal, origin)).changeProfile(principal.user.id, displayName: displayName, avatar: avatar)
    }

    /// Has a link sent to a new address of the principal's, which is theirs once the link is followed: an address that nobody reads would
    /// shut its user out.
    ///
    /// - Parameter password: the principal's: a stolen session takes no account over.
    /// - Throws: `.confirmsNoMail`; `.wrongPassword`, `.tooMany`, `.busy`; `StoreError.invalid`, `.enoughMails`.
    package func requestEmail(_ email: String, password: Secret, by principal: Principal, from origin: Origin) async throws {
        guard let letters else { throw AuthError.confirmsNoMail }
        let asked = try await take("email change", "user \(principal.user.id)", limits.emailChange)
        let token = fresh()
        guard let mail = letters.emailChange(of: principal.user, to: email, in: try await organizationName(of: principal), token: token)
        else {
            try await refund(asked)
            throw StoreError.invalid(field: "user.email", expected: MailAddress.expected)
        }
        _ = try await prove(password, of: principal)
        let scope = own(principal, origin)
        if let refusal = try await store.emailChanges.issue(token, for: principal.user.id, to: email, mail: mail, in: scope) {
            throw refusal
        }
    }

    /// Gives a user the address that a link was sent to; the one before is told.
    ///
    /// - Throws: `StoreError.linkRefused`, `.taken("email")`.
    package func confirmEmail(_ token: Secret, from origin: Origin) async throws {
        let (letters, time) = (letters, store.now)
        try await store.emailChanges.redeem(
            token, from: origin.address, notice: { user, email in letters?.emailChanged(of: user, to: email, at: time) })
    }
}
