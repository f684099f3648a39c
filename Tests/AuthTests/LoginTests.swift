import Auth
import Crypto
import Store
import Testing
import Units
import Wire

@Suite struct LoginTests {
    @Test("mail address and password give a token that speaks for the user, for 15 minutes")
    func accessToken() async throws {
        let fixture = try await Fixture()
        let grant = try await fixture.login("OWNER@first.example")
        #expect(try await fixture.gate.authenticate(bearer: grant.accessToken).user.id == fixture.owner.principal.user.id)
        fixture.clock.advance(.seconds(15 * 60 - 1))
        _ = try await fixture.gate.authenticate(bearer: grant.accessToken)
        fixture.clock.advance(.seconds(1))
        await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(bearer: grant.accessToken) }
    }

    @Test("the token says who, where, as what and until when, and a forged one is refused")
    func claims() async throws {
        let fixture = try await Fixture()
        let parts = fixture.owner.accessToken.revealed.split(separator: ".")
        let payload = String(decoding: try #require(Base64URL.decode(parts[1])), as: UTF8.self)
        for name in ["sub", "org", "role", "sid", "iat", "exp"] { #expect(payload.contains("\"\(name)\":")) }
        let forged = try JWT.sign(
            ["sub": "x"], type: "at+jwt", key: randomBytes(32))
        for token in [forged, "", "a.b.c", "\(parts[0]).\(parts[1])."] {
            await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(bearer: Secret(token)) }
        }
    }

    @Test("an unknown address, a wrong password and a user who is shut out are answered alike")
    func refusals() async throws {
        let fixture = try await Fixture()
        let host = try await fixture.user(.host)
        try await fixture.gate.deactivate(host.principal.user.id, by: fixture.owner.principal, from: Fixture.origin)
        await #expect(throws: AuthError.badCredentials) { try await fixture.login("nobody@first.example") }
        await #expect(throws: AuthError.badCredentials) { try await fixture.login("owner@first.example", Secret("wrong password")) }
        await #expect(throws: AuthError.badCredentials) { try await fixture.login("host@first.example") }
        await #expect(throws: AuthError.badCredentials) { try await fixture.login("no address") }
    }

    @Test("an address in two organisations has to name one, but only after the password is right")
    func organizations() async throws {
        let fixture = try await Fixture()
        let hash = try await PasswordHasher(cost: Fixture.cheap).hash(Fixture.password)
        _ = try await fixture.store.organizations.create(
            name: "Second", slug: "second",
            owner: try NewUser(email: "owner@first.example", displayName: "Same", passwordHash: hash), by: .operator)
        await #expect(throws: AuthError.badCredentials) { try await fixture.login("owner@first.example", Secret("wrong password")) }
        await #expect { try await fixture.login() } throws: { error in
            guard case .organizationNeeded(let choices) = error as? AuthError else { return false }
            return choices.map(\.slug) == ["first", "second"]
        }
        let grant = try await fixture.gate.login(
            email: "owner@first.example", password: Fixture.password, slug: "second", from: Fixture.origin)
        #expect(grant.principal.user.displayName == "Same")
    }

    @Test("the setup secret works once, and three tries an hour are all an address has")
    func setup() async throws {
        let store = try await ControlStore.open(.memory, keyring: Keyring(), platformVersion: "1")
        let gate = try await Gate.open(store, hasher: PasswordHasher(cost: Fixture.cheap))
        try await store.setup.issue(Secret("right"))
        func claim(_ secret: String, from address: String = "a") async throws -> Grant {
            try await gate.claim(
                Secret(secret), organization: "A", slug: "a", email: "a@example.org", displayName: "Ada", password: Fixture.password,
                from: Origin(address: address, userAgent: nil))
        }
        for _ in 0..<3 { await #expect(throws: AuthError.setupClosed) { try await claim("wrong") } }
        await #expect { try await claim("right") } throws: { if case .tooMany = $0 as? AuthError { true } else { false } }
        #expect(try await claim("right", from: "b").principal.role == .owner)
        await #expect(throws: AuthError.setupClosed) { try await claim("right", from: "c") }
    }

    @Test("a password that is too short or too long is refused", arguments: ["", "1234567", String(repeating: "x", count: 257)])
    func weakPasswords(password: String) async throws {
        let fixture = try await Fixture()
        await #expect {
            try await fixture.gate.createUser(
                email: "a@first.example", displayName: "Ada", role: .host, password: Secret(password), by: fixture.owner.principal,
                from: Fixture.origin)
        } throws: { if case .weakPassword = $0 as? AuthError { true } else { false } }
    }
}
