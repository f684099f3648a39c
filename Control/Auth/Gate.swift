import Crypto
package import Mail
package import Store
package import Units

/// The door of control: who is let in, as whom, and until when.
///
/// How a route uses it:
///
///     let principal = try await gate.authenticate(bearer: token)        // 401 .notAuthenticated
///     try gate.admit(principal)                                         // 429 .tooMany, 100/min for each user and each API token
///     let scope = try principal.scope(for: .runBroadcasts, from: address) // 403 .notAllowed
///     try await store.broadcasts(in: scope).wishEnd(id)                 // 404 StoreError.missing
///
/// A WebSocket opens with a ticket: `ticket(for:)` over HTTPS, `authenticate(ticket:)` at the handshake. Whoever holds
/// sockets reads `revocations()` and closes those of a revoked session at once; when that stream ends, all.
/// Everything that ends sessions or changes a role goes through the gate, never through the store alone.
package struct Gate: Sendable {
    package struct Limits: Sendable {
        /// Failed logins from each place, whoever is tried (SEC-11): a place is an address, or a browser that its user has signed in with.
        package var login = RateLimit(5, per: .seconds(60))
        /// Failed logins of each user from one place.
        package var loginAtPlace = RateLimit(20, per: .seconds(3600))
        /// Failed logins of each user from everywhere but their own browsers: as many in an hour as one place could have made by the
        /// first limit alone, and too many for one attacker with a few addresses to keep the user out.
        package var loginOfUser = RateLimit(300, per: .seconds(3600))
        /// Registrations for each address they come from (SEC-11).
        package var register = RateLimit(3, per: .seconds(3600))
        /// Mails about a forgotten password that are asked for of one address, whether it has an account or not, for each organisation that is named
        /// and for none: as many as it takes for the newest link to be good at any time, whoever asks.
        package var reset = RateLimit(3, per: .seconds(3600))
        /// The same from each address that they are asked from.
        package var resetAtPlace = RateLimit(10, per: .seconds(3600))
        /// Mails to new addresses that one user asks for: they may be anybody's.
        package var emailChange = RateLimit(5, per: .seconds(3600))
        /// Codes of organisations that nobody has, from each address.
        package var registrationCode = RateLimit(20, per: .seconds(3600))
        /// Requests of a user.
        package var general = RateLimit(100, per: .seconds(60))
        /// Requests that no user signed for, of the address they come from.
        package var open = RateLimit(600, per: .seconds(60))

        package init() {}
    }

    static let accessLifetime = Duration.seconds(15 * 60)
    /// Of a token that a refresh gave while its use could not be stored.
    static let unstoredLifetime = Duration.seconds(5 * 60)
    /// How far a wall clock may be set back without anybody having to refresh: more, and a token would be good for longer than its time.
    static let setBack = Duration.seconds(60)
    static let refreshLifetime = Duration.seconds(30 * 86_400)
    /// Accounts of one address that are looked at: more than a person has; a bound on what one request may cost. A failed login that
    /// names no organisation takes as long as so many checks.
    static let candidates = 4
    /// How long a used-up refresh token still gives its successor (THREATS 11).
    static let grace = Duration.seconds(10)

    let store: ControlStore
    let hasher: PasswordHasher
    /// nil where no mail is sent.
    let letters: Letters?
    let limits: Limits
    let revoked = Revocations()
    let resets = ResetRequests()
    private let tickets = Tickets()
    private let general: RateLimiter
    private let open: RateLimiter
    private let key: [UInt8]
    let browsers: KnownBrowsers
    let unstored: UnstoredSessions

    /// Opens the gate of a store; the keys of its tokens are made at the first time and kept sealed in the store.
    package static func open(_ store: ControlStore, hasher: PasswordHasher, letters: Letters? = nil, limits: Limits = Limits()) async throws
        -> Gate
    {
        Gate(
            store: store, hasher: hasher, letters: letters, limits: limits, key: try await store.operations.key("access tokens"),
            browsers: KnownBrowsers(key: try await store.operations.key("known browsers")))
    }

    private init(store: ControlStore, hasher: PasswordHasher, letters: Letters?, limits: Limits, key: [UInt8], browsers: KnownBrowsers) {
        self.store = store
        self.hasher = hasher
        self.letters = letters
        self.limits = limits
        self.key = key
        self.browsers = browsers
        general = RateLimiter(limits.general)
        open = RateLimiter(limits.open)
        unstored = UnstoredSessions(limitOfUser: store.quotas[.sessions])
    }

    /// Who an access token or an API token speaks for.
    ///
    /// - Throws: `.notAuthenticated` for a token that is forged or expired, of an ended session, or of a user who is shut out;
    ///   `.tokenRefused` for the same of an API token.
    package func authenticate(bearer token: Secret) async throws -> Principal {
        if token.revealed.hasPrefix(Self.tokenPrefix) { return try await principal(ofToken: token) }
        guard let claims = try? JWT.verify(token.revealed, as: AccessClaims.self, type: "at+jwt", key: key),
            store.now.unixSeconds < claims.exp, claims.iat <= (store.now + Self.setBack).unixSeconds
        else { throw AuthError.notAuthenticated }
        return try await principal(of: claims.sid, user: claims.sub)
    }

    /// A ticket that opens one WebSocket within 30 s.
    ///
    /// - Throws: `.notInScope` for an API token: what it opened could not be ended with it.
    package func ticket(for principal: Principal) throws(AuthError) -> Secret {
        tickets.issue(for: try principal.session.id, at: store.now)
    }

    /// Who a ticket was made for; it is used up by this. The Origin of the handshake is the caller's to check.
    package func authenticate(ticket: Secret) async throws -> Principal {
        guard let session = tickets.redeem(ticket, at: store.now) else { throw AuthError.notAuthenticated }
        return try await principal(of: session, user: nil)
    }

    /// Whether a principal's session is still open and its user not shut out.
    ///
    /// - Throws: `.notAuthenticated`.
    package func confirm(_ principal: Principal) async throws {
        try await confirm(session: principal.session.id, of: principal.user.id)
    }

    /// The same of a session that somebody was let in by elsewhere.
    ///
    /// - Throws: `.notAuthenticated`.
    package func confirm(session: SessionID, of user: UserID) async throws { _ = try await principal(of: session, user: user) }

    /// Counts a request of a user, or of an API token, by itself: a program that asks too often keeps nobody from the page, on which it is ended.
    ///
    /// - Parameter route: what it asks for, where that is counted by itself, by the same limit.
    /// - Throws: `.tooMany`.
    package func admit(_ principal: Principal, urgently route: String? = nil) throws(AuthError) {
        try general.take(Self.subject(principal.token?.id.text ?? principal.user.id.text, route), at: store.now)
    }

    /// Counts a request that nobody signed for.
    ///
    /// - Parameter route: as above.
    /// - Throws: `.tooMany`.
    package func admit(address: String, urgently route: String? = nil) throws(AuthError) {
        try open.take(Self.subject(Origin.subscriber(address), route), at: store.now)
    }

    private static func subject(_ who: String, _ route: String?) -> String { route.map { "\(who) \($0)" } ?? who }

    /// What was revoked, from now on. A stream that ends has lost count: close everything and listen again.
    package func revocations() -> AsyncStream<Revocation> { revoked.listen() }

    private func principal(of session: SessionID, user: UserID?) async throws -> Principal {
        await storeWhatEnded()
        guard let account = try await account(of: session), user == nil || account.user.id == user else {
            throw AuthError.notAuthenticated
        }
        return Principal(account)
    }

    private func account(of session: SessionID) async throws -> Account? {
        if let open = unstored.open(session, at: store.now) {
            return try await store.identities.activeUser(open.user, of: open.organization).map { Account(user: $0, session: open) }
        }
        return unstored.hasEnded(session) ? nil : try await store.identities.account(session: session)
    }

    func grant(_ account: Account, refresh token: Secret) throws -> Grant {
        try grant(account, refresh: token, until: store.now + Self.refreshLifetime, lifetime: Self.accessLifetime, isStored: true)
    }

    func grant(_ account: Account, refresh token: Secret?, until end: Timestamp, lifetime: Duration, isStored: Bool) throws -> Grant {
        let now = store.now
        let expires = min(now + lifetime, end)
        let claims = AccessClaims(
            sub: account.user.id, org: account.user.organization, role: account.user.role.rawValue, sid: account.session.id,
            iat: now.unixSeconds, exp: expires.unixSeconds)
        return Grant(
            principal: Principal(account), accessToken: Secret(try JWT.sign(claims, type: "at+jwt", key: key)), accessExpiresAt: expires,
            refreshToken: token, refreshExpiresAt: end, isStored: isStored)
    }

    func fresh() -> Secret { Secret(Base64URL.encode(randomBytes(32))) }
}
