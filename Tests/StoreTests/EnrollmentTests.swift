import Crypto
@testable import Store
import Testing
import Units
import Wire

@Suite struct EnrollmentTests {
    private let secret = Secret("a token")
    private let key = randomBytes(32)

    private func fixture() async throws -> Fixture {
        let fixture = try await Fixture()
        _ = try await fixture.store.enrollmentTokens(in: fixture.scope).create(secret, label: "Van 3", lifetime: .seconds(3600))
        return fixture
    }

    @Test("a token makes one device; the same key gets it again until its first connection, another key never")
    func once() async throws {
        let fixture = try await fixture()
        let identities = fixture.store.identities
        let device = try await identities.redeem(secret, publicKey: key, name: "board", kind: .sender)
        #expect(device.organization == fixture.organization.id && device.name == "board" && device.kind == .sender)
        #expect(try await identities.redeem(secret, publicKey: key, name: "other", kind: .sender) == device)
        await #expect(throws: StoreError.tokenUsed) {
            try await identities.redeem(secret, publicKey: randomBytes(32), name: "thief", kind: .sender)
        }
        let scope = OrganizationScope(fixture.organization.id, by: .device(device.id))
        try await fixture.store.devices(in: scope).connected(device.id, version: "1.0", inventory: Inventory())
        await #expect(throws: StoreError.enrolled) { try await identities.redeem(secret, publicKey: key, name: "board", kind: .sender) }
        #expect(try await fixture.store.devices(in: fixture.scope).all().count == 1)
    }

    @Test("of many who redeem one token at once with keys of their own, one gets a device")
    func race() async throws {
        let fixture = try await fixture()
        let made = await withTaskGroup(of: Device?.self) { group in
            for _ in 0..<20 {
                group.addTask { [secret] in
                    try? await fixture.store.identities.redeem(secret, publicKey: randomBytes(32), name: "", kind: .sender)
                }
            }
            return await group.reduce(into: [Device?]()) { $0.append($1) }.compactMap { $0 }
        }
        #expect(made.map(\.name) == ["Van 3"])
    }

    @Test("an unknown, expired, withdrawn or foreign token and a malformed key are refused")
    func refusals() async throws {
        let fixture = try await fixture()
        let identities = fixture.store.identities
        await #expect(throws: StoreError.tokenRefused) {
            try await identities.redeem(Secret("another"), publicKey: key, name: "", kind: .sender)
        }
        await #expect(throws: StoreError.tokenRefused) { try await identities.redeem(secret, publicKey: key, name: "", kind: .pool) }
        await #expect(throws: StoreError.self) { try await identities.redeem(secret, publicKey: [1], name: "", kind: .sender) }
        let tokens = fixture.store.enrollmentTokens(in: fixture.scope)
        let other = try await tokens.create(Secret("b"), label: "b", lifetime: .seconds(3600))
        let stranger = try await fixture.stranger()
        await #expect(throws: StoreError.missing("open enrollment token")) {
            try await fixture.store.enrollmentTokens(in: stranger).withdraw(other.id)
        }
        try await tokens.withdraw(other.id)
        await #expect(throws: StoreError.tokenRefused) { try await identities.redeem(Secret("b"), publicKey: key, name: "", kind: .sender) }
        fixture.clock.advance(.seconds(3600))
        await #expect(throws: StoreError.tokenRefused) { try await identities.redeem(secret, publicKey: key, name: "", kind: .sender) }
    }

    @Test("one key is one device, whatever token it brings")
    func keyReuse() async throws {
        let fixture = try await fixture()
        _ = try await fixture.store.identities.redeem(secret, publicKey: key, name: "", kind: .sender)
        _ = try await fixture.store.enrollmentTokens(in: fixture.scope).create(Secret("b"), label: "b", lifetime: .seconds(60))
        await #expect(throws: StoreError.enrolled) {
            try await fixture.store.identities.redeem(Secret("b"), publicKey: key, name: "", kind: .sender)
        }
        let stranger = try await fixture.stranger()
        _ = try await fixture.store.enrollmentTokens(in: stranger).create(Secret("c"), label: "c", lifetime: .seconds(60))
        await #expect(throws: StoreError.taken("public key")) {
            try await fixture.store.identities.redeem(Secret("c"), publicKey: key, name: "", kind: .sender)
        }
        #expect(try await fixture.store.enrollmentTokens(in: fixture.scope).all().first { $0.label == "b" }?.redeemedAt == nil)
    }

    @Test("a token may bring the first configuration of the sender that it makes")
    func configuration() async throws {
        let fixture = try await Fixture()
        let toml = "[video]\nwidth = 640\n"
        let tokens = fixture.store.enrollmentTokens(in: fixture.scope)
        _ = try await tokens.create(secret, label: "Van 3", lifetime: .seconds(3600), configuration: toml)
        let device = try await fixture.store.identities.redeem(secret, publicKey: key, name: "board", kind: .sender)
        let newest = try await fixture.store.configurations(in: fixture.scope).newest(of: device.id)
        #expect(newest?.version == 1 && newest?.toml == toml)
        // The answer that was lost makes no second one.
        _ = try await fixture.store.identities.redeem(secret, publicKey: key, name: "board", kind: .sender)
        #expect(try await fixture.store.configurations(in: fixture.scope).history(of: device.id).count == 1)
    }

    @Test("a sender gets a new key by a token of its own: its old key is over, and it is no longer seen in two places")
    func renewal() async throws {
        let fixture = try await fixture()
        let identities = fixture.store.identities
        let device = try await identities.redeem(secret, publicKey: key, name: "board", kind: .sender)
        let own = OrganizationScope(fixture.organization.id, by: .device(device.id))
        try await fixture.store.devices(in: own).connected(device.id, version: "1.0", inventory: Inventory())
        try await fixture.store.devices(in: own).flag(device.id)
        let tokens = fixture.store.enrollmentTokens(in: fixture.scope)
        let token = try await tokens.create(Secret("new"), label: "board", lifetime: .seconds(3600), renewing: device.id)
        #expect(token.renewed == device.id)
        // The board asks with the key that it has, and is told to make another.
        await #expect(throws: StoreError.keyRevoked) {
            try await identities.redeem(Secret("new"), publicKey: key, name: "board", kind: .sender)
        }
        let fresh = randomBytes(32)
        let renewed = try await identities.redeem(Secret("new"), publicKey: fresh, name: "other", kind: .sender)
        #expect(renewed.id == device.id && renewed.name == "board" && renewed.publicKey == fresh && renewed.flaggedAt == nil)
        #expect(try await identities.redeem(Secret("new"), publicKey: fresh, name: "other", kind: .sender).id == device.id)
        // Whoever copied the old key makes a new one in vain.
        await #expect(throws: StoreError.tokenUsed) {
            try await identities.redeem(Secret("new"), publicKey: randomBytes(32), name: "copy", kind: .sender)
        }
        #expect(try await fixture.store.devices(in: fixture.scope).all().count == 1)
        let stranger = try await fixture.stranger()
        await #expect(throws: StoreError.missing("sender")) {
            try await fixture.store.enrollmentTokens(in: stranger).create(
                Secret("x"), label: "x", lifetime: .seconds(60), renewing: device.id)
        }
    }

    @Test("a board goes to another organisation once its own has given it up, with a new key")
    func transfer() async throws {
        let fixture = try await fixture()
        let identities = fixture.store.identities
        let device = try await identities.redeem(secret, publicKey: key, name: "board", kind: .sender)
        let stranger = try await fixture.stranger()
        _ = try await fixture.store.enrollmentTokens(in: stranger).create(Secret("theirs"), label: "b", lifetime: .seconds(60))
        await #expect(throws: StoreError.taken("public key")) {
            try await identities.redeem(Secret("theirs"), publicKey: key, name: "board", kind: .sender)
        }
        try await fixture.store.devices(in: fixture.scope).revoke(device.id)
        await #expect(throws: StoreError.keyRevoked) {
            try await identities.redeem(Secret("theirs"), publicKey: key, name: "board", kind: .sender)
        }
        let moved = try await identities.redeem(Secret("theirs"), publicKey: randomBytes(32), name: "board", kind: .sender)
        #expect(moved.organization == stranger.organization && moved.id != device.id)
    }

    @Test("a pool host belongs to no organisation and shows in none")
    func pools() async throws {
        let fixture = try await Fixture()
        let pool = try await fixture.pool()
        #expect(pool.organization == nil && pool.kind == .pool)
        #expect(try await fixture.store.devices(in: fixture.scope).all().isEmpty)
        let hello = PoolHello(
            poolVersion: "1", addresses: ["192.0.2.9"], portRange: PortRange(first: 10_000, last: 10_100), capacity: 5, leases: [])
        try await fixture.store.pools.connected(pool.id, hello: hello)
        #expect(try await fixture.store.pools.all().map(\.pool) == [hello])
        try await fixture.store.pools.revoke(pool.id)
        #expect(
            try await fixture.store.operations.audit().map(\.action)
                == [.deviceRevoked, .deviceEnrolled, .enrollmentTokenCreated, .organizationCreated])
        await #expect(throws: StoreError.missing("pool host")) { try await fixture.store.pools.connected(pool.id, hello: hello) }
    }

    @Test("a host drains until it is taken back, since when and by whom is known, and a revoked one does neither")
    func draining() async throws {
        let fixture = try await Fixture()
        let (pools, host) = (fixture.store.pools, try await fixture.pool())
        try await pools.setDraining(true, host.id)
        let since = fixture.clock.now
        fixture.clock.advance(.seconds(60))
        // Once more is no news.
        try await pools.setDraining(true, host.id, by: fixture.scope)
        #expect(try await pools.find(host.id).drainingAt == since)
        try await pools.setDraining(false, host.id, by: fixture.scope)
        #expect(try await !pools.find(host.id).isDraining)
        #expect(try await fixture.store.operations.audit().prefix(2).map(\.action) == [.hostTakenBack, .hostDrained])
        let own = try await fixture.store.audit(in: fixture.scope).entries().filter { $0.subject == host.id.text }
        #expect(own.map(\.action) == [.hostTakenBack] && own.first?.author == fixture.owner.id.text)
        try await pools.revoke(host.id)
        let sender = try await fixture.sender()
        for id in [host.id, sender.id] {
            await #expect(throws: StoreError.missing("pool host")) { try await pools.setDraining(true, id) }
        }
    }

    @Test("a revoked key is told so and costs no token: another key is enrolled with it")
    func revokedKey() async throws {
        let fixture = try await fixture()
        let identities = fixture.store.identities
        let device = try await identities.redeem(secret, publicKey: key, name: "", kind: .sender)
        try await fixture.store.devices(in: fixture.scope).revoke(device.id)
        _ = try await fixture.store.enrollmentTokens(in: fixture.scope).create(Secret("b"), label: "b", lifetime: .seconds(60))
        for token in [secret, Secret("b")] {
            await #expect(throws: StoreError.keyRevoked) { try await identities.redeem(token, publicKey: key, name: "", kind: .sender) }
        }
        #expect(try await identities.redeem(Secret("b"), publicKey: randomBytes(32), name: "", kind: .sender).id != device.id)
    }

    @Test("a revoked sender stays revoked, and what it says of itself is not taken")
    func revocation() async throws {
        let fixture = try await Fixture()
        let sender = try await fixture.sender()
        let devices = fixture.store.devices(in: fixture.scope)
        try await devices.revoke(sender.id)
        #expect(try await fixture.store.identities.device(sender.id)?.isRevoked == true)
        await #expect(throws: StoreError.missing("sender")) { try await devices.revoke(sender.id) }
        await #expect(throws: StoreError.missing("sender")) {
            try await devices.connected(sender.id, version: "1", inventory: Inventory())
        }
    }

    @Test("a hostile name is cut and cleaned, and does not cost the token")
    func hostileName() async throws {
        let fixture = try await fixture()
        let name = "\u{0}\u{1b}[31m" + String(repeating: "x", count: 5000)
        let device = try await fixture.store.identities.redeem(secret, publicKey: key, name: name, kind: .sender)
        #expect(device.name.count == 100 && device.name.hasPrefix("[31mx"))
    }
}
