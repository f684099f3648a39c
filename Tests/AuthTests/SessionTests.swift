import Auth
import Crypto
import Store
import Testing
import Units
import Wire

@Suite struct SessionTests {
    private let origin = Fixture.origin

    @Test("a refresh gives new tokens for the same session, for 30 days after the last use")
    func refresh() async throws {
        let fixture = try await Fixture()
        var grant = fixture.owner
        for _ in 0..<3 {
            fixture.clock.advance(.seconds(29 * 86_400))
            let next = try await fixture.gate.refresh(grant.refreshToken!)
            #expect(try next.principal.session.id == grant.principal.session.id && next.refreshToken! != grant.refreshToken!)
            _ = try await fixture.gate.authenticate(bearer: next.accessToken)
            grant = next
        }
        fixture.clock.advance(.seconds(30 * 86_400))
        await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.refresh(grant.refreshToken!) }
    }

    @Test("two tabs that refresh at once stay logged in")
    func twoTabs() async throws {
        let fixture = try await Fixture()
        let tokens = try await withThrowingTaskGroup(of: Secret.self) { group in
            for _ in 0..<5 { group.addTask { try await fixture.gate.refresh(fixture.owner.refreshToken!).refreshToken! } }
            return try await group.reduce(into: Set<Secret>()) { $0.insert($1) }
        }
        #expect(tokens.count == 1)
        _ = try await fixture.gate.refresh(try #require(tokens.first))
    }

    @Test("a refresh token used again after 10 s ends every session of its user, and the listeners hear of it")
    func reuse() async throws {
        let fixture = try await Fixture()
        let second = try await fixture.login()
        let other = try await fixture.user(.host)
        var heard = fixture.gate.revocations().makeAsyncIterator()
        let next = try await fixture.gate.refresh(fixture.owner.refreshToken!)
        fixture.clock.advance(.seconds(11))
        await #expect(throws: AuthError.tokenReused) { try await fixture.gate.refresh(fixture.owner.refreshToken!) }
        var ended: Set<Revocation> = []
        for _ in 0..<2 { if let revocation = await heard.next() { ended.insert(revocation) } }
        #expect(try ended == [.session(fixture.owner.principal.session.id), .session(second.principal.session.id)])
        for grant in [next, second] {
            await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(bearer: grant.accessToken) }
            await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.refresh(grant.refreshToken!) }
        }
        _ = try await fixture.gate.authenticate(bearer: other.accessToken)
    }

    @Test("sessions can be listed and ended: the token of an ended one is refused at once")
    func ending() async throws {
        let fixture = try await Fixture()
        let second = try await fixture.login()
        let third = try await fixture.login()
        let principal = fixture.owner.principal
        #expect(try await fixture.gate.sessions(of: principal).count == 3)
        try await fixture.gate.end(second.principal.session.id, of: principal, from: origin)
        await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(bearer: second.accessToken) }
        let stranger = try await fixture.user(.host)
        await #expect(throws: StoreError.missing("session")) {
            try await fixture.gate.end(third.principal.session.id, of: stranger.principal, from: origin)
        }
        try await fixture.gate.endOthers(of: principal, from: origin)
        #expect(try await fixture.gate.sessions(of: principal).map(\.id) == [principal.session.id])
        try await fixture.gate.logOut(refreshToken: fixture.owner.refreshToken!, from: origin)
        await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(bearer: fixture.owner.accessToken) }
        try await fixture.gate.logOut(refreshToken: Secret("unknown"), from: origin)
    }

    @Test("a deactivated user is out with the next request; a new role counts with the next request")
    func changesCountAtOnce() async throws {
        let fixture = try await Fixture()
        let host = try await fixture.user(.host)
        var heard = fixture.gate.revocations().makeAsyncIterator()
        try await fixture.gate.setRole(.member, of: host.principal.user.id, by: fixture.owner.principal, from: origin)
        #expect(await heard.next() == .role(host.principal.user.id))
        #expect(try await fixture.gate.authenticate(bearer: host.accessToken).role == .member)
        try await fixture.gate.deactivate(host.principal.user.id, by: fixture.owner.principal, from: origin)
        #expect(try await heard.next() == .session(host.principal.session.id))
        await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(bearer: host.accessToken) }
    }

    @Test("a new password ends the other sessions and needs the old one")
    func password() async throws {
        let fixture = try await Fixture()
        let second = try await fixture.login()
        let new = Secret("another horse")
        await #expect(throws: AuthError.wrongPassword) {
            try await fixture.gate.changePassword(of: fixture.owner.principal, from: Secret("wrong"), to: new, at: origin)
        }
        try await fixture.gate.changePassword(of: fixture.owner.principal, from: Fixture.password, to: new, at: origin)
        _ = try await fixture.gate.authenticate(bearer: fixture.owner.accessToken)
        await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(bearer: second.accessToken) }
        await #expect(throws: AuthError.badCredentials) { try await fixture.login() }
        _ = try await fixture.login("owner@first.example", new)
    }

    @Test("a ticket opens one socket within 30 s, and none after its session ended")
    func tickets() async throws {
        let fixture = try await Fixture()
        let ticket = try fixture.gate.ticket(for: fixture.owner.principal)
        #expect(try await fixture.gate.authenticate(ticket: ticket).user.id == fixture.owner.principal.user.id)
        await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(ticket: ticket) }
        let late = try fixture.gate.ticket(for: fixture.owner.principal)
        fixture.clock.advance(.seconds(30))
        await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(ticket: late) }
        let ended = try fixture.gate.ticket(for: fixture.owner.principal)
        try await fixture.gate.logOut(fixture.owner.principal, from: origin)
        await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(ticket: ended) }
        await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(ticket: Secret("")) }
    }

    @Test("a listener that does not listen is ended instead of missing a revocation")
    func slowListener() async throws {
        let fixture = try await Fixture()
        let stream = fixture.gate.revocations()
        let host = try await fixture.user(.host)
        for _ in 0..<2100 {
            for role in [Role.member, .host] {
                try await fixture.gate.setRole(role, of: host.principal.user.id, by: fixture.owner.principal, from: origin)
            }
        }
        var count = 0
        for await _ in stream { count += 1 }
        #expect(count == 4096)
    }

    @Test("a wall clock that is set back gives no token, ticket or grace more time, and ends no session")
    func setBack() async throws {
        let fixture = try await Fixture()
        let principal = fixture.owner.principal
        let ticket = try fixture.gate.ticket(for: principal)
        let next = try await fixture.gate.refresh(fixture.owner.refreshToken!)
        // As network time corrects it.
        fixture.clock.advance(.seconds(-5))
        _ = try await fixture.gate.authenticate(bearer: next.accessToken)
        #expect(try await fixture.gate.refresh(fixture.owner.refreshToken!).refreshToken! == next.refreshToken!)
        fixture.clock.advance(.seconds(-7200))
        for token in [fixture.owner.accessToken, next.accessToken] {
            await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(bearer: token) }
        }
        await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(ticket: ticket) }
        try await fixture.gate.confirm(principal)
        let newest = try await fixture.gate.refresh(next.refreshToken!)
        _ = try await fixture.gate.authenticate(bearer: newest.accessToken)
        await #expect(throws: AuthError.tokenReused) { try await fixture.gate.refresh(fixture.owner.refreshToken!) }
    }

    @Test("a wall clock that is set ahead signs nobody out: the access token is over, the session is not")
    func setAhead() async throws {
        let fixture = try await Fixture()
        fixture.clock.advance(.seconds(3600))
        await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(bearer: fixture.owner.accessToken) }
        let next = try await fixture.gate.refresh(fixture.owner.refreshToken!)
        _ = try await fixture.gate.authenticate(bearer: next.accessToken)
    }

    @Test("a wall clock that is set back locks nobody out: what was counted before counts no more")
    func limits() async throws {
        var limits = Gate.Limits()
        limits.general = RateLimit(3, per: .seconds(60))
        let fixture = try await Fixture(limits: limits)
        for _ in 0..<3 { try fixture.gate.admit(fixture.owner.principal) }
        for _ in 0..<5 {
            await #expect(throws: AuthError.badCredentials) { try await fixture.login("owner@first.example", Secret("wrong horse")) }
        }
        #expect(throws: AuthError.self) { try fixture.gate.admit(fixture.owner.principal) }
        fixture.clock.advance(.seconds(-7200))
        try fixture.gate.admit(fixture.owner.principal)
        _ = try await fixture.login()
    }

    @Test("whose password was changed is told so by mail, stored with the change, and nobody where it was not")
    func passwordNotice() async throws {
        let fixture = try await Fixture()
        let principal = fixture.owner.principal
        func jobs() async throws -> [Job] { try await fixture.store.jobs.claim(holder: "a", for: .seconds(1), limit: 9) }
        await #expect(throws: AuthError.wrongPassword) {
            try await fixture.gate.changePassword(of: principal, from: Secret("wrong"), to: Secret("another horse"), at: Fixture.origin)
        }
        #expect(try await jobs().isEmpty)
        try await fixture.gate.changePassword(of: principal, from: Fixture.password, to: Secret("another horse"), at: Fixture.origin)
        let job = try #require(try await jobs().first)
        let mail = try #require(try await fixture.store.outbox.find(job)).content
        #expect(job.kind == Outbox.kind && mail.to == "owner@first.example" && mail.purpose == .passwordChanged)
        #expect(mail.text.contains("https://live.example.org") && !mail.text.contains("horse") && !job.payload.contains("first.example"))
    }
}
