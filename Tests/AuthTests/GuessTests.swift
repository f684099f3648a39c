import Auth
import Crypto
import Store
import Testing
import Units
import Wire

/// How many passwords can be tried, and that nobody who tries keeps a user out (SEC-11).
@Suite struct GuessTests {
    @Test("after 5 failures in a minute a place waits, for a right one too; successes are not counted, other places go on")
    func place() async throws {
        let fixture = try await Fixture()
        for _ in 0..<8 { _ = try await fixture.login() }
        for _ in 0..<5 { #expect(try await fixture.guess()) }
        fixture.clock.advance(.seconds(20))
        await #expect(throws: AuthError.tooMany(retryAfter: .seconds(40))) { try await fixture.login() }
        _ = try await fixture.login(from: "192.0.2.99")
        fixture.clock.advance(.seconds(40))
        _ = try await fixture.login()
    }

    @Test("a place that tries many users is held back like one that tries one, and another place is not")
    func manyUsers() async throws {
        let fixture = try await Fixture()
        for index in 0..<5 { #expect(try await fixture.guess("user\(index)@first.example", from: "198.51.100.7")) }
        await #expect(throws: AuthError.tooMany(retryAfter: .seconds(60))) { try await fixture.login(from: "198.51.100.7") }
        _ = try await fixture.login(from: "198.51.100.8")
    }

    @Test("a place has 20 guesses an hour at a user, however slow they come, and an unknown address costs the same")
    func slowGuesses() async throws {
        for email in ["owner@first.example", "nobody@first.example"] {
            let fixture = try await Fixture()
            var looked = 0
            for _ in 0..<50 {
                if try await fixture.guess(email) { looked += 1 }
                fixture.clock.advance(.seconds(60))
            }
            #expect(looked == 20)
        }
    }

    @Test("the addresses of one /64 are one place")
    func prefix() async throws {
        let fixture = try await Fixture()
        for index in 0..<5 { #expect(try await fixture.guess(from: "2001:db8:0:1::\(index)")) }
        #expect(try await !fixture.guess(from: "2001:db8:0:1:ffff::1"))
        #expect(try await fixture.guess(from: "2001:db8:0:2::1"))
    }

    @Test("all places together have 300 guesses an hour at a user, and the user's own browser goes in all the while")
    func distributed() async throws {
        let fixture = try await Fixture()
        let browser = try fixture.gate.knownBrowser(of: fixture.owner.principal, presented: nil)
        var looked = 0
        for round in 0..<4 {
            for place in 0..<20 {
                for _ in 0..<5 where try await fixture.guess(from: "10.0.\(round).\(place)") { looked += 1 }
            }
            fixture.clock.advance(.seconds(60))
        }
        #expect(looked == 300)
        // Somebody at a new place has to wait, and other users do not.
        await #expect { try await fixture.login(from: "203.0.113.1") } throws: {
            if case .tooMany = $0 as? AuthError { true } else { false }
        }
        #expect(try await fixture.guess("other@first.example", from: "203.0.113.1"))
        for _ in 0..<30 { _ = try await fixture.login(browser: browser, from: "203.0.113.1") }
        fixture.clock.advance(.seconds(3600))
        _ = try await fixture.login(from: "203.0.113.1")
    }

    @Test("whoever fails at the user's own address keeps out neither the browser, nor the browser itself the address")
    func sharedAddress() async throws {
        let fixture = try await Fixture()
        let browser = try fixture.gate.knownBrowser(of: fixture.owner.principal, presented: nil)
        for _ in 0..<5 { #expect(try await fixture.guess()) }
        #expect(try await !fixture.guess())
        for _ in 0..<5 { #expect(try await fixture.guess(browser: browser)) }
        #expect(try await !fixture.guess(browser: browser), "a stolen cookie has no more guesses than an address")
        fixture.clock.advance(.seconds(60))
        _ = try await fixture.login(browser: browser)
    }

    @Test("a browser stays the same one for its user, and is nothing to anybody else")
    func browsers() async throws {
        let fixture = try await Fixture()
        let principal = fixture.owner.principal
        let first = try fixture.gate.knownBrowser(of: principal, presented: nil)
        for _ in 0..<5 { #expect(try await fixture.guess(browser: first)) }
        // Coming in again does not make a second one with a count of its own.
        let again = try fixture.gate.knownBrowser(of: principal, presented: first)
        #expect(try await !fixture.guess(browser: again))
        let host = try await fixture.user(.host).principal
        let forged = try JWT.sign(
            ["sub": principal.user.id.text, "jti": "x", "iat": "1"], type: "browser+jwt", key: randomBytes(32))
        for cookie in [try fixture.gate.knownBrowser(of: host, presented: first), Secret(forged), fixture.owner.accessToken, Secret("")] {
            // They count as the address they come from.
            #expect(try await fixture.guess(browser: cookie, from: "198.51.100.7"))
        }
        #expect(try await fixture.guess(from: "198.51.100.7"))
        #expect(try await !fixture.guess(browser: Secret(forged), from: "198.51.100.7"))
        fixture.clock.advance(Gate.browserLifetime)
        for _ in 0..<5 { #expect(try await fixture.guess(browser: first)) }
        #expect(try await !fixture.guess(), "after its time it is nobody's, and its address counts")
    }

    @Test("who has the same mail address in another organisation neither takes guesses back nor has a browser for them")
    func namesakes() async throws {
        let fixture = try await Fixture()
        let password = try await fixture.namesake()
        let other = try await fixture.login("owner@first.example", password, from: "198.51.100.7")
        let browser = try fixture.gate.knownBrowser(of: other.principal, presented: nil)
        // Each comes in, by the one's own password, and is a guess at the other's.
        var looked = 1
        for _ in 0..<50 {
            do {
                _ = try await fixture.login("owner@first.example", password, browser: browser, from: "198.51.100.7")
                looked += 1
            } catch AuthError.tooMany {}
        }
        #expect(looked == 20)
        _ = try await fixture.login("owner@first.example", password, slug: "second", browser: browser, from: "198.51.100.7")
        _ = try await fixture.login(slug: "first", from: "198.51.100.8")
    }

    @Test("the counts of failed logins outlive the gate, and so do known browsers")
    func persistence() async throws {
        let fixture = try await Fixture()
        let browser = try fixture.gate.knownBrowser(of: fixture.owner.principal, presented: nil)
        for _ in 0..<5 { #expect(try await fixture.guess("x@first.example")) }
        let restarted = try await Gate.open(fixture.store, hasher: PasswordHasher(cost: Fixture.cheap))
        await #expect(throws: AuthError.tooMany(retryAfter: .seconds(60))) {
            try await restarted.login(email: "x@first.example", password: Fixture.password, from: Fixture.origin)
        }
        _ = try await restarted.login(
            email: "owner@first.example", password: Fixture.password, browser: browser, from: Fixture.origin)
        // The key of the tokens does too.
        _ = try await restarted.authenticate(bearer: fixture.owner.accessToken)
    }

    @Test("many guesses at once are counted before they are looked at")
    func parallelGuesses() async throws {
        let fixture = try await Fixture()
        let looked = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<40 { group.addTask { try await fixture.guess() } }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(looked == 5)
    }
}
