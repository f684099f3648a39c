import Crypto
import Store
package import Units

/// Browsers and programs that a user has signed in with, known by a cookie that nobody can make but us.
///
/// It opens nothing: attempts to sign in from such a browser are counted by themselves, so that nobody who fails elsewhere, from
/// the same address or from a thousand others, keeps its user out.
struct KnownBrowsers: Sendable {
    static let lifetime = Duration.seconds(180 * 86_400)
    private static let type: StaticString = "browser+jwt"

    let key: [UInt8]

    struct Browser: Codable, Hashable {
        let sub: UserID
        let jti: String
        /// Unix seconds of the last login.
        let iat: Int64
    }

    /// The browser of a cookie; nil where it is forged, too old, or of another purpose.
    func browser(_ cookie: Secret?, at now: Timestamp) -> Browser? {
        // try?: whatever is wrong with it, nobody is known by it.
        guard let cookie, let browser = try? JWT.verify(cookie.revealed, as: Browser.self, type: Self.type, key: key),
            browser.iat <= (now + Gate.setBack).unixSeconds, now.unixSeconds < browser.iat + Int64(Self.lifetime.seconds)
        else { return nil }
        return browser
    }

    /// What a browser is known by from now on: the same one where it was known to be this user's already.
    func cookie(for user: UserID, presented: Secret?, at now: Timestamp) throws -> Secret {
        let before = browser(presented, at: now)
        let id = before?.sub == user ? before?.jti : nil
        return Secret(
            try JWT.sign(
                Browser(sub: user, jti: id ?? Base64URL.encode(randomBytes(16)), iat: now.unixSeconds), type: Self.type, key: key))
    }
}

extension Gate {
    /// How long the cookie of `knownBrowser` is good for.
    package static let browserLifetime = KnownBrowsers.lifetime

    /// The cookie that a browser is known by after its user has come in, beside the refresh token's.
    ///
    /// - Parameter presented: the one that came with the request.
    package func knownBrowser(of principal: Principal, presented: Secret?) throws -> Secret {
        try browsers.cookie(for: principal.user.id, presented: presented, at: store.now)
    }
}
