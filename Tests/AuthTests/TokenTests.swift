import Foundation
import SQLite
import Store
import Testing
import Units
import Wire

@testable import Auth

@Suite("An API token")
struct TokenTests {
    private static let day = Duration.seconds(86_400)

    private func make(
        _ fixture: Fixture, _ scopes: Set<APITokenScope> = [.read], for lifetime: Duration = day, password: Secret = Fixture.password,
        by principal: Principal? = nil
    ) async throws -> (token: APIToken, secret: Secret) {
        try await fixture.gate.createToken(
            name: "Button", scopes: scopes, lifetime: lifetime, password: password, by: principal ?? fixture.owner.principal,
            from: Fixture.origin)
    }

    private func isRefused(_ fixture: Fixture, _ secret: Secret) async throws -> Bool {
        do {
            _ = try await fixture.gate.authenticate(bearer: secret)
        } catch AuthError.tokenRefused {
            return true
        }
        return false
    }

    private func scope(_ fixture: Fixture) -> OrganizationScope {
        OrganizationScope(fixture.owner.principal.user.organization, by: .system)
    }

    @Test("does what one of its scopes and its user's role allow, as they are then, and no more")
    func rights() async throws {
        let fixture = try await Fixture()
        let host = try await fixture.user(.host)
        let secret = try await make(fixture, [.broadcasts], by: host.principal).secret
        func principal() async throws -> Principal { try await fixture.gate.authenticate(bearer: secret) }
        func set(_ role: Role) async throws {
            try await fixture.gate.setRole(role, of: host.principal.user.id, by: fixture.owner.principal, from: Fixture.origin)
        }
        let first = try await principal()
        #expect(first.user.id == host.principal.user.id && first.role == .host)
        #expect(first.may(.runBroadcasts) && first.may(.viewSenders) && !first.may(.manageSenders) && !first.may(.manageOwnAccount))
        #expect(throws: AuthError.notAllowed(.manageSenders)) { try first.demand(.manageSenders) }
        try await set(.member)
        let lesser = try await principal()
        #expect(lesser.may(.viewBroadcasts) && !lesser.may(.runBroadcasts))
        #expect(throws: AuthError.notAllowed(.runBroadcasts)) { try lesser.scope(for: .runBroadcasts, from: nil) }
        try await set(.admin)
        let greater = try await principal()
        #expect(greater.may(.runBroadcasts) && !greater.may(.manageSenders))
        #expect(throws: AuthError.notInScope(.manageSenders)) { try greater.scope(for: .manageSenders, from: nil) }
        #expect(try greater.scope(for: .runBroadcasts, from: "a").author == .user(greater.user.id, address: "a", token: greater.token?.id))
    }

    @Test("is for scopes that its maker's role has a use for, and takes the maker's password, whose guesses are counted")
    func making() async throws {
        let fixture = try await Fixture()
        let (host, member) = (try await fixture.user(.host).principal, try await fixture.user(.member).principal)
        for (principal, scopes, action) in [
            (host, [.senders], .manageSenders), (host, [.read, .members], .manageUsers), (member, [.broadcasts], .runBroadcasts),
            (member, [.read, .audit], .viewAudit),
        ] as [(Principal, Set<APITokenScope>, Action)] {
            await #expect(throws: AuthError.notAllowed(action)) { try await make(fixture, scopes, by: principal) }
        }
        for name in ["", " ", "a\nb", "\u{202e}", String(repeating: "x", count: 101)] {
            await #expect {
                try await fixture.gate.createToken(
                    name: name, scopes: [.read], lifetime: Self.day, password: Fixture.password, by: member, from: Fixture.origin)
            } throws: {
                if case .invalid(field: "token.name", expected: _) = $0 as? StoreError { true } else { false }
            }
        }
        _ = try await make(fixture, by: member)
        for _ in 0..<5 {
            await #expect(throws: AuthError.wrongPassword) { try await make(fixture, password: Secret("a guess"), by: member) }
        }
        await #expect { try await make(fixture, by: member) } throws: { if case .tooMany = $0 as? AuthError { true } else { false } }
        #expect(try await fixture.gate.tokens(for: member).map(\.name) == ["Button"])
    }

    @Test("makes no token, opens no socket, ends no session, sets no password and hands nothing over")
    func bounds() async throws {
        let fixture = try await Fixture()
        let secret = try await make(fixture, Set(APITokenScope.allCases)).secret
        let principal = try await fixture.gate.authenticate(bearer: secret)
        let (gate, origin, host) = (fixture.gate, Fixture.origin, try await fixture.user(.host).principal.user.id)
        let attempts: [(Action, @Sendable () async throws -> Void)] = [
            (.manageOwnAccount, { _ = try await make(fixture, by: principal) }),
            (.manageOwnAccount, { _ = try await gate.tokens(for: principal) }),
            (.manageOwnAccount, { try await gate.endToken(try #require(principal.token).id, by: principal, from: origin) }),
            (.manageOwnAccount, { _ = try gate.ticket(for: principal) }),
            (.manageOwnAccount, { try await gate.confirm(principal) }),
            (.manageOwnAccount, { try await gate.logOut(principal, from: origin) }),
            (.manageOwnAccount, { try await gate.endOthers(of: principal, from: origin) }),
            (
                .manageOwnAccount,
                { try await gate.changePassword(of: principal, from: Fixture.password, to: Secret("another horse"), at: origin) }
            ),
            (.setPasswords, { _ = try await gate.resetLink(for: host, by: principal, from: origin) }),
            (
                .setPasswords,
                {
                    _ = try await gate.createUser(
                        email: "n@x", displayName: "New", role: .member, password: Fixture.password, by: principal, from: origin)
                }
            ),
            (
                .transferOwnership,
                { try await gate.transferOwnership(to: host, password: Fixture.password, by: principal, from: origin) }
            ),
        ]
        for (action, attempt) in attempts {
            await #expect(throws: AuthError.notInScope(action)) { try await attempt() }
        }
        // What its scopes are for it does.
        _ = try await gate.change(host, role: .member, displayName: "Host", active: nil, by: principal, from: origin)
        let entry = try await fixture.store.audit(in: scope(fixture)).entries().first { $0.action == .userRoleChanged }
        #expect(entry?.author == principal.user.id.text && entry?.token == principal.token?.id && entry?.token != nil)
    }

    @Test("that is another one, too old, of a time that is not yet, or ended opens nothing, and all of them alike")
    func refused() async throws {
        let fixture = try await Fixture()
        let (token, secret) = try await make(fixture)
        #expect(secret.revealed.hasPrefix("strata_") && secret.revealed.utf8.count == 50)
        let text = secret.revealed
        for wrong in [
            "strata_", "strata_x", String(text.dropLast()), text + "A", text.replacing("strata_", with: "strata_ "), text + "\u{0}",
        ] {
            #expect(try await isRefused(fixture, Secret(wrong)), "\(wrong.debugDescription)")
        }
        for wrong in [text.uppercased(), String(text.dropFirst(7)), ""] {
            await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(bearer: Secret(wrong)) }
        }
        fixture.clock.advance(.seconds(-61))
        #expect(try await isRefused(fixture, secret))
        fixture.clock.advance(Self.day + .seconds(60))
        #expect(try await !isRefused(fixture, secret))
        fixture.clock.advance(.seconds(1))
        #expect(try await isRefused(fixture, secret))
        // It is listed, so that somebody finds out why a program is refused, for a month.
        #expect(try await fixture.gate.tokens(for: fixture.owner.principal).map(\.id) == [token.id])
        fixture.clock.advance(.seconds(30 * 86_400 + 1))
        try await fixture.store.operations.removeExpired()
        #expect(try await fixture.gate.tokens(for: fixture.owner.principal).isEmpty)
    }

    @Test("is ended by its maker or an admin, once, and by nobody else")
    func ending() async throws {
        let fixture = try await Fixture()
        let (gate, origin) = (fixture.gate, Fixture.origin)
        let (admin, host) = (try await fixture.user(.admin).principal, try await fixture.user(.host).principal)
        let owners = try await make(fixture)
        fixture.clock.advance(.seconds(1))
        let hosts = try await make(fixture, by: host)
        fixture.clock.advance(.seconds(1))
        #expect(try await gate.tokens(for: admin).map(\.id) == [hosts.token.id, owners.token.id])
        #expect(try await gate.tokens(for: host).map(\.id) == [hosts.token.id])
        await #expect(throws: StoreError.missing("API token")) { try await gate.endToken(owners.token.id, by: host, from: origin) }
        try await gate.endToken(hosts.token.id, by: host, from: origin)
        try await gate.endToken(owners.token.id, by: admin, from: origin)
        for made in [owners, hosts] {
            #expect(try await isRefused(fixture, made.secret))
            await #expect(throws: StoreError.missing("API token")) { try await gate.endToken(made.token.id, by: admin, from: origin) }
        }
        #expect(try await gate.tokens(for: admin).isEmpty)
        let entries = try await fixture.store.audit(in: scope(fixture)).entries().filter { $0.subject == owners.token.id.text }
        #expect(entries.map(\.action) == [.apiTokenEnded, .apiTokenCreated])
        #expect(entries.map(\.author) == [admin.user.id.text, fixture.owner.principal.user.id.text])
        #expect(entries.map(\.detail) == ["Button: ended", "Button: read"])
    }

    @Test("ends with its user's being shut out, for good, and with each new password, for whoever knew the one before may have made it")
    func ended() async throws {
        let fixture = try await Fixture()
        let (gate, origin, owner) = (fixture.gate, Fixture.origin, fixture.owner.principal)
        let host = try await fixture.user(.host).principal
        let (mine, others) = (try await make(fixture).secret, try await make(fixture, by: host).secret)
        try await gate.deactivate(host.user.id, by: owner, from: origin)
        #expect(try await isRefused(fixture, others))
        try await gate.activate(host.user.id, by: owner, from: origin)
        #expect(try await isRefused(fixture, others))

        let again = try await make(fixture, by: host).secret
        let new = Secret("another horse")
        try await gate.changePassword(of: owner, from: Fixture.password, to: new, at: origin)
        #expect(try await isRefused(fixture, mine))
        #expect(try await !isRefused(fixture, again))
        let silent = try await Gate.open(fixture.store, hasher: PasswordHasher(cost: Fixture.cheap))
        let link = try #require(try await silent.resetLink(for: host.user.id, by: owner, from: origin))
        #expect(try await !isRefused(fixture, again))
        try await silent.resetPassword(link, to: new, from: origin)
        #expect(try await isRefused(fixture, again))
        let reasons = try await fixture.store.audit(in: scope(fixture)).entries().filter { $0.action == .apiTokenEnded }.compactMap(
            \.detail)
        #expect(reasons.sorted() == ["deactivated", "password_changed", "password_changed"].map { "Button: \($0)" })
        // One that is made while the password changes is none.
        await #expect(throws: StoreError.missing("active user")) {
            try await fixture.store.apiTokens(in: owner.scope(from: nil)).create(
                Secret("strata_x"), name: "Late", scopes: [.read], lifetime: Self.day, of: owner.user.id, proven: Secret("$argon2id$old"))
        }
    }

    @Test("is listed with when and where it was used last, written down once a minute or when it comes from elsewhere")
    func uses() async throws {
        let fixture = try await Fixture()
        let secret = try await make(fixture).secret
        func use(from address: String) async throws {
            let principal = try await fixture.gate.authenticate(bearer: secret)
            try await fixture.gate.noteUse(of: principal, from: Origin(address: address, userAgent: nil))
        }
        func isLast(_ time: Timestamp?, _ address: String?) async throws -> Bool {
            let token = try #require(try await fixture.gate.tokens(for: fixture.owner.principal).first)
            return token.lastUsedAt == time && token.lastAddress == address
        }
        #expect(try await isLast(nil, nil))
        fixture.clock.advance(.seconds(5))
        let first = fixture.clock.now
        try await use(from: "192.0.2.7")
        #expect(try await isLast(first, "192.0.2.7"))
        fixture.clock.advance(.seconds(59))
        try await use(from: "192.0.2.7")
        #expect(try await isLast(first, "192.0.2.7"))
        try await use(from: "2001:db8::1")
        #expect(try await isLast(first + .seconds(59), "2001:db8::1"))
        fixture.clock.advance(.seconds(60))
        try await use(from: "2001:db8::1")
        #expect(try await isLast(fixture.clock.now, "2001:db8::1"))
        // A clock that is set back is believed.
        fixture.clock.advance(.seconds(-60))
        try await use(from: "2001:db8::1")
        #expect(try await isLast(fixture.clock.now, "2001:db8::1"))
    }

    @Test("is counted by itself: one that asks without end keeps its user from nothing")
    func rates() async throws {
        var limits = Gate.Limits()
        limits.general = RateLimit(3, per: .seconds(60))
        let fixture = try await Fixture(limits: limits)
        let (first, second) = (try await make(fixture).secret, try await make(fixture).secret)
        let principals = (try await fixture.gate.authenticate(bearer: first), try await fixture.gate.authenticate(bearer: second))
        for route in [nil, "stop"] {
            for _ in 0..<3 { try fixture.gate.admit(principals.0, urgently: route) }
            #expect(throws: AuthError.tooMany(retryAfter: .seconds(60))) { try fixture.gate.admit(principals.0, urgently: route) }
            try fixture.gate.admit(principals.1, urgently: route)
            try fixture.gate.admit(fixture.owner.principal, urgently: route)
        }
    }

    @Test("goes on with a full disk, with which none is made")
    func fullDisk() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/strata-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let disk = FailingDisk()
        let fixture = try await Fixture(file: folder + "/strata.db", on: disk.disk)
        let secret = try await make(fixture).secret
        disk.fail(0..<Int.max)
        let principal = try await fixture.gate.authenticate(bearer: secret)
        try await fixture.gate.noteUse(of: principal, from: Fixture.origin)
        await #expect(throws: StoreError.diskFull) { try await make(fixture) }
        disk.fail(0..<0)
        #expect(try await fixture.gate.tokens(for: fixture.owner.principal).map(\.lastUsedAt) == [nil])
        try await fixture.store.close()
    }
}
