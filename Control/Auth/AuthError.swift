import Store

/// Why somebody was not let in, or may not do what they asked for.
package enum AuthError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Mail address and password do not belong together: said alike for an unknown address, a wrong password and a user who
    /// is shut out. 401.
    case badCredentials
    /// What was given as the password until now is not. 422: whoever asks is logged in.
    case wrongPassword
    /// The password is right in several organisations: the login must name one of them. 409.
    case organizationNeeded([OrganizationChoice])
    /// No token, or one that is forged, expired, of an ended session or of a user who is shut out. 401.
    case notAuthenticated
    /// The API token is none, has expired or was ended, or its user is shut out: said alike. 401.
    case tokenRefused
    /// The refresh token was used twice; every session of its user was ended. 401.
    case tokenReused
    /// The role does not allow it. 403.
    case notAllowed(Action)
    /// The API token does not allow it, whatever its user may. 403.
    case notInScope(Action)
    /// Too many of these; how long to wait. 429 with Retry-After.
    case tooMany(retryAfter: Duration)
    /// So many passwords are being checked that this one has to come again. 503 with Retry-After.
    case busy
    /// The password is too short or too long. 422.
    case weakPassword(String)
    /// The setup secret is wrong or used, or an owner exists. 403.
    case setupClosed
    /// No mail server is configured. 409.
    case sendsNoMail
    /// No mail server is configured, and a new address would have to be confirmed by a mail. 409.
    case confirmsNoMail
    /// libargon2 refused: its code and text. 500.
    case hashing(code: Int32, String)

    package var description: String {
        switch self {
        case .badCredentials: "mail address and password do not belong together"
        case .wrongPassword: "that is not the password"
        case .organizationNeeded(let choices): "the login has to name one of \(choices.count) organisations"
        case .notAuthenticated: "not logged in"
        case .tokenRefused: "the API token opens nothing: it is another one, has expired, or was ended"
        case .tokenReused: "this login was used from two places; all sessions were ended"
        case .notAllowed(let action): "the role does not allow \(action.rawValue)"
        case .notInScope(let action): Self.outside(action)
        case .tooMany(let wait): "too many requests; again in \(wait)"
        case .busy: "too many passwords are being checked"
        case .weakPassword(let expected): "password: \(expected)"
        case .setupClosed: "the setup secret opens nothing"
        case .sendsNoMail: "this server sends no mails: an admin of your organisation can make you a link"
        case .confirmsNoMail: "this server sends no mails, and a new address is confirmed by one"
        case .hashing(let code, let text): "argon2: \(text) (\(code))"
        }
    }

    private static func outside(_ action: Action) -> String {
        let scopes = Policy.scopes(for: action).map(\.rawValue).sorted().joined(separator: " or ")
        return "the API token does not allow \(action.rawValue), which takes "
            + (scopes.isEmpty ? "somebody who has signed in" : "the scope \(scopes)")
    }
}

/// An organisation that a login may mean.
package struct OrganizationChoice: Hashable, Sendable, Encodable {
    package let slug: String
    package let name: String
}
