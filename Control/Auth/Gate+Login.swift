import Crypto
import Posix
package import Store
package import Units

/// Coming in and going out.
extension Gate {
    /// Logs in with a mail address and a password.
    ///
    /// An unknown address is answered like a wrong password, and as late, in however many organisations it has an account (`rest`).
    /// Failures are counted before the password is looked at, by `LoginAttempts`; a success takes its count back.
    ///
    /// - Parameters:
    ///   - slug: the organisation, from the URL; nil where it does not say.
    ///   - browser: the cookie of `knownBrowser`, where one came.
    /// - Throws: `.badCredentials`, `.organizationNeeded`, `.tooMany`, `.busy`.
    package func login(
        email: String, password: Secret, slug: String? = nil, browser: Secret? = nil, from origin: Origin
    ) async throws -> Grant {
        let candidates = Array(try await store.identities.logins(email: email, slug: slug).prefix(Self.candidates))
        let attempts = LoginAttempts(
            candidates, email: email, browser: browsers.browser(browser, at: store.now), from: origin, limits: limits)
        let counted = try await take(attempts)
        let began = Instant.now
        var fitting: [Login] = []
        for candidate in candidates where try await hasher.verify(password, against: candidate.passwordHash) { fitting.append(candidate) }
        if candidates.isEmpty { _ = try await hasher.verify(password, against: nil) }
        let spent = Instant.now - began
        fitting.removeAll { !$0.user.isActive }
        guard let login = fitting.first, let hash = login.passwordHash else {
            // In one organisation there is one check, whether the address is known or not. try?: who has left meanwhile has failed as well.
            if slug == nil { try? await Task.sleep(for: Self.rest(after: spent, checks: max(1, candidates.count))) }
            throw AuthError.badCredentials
        }
        for subject in [attempts.ofPlace] + fitting.flatMap({ attempts.ofUser[$0.user.id] ?? [] }) {
            if let attempt = counted[subject] { try await refund(attempt) }
        }
        guard fitting.count == 1 else {
            throw AuthError.organizationNeeded(fitting.map { OrganizationChoice(slug: $0.organizationSlug, name: $0.organizationName) })
        }
        return try await open(login.user, proven: try await renewHash(hash, of: login.user, password: password), from: origin)
    }

    /// What a failed login that names no organisation still waits, so that it lasts as long as `candidates` checks would have: its time does
    /// not tell in how many organisations the address has an account. 3 s at most, where checks wait for their turn. A wait, as more checks
    /// would be processor time for whoever fails.
    ///
    /// - Parameters:
    ///   - spent: what the checks took, with the time they waited for their turn.
    ///   - checks: how many there were, 1 to `candidates`.
    private static func rest(after spent: Duration, checks: Int) -> Duration { min(spent * (candidates - checks) / checks, .seconds(3)) }

    /// Makes the first organisation and its owner with the setup secret, and logs the owner in (THREATS 1).
    ///
    /// - Throws: `.setupClosed`, `.tooMany`, `.weakPassword`, `.busy`, or a `StoreError` for a name that cannot be one.
    package func claim(
        _ secret: Secret, organization: String, slug: String, email: String, displayName: String, password: Secret, from origin: Origin
    ) async throws -> Grant {
        _ = try await take("register", "address \(origin.subscriber)", limits.register)
        guard try await store.setup.accepts(secret) else { throw AuthError.setupClosed }
        let owner = try NewUser(email: email, displayName: displayName, passwordHash: try await hasher.hash(password))
        do {
            let (_, user) = try await store.setup.claim(secret, name: organization, slug: slug, owner: owner)
            return try await open(user, proven: owner.passwordHash, from: origin)
        } catch StoreError.setupClosed {
            throw AuthError.setupClosed
        }
    }

    /// Trades a refresh token for its successor and a new access token.
    ///
    /// - Throws: `.notAuthenticated`, or `.tokenReused` when it was used before: then every session of its user has ended.
    package func refresh(_ token: Secret) async throws -> Grant {
        await storeWhatEnded()
        let rotation: Rotation
        do {
            rotation = try await store.identities.rotate(token, to: fresh(), lifetime: Self.refreshLifetime, grace: Self.grace)
        } catch StoreError.diskFull {
            return try await refreshUnstored(token)
        }
        switch rotation {
        case .rotated(let account, let next):
            guard !unstored.hasEnded(account.session.id) else { throw AuthError.notAuthenticated }
            return try grant(account, refresh: next)
        case .refused: throw AuthError.notAuthenticated
        case .reused(let user, let ended):
            revoked.tell((ended + unstored.closeAll(of: user)).map(Revocation.session))
            throw AuthError.tokenReused
        }
    }

    /// Ends the session of a request.
    package func logOut(_ principal: Principal, from origin: Origin) async throws {
        try await end(principal.session.id, of: principal.user.id, as: principal, because: .loggedOut, from: origin)
    }

    /// Ends the session of a refresh token, for a page whose access token has expired; an unknown token changes nothing.
    package func logOut(refreshToken token: Secret, from origin: Origin) async throws {
        guard let account = try await store.identities.account(refreshToken: token) else { return }
        try await logOut(Principal(account), from: origin)
    }

    /// The open sessions of the user, the newest first (SEC-05).
    package func sessions(of principal: Principal) async throws -> [AuthSession] {
        let stored = try await store.sessions(in: own(principal, nil)).open(of: principal.user.id)
        return unstored.all(of: principal.user.id, at: store.now) + stored.filter { !unstored.hasEnded($0.id) }
    }

    /// Ends one of the user's own sessions.
    package func end(_ session: SessionID, of principal: Principal, from origin: Origin) async throws {
        try await end(session, of: principal.user.id, as: principal, because: .ended, from: origin)
    }

    /// Ends all sessions of the user but the one that asks.
    package func endOthers(of principal: Principal, from origin: Origin) async throws {
        let kept = try principal.session.id
        var ended = try await store.sessions(in: own(principal, origin)).endAll(of: principal.user.id, but: kept)
        ended += unstored.closeAll(of: principal.user.id, but: kept)
        revoked.tell(ended.map(Revocation.session))
    }

    /// Changes the user's own password; all other sessions and all API tokens end.
    ///
    /// - Throws: `.wrongPassword` where `current` is not the password; `.tooMany`, `.weakPassword`, `.busy`.
    package func changePassword(of principal: Principal, from current: Secret, to new: Secret, at origin: Origin) async throws {
        let kept = try principal.session.id
        let proven = try await prove(current, of: principal)
        let hash = try await hasher.hash(new)
        var ended: [SessionID]
        do {
            ended = try await store.users(in: own(principal, origin)).setPassword(
                principal.user.id, from: proven, to: hash, keeping: kept,
                notice: letters?.passwordChanged(of: principal.user, at: store.now))
        } catch StoreError.missing {
            // Another one since: this must not take back what ended it.
            throw AuthError.wrongPassword
        }
        ended += unstored.closeAll(of: principal.user.id, but: kept)
        revoked.tell(ended.map(Revocation.session))
    }

    /// Whether it is the password of whoever is signed in; failures are counted as those of logins are.
    ///
    /// - Returns: what it was checked against.
    /// - Throws: `.wrongPassword`, `.tooMany`, `.busy`.
    func prove(_ password: Secret, of principal: Principal) async throws -> Secret {
        let attempt = try await take("login", "password \(principal.user.id)", limits.login)
        let proven = try await store.users(in: own(principal, nil)).passwordHash(principal.user.id)
        guard try await hasher.verify(password, against: proven), let proven else { throw AuthError.wrongPassword }
        try await refund(attempt)
        return proven
    }

    func own(_ principal: Principal, _ origin: Origin?) -> OrganizationScope { principal.scope(from: origin?.address) }

    func take(_ kind: String, _ subject: String, _ limit: RateLimit) async throws -> CountedAttempt {
        do {
            if let wait = try await store.operations.takeAttempt(kind, subject, limit: limit.count, within: limit.window) {
                throw AuthError.tooMany(retryAfter: wait)
            }
            return CountedAttempt(kind: kind, subject: subject, isStored: true)
        } catch StoreError.diskFull {
            try unstored.attempts(kind, limit).take(subject, at: store.now)
            return CountedAttempt(kind: kind, subject: subject, isStored: false)
        }
    }

    /// There where it was counted: what the other place still holds is of another time, and somebody's failures.
    func refund(_ attempt: CountedAttempt) async throws {
        guard attempt.isStored else { return unstored.refundAttempt(attempt.kind, attempt.subject) }
        do {
            try await store.operations.refundAttempt(attempt.kind, attempt.subject)
        } catch StoreError.diskFull {
            // It stays counted: too strict rather than too lax.
        }
    }

    private func end(
        _ session: SessionID, of user: UserID, as principal: Principal, because reason: SessionEnd, from origin: Origin
    ) async throws {
        if !unstored.close(session, of: user) {
            try await store.sessions(in: own(principal, origin)).end(session, of: user, because: reason)
        }
        revoked.tell([.session(session)])
    }

    /// - Parameter hash: what the password was checked against.
    /// - Throws: `.badCredentials` where the user has another one by now, or is shut out.
    func open(_ user: User, proven hash: Secret, from origin: Origin) async throws -> Grant {
        let token = fresh()
        let (session, ended): (AuthSession, [SessionID])
        do {
            (session, ended) = try await store.identities.openSession(
                for: user, proven: hash, token: token, lifetime: Self.refreshLifetime, address: origin.address, userAgent: origin.userAgent)
        } catch StoreError.missing {
            throw AuthError.badCredentials
        } catch StoreError.diskFull {
            return try await openUnstored(user, proven: hash, from: origin)
        }
        revoked.tell(ended.map(Revocation.session))
        guard let account = try await store.identities.account(session: session.id) else { throw AuthError.notAuthenticated }
        return try grant(account, refresh: token)
    }

    /// A hash of an older cost is made anew while the password is at hand; it ends no session.
    ///
    /// - Parameter hash: what the password was checked against.
    /// - Returns: the one that was checked and is in force now.
    /// - Throws: `.badCredentials` where it is one of another password by now.
    private func renewHash(_ hash: Secret, of user: User, password: Secret) async throws -> Secret {
        guard hasher.isOutdated(hash) else { return hash }
        let renewed: Secret
        do {
            renewed = try await hasher.hash(password)
        } catch {
            // Busy, or shorter than what is asked of new passwords today: the old hash stays good.
            return hash
        }
        let users = store.users(in: OrganizationScope(user.organization, by: .system))
        do {
            if try await users.renewHash(user.id, from: hash, to: renewed) { return renewed }
        } catch StoreError.diskFull {
            // The next login renews it.
            return hash
        }
        // Another login has renewed it, or the password is another.
        let current = try await users.passwordHash(user.id)
        guard try await hasher.verify(password, against: current), let current else { throw AuthError.badCredentials }
        return current
    }
}
