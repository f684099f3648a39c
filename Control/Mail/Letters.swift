package import Store

/// What control's mails say.
package struct Letters: Sendable {
    private let origin: String

    /// - Parameter origin: where links lead: configured, never a request's Host (THREATS 15).
    package init(origin: String) { self.origin = origin }

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

    static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
    }
}
