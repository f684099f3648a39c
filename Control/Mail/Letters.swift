package import Store
package import Units
package import Wire

/// What control's mails say.
package struct Letters: Sendable {
    private let links: AccountLinks
    private var origin: String { links.origin }

    package init(_ links: AccountLinks) { self.links = links }

    /// Somebody asked for a new password; nil for an address that no mail can be sent to.
    ///
    /// - Parameter organization: the name of theirs: one address may have accounts in several.
    package func passwordReset(of user: User, in organization: String, token: Secret) -> NewMail? {
        guard MailAddress(user.email) != nil else { return nil }
        let link = links.newPassword(token).revealed
        let who = "\(user.email) in \(organization) at \(origin)"
        return NewMail(
            purpose: .passwordReset, to: user.email, subject: "A new password",
            text: """
                Somebody asked for a new password of \(who).
                Choose it here, within an hour:

                \(link)

                If that was not you, do nothing: your password stays as it is.
                """,
            html: """
                <!doctype html><p>Somebody asked for a new password of \(Self.escaped(who)).
                <a href="\(Self.escaped(link))">Choose it here</a>, within an hour.</p>
                <p>If that was not you, do nothing: your password stays as it is.</p>
                """)
    }

    /// Somebody is invited; nil for an address that no mail can be sent to.
    ///
    /// - Parameters:
    ///   - host: who invites.
    ///   - message: in the inviter's words.
    package func invitation(
        to email: String, as role: Role, in organization: String, by host: User, saying message: String?, token: Secret,
        until end: Timestamp
    ) -> NewMail? {
        guard MailAddress(email) != nil else { return nil }
        let link = links.invitation(token).revealed
        let offer = "\(host.displayName) (\(host.email)) invites you to \(organization) at \(origin), as \(Self.noun(role))."
        let words = message.map { "\"\($0)\"" } ?? ""
        return NewMail(
            purpose: .invitation, to: email, subject: "An invitation to \(organization)",
            text: """
                \(offer)
                \(words)
                Accept it here, until \(end.text):

                \(link)

                If you do not know what this is about, do nothing.
                """,
            html: """
                <!doctype html><p>\(Self.escaped(offer))</p><p>\(Self.escaped(words))</p>
                <p><a href="\(Self.escaped(link))">Accept it here</a>, until \(end.text).</p>
                <p>If you do not know what this is about, do nothing.</p>
                """)
    }

    /// Somebody registers by an organisation's code; nil for an address that no mail can be sent to.
    package func registration(to email: String, in organization: String, token: Secret, until end: Timestamp) -> NewMail? {
        guard MailAddress(email) != nil else { return nil }
        let link = links.invitation(token).revealed
        let who = "Somebody asked for an account of \(email) in \(organization) at \(origin)."
        return NewMail(
            purpose: .registration, to: email, subject: "Your account in \(organization)",
            text: """
                \(who)
                Choose a name and a password here, until \(end.text):

                \(link)

                If that was not you, do nothing: no account is made.
                """,
            html: """
                <!doctype html><p>\(Self.escaped(who))
                <a href="\(Self.escaped(link))">Choose a name and a password here</a>, until \(end.text).</p>
                <p>If that was not you, do nothing: no account is made.</p>
                """)
    }

    private static func noun(_ role: Role) -> String {
        switch role {
        case .owner: "the owner"
        case .admin: "an admin"
        case .host: "a host"
        case .member: "a member"
        }
    }

    /// Somebody's password was changed, by them or by somebody else; nil for an address that no mail can be sent to.
    package func passwordChanged(of user: User, at time: Timestamp) -> NewMail? {
        guard MailAddress(user.email) != nil else { return nil }
        return NewMail(
            purpose: .passwordChanged, to: user.email, subject: "Your password was changed",
            text: """
                The password of \(user.email) at \(origin) was changed at \(time.text).

                If that was not you, tell an admin of your organisation at once.
                """,
            html: """
                <!doctype html><p>The password of \(Self.escaped(user.email)) at \(Self.escaped(origin)) was changed at \(time.text).</p>
                <p>If that was not you, tell an admin of your organisation at once.</p>
                """)
    }

    /// Somebody wants this address to be theirs; nil for an address that no mail can be sent to.
    package func emailChange(of user: User, to email: String, in organization: String, token: Secret) -> NewMail? {
        guard let address = MailAddress(email) else { return nil }
        let link = links.newEmail(token).revealed
        let who = "\(user.displayName) (\(user.email)) in \(organization) at \(origin)"
        return NewMail(
            purpose: .emailChange, to: address.text, subject: "Your new mail address",
            text: """
                This address is to be the one of \(who).
                Confirm it here, within an hour:

                \(link)

                If you do not know what this is about, do nothing: nothing is changed.
                """,
            html: """
                <!doctype html><p>This address is to be the one of \(Self.escaped(who)).
                <a href="\(Self.escaped(link))">Confirm it here</a>, within an hour.</p>
                <p>If you do not know what this is about, do nothing: nothing is changed.</p>
                """)
    }

    /// Somebody has another address from now on: tells the one until now; nil for an address that no mail can be sent to.
    ///
    /// - Parameter user: as they were.
    package func emailChanged(of user: User, to email: String, at time: Timestamp) -> NewMail? {
        guard MailAddress(user.email) != nil else { return nil }
        let what = "The mail address of \(user.displayName) at \(origin) is \(email) in place of this one since \(time.text)."
        return NewMail(
            purpose: .emailChanged, to: user.email, subject: "Your mail address was changed",
            text: """
                \(what)

                If that was not you, tell an admin of your organisation at once.
                """,
            html: """
                <!doctype html><p>\(Self.escaped(what))</p>
                <p>If that was not you, tell an admin of your organisation at once.</p>
                """)
    }

    /// Something has begun that a user asked to be told of, or is over; nil for an address that no mail can be sent to.
    package func alert(to user: User, of incident: Incident) -> NewMail? {
        guard MailAddress(user.email) != nil else { return nil }
        let isOver = incident.closedAt != nil
        let what = Self.words(incident.kind) + (isOver ? ": over" : "")
        let when = incident.closedAt.map { "From \(incident.openedAt.text) to \($0.text)." } ?? "Since \(incident.openedAt.text)."
        let reason = incident.reason.map { isOver ? "" : "\($0)." } ?? ""
        let page = incident.broadcast.map { "\(origin)/broadcasts/\($0)" } ?? "\(origin)/"
        return NewMail(
            purpose: .alert, to: user.email, subject: incident.name.isEmpty ? what : "\(what): \(incident.name)",
            text: """
                \(what): \(incident.name)
                \(when) \(reason)

                \(page)

                You asked to be told of this: \(origin)/account
                """,
            html: """
                <!doctype html><p>\(Self.escaped(what)): \(Self.escaped(incident.name))</p>
                <p>\(when) \(Self.escaped(reason))</p>
                <p><a href="\(Self.escaped(page))">\(Self.escaped(page))</a></p>
                <p>You asked to be told of this: <a href="\(Self.escaped(origin))/account">your account</a>.</p>
                """)
    }

    /// A meeting is over: for whoever made it, and for the users who were in it; nil for an address that no mail can be sent to.
    package func meetingEnded(to user: User, _ meeting: Meeting, in organization: String) -> NewMail? {
        guard MailAddress(user.email) != nil else { return nil }
        let (began, ended) = (meeting.startedAt ?? meeting.createdAt, meeting.endedAt ?? meeting.startedAt ?? meeting.createdAt)
        let minutes = max(1, Int(((ended - began).seconds / 60).rounded()))
        let what = "The meeting \(meeting.title) in \(organization) is over."
        let when = "It lasted \(minutes) \(minutes == 1 ? "minute" : "minutes"), from \(began.text) to \(ended.text)."
        let page = "\(origin)/meetings/\(meeting.id)"
        return NewMail(
            purpose: .meetingEnded, to: user.email, subject: "\(meeting.title) is over",
            text: """
                \(what)
                \(when)

                \(page)
                """,
            html: """
                <!doctype html><p>\(Self.escaped(what))</p>
                <p>\(when)</p>
                <p><a href="\(Self.escaped(page))">\(Self.escaped(page))</a></p>
                """)
    }

    /// Something ends that its reader has to see to; nil for an address that no mail can be sent to.
    package func expiry(to user: User, of expiry: Expiry) -> NewMail? {
        guard MailAddress(user.email) != nil else { return nil }
        let (what, advice, page) = words(expiry)
        let subject = "\(what) ends in less than \(expiry.days) day\(expiry.days == 1 ? "" : "s")"
        return NewMail(
            purpose: .expiry, to: user.email, subject: subject,
            text: """
                \(what) at \(origin) is good until \(expiry.end.text).
                \(advice)

                \(page)
                """,
            html: """
                <!doctype html><p>\(Self.escaped(what)) at \(Self.escaped(origin)) is good until \(expiry.end.text).</p>
                <p>\(Self.escaped(advice))</p>
                <p><a href="\(Self.escaped(page))">\(Self.escaped(page))</a></p>
                """)
    }

    private func words(_ expiry: Expiry) -> (what: String, advice: String, page: String) {
        let diagnostics = "\(origin)/admin/diagnostics"
        return switch expiry.credential {
        case .certificate:
            (
                "The server's certificate",
                "Browsers and boards refuse the server afterwards. 'strata-provision server status' on its machine says who renews it.",
                diagnostics
            )
        case .authority:
            (
                "The certificate of the server's own authority",
                "Boards refuse the server afterwards: each has to be enrolled again under a new authority.", diagnostics
            )
        case .storeKey:
            (
                "The key to the store of recordings",
                "Make a new one at the store, put it into blobs.access_key and blobs.secret_file, and restart strata-control.", diagnostics
            )
        case .apiToken:
            ("The API token \(expiry.name)", "What uses it is refused afterwards: make a new one in its place.", "\(origin)/tokens")
        }
    }

    private static func words(_ kind: AlertKind) -> String {
        switch kind {
        case .loss: "Too much of the stream is missing"
        case .bitrate: "Too little arrives"
        case .offline: "The sender is away"
        case .output: "An output is not connected"
        case .silence: "No sound"
        case .black: "The picture is black"
        case .frozen: "The picture stands still"
        case .noSignal: "No signal"
        case .health: "A part of the server has failed"
        }
    }

    /// By scalars: a character may be one of these together with a mark.
    static func escaped(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
}
