import Crypto
import SQLite
@testable import Store
import Testing
import Units
import Wire

/// Fails the Nth write or sync of a transaction, for every N until it passes; the database is then opened anew, as after a
/// crash, and must hold all of it or nothing.
@Suite struct FailingDiskTests {
    private struct Bench {
        let folder: Folder
        let path: String
        let disk = FailingDisk()
        let fixture: Fixture
        let sender: Device
        let pool: Device

        init() async throws {
            folder = try Folder()
            path = folder.path + "/a.db"
            fixture = try await Fixture(.file(path), on: disk.disk)
            sender = try await fixture.sender()
            pool = try await fixture.pool()
            // The log is short again, so that what fails is the transaction's own writing.
            try await fixture.store.database.write { _ in }
        }

        func reopened() async throws -> ControlStore {
            disk.fail(0..<0)
            try await fixture.store.close()
            return try await ControlStore.open(.file(path), keyring: fixture.store.keyring, platformVersion: "1.0-test")
        }
    }

    /// - Parameter holds: whether all of it is there; throws or answers wrongly where a part is.
    private func everyFailure(
        after prepare: @Sendable (Bench) async throws -> Void = { _ in },
        _ act: @Sendable (Fixture, Bench) async throws -> Void, holds: @Sendable (ControlStore, Bench) async throws -> Bool
    ) async throws {
        for position in 0..<200 {
            let bench = try await Bench()
            try await prepare(bench)
            bench.disk.fail(position..<Int.max)
            var passed = true
            do { try await act(bench.fixture, bench) } catch { passed = false }
            let store = try await bench.reopened()
            #expect(try await holds(store, bench) == passed, "after failing operation \(position)")
            try await store.close()
            if passed {
                #expect(position > 0, "nothing was written before it returned")
                return
            }
        }
        Issue.record("the run never passed")
    }

    @Test("a new password is there with its link used up, its sessions ended and its mail, or not at all")
    func newPassword() async throws {
        try await everyFailure(after: { bench in
            let fixture = bench.fixture
            _ = try await fixture.store.identities.openSession(
                for: fixture.owner, proven: Fixture.hash, token: Secret("s"), lifetime: .seconds(86_400), address: nil, userAgent: nil)
            _ = try await fixture.store.passwordResets.issue(Secret("link"), for: fixture.owner.id, mail: nil, in: fixture.scope)
            _ = try await fixture.apiToken("token")
        }) { fixture, _ in
            let notice = NewMail(purpose: .passwordChanged, to: fixture.owner.email, subject: "s", text: "t", html: "h")
            _ = try await fixture.store.passwordResets.redeem(Secret("link"), hash: Secret("new"), from: "a", notice: { _ in notice })
        } holds: { store, bench in
            let (scope, owner) = (bench.fixture.scope, bench.fixture.owner.id)
            let isNew = try await store.users(in: scope).passwordHash(owner) == Secret("new")
            let counts = try await store.read { transaction in
                [
                    try transaction.count(of: .passwordResets, in: scope, where: "TRUE"),
                    try transaction.count(of: .sessions, in: scope, where: "ended_at IS NULL"),
                    try transaction.count(of: .apiTokens, in: scope, where: "ended_at IS NULL"),
                    try transaction.count(of: .mails, in: scope, where: "TRUE"),
                ]
            }
            #expect(counts == (isNew ? [0, 0, 0, 1] : [1, 1, 1, 0]))
            return isNew
        }
    }

    @Test("a wish for a broadcast is there with its key and its audit entry, or not at all")
    func wish() async throws {
        try await everyFailure { fixture, bench in
            _ = try await BroadcastTests.start(fixture, bench.sender)
        } holds: { store, bench in
            let found = try await store.broadcasts(in: bench.fixture.scope).newest().first
            let noted = try await store.audit(in: bench.fixture.scope).entries().contains { $0.action == .broadcastStarted }
            #expect((found != nil) == noted)
            return found != nil
        }
    }

    @Test("a refresh token is used up together with the making of its successor, or still good")
    func rotation() async throws {
        let lifetime = Duration.seconds(1000)
        try await everyFailure(after: { bench in
            _ = try await bench.fixture.store.identities.openSession(
                for: bench.fixture.owner, proven: Fixture.hash, token: Secret("0"), lifetime: lifetime, address: nil, userAgent: nil)
        }) { fixture, _ in
            _ = try await fixture.store.identities.rotate(Secret("0"), to: Secret("1"), lifetime: lifetime, grace: .zero)
        } holds: { store, _ in
            let successor = try await store.identities.account(refreshToken: Secret("1"))
            let used = try await store.read { transaction in
                try transaction.across(.operation).all("SELECT rotated_at FROM refresh_tokens WHERE rotated_at IS NOT NULL") { _ in 1 }
                    .count
            }
            #expect(used == (successor == nil ? 0 : 1))
            return successor != nil
        }
    }

    @Test("a redeemed token and its device are there together, or neither")
    func redemption() async throws {
        let key = randomBytes(32)
        try await everyFailure { fixture, _ in
            _ = try await fixture.store.enrollmentTokens(in: fixture.scope).create(Secret("t"), label: "t", lifetime: .seconds(60))
            _ = try await fixture.store.identities.redeem(Secret("t"), publicKey: key, name: "n", kind: .sender)
        } holds: { store, bench in
            let token = try await store.enrollmentTokens(in: bench.fixture.scope).all().first { $0.label == "t" }
            let device = try await store.devices(in: bench.fixture.scope).all().first { $0.publicKey == key }
            #expect(token?.device == device?.id)
            return device != nil
        }
    }

    @Test("an end takes the key with it, or changes nothing")
    func end() async throws {
        try await everyFailure(after: { bench in
            _ = try await BroadcastTests.start(bench.fixture, bench.sender)
        }) { fixture, bench in
            let broadcasts = fixture.store.broadcasts(in: fixture.scope)
            guard let running = try await broadcasts.newest().first else { return }
            try await broadcasts.save(running.id, state: "ended", document: "{}", hasEnded: true)
        } holds: { store, bench in
            let broadcasts = store.broadcasts(in: bench.fixture.scope)
            let found = try #require(try await broadcasts.newest().first)
            let hasKey = (try? await broadcasts.streamKey(of: found.id)) != nil
            #expect(hasKey == (found.endedAt == nil))
            return found.endedAt != nil
        }
    }
}
