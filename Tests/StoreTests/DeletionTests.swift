import Crypto
@testable import Store
import Testing
import Units
import Wire

@Suite("An organisation that is deleted")
struct DeletionTests {
    /// How many rows each table has of an organisation.
    private func counts(_ fixture: Fixture, _ organization: OrganizationID) async throws -> [String: Int] {
        let scope = OrganizationScope(organization, by: .system)
        return try await fixture.store.read { transaction in
            var result: [String: Int] = [:]
            for table in OrganizationTable.all { result[table.name] = try transaction.count(of: table, in: scope, where: "TRUE") }
            return result
        }
    }

    /// A row of many kinds.
    private func furnish(_ fixture: Fixture, _ scope: OrganizationScope, owner: User) async throws -> Device {
        let sender = try await fixture.sender("board", in: scope)
        let store = fixture.store
        _ = try await store.configurations(in: scope).save("", for: sender.id)
        let endpoint = try #require(DestinationEndpoint.preset(.twitch))
        _ = try await store.destinations(in: scope).create(name: "T", endpoint: endpoint, secret: Secret("k"))
        var random = SystemRandomNumberGenerator()
        let id = BroadcastID(ULID(unixMs: fixture.clock.now.unixMs, random: &random))
        try await store.broadcasts(in: scope).create(id, sender: sender.id, state: "live", document: "{}", streamKey: Secret("k"))
        _ = try await store.identities.openSession(
            for: owner, proven: Fixture.hash, token: Secret("session \(owner.id)"), lifetime: .seconds(86_400), address: nil, userAgent: nil
        )
        _ = try await store.apiTokens(in: scope).create(
            Secret("token \(owner.id)"), name: "t", scopes: [.read], lifetime: .seconds(3600), of: owner.id, proven: Fixture.hash)
        _ = try await store.passwordResets.issue(Secret("reset \(owner.id)"), for: owner.id, mail: nil, in: scope)
        var change = SettingsChange()
        change.registration = .open
        _ = try await store.settings(in: scope).change(change, freshCode: Secret("CODE"))
        return sender
    }

    private func running(_ fixture: Fixture, _ scope: OrganizationScope) async throws -> [BroadcastID] {
        try await fixture.store.read { transaction in
            try transaction.rows(StoredBroadcast.self, in: scope, where: "ended_at IS NULL").map(\.id)
        }
    }

    @Test("is out of everybody's reach at once, and leaves no row in any table, and takes none of another one's")
    func deleted() async throws {
        let fixture = try await Fixture()
        let (store, scope) = (fixture.store, fixture.scope)
        let sender = try await furnish(fixture, scope, owner: fixture.owner)
        _ = try await fixture.invite("i@first.example")
        let other = try await fixture.stranger()
        let otherOwner = try #require(try await store.users(in: other).all().first)
        _ = try await furnish(fixture, other, owner: otherOwner)
        let before = try await counts(fixture, other.organization)

        await #expect(throws: StoreError.organizationBusy) { try await store.deletions.begin(in: scope) }
        for id in try await running(fixture, scope) {
            try await store.broadcasts(in: scope).save(id, state: "ended", document: "{}", hasEnded: true)
        }
        let host = try await store.users(in: scope).create(try Fixture.user("h@first.example"), role: .admin)
        let asHost = OrganizationScope(scope.organization, by: .user(host.id, address: nil))
        await #expect(throws: StoreError.missing("owner")) { try await store.deletions.begin(in: asHost) }
        let (sessions, senders) = try await store.deletions.begin(in: scope)
        #expect(sessions.count == 1 && senders == [sender.id])
        for email in ["owner@first.example", "h@first.example"] { #expect(try await store.identities.logins(email: email).isEmpty) }
        for session in sessions { #expect(try await store.identities.account(session: session) == nil) }
        #expect(try await store.identities.holder(of: Secret("token \(fixture.owner.id)")) == nil)
        #expect(try await !store.passwordResets.accepts(Secret("reset \(fixture.owner.id)")))
        #expect(try await store.identities.registration(slug: "first", code: Secret("CODE")) == nil)
        #expect(try await store.identities.device(sender.id)?.isRevoked == true)

        let jobs = try await store.jobs.claim(holder: "test", for: .seconds(60), limit: 9).filter { $0.kind == Deletions.kind }
        #expect(jobs.count == 1)
        // A job may be begun again.
        for _ in 0..<2 { for job in jobs { _ = try await store.deletions.carryOut(job) } }
        #expect(try await counts(fixture, scope.organization).values.allSatisfy { $0 == 0 })
        #expect(try await store.organizations.find(scope.organization) == nil)
        #expect(try await counts(fixture, other.organization) == before)
        let entry = try await store.operations.audit().first { $0.action == .organizationDeleted }
        #expect(entry?.detail == "first by owner@first.example")
        // Its name is free.
        _ = try await store.organizations.create(
            name: "Again", slug: "first", owner: try Fixture.user("owner@first.example"), by: .operator)
    }

    @Test("goes in steps, however much there is of it")
    func steps() async throws {
        let fixture = try await Fixture()
        let scope = fixture.scope
        for _ in 0..<3 {
            try await fixture.store.write { transaction in
                for _ in 0..<400 { try transaction.note(.userRenamed, in: scope) }
            }
        }
        _ = try await fixture.store.deletions.begin(in: scope)
        let job = try #require(try await fixture.store.jobs.claim(holder: "test", for: .seconds(60), limit: 9).first)
        let result = try #require(try await fixture.store.deletions.carryOut(job))
        #expect(Int(result.prefix { $0.isNumber }) ?? 0 >= 1200)
        #expect(try await counts(fixture, scope.organization).values.allSatisfy { $0 == 0 })
    }
}
