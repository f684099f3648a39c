import Crypto
import Foundation
import Glibc
import Testing
import Units
import Wire

@testable import Store

@Suite("A new master key")
struct KeyRotationTests {
    private let key = Secret("abcd-efgh-ijkl")

    /// A database on disk with a sealed secret of each kind, closed, and its key file.
    private struct Kept {
        let folder: Folder
        let destination: DestinationID
        let scope: OrganizationScope
        let serverKey: [UInt8]
        let webhook: WebhookID
        /// The one that is good, and the one before.
        let webhookSecrets: [Secret]

        init(_ key: Secret) async throws {
            folder = try Folder()
            let ring = try KeyFile.keyring(at: folder.path + "/master.key")
            let fixture = try await Fixture(.file(folder.path + "/strata.db"), keyring: ring)
            scope = fixture.scope
            let endpoint = try #require(DestinationEndpoint.preset(.youtube))
            destination = try await fixture.store.destinations(in: scope).create(name: "A", endpoint: endpoint, secret: key).id
            serverKey = try await fixture.store.operations.key("access tokens")
            let (scope, keyring) = (scope, fixture.store.keyring)
            try await fixture.store.write(.durable) { try $0.post(Self.mail, about: "x", sealedBy: keyring, in: scope) }
            let fields = try WebhookFields(url: "https://example.org/", description: "x", kinds: [.webhookTest], active: true)
            let made = try await fixture.store.webhooks(in: scope).create(fields)
            let changed = try await fixture.store.webhooks(in: scope).rotateSecret(of: made.id, overlap: .seconds(86_400))
            (webhook, webhookSecrets) = (made.id, [changed, made].compactMap(\.secret?.secret))
            try await fixture.store.close()
        }

        static let mail = NewMail(purpose: .invitation, to: "a@example.org", subject: "s", text: "t", html: "h")

        var keyFile: String { folder.path + "/master.key" }
        var database: String { folder.path + "/strata.db" }
        var rotation: KeyRotation { KeyRotation(keyFile: keyFile, database: database) }

        /// Starts as control does, and reads every secret back.
        func expectReadable(_ key: Secret) async throws {
            let store = try await ControlStore.open(
                .file(database), keyring: try KeyFile.keyring(at: keyFile), platformVersion: "1.0-test")
            #expect(try await store.destinations(in: scope).secret(of: destination) == key)
            #expect(try await store.operations.key("access tokens") == serverKey)
            let job = try #require(try await store.read { try $0.shared.first("SELECT * FROM jobs", Job.init) })
            #expect(try await store.outbox.find(job)?.content == Self.mail)
            let (keyring, scope, webhook) = (store.keyring, scope, webhook)
            let secrets = try await store.read { transaction in
                try Webhook.SecretColumn.allCases.compactMap { try transaction.secret($0, of: webhook, by: keyring, in: scope) }
            }
            #expect(secrets == webhookSecrets)
            try await store.close()
        }

        func olderKeys() throws -> Int { try KeyFile.keyring(at: keyFile).olderKeys }
    }

    @Test("seals every secret again, and the old key opens nothing any more")
    func rotates() async throws {
        let kept = try await Kept(key)
        let before = try KeyFile.keyring(at: kept.keyFile)
        #expect(try await kept.rotation.run(platformVersion: "1.0-test") == .init(sealed: 5, keptKeys: 0))
        try await kept.expectReadable(key)
        let old = try await ControlStore.open(.file(kept.database), keyring: before, platformVersion: "1.0-test")
        await #expect(throws: CryptoError.self) { try await old.destinations(in: kept.scope).secret(of: kept.destination) }
        try await old.close()
        #expect(try await kept.rotation.run(platformVersion: "1.0-test") == .init(sealed: 5, keptKeys: 0))
        try await kept.expectReadable(key)
    }

    @Test("that ends after any of its steps has lost nothing, and is made whole by the next", arguments: 0..<3)
    func killed(after step: Int) async throws {
        let kept = try await Kept(key)
        let ring = try kept.rotation.addKey()
        if step >= 1 { #expect(try await kept.rotation.seal(under: ring, platformVersion: "1.0-test") == 5) }
        if step >= 2 { _ = try kept.rotation.retire(ring, sealed: 5) }
        try await kept.expectReadable(key)
        // What was made meanwhile is under the newest key.
        #expect(try await kept.rotation.run(platformVersion: "1.0-test") == .init(sealed: 5, keptKeys: 0))
        #expect(try kept.olderKeys() == 0)
        try await kept.expectReadable(key)
    }

    @Test("keeps the older ones while a copy of the database needs them")
    func copies() async throws {
        let kept = try await Kept(key)
        let copy = kept.database + ".before-2.1800000000000"
        try FileManager.default.copyItem(atPath: kept.database, toPath: copy)
        #expect(try await kept.rotation.run(platformVersion: "1.0-test") == .init(sealed: 5, keptKeys: 1))
        try await kept.expectReadable(key)
        _ = try await SafetyCopies(of: kept.database).restore("strata.db.before-2.1800000000000", at: .now)
        try await kept.expectReadable(key)
    }

    @Test("is not made where control never ran, nor for another user's file")
    func refused() async throws {
        let folder = try Folder()
        let none = KeyRotation(keyFile: folder.path + "/master.key", database: folder.path + "/strata.db")
        await #expect(throws: KeyRotation.Failure.noKeys(folder.path + "/master.key")) { try await none.run(platformVersion: "1") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        guard geteuid() == 0 else { return }
        let kept = try await Kept(key)
        #expect(chown(kept.keyFile, 65_534, 65_534) == 0)
        await #expect(throws: KeyRotation.Failure.otherUser(kept.keyFile)) { try await kept.rotation.run(platformVersion: "1") }
    }
}
