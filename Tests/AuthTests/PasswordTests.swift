@testable import Auth
import Crypto
import Posix
import Store
import Testing
import Units

@Suite struct PasswordTests {
    @Test("the reference implementation's own hash is accepted: argon2id, version 19, from its test suite")
    func knownAnswer() async throws {
        // phc-winner-argon2, src/test.c: password 'password', salt 'somesalt', t=2, m=65536, p=1.
        let hash = Secret("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
        let hasher = PasswordHasher()
        #expect(try await hasher.verify(Secret("password"), against: hash))
        #expect(try await !hasher.verify(Secret("passwore"), against: hash))
        #expect(hasher.isOutdated(hash))
    }

    @Test("a new hash is argon2id with t=3, m=64 MiB, p=1 and a salt of its own, and fits its password only")
    func standard() async throws {
        let hasher = PasswordHasher()
        let hash = try await hasher.hash(Secret("correct horse"))
        #expect(hash.revealed.hasPrefix("$argon2id$v=19$m=65536,t=3,p=1$"))
        #expect(try await hasher.hash(Secret("correct horse")) != hash)
        #expect(!hasher.isOutdated(hash))
        #expect(try await hasher.verify(Secret("correct horse"), against: hash))
        #expect(try await !hasher.verify(Secret("wrong"), against: hash))
    }

    @Test("somebody who is not there costs as much time as a wrong password")
    func decoy() async throws {
        let hasher = PasswordHasher(cost: .init(passes: 3, kibibytes: 16_384, lanes: 1))
        let hash = try await hasher.hash(Secret("correct horse"))
        func time(_ hash: Secret?) async throws -> Duration {
            let start = Instant.now
            #expect(try await !hasher.verify(Secret("wrong password"), against: hash))
            return Instant.now - start
        }
        // In turn, so that whatever else the machine does meets both; the shortest is what it costs.
        var (unknown, wrong) = (Duration.seconds(60), Duration.seconds(60))
        for _ in 0..<7 {
            unknown = min(unknown, try await time(nil))
            wrong = min(wrong, try await time(hash))
        }
        #expect(unknown * 2 > wrong && wrong * 2 > unknown, "unknown \(unknown), wrong \(wrong)")
    }

    @Test("more checks than may wait are refused as busy, and the others are done")
    func bounded() async throws {
        let cost = PasswordHasher.Cost(passes: 3, kibibytes: 8192, lanes: 1)
        let hasher = PasswordHasher(cost: cost, concurrent: 2, waiting: 3)
        // Made by another one: a thread that has just answered still counts as busy for a moment.
        let hash = try await PasswordHasher(cost: cost).hash(Secret("correct horse"))
        let results = await withTaskGroup(of: Result<Bool, any Error>.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    do { return .success(try await hasher.verify(Secret("correct horse"), against: hash)) } catch { return .failure(error) }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        var done = 0
        for result in results {
            switch result {
            case .success(let fits):
                #expect(fits)
                done += 1
            case .failure(let error): #expect(error as? AuthError == .busy)
            }
        }
        #expect(done >= 5 && done < 40)
        #expect(try await hasher.verify(Secret("correct horse"), against: hash))
    }

    @Test("a login renews a hash of an older cost, and the password still fits, that of others which come at once too")
    func renewal() async throws {
        let fixture = try await Fixture()
        let stronger = PasswordHasher(cost: .init(passes: 2, kibibytes: 64, lanes: 1))
        let gate = try await Gate.open(fixture.store, hasher: stronger)
        for _ in 0..<2 {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        _ = try await gate.login(email: "owner@first.example", password: Fixture.password, from: Fixture.origin)
                    }
                }
                try await group.waitForAll()
            }
        }
        let login = try #require(try await fixture.store.identities.logins(email: "owner@first.example").first)
        #expect(login.passwordHash?.revealed.hasPrefix("$argon2id$v=19$m=64,t=2,p=1$") == true)
        _ = try await fixture.gate.authenticate(bearer: fixture.owner.accessToken)
    }
}

@Suite struct RateLimitTests {
    private let limit = RateLimit(3, per: .seconds(60))

    @Test("a window slides: room comes back one by one")
    func sliding() {
        var window = SlidingWindow()
        let start = Timestamp(unixMs: 0)
        for second in 0..<3 { #expect(window.take(at: start + .seconds(second * 10), limit) == nil) }
        #expect(window.take(at: start + .seconds(30), limit) == .seconds(30))
        #expect(window.take(at: start + .seconds(60), limit) == nil)
        #expect(window.take(at: start + .seconds(61), limit) == .seconds(9))
        #expect(window.moments.count == 3)
    }

    @Test("each subject has its own window, and quiet subjects are forgotten")
    func subjects() throws {
        let limiter = RateLimiter(limit)
        for index in 0..<5000 { try limiter.take("\(index)", at: Timestamp(unixMs: Int64(index) * 1000)) }
        let now = Timestamp(unixMs: 5_000_000)
        for _ in 0..<3 { try limiter.take("a", at: now) }
        #expect(throws: AuthError.tooMany(retryAfter: .seconds(60))) { try limiter.take("a", at: now) }
        try limiter.take("b", at: now)
    }

    @Test("a user has 100 requests a minute")
    func general() async throws {
        let fixture = try await Fixture()
        for _ in 0..<100 { try fixture.gate.admit(fixture.owner.principal) }
        #expect(throws: AuthError.tooMany(retryAfter: .seconds(60))) { try fixture.gate.admit(fixture.owner.principal) }
        fixture.clock.advance(.seconds(60))
        try fixture.gate.admit(fixture.owner.principal)
    }
}
