import Crypto
import Foundation
import Posix
import SQLite
@testable import Store
import Units

/// A wall clock that moves when a test says so.
final class TestClock: Sendable {
    private let time = Guarded(Timestamp(unixMs: 1_800_000_000_000))

    var now: Timestamp { time.withLock { $0 } }
    func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
}

/// A store in memory with an organisation, its owner, and scopes.
struct Fixture {
    let clock = TestClock()
    let store: ControlStore
    let organization: Organization
    let owner: User
    let scope: OrganizationScope

    init(_ location: Location = .memory, on disk: Disk = .system, keyring: Keyring = Keyring(), quotas: Quotas = Quotas()) async throws {
        let clock = clock
        store = try await ControlStore.open(
            location, keyring: keyring, platformVersion: "1.0-test", quotas: quotas, on: disk, clock: { clock.now })
        (organization, owner) = try await store.organizations.create(
            name: "First", slug: "first", owner: try Self.user("owner@first.example"), by: .operator)
        scope = OrganizationScope(organization.id, by: .user(owner.id, address: "192.0.2.1"))
    }

    /// Of every user here.
    static let hash = Secret("$argon2id$test")

    static func user(_ email: String) throws -> NewUser { try NewUser(email: email, displayName: "Somebody", passwordHash: hash) }

    /// A second organisation, to look from.
    func stranger() async throws -> OrganizationScope {
        let (organization, owner) = try await store.organizations.create(
            name: "Second", slug: "second", owner: try Self.user("owner@second.example"), by: .operator)
        return OrganizationScope(organization.id, by: .user(owner.id, address: nil))
    }

    /// By the owner, as a host, for an hour, with its address as the secret of its link unless there is another one.
    func invite(_ email: String, secret: String? = nil) async throws -> Invitation {
        let new = try NewInvitation(email: email, role: .host, message: nil, secret: Secret(secret ?? email)) { _ in nil }
        return try await store.invitations(in: scope).create([new], lifetime: .seconds(3600))[0]
    }

    /// Of the owner, for an hour.
    func apiToken(_ secret: String) async throws -> APIToken {
        try await store.apiTokens(in: scope).create(
            Secret(secret), name: "token", scopes: [.read], lifetime: .seconds(3600), of: owner.id, proven: Self.hash)
    }

    func sender(_ name: String = "board", in scope: OrganizationScope? = nil) async throws -> Device {
        let secret = Secret(Hex.encode(randomBytes(16)))
        _ = try await store.enrollmentTokens(in: scope ?? self.scope).create(secret, label: name, lifetime: .seconds(3600))
        return try await store.identities.redeem(secret, publicKey: randomBytes(32), name: name, kind: .sender)
    }

    func pool() async throws -> Device {
        let secret = Secret(Hex.encode(randomBytes(16)))
        _ = try await store.pools.createToken(secret, label: "pool", lifetime: .seconds(3600))
        return try await store.identities.redeem(secret, publicKey: randomBytes(32), name: "", kind: .pool)
    }
}

/// A folder of its own that goes with its owner.
final class Folder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/strata-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
