import Crypto
import SQLite
@testable import Store
import Testing
import Units
import Wire

@Suite struct TenancyTests {
    @Test("to another organisation everything is missing, and its lists are empty")
    func strangers() async throws {
        let fixture = try await Fixture()
        let sender = try await fixture.sender()
        let endpoint = try #require(DestinationEndpoint.preset(.twitch))
        let destination = try await fixture.store.destinations(in: fixture.scope).create(name: "T", endpoint: endpoint, secret: Secret("k"))
        let broadcast = try await BroadcastTests.start(fixture, sender)
        let invited = try await fixture.invite("i@first.example")
        let token = try await fixture.apiToken("t")
        let fields = try WebhookFields(url: "https://example.org/", description: "x", kinds: nil, active: true)
        let webhook = try await fixture.store.webhooks(in: fixture.scope).create(fields).id
        let delivery = try await fixture.store.webhooks(in: fixture.scope).test(webhook).id
        let scope = try await fixture.stranger()
        let own = try await fixture.sender("own", in: scope)
        let store = fixture.store
        let attempts: [@Sendable () async throws -> Void] = [
            { _ = try await store.users(in: scope).find(fixture.owner.id) },
            { try await store.users(in: scope).rename(fixture.owner.id, to: "xy") },
            { try await store.users(in: scope).setRole(fixture.owner.id, .member) },
            { _ = try await store.users(in: scope).deactivate(fixture.owner.id) },
            { _ = try await store.users(in: scope).remove(fixture.owner.id) },
            { _ = try await store.users(in: scope).setPassword(fixture.owner.id, from: Fixture.hash, to: Secret("x")) },
            { try await store.users(in: scope).transferOwnership(to: fixture.owner.id) },
            { _ = try await store.passwordResets.issue(Secret("x"), for: fixture.owner.id, mail: nil, in: scope) },
            { _ = try await store.invitations(in: scope).find(invited.id) },
            { _ = try await store.invitations(in: scope).renew(invited.id, Secret("x"), mail: nil, lifetime: .seconds(60)) },
            { try await store.invitations(in: scope).withdraw(invited.id) },
            { try await store.apiTokens(in: scope).end(token.id, of: nil) },
            {
                _ = try await store.apiTokens(in: scope).create(
                    Secret("x"), name: "x", scopes: [.read], lifetime: .seconds(60), of: fixture.owner.id, proven: Fixture.hash)
            },
            { _ = try await store.alerts(in: scope).save([], byMail: true, recovery: true, url: nil, for: fixture.owner.id) },
            { _ = try await store.webhooks(in: scope).find(webhook) },
            { _ = try await store.webhooks(in: scope).change(webhook, fields) },
            { _ = try await store.webhooks(in: scope).rotateSecret(of: webhook, overlap: .zero) },
            { _ = try await store.webhooks(in: scope).test(webhook) },
            { try await store.webhooks(in: scope).remove(webhook) },
            { _ = try await store.deliveries(in: scope).newest(of: webhook) },
            { _ = try await store.deliveries(in: scope).find(delivery) },
            { _ = try await store.deliveries(in: scope).replay(delivery) },
            { _ = try await store.devices(in: scope).find(sender.id) },
            { try await store.devices(in: scope).rename(sender.id, to: "x") },
            { try await store.devices(in: scope).revoke(sender.id) },
            { try await store.devices(in: scope).flag(sender.id) },
            { try await store.devices(in: scope).connected(sender.id, version: "x", inventory: Inventory()) },
            { try await store.devices(in: scope).setInventory(sender.id, Inventory()) },
            { _ = try await store.destinations(in: scope).find(destination.id) },
            { _ = try await store.destinations(in: scope).change(destination.id, name: "x", endpoint: endpoint, secret: Secret("x")) },
            { _ = try await store.destinations(in: scope).secret(of: destination.id) },
            { try await store.destinations(in: scope).remove(destination.id) },
            { _ = try await store.configurations(in: scope).save("", for: sender.id) },
            {
                try await store.broadcasts(in: scope).create(
                    broadcast, sender: sender.id, state: "x", document: "{}", streamKey: Secret("x"))
            },
            { try await store.broadcasts(in: scope).save(broadcast, state: "x", document: "{}", hasEnded: false) },
            { _ = try await store.broadcasts(in: scope).streamKey(of: broadcast) },
        ]
        for (index, attempt) in attempts.enumerated() {
            await #expect("attempt \(index)") { try await attempt() } throws: { error in
                if case .missing = error as? StoreError { true } else { false }
            }
        }
        #expect(try await store.users(in: scope).all().allSatisfy { $0.organization == scope.organization })
        #expect(try await store.devices(in: scope).all().map(\.id) == [own.id])
        #expect(try await store.destinations(in: scope).all().isEmpty)
        #expect(try await store.invitations(in: scope).all().isEmpty)
        for user in [nil, fixture.owner.id] { #expect(try await store.apiTokens(in: scope).all(of: user).isEmpty) }
        try await store.apiTokens(in: scope).used(token, from: "192.0.2.9")
        #expect(try await store.apiTokens(in: fixture.scope).all(of: nil).map(\.lastAddress) == [nil])
        #expect(try await store.webhooks(in: scope).all().isEmpty)
        #expect(try await store.deliveries(in: scope).newest().isEmpty)
        #expect(try await store.broadcasts(in: scope).newest().isEmpty)
        #expect(try await store.broadcasts(in: scope).find(broadcast) == nil)
        #expect(try await store.enrollmentTokens(in: scope).all().count == 1)
        #expect(try await store.configurations(in: scope).history(of: sender.id).isEmpty)
        #expect(try await store.audit(in: scope).entries().allSatisfy { $0.subject != sender.id.text })
        #expect(try await store.broadcasts(in: fixture.scope).find(broadcast)?.document == "{}")
    }

    @Test("the schema itself refuses a row that refers to another organisation's")
    func foreignKeys() async throws {
        let fixture = try await Fixture()
        let sender = try await fixture.sender()
        let stranger = try await fixture.stranger()
        await #expect {
            try await fixture.store.write { transaction in
                try transaction.insert(
                    into: .configurations, in: stranger,
                    ["sender": sender.id, "version": 1, "toml": "", "created_at": transaction.now])
            }
        } throws: { ($0 as? SQLiteError)?.kind == .reference }
    }

    @Test("every table with an organisation is one that needs a scope")
    func tables() async throws {
        let fixture = try await Fixture()
        let found = try await fixture.store.read { transaction in
            try transaction.shared.all(
                """
                SELECT t.name AS name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
                WHERE t.type = 'table' AND c.name = 'organization'
                """
            ) { row -> String in try row["name"] }
        }
        // The server's own, which names the one that it was set up with.
        #expect(Set(found) == Set(OrganizationTable.all.map(\.name)).union(["setup"]))
    }

    @Test("whoever changes something stands in the audit log, which nothing changes")
    func audit() async throws {
        let fixture = try await Fixture()
        _ = try await fixture.store.users(in: fixture.scope).create(try Fixture.user("b@first.example"), role: .host)
        let entries = try await fixture.store.audit(in: fixture.scope).entries()
        #expect(entries.map(\.action).contains(.userCreated))
        let entry = try #require(entries.first { $0.action == .userCreated && $0.authorKind == "user" })
        #expect(entry.author == fixture.owner.id.text && entry.address == "192.0.2.1" && entry.at == fixture.clock.now)
        await #expect(throws: SQLiteError.self) {
            try await fixture.store.write { try $0.across(.operation).run("UPDATE audit SET author = 'nobody'") }
        }
    }
}
