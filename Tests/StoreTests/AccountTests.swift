import Crypto
import SQLite
@testable import Store
import Testing
import Units

@Suite struct SetupTests {
    @Test("the setup secret makes the first owner, once; another secret makes nobody")
    func firstOwner() async throws {
        let store = try await ControlStore.open(.memory, keyring: Keyring(), platformVersion: "1")
        #expect(try await store.setup.isOpen())
        try await store.setup.issue(Secret("first"))
        try await store.setup.issue(Secret("second"))
        func claim(_ secret: String) async throws -> (Organization, User) {
            try await store.setup.claim(Secret(secret), name: "A", slug: "a", owner: try Fixture.user("a@example.org"))
        }
        await #expect(throws: StoreError.setupClosed) { try await claim("first") }
        #expect(try await store.setup.isOpen())
        let (organization, owner) = try await claim("second")
        #expect(owner.role == .owner && owner.organization == organization.id)
        await #expect(throws: StoreError.setupClosed) { try await claim("second") }
        await #expect(throws: StoreError.setupClosed) { try await store.setup.issue(Secret("third")) }
        #expect(try await !store.setup.isOpen())
        // It runs the server; those that the operator makes later do not.
        let (other, _) = try await store.organizations.create(
            name: "B", slug: "b", owner: try Fixture.user("b@example.org"), by: .operator)
        #expect(try await store.organizations.isHouse(organization.id))
        #expect(try await !store.organizations.isHouse(other.id))
        // As a server has it that was set up before this was written down.
        try await store.write { try $0.shared.run("UPDATE setup SET organization = NULL") }
        #expect(try await store.organizations.isHouse(organization.id))
        #expect(try await !store.organizations.isHouse(other.id))
    }

    @Test(
        "a slug that is no part of a URL is refused",
        arguments: ["", "A", "a b", "-a", "a-", "a/b", "ä", String(repeating: "a", count: 41)])
    func slugs(slug: String) async throws {
        let store = try await ControlStore.open(.memory, keyring: Keyring(), platformVersion: "1")
        await #expect(throws: StoreError.self) {
            try await store.organizations.create(name: "A", slug: slug, owner: try Fixture.user("a@example.org"), by: .operator)
        }
        #expect(try await store.organizations.all().isEmpty)
    }
}

@Suite struct UserTests {
    @Test("an organisation has exactly one owner, who can be neither demoted nor deactivated")
    func oneOwner() async throws {
        let fixture = try await Fixture()
        let users = fixture.store.users(in: fixture.scope)
        let host = try await users.create(try Fixture.user("host@first.example"), role: .host)
        await #expect(throws: StoreError.ownerStays) { try await users.setRole(fixture.owner.id, .admin) }
        await #expect(throws: StoreError.ownerStays) { try await users.setRole(host.id, .owner) }
        await #expect(throws: StoreError.ownerStays) { _ = try await users.deactivate(fixture.owner.id) }
        await #expect(throws: StoreError.ownerStays) { try await users.create(try Fixture.user("b@first.example"), role: .owner) }
        // The schema itself refuses a second owner and an inactive one.
        for sql in ["UPDATE users SET role = 'owner'", "UPDATE users SET is_active = 0"] as [SQL] {
            await #expect(throws: SQLiteError.self) { try await fixture.store.write { try $0.across(.operation).run(sql) } }
        }
        try await users.transferOwnership(to: host.id)
        #expect(try await users.find(host.id).role == .owner)
        #expect(try await users.find(fixture.owner.id).role == .admin)
    }

    @Test("a user who is removed is nobody's any more, stays what they did, and leaves the address to somebody else")
    func removal() async throws {
        let fixture = try await Fixture()
        let store = fixture.store
        let users = store.users(in: fixture.scope)
        let gone = try await users.create(try Fixture.user("kim@first.example"), role: .host)
        let session = try await store.identities.openSession(
            for: gone, proven: Fixture.hash, token: Secret("kim"), lifetime: .seconds(60), address: nil, userAgent: nil
        ).session
        let token = Secret("strata_kim")
        _ = try await store.apiTokens(in: fixture.scope).create(
            token, name: "Button", scopes: [.read], lifetime: .seconds(60), of: gone.id, proven: Fixture.hash)
        await #expect(throws: StoreError.ownerStays) { _ = try await users.remove(fixture.owner.id) }
        #expect(try await users.remove(gone.id) == [session.id])
        #expect(try await users.all().map(\.id) == [fixture.owner.id])
        #expect(try await store.identities.account(session: session.id) == nil)
        #expect(try await store.identities.holder(of: token) == nil)
        // Nobody gets them back, by whatever was asked before they were gone.
        let late: [@Sendable () async throws -> Void] = [
            { _ = try await users.find(gone.id) }, { try await users.rename(gone.id, to: "Kim") },
            { try await users.setRole(gone.id, .member) },
            { try await users.activate(gone.id) }, { _ = try await users.deactivate(gone.id) }, { _ = try await users.remove(gone.id) },
            { _ = try await users.changeProfile(gone.id, displayName: "Kim", avatar: nil) },
        ]
        for attempt in late { await #expect(throws: StoreError.missing("user")) { try await attempt() } }
        await #expect(throws: SQLiteError.self) {
            try await store.write { try $0.across(.operation).run("UPDATE users SET is_active = 1") }
        }
        let entry = try #require(try await store.audit(in: fixture.scope).entries().first { $0.action == .userRemoved })
        #expect(entry.subject == gone.id.text && entry.detail == "\(gone.displayName), kim@first.example")
        #expect(try await users.names(of: [gone.id.text, "nobody"]) == [gone.id.text: gone.displayName])
        let again = try await users.create(try Fixture.user("kim@first.example"), role: .member)
        let kept = try await users.passwordHash(gone.id)
        #expect(again.id != gone.id && kept == nil)
    }

    @Test("a mail address is one user in an organisation, in whatever case it is written")
    func emails() async throws {
        let fixture = try await Fixture()
        let users = fixture.store.users(in: fixture.scope)
        _ = try await users.create(try Fixture.user("Some.One@First.Example"), role: .member)
        await #expect(throws: StoreError.taken("email")) { try await users.create(try Fixture.user("some.one@first.example"), role: .host) }
        let stranger = try await fixture.stranger()
        _ = try await fixture.store.users(in: stranger).create(try Fixture.user("some.one@first.example"), role: .host)
        let logins = try await fixture.store.identities.logins(email: "SOME.ONE@first.example")
        #expect(logins.map(\.organizationSlug) == ["first", "second"])
        #expect(try await fixture.store.identities.logins(email: "some.one@first.example", slug: "second").map(\.user.role) == [.host])
    }

    @Test("what cannot be a mail address is refused", arguments: ["", "a", "a@", "@b", "a@b@c", "a b@c", "a@b\n", "a\u{0}@b"])
    func badEmails(email: String) {
        #expect(throws: StoreError.self) { try Fixture.user(email) }
    }
}

@Suite struct SessionTests {
    private static let month = Duration.seconds(30 * 86_400)

    private struct Line {
        let fixture: Fixture
        let session: AuthSession
        let first = Secret("token 0")

        init() async throws {
            fixture = try await Fixture()
            session = try await fixture.store.identities.openSession(
                for: fixture.owner, proven: Fixture.hash, token: first, lifetime: month, address: "192.0.2.1", userAgent: "Browser"
            ).session
        }

        func rotate(_ token: Secret, to next: String) async throws -> Rotation {
            try await fixture.store.identities.rotate(token, to: Secret(next), lifetime: month, grace: .seconds(10))
        }
    }

    @Test("a refresh token gives its successor, and carries the session on")
    func rotation() async throws {
        let line = try await Line()
        line.fixture.clock.advance(.seconds(3600))
        guard case .rotated(let account, let token) = try await line.rotate(line.first, to: "token 1") else {
            Issue.record("not rotated")
            return
        }
        #expect(token == Secret("token 1") && account.user.id == line.fixture.owner.id)
        let session = try await line.fixture.store.sessions(in: line.fixture.scope).open(of: line.fixture.owner.id).first
        #expect(session?.lastUsedAt == line.fixture.clock.now && session?.expiresAt == line.fixture.clock.now + Self.month)
    }

    @Test("a used token gets the newest successor within 10 s, and ends all sessions of the user after")
    func reuse() async throws {
        let line = try await Line()
        let store = line.fixture.store
        let other = try await store.identities.openSession(
            for: line.fixture.owner, proven: Fixture.hash, token: Secret("other"), lifetime: Self.month, address: nil, userAgent: nil
        ).session
        _ = try await line.rotate(line.first, to: "token 1")
        line.fixture.clock.advance(.seconds(10))
        guard case .rotated(_, let again) = try await line.rotate(line.first, to: "never used") else {
            Issue.record("refused within the grace")
            return
        }
        #expect(again == Secret("token 1"))
        _ = try await line.rotate(Secret("token 1"), to: "token 2")
        guard case .rotated(_, let newest) = try await line.rotate(line.first, to: "never used") else {
            Issue.record("refused within the grace")
            return
        }
        #expect(newest == Secret("token 2"))
        line.fixture.clock.advance(.milliseconds(10_001))
        guard case .reused(let user, let ended) = try await line.rotate(line.first, to: "never used") else {
            Issue.record("a token was used twice and nothing happened")
            return
        }
        #expect(user == line.fixture.owner.id && Set(ended) == [line.session.id, other.id])
        for token in ["token 2", "other", "token 1"] {
            guard case .refused = try await line.rotate(Secret(token), to: "x") else {
                Issue.record("\(token) still works")
                return
            }
        }
        #expect(try await store.identities.account(session: line.session.id) == nil)
    }

    @Test("an unknown token, an expired session and a user who is shut out are refused")
    func refusals() async throws {
        let line = try await Line()
        guard case .refused = try await line.rotate(Secret("unknown"), to: "x") else {
            Issue.record("an unknown token was taken")
            return
        }
        line.fixture.clock.advance(Self.month)
        guard case .refused = try await line.rotate(line.first, to: "x") else {
            Issue.record("an expired token was taken")
            return
        }
        let users = line.fixture.store.users(in: line.fixture.scope)
        let host = try await users.create(try Fixture.user("h@first.example"), role: .host)
        let session = try await line.fixture.store.identities.openSession(
            for: host, proven: Fixture.hash, token: Secret("host"), lifetime: Self.month, address: nil, userAgent: nil
        ).session
        #expect(try await line.fixture.store.identities.account(session: session.id)?.user.id == host.id)
        #expect(try await users.deactivate(host.id) == [session.id])
        #expect(try await line.fixture.store.identities.account(session: session.id) == nil)
        guard case .refused = try await line.rotate(Secret("host"), to: "x") else {
            Issue.record("a user who is shut out got a token")
            return
        }
        await #expect(throws: StoreError.missing("active user")) {
            _ = try await line.fixture.store.identities.openSession(
                for: host, proven: Fixture.hash, token: Secret("host 2"), lifetime: Self.month, address: nil, userAgent: nil)
        }
    }

    @Test("a session is opened, and a password changed, by whoever proved the one that is good now")
    func proven() async throws {
        let line = try await Line()
        let (store, owner, new) = (line.fixture.store, line.fixture.owner, Secret("new"))
        let users = store.users(in: line.fixture.scope)
        #expect(try await users.setPassword(owner.id, from: Fixture.hash, to: new) == [line.session.id])
        await #expect(throws: StoreError.missing("active user")) {
            try await store.identities.openSession(
                for: owner, proven: Fixture.hash, token: Secret("late"), lifetime: Self.month, address: nil, userAgent: nil)
        }
        await #expect(throws: StoreError.missing("user")) { try await users.setPassword(owner.id, from: Fixture.hash, to: Secret("late")) }
        #expect(try await users.passwordHash(owner.id) == new)
        #expect(try await users.renewHash(owner.id, from: new, to: Secret("renewed")))
        #expect(try await !users.renewHash(owner.id, from: new, to: Secret("late")))
        _ = try await store.identities.openSession(
            for: owner, proven: Secret("renewed"), token: Secret("b"), lifetime: Self.month, address: nil, userAgent: nil)
    }

    @Test("neither a token nor its successor lies in the database")
    func storedForm() async throws {
        let line = try await Line()
        _ = try await line.rotate(line.first, to: "token 1")
        let stored = try await line.fixture.store.read { transaction in
            try transaction.across(.operation).all("SELECT hash, coalesce(successor, x'') AS successor FROM refresh_tokens") { row in
                let hash: [UInt8] = try row["hash"]
                let successor: [UInt8] = try row["successor"]
                return hash + successor
            }
        }
        #expect(stored.count == 2)
        for bytes in stored { #expect(!String(decoding: bytes, as: UTF8.self).contains("token")) }
    }

    @Test("sessions are listed and ended by their user alone")
    func listing() async throws {
        let line = try await Line()
        let sessions = line.fixture.store.sessions(in: line.fixture.scope)
        line.fixture.clock.advance(.seconds(1))
        let second = try await line.fixture.store.identities.openSession(
            for: line.fixture.owner, proven: Fixture.hash, token: Secret("b"), lifetime: Self.month, address: nil, userAgent: nil
        ).session
        #expect(try await sessions.open(of: line.fixture.owner.id).map(\.id) == [second.id, line.session.id])
        let stranger = try await line.fixture.stranger()
        await #expect(throws: StoreError.missing("session")) {
            try await line.fixture.store.sessions(in: stranger).end(second.id, of: line.fixture.owner.id)
        }
        try await sessions.end(second.id, of: line.fixture.owner.id)
        await #expect(throws: StoreError.missing("session")) { try await sessions.end(second.id, of: line.fixture.owner.id) }
        #expect(try await sessions.endAll(of: line.fixture.owner.id, but: line.session.id).isEmpty)
        #expect(try await sessions.endAll(of: line.fixture.owner.id) == [line.session.id])
    }
}
