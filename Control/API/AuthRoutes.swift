import Auth
import Fleet
import HTTP
import Store
import Units
import Web
import Wire

/// Signing in and out, one's own sessions, and the tickets for WebSockets.
struct AuthRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] { doorRoutes + ownRoutes }

    static let cookie = "strata_refresh"
    /// What a browser is known by: it opens nothing.
    static let browserCookie = "strata_browser"

    // MARK: The door

    private var doorRoutes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/setup", access: .open, summary: "Whether the server has an owner, and sends mails",
                success: .one("Setup"),
                run: { _ in .value(SetupView(ownerExists: try await !parts.store.setup.isOpen(), sendsMail: parts.postman != nil)) }),
            Route(
                method: .post, path: "/api/v1/auth/register", access: .open, summary: "Become the first owner, by the setup secret",
                body: "RegisterRequest", success: .one("Session", .created), problems: [.forbidden, .conflict, .busy], run: register),
            Route(
                method: .post, path: "/api/v1/auth/login", access: .open, summary: "Sign in", body: "LoginRequest",
                success: .one("Session"), problems: [.unauthorized, .conflict, .busy], isUrgent: true, run: login),
            Route(
                method: .post, path: "/api/v1/auth/refresh", access: .open,
                summary: "A new access token for the refresh token in the cookie, which is replaced", success: .one("Session"),
                problems: [.unauthorized, .forbidden], isUrgent: true, run: refresh),
        ]
    }

    @Sendable private func register(_ call: Call) async throws -> Response {
        let request = try call.body(RegisterRequest.self)
        let grant = try await parts.gate.claim(
            request.setupSecret.secret, organization: request.organizationName, slug: request.organizationSlug, email: request.email,
            displayName: request.displayName, password: request.password.secret, from: call.origin)
        parts.settings.stateFolder.removeSetupSecret()
        return try await entered(grant, call, .created)
    }

    @Sendable private func login(_ call: Call) async throws -> Response {
        let request = try call.body(LoginRequest.self)
        let grant = try await parts.gate.login(
            email: request.email, password: request.password.secret, slug: request.organization, browser: Self.browser(call),
            from: call.origin)
        return try await entered(grant, call, .ok)
    }

    @Sendable private func refresh(_ call: Call) async throws -> Response {
        try parts.checkOrigin(of: call.request)
        guard let token = Cookies.value(Self.cookie, call.request.headers) else { throw Problem(.unauthorized) }
        do {
            return try await entered(try await parts.gate.refresh(Secret(token)), call, .ok)
        } catch AuthError.tokenReused {
            // In the audit log too, where there is room for it.
            parts.sayUnstored("a refresh token was used twice: its user's sessions have ended", call)
            throw AuthError.tokenReused
        }
    }

    private static func browser(_ call: Call) -> Secret? { Cookies.value(browserCookie, call.request.headers).map { Secret($0) } }

    /// The answer to whoever has come in: a session, and its cookies.
    func entered(_ grant: Grant, _ call: Call, _ status: Status) async throws -> Response {
        let seconds = (grant.accessExpiresAt - parts.store.now).seconds
        let view = SessionView(
            accessToken: SecretOnWire(grant.accessToken), expiresInSeconds: max(0, Int(seconds)),
            user: try await parts.whole(grant.principal.user),
            may: try await actions(of: grant.principal).map(\.rawValue))
        var response = Response.secret(view, status)
        if !grant.isStored { parts.sayUnstored("somebody has come in without its being stored: the disk is full", call, grant.principal) }
        if let token = grant.refreshToken {
            let age = Int((grant.refreshExpiresAt - parts.store.now).seconds)
            response.headers.add("Set-Cookie", try Self.cookieField(Self.cookie, token.revealed, age: age))
        }
        let browser = try parts.gate.knownBrowser(of: grant.principal, presented: Self.browser(call))
        response.headers.add(
            "Set-Cookie", try Self.cookieField(Self.browserCookie, browser.revealed, age: Int(Gate.browserLifetime.seconds)))
        return response
    }

    /// The answer to whoever has left: nothing, in the cookie too.
    static func left() throws -> Response {
        var response = Response.empty
        response.headers.add("Set-Cookie", try cookieField(cookie, "", age: 0))
        return response
    }

    /// What a page may offer.
    private func actions(of principal: Principal) async throws -> [Action] {
        let keepsPool = try await parts.keepsPool(principal)
        return Action.allCases.filter { principal.may($0) && (![.managePool, .manageReports, .manageServer].contains($0) || keepsPool) }
    }

    /// Browsers take a Secure cookie over plain HTTP from localhost only, which is where plain HTTP is served.
    private static func cookieField(_ name: String, _ value: String, age: Int) throws -> String {
        try SetCookie(
            name: name, value: value, path: "/api/v1/auth", maxAge: age, isSecure: true, isHTTPOnly: true, sameSite: .strict
        ).field()
    }

    // MARK: One's own account

    private var ownRoutes: [Route] {
        [
            Route(
                method: .post, path: "/api/v1/auth/logout", access: .user(.manageOwnAccount), summary: "End this session", success: .empty,
                run: { call in
                    try await parts.gate.logOut(call.caller(), from: call.origin)
                    return try Self.left()
                }),
            Route(
                method: .get, path: "/api/v1/auth/me", access: .user(.viewOrganization), summary: "Who is signed in",
                success: .one("User"), run: { call in .value(try await parts.whole(call.caller().user)) }),
            Route(
                method: .get, path: "/api/v1/auth/sessions", access: .user(.manageOwnAccount), summary: "One's open sessions",
                success: .page("Login"),
                run: { call in
                    let caller = try call.caller()
                    let current = try caller.session.id
                    return .list(try await parts.gate.sessions(of: caller).map { LoginView($0, current: $0.id == current) })
                }),
            Route(
                method: .delete, path: "/api/v1/auth/sessions/{id}", access: .user(.manageOwnAccount), summary: "End one of one's sessions",
                success: .empty,
                run: { call in
                    try await parts.gate.end(call.id(), of: call.caller(), from: call.origin)
                    return .empty
                }),
            Route(
                method: .delete, path: "/api/v1/auth/sessions", access: .user(.manageOwnAccount),
                summary: "End all of one's sessions but this one", success: .empty,
                run: { call in
                    try await parts.gate.endOthers(of: call.caller(), from: call.origin)
                    return .empty
                }),
            Route(
                method: .put, path: "/api/v1/auth/password", access: .user(.manageOwnAccount),
                summary: "Change one's password; one's other sessions and API tokens end", body: "ChangePasswordRequest", success: .empty,
                problems: [.busy],
                run: { call in
                    let request = try call.body(ChangePasswordRequest.self)
                    try await parts.gate.changePassword(
                        of: call.caller(), from: request.current.secret, to: request.password.secret, at: call.origin)
                    return .empty
                }),
            Route(
                method: .post, path: "/api/v1/auth/ticket", access: .user(.manageOwnAccount),
                summary: "A ticket that opens one WebSocket within 30 s", success: .one("Ticket"), isUrgent: true,
                run: { call in .secret(TicketView(ticket: SecretOnWire(try parts.gate.ticket(for: call.caller())))) }),
        ]
    }
}

extension Gateway.Parts {
    /// A warning about a session, 20 of them a minute.
    fileprivate func sayUnstored(_ message: StaticString, _ call: Call, _ principal: Principal? = nil) {
        // try?: what is beyond the limit is not written.
        guard (try? sessionLines.take("", at: store.now)) != nil else { return }
        log.warning(message, ["user": "\(principal?.user.id.text ?? "")", "address": "\(call.origin.address)"])
    }

    func view(of user: User) async throws -> UserView {
        guard let organization = try await store.organizations.find(user.organization) else { throw Problem(.notFound) }
        return UserView(
            id: user.id, email: user.email, displayName: user.displayName, role: user.role, active: user.isActive,
            organization: OrganizationView(id: organization.id, name: organization.name, slug: organization.slug),
            avatar: address(of: user.avatar, in: .avatars, of: user.organization))
    }

    /// Of whoever asks: with what their pages have to know of their organisation.
    func whole(_ user: User) async throws -> UserView {
        var view = try await view(of: user)
        view.organization.locale = try await store.settings(in: OrganizationScope(user.organization, by: .system)).find().locale
        view.organization.branding = try await branding(of: user.organization)
        return view
    }

    /// A browser names the page's origin with each request that changes something: only our own pages' are taken.
    func checkOrigin(of request: Request) throws {
        guard let origin = request.headers["origin"] else { return }
        let own = "\(request.isSecure ? "https" : "http")://\(request.head.host)"
        guard origin == own || origins.contains(origin) else {
            throw Problem(.forbidden, "a page of \(origin.bounded(to: 200)) may not do this")
        }
    }
}

extension LoginView {
    init(_ session: AuthSession, current: Bool) {
        self.init(
            id: session.id, createdAt: session.createdAt.text, lastUsedAt: session.lastUsedAt.text, address: session.address ?? "",
            userAgent: session.userAgent ?? "", current: current)
    }
}
