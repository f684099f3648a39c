import Auth
import Crypto
import Posix
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

    @Test("a wrong password takes as long for an address that is nobody's as for one in one organisation, or in several")
    func time() async throws {
        let fixture = try await Fixture()
        let hasher = PasswordHasher(cost: .init(passes: 3, kibibytes: 8192, lanes: 1))
        let gate = try await Gate.open(fixture.store, hasher: hasher)
        let hash = try await hasher.hash(Fixture.password)
        for (slug, name) in [("team-a", "one"), ("team-b", "many"), ("team-c", "many"), ("team-d", "many")] {
            let owner = try NewUser(email: "\(name)@example.org", displayName: "Somebody", passwordHash: hash)
            _ = try await fixture.store.organizations.create(name: slug, slug: slug, owner: owner, by: .operator)
        }
        // In turn, so that whatever else the machine does meets all; the shortest is what it costs.
        let emails = ["nobody@example.org", "one@example.org", "many@example.org"]
        var times = [Duration](repeating: .seconds(60), count: emails.count)
        for round in 0..<5 {
            for (index, email) in emails.enumerated() {
                let origin = Origin(address: "192.0.2.\(round)", userAgent: nil)
                let start = Instant.now
                await #expect(throws: AuthError.badCredentials) {
                    try await gate.login(email: email, password: Secret("wrong password"), from: origin)
                }
                times[index] = min(times[index], Instant.now - start)
            }
        }
        let (least, most) = (try #require(times.min()), try #require(times.max()))
        #expect(most < least * 2, "\(times)")
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
