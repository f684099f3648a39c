package import Units

/// Where people get to from a mail, or from what an admin hands them: pages of the web application, the token behind a `#`, which no browser
/// sends to a server or to the next page.
package struct AccountLinks: Sendable {
    /// Configured, never a request's Host (THREATS 15).
    let origin: String

    package init(origin: String) { self.origin = origin }

    package func newPassword(_ token: Secret) -> Secret { page("reset-password", token) }

    package func newEmail(_ token: Secret) -> Secret { page("confirm-email", token) }

    package func invitation(_ token: Secret) -> Secret { page("invitation", token) }

    /// Where people register with an organisation.
    ///
    /// - Parameters:
    ///   - slug: the organisation's.
    ///   - code: that it is open by, of letters, digits and hyphens.
    package func registration(_ slug: String, _ code: Secret) -> Secret {
        Secret("\(origin)/register#organization=\(slug)&code=\(code.revealed)")
    }

    /// Where a player outside takes a broadcast. Its token stands in the path, as players ask for what a playlist names beside it.
    package func playlist(_ token: Secret) -> Secret { Secret("\(origin)/api/v1/players/\(token.revealed)/index.m3u8") }

    /// Where people meet.
    ///
    /// - Parameters:
    ///   - organization: its short name.
    ///   - slug: the meeting's.
    package func meeting(_ organization: String, _ slug: String) -> String { "\(origin)/\(organization)/m/\(slug)" }

    /// The same for somebody without an account.
    package func guest(_ organization: String, _ slug: String, _ token: Secret) -> Secret {
        Secret("\(meeting(organization, slug))#token=\(token.revealed)")
    }

    private func page(_ name: String, _ token: Secret) -> Secret { Secret("\(origin)/\(name)#token=\(token.revealed)") }
}
