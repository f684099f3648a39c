import Posix
import Store
import Units

/// What the store had no room for, in memory until it has: sessions that were opened, sessions that have to end, attempts to sign in.
///
/// A full disk must not keep anybody from a broadcast's Stop. `Control/SECURITY.md` tells why nobody gains by it.
final class UnstoredSessions: Sendable {
    private struct State {
        var open: [SessionID: AuthSession] = [:]
        /// Ended, and not yet stored as such.
        var ended: Set<SessionID> = []
        var triedAt: Timestamp?
        var attempts: [String: RateLimiter] = [:]
    }

    /// Of all users together: each is a login with a right password.
    private static let bound = 1000
    /// How often it is tried to store what ended.
    private static let pause = Duration.seconds(5)

    private let limitOfUser: Int
    private let state = Guarded(State())
    /// Refreshes of one session: tabs and programs that share a cookie, and retries.
    let refreshes = RateLimiter(RateLimit(30, per: .seconds(60)))

    init(limitOfUser: Int) { self.limitOfUser = limitOfUser }

    // MARK: Sessions

    /// - Returns: the user's oldest one, which ended for it.
    /// - Throws: `.busy` where there are too many of all users.
    func add(_ session: AuthSession) throws(AuthError) -> SessionID? {
        let (isFull, ended) = state.withLock { state -> (Bool, SessionID?) in
            state.open = state.open.filter { $0.value.isOpen(at: session.createdAt) }
            let own = state.open.values.filter { $0.user == session.user }
            var oldest: SessionID?
            if own.count >= limitOfUser { oldest = own.min { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }?.id }
            if let oldest { state.open[oldest] = nil }
            guard state.open.count < Self.bound else { return (true, oldest) }
            state.open[session.id] = session
            return (false, oldest)
        }
        if isFull { throw .busy }
        return ended
    }

    func open(_ id: SessionID, at now: Timestamp) -> AuthSession? {
        state.withLock { $0.open[id].flatMap { $0.createdAt <= now + Gate.setBack && $0.isOpen(at: now) ? $0 : nil } }
    }

    func all(of user: UserID, at now: Timestamp) -> [AuthSession] {
        state.withLock { $0.open.values.filter { $0.user == user && $0.isOpen(at: now) }.sorted { $0.id > $1.id } }
    }

    /// - Returns: whether it was one of the user's that is here.
    func close(_ id: SessionID, of user: UserID) -> Bool {
        state.withLock { state in
            guard state.open[id]?.user == user else { return false }
            state.open[id] = nil
            return true
        }
    }

    func closeAll(of user: UserID, but kept: SessionID? = nil) -> [SessionID] {
        state.withLock { state in
            let own = state.open.values.filter { $0.user == user && $0.id != kept }.map(\.id)
            for id in own { state.open[id] = nil }
            return own
        }
    }

    func closeAll(in organization: OrganizationID) -> [SessionID] {
        state.withLock { state in
            let own = state.open.values.filter { $0.organization == organization }.map(\.id)
            for id in own { state.open[id] = nil }
            return own
        }
    }

    // MARK: Sessions of the store that ended

    func end(_ sessions: [SessionID]) { state.withLock { $0.ended.formUnion(sessions) } }

    func hasEnded(_ session: SessionID) -> Bool { state.withLock { $0.ended.contains(session) } }

    /// What is to be stored now, in turn.
    func owed(at now: Timestamp) -> Set<SessionID> {
        state.withLock { state in
            guard !state.ended.isEmpty else { return [] }
            if let tried = state.triedAt, (.zero..<Self.pause).contains(now - tried) { return [] }
            state.triedAt = now
            return state.ended
        }
    }

    func stored(_ session: SessionID) { state.withLock { _ = $0.ended.remove(session) } }

    // MARK: Attempts

    /// The attempts of a kind that could not be counted in the store, by the same limit.
    func attempts(_ kind: String, _ limit: RateLimit) -> RateLimiter {
        state.withLock { state in
            let limiter = state.attempts[kind] ?? RateLimiter(limit)
            state.attempts[kind] = limiter
            return limiter
        }
    }

    /// Of one that was counted here.
    func refundAttempt(_ kind: String, _ subject: String) { state.withLock { $0.attempts[kind] }?.refund(subject) }
}

extension Gate {
    /// A refresh while nothing can be stored: a short access token beside the same refresh token, which is not used up.
    ///
    /// - Throws: as `refresh`; `.tooMany`.
    func refreshUnstored(_ token: Secret) async throws -> Grant {
        switch try await store.identities.recognize(token, grace: Self.grace) {
        case .good(let account, let current):
            guard !unstored.hasEnded(account.session.id) else { throw AuthError.notAuthenticated }
            try unstored.refreshes.take(account.session.id.text, at: store.now)
            return try grant(
                account, refresh: current, until: account.session.expiresAt, lifetime: Self.unstoredLifetime, isStored: false)
        case .refused: throw AuthError.notAuthenticated
        case .reused(let account, let sessions):
            // Once, as ever: after it the token is one of an ended session, and ends nothing that was opened since.
            guard !unstored.hasEnded(account.session.id) else { throw AuthError.notAuthenticated }
            unstored.end(sessions)
            revoked.tell((sessions + unstored.closeAll(of: account.user.id)).map(Revocation.session))
            throw AuthError.tokenReused
        }
    }

    /// A login while nothing can be stored: an access token, and nothing that outlives it.
    func openUnstored(_ user: User, proven hash: Secret, from origin: Origin) async throws -> Grant {
        let session = AuthSession(
            unstoredOf: user, at: store.now, lifetime: Self.accessLifetime, address: origin.address, userAgent: origin.userAgent)
        if let ended = try unstored.add(session) { revoked.tell([.session(ended)]) }
        // Once it is there: a change of the password that this does not see ends it.
        guard try await store.users(in: OrganizationScope(user.organization, by: .system)).passwordHash(user.id) == hash else {
            _ = unstored.close(session.id, of: user.id)
            throw AuthError.badCredentials
        }
        return try grant(
            Account(user: user, session: session), refresh: nil, until: session.expiresAt, lifetime: Self.accessLifetime, isStored: false)
    }

    func storeWhatEnded() async {
        for session in unstored.owed(at: store.now) {
            do {
                try await store.identities.end(session)
                unstored.stored(session)
            } catch {
                // Still no room: it stays ended in memory, and a later request tries again.
                return
            }
        }
    }
}
