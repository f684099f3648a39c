import Auth
import Crypto
import Mail
import Posix
import SQLite
import Store
import Units
import Wire

/// A wall clock that moves when a test says so.
final class TestClock: Sendable {
    private let time = Guarded(Timestamp(unixMs: 1_800_000_000_000))

    var now: Timestamp { time.withLock { $0 } }
    func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
}

/// A gate over a store in memory, with an owner who has logged in. Hashing costs next to nothing here.
struct Fixture {
    static let cheap = PasswordHasher.Cost(passes: 1, kibibytes: 64, lanes: 1)
    static let password = Secret("correct horse")
    static let origin = Origin(address: "192.0.2.1", userAgent: "Browser")

    let clock = TestClock()
    let store: ControlStore
    let gate: Gate
    let owner: Grant

    /// - Parameters:
    ///   - file: where the database lies; in memory otherwise.
    ///   - disk: what fails its writes.
    init(limits: Gate.Limits = Gate.Limits(), file: String? = nil, on disk: Disk = .system) async throws {
        let clock = clock
        let place = file.map { Location.file($0) } ?? .memory
        store = try await ControlStore.open(place, keyring: Keyring(), platformVersion: "1", on: disk, clock: { clock.now })
        gate = try await Gate.open(
            store, hasher: PasswordHasher(cost: Self.cheap, concurrent: 2, waiting: 1000),
            letters: Letters(AccountLinks(origin: "https://live.example.org")), limits: limits)
        try await store.setup.issue(Secret("setup"))
        owner = try await gate.claim(
            Secret("setup"), organization: "First", slug: "first", email: "owner@first.example", displayName: "Owner",
            password: Self.password, from: Self.origin)
    }

    func login(
        _ email: String = "owner@first.example", _ password: Secret = password, slug: String? = nil, browser: Secret? = nil,
        from address: String = "192.0.2.1"
    ) async throws -> Grant {
        try await gate.login(
            email: email, password: password, slug: slug, browser: browser, from: Origin(address: address, userAgent: nil))
    }

    /// A wrong password.
    /// - Returns: whether it was looked at; false where the attempt had to wait.
    func guess(
        _ email: String = "owner@first.example", slug: String? = nil, browser: Secret? = nil, from address: String = "192.0.2.1"
    ) async throws -> Bool {
        do {
            _ = try await login(email, Secret("wrong password"), slug: slug, browser: browser, from: address)
        } catch AuthError.badCredentials {
            return true
        } catch AuthError.tooMany {
            return false
        }
        throw AuthError.busy
    }

    /// An organisation whose owner has the same mail address as the first one's, and another password.
    func namesake() async throws -> Secret {
        let password = Secret("another horse")
        let hash = try await PasswordHasher(cost: Self.cheap).hash(password)
        let owner = try NewUser(email: "owner@first.example", displayName: "Same", passwordHash: hash)
        _ = try await store.organizations.create(name: "Second", slug: "second", owner: owner, by: .operator)
        return password
    }

    /// A user of a role, logged in.
    func user(_ role: Role, _ email: String? = nil) async throws -> Grant {
        let email = email ?? "\(role.rawValue)@first.example"
        _ = try await gate.createUser(
            email: email, displayName: "Somebody", role: role, password: Self.password, by: owner.principal, from: Self.origin)
        return try await login(email)
    }
}
