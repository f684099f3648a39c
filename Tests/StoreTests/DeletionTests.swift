import Blobs
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
        // It is told of what comes now.
        _ = try await store.webhooks(in: scope).create(try Self.webhook())
        _ = try await store.alerts(in: scope).save(
            [AlertRule(kind: .silence)], byMail: false, recovery: false, url: "https://example.org/mine", for: owner.id)
        let incident = NewIncident(kind: .silence, subject: "x", sender: sender.id, part: nil, broadcast: nil, reason: nil)
        _ = try await store.incidents.begin(incident, for: owner.id, in: scope.organization) { _, _ in nil }
        _ = try await store.configurations(in: scope).save("", for: sender.id)
        let endpoint = try #require(DestinationEndpoint.preset(.twitch))
        _ = try await store.destinations(in: scope).create(name: "T", endpoint: endpoint, secret: Secret("k"))
        var random = SystemRandomNumberGenerator()
        let id = BroadcastID(ULID(unixMs: fixture.clock.now.unixMs, random: &random))
        try await store.broadcasts(in: scope).create(
            id, sender: sender.id, state: "live", document: "{}", streamKey: Secret("k"),
            recording: RecordingWish(isAsked: true, place: .disk))
        _ = try await store.recordings(in: scope).take(of: id, by: LeaseID(id.ulid), on: sender.id)
        try await store.recordings(in: scope).change(RecordingSettingsView(policy: .always, keepDays: 7))
        _ = try await store.identities.openSession(
            for: owner, proven: Fixture.hash, token: Secret("session \(owner.id)"), lifetime: .seconds(86_400), address: nil, userAgent: nil
        )
        _ = try await store.apiTokens(in: scope).create(
            Secret("token \(owner.id)"), name: "t", scopes: [.read], lifetime: .seconds(3600), of: owner.id, proven: Fixture.hash)
        _ = try await store.passwordResets.issue(Secret("reset \(owner.id)"), for: owner.id, mail: nil, in: scope)
        let logo = BlobKey([1], .png, in: .branding, of: scope.organization)
        try await store.files(in: scope).add(logo, bytes: 1)
        var branding = ChangeBrandingRequest()
        branding.logo = logo.name
        _ = try await store.brandings(in: scope).change(branding)
        var change = SettingsChange()
        change.registration = .open
        _ = try await store.settings(in: scope).change(change, freshCode: Secret("CODE"))
        let own = OrganizationScope(scope.organization, by: .user(owner.id, address: nil))
        let meeting = try await store.meetings(in: own).create(CreateMeetingRequest(title: "M"))
        _ = try await store.guestLinks(in: own).create(
            Secret("guest \(owner.id)"), for: meeting.id, label: "L", preset: nil, uses: 1, lifetime: .seconds(3600))
        try await store.meetingDefaults(in: own).save(MeetingDefaults(settings: MeetingSettings(chat: false), locked: []))
        let nobody = ParticipantID(ULID(unixMs: fixture.clock.now.unixMs, random: &random))
        let message = RoomChatMessage(
            id: ChatMessageID(ULID(unixMs: fixture.clock.now.unixMs, random: &random)), from: nobody, name: "A", text: "t", atMs: 1)
        try await store.chat(in: own).add(message, to: meeting.id, by: "a", for: nil)
        let person = MeetingEvents.Person(participant: nobody, identity: "a", name: "A")
        try await store.meetingEvents(in: own).add(.joined, of: person, from: nil, to: nil, by: nil, in: meeting.id)
        _ = try await store.rollouts(in: own).create(RolloutTests.rollout())
        _ = try await store.boardUpdates(in: own).hear(RolloutTests.report("1.3.0"), from: sender.id)
        return sender
    }

    private static func webhook() throws -> WebhookFields {
        try WebhookFields(url: "https://example.org/hook", description: "ours", kinds: nil, active: true)
    }

    /// What was begun is carried out, as the queue does.
    private func carryOut(_ store: ControlStore) async throws {
        for job in try await store.jobs.claim(.only(Deletions.kind), holder: "test", for: .seconds(60), limit: 9) {
            _ = try await store.deletions.carryOut(job)
            try await store.jobs.finish(job.id, holder: "test")
        }
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
        #expect(try await counts(fixture, scope.organization)["deliveries"] ?? 0 > 3)

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

        let jobs = try await store.jobs.claim(.only(Deletions.kind), holder: "test", for: .seconds(60), limit: 9)
        #expect(jobs.count == 1)
        // A job may be begun again.
        for _ in 0..<2 { for job in jobs { _ = try await store.deletions.carryOut(job) } }
        // What was under way meanwhile leaves nothing either.
        try await store.devices(in: scope).note(.speedTested, sender.id, detail: "late")
        #expect(try await counts(fixture, scope.organization).values.allSatisfy { $0 == 0 })
        #expect(try await store.organizations.find(scope.organization) == nil)
        #expect(try await counts(fixture, other.organization) == before)
        let entry = try await store.operations.audit().first { $0.action == .organizationDeleted }
        #expect(entry?.detail == "first by owner@first.example")
        // Its name is free.
        _ = try await store.organizations.create(
            name: "Again", slug: "first", owner: try Fixture.user("owner@first.example"), by: .operator)
    }

    @Test("tells its webhooks nothing any more, and what waits for them ends quietly; their secrets are gone")
    func webhooks() async throws {
        let fixture = try await Fixture()
        let (store, scope, owner) = (fixture.store, fixture.scope, fixture.owner)
        let id = try await store.webhooks(in: scope).create(try Self.webhook()).id
        let shown = try await store.webhooks(in: scope).rotateSecret(of: id, overlap: .seconds(3600)).secret?.secret.revealed
        for name in ["aa", "bb"] { try await store.users(in: scope).rename(owner.id, to: name) }
        func due() async throws -> [Job] {
            try await store.jobs.claim(.only(EventOutbox.kind), holder: "test", for: .seconds(60), limit: 9)
        }
        func waiting() async throws -> Int? { try await store.webhooks(in: scope).all().first?.waiting }
        let job = try #require(try await due().first)
        let underWay = try #require(try await store.eventOutbox.begin(job))
        let report = EventOutbox.Report(duration: .zero, status: 204, error: nil)

        _ = try await store.deletions.begin(in: scope)
        let left = try await waiting()
        try await store.users(in: scope).rename(owner.id, to: "cc")
        #expect(try await waiting() == left && left ?? 0 > 1)
        try await store.eventOutbox.ended(underWay, .processed, report)
        try await store.jobs.finish(job.id, holder: "test")
        let next = try await due()
        #expect(next.count == 1)
        for job in next { #expect(try await store.eventOutbox.begin(job) == nil) }
        let secrets = try await store.read { transaction in
            try Webhook.SecretColumn.allCases.map { try transaction.secret($0, of: id, by: store.keyring, in: scope)?.revealed }
        }
        #expect(shown != nil && secrets[0] != shown && secrets[1] == nil)

        try await carryOut(store)
        for job in next { #expect(try await store.eventOutbox.begin(job) == nil) }
        try await store.eventOutbox.ended(underWay, .gone, report)
        #expect(try await counts(fixture, scope.organization).values.allSatisfy { $0 == 0 })
    }

    @Test("leaves the pool to the operator alone, where the server was set up with it", arguments: [true, false])
    func house(isWrittenDown: Bool) async throws {
        let store = try await ControlStore.open(.memory, keyring: Keyring(), platformVersion: "1")
        func delete(_ made: (Organization, User)) async throws {
            _ = try await store.deletions.begin(in: OrganizationScope(made.0.id, by: .user(made.1.id, address: nil)))
        }
        func claim(_ slug: String) async throws -> (Organization, User) {
            try await store.setup.issue(Secret(slug))
            return try await store.setup.claim(
                Secret(slug), name: slug, slug: slug, owner: try Fixture.user("\(slug)@example.org"))
        }
        let house = try await claim("house")
        if !isWrittenDown { try await store.write { try $0.shared.run("UPDATE setup SET organization = NULL") } }
        var others: [(Organization, User)] = []
        for slug in ["b", "c"] {
            others.append(
                try await store.organizations.create(
                    name: slug, slug: slug, owner: try Fixture.user("\(slug)@example.org"), by: .operator))
        }
        try await delete(others[1])
        try await carryOut(store)
        #expect(try await store.organizations.isHouse(house.0.id))
        try await delete(house)
        #expect(try await !store.organizations.isHouse(house.0.id))
        try await carryOut(store)
        #expect(try await !store.organizations.isHouse(others[0].0.id), "whoever comes next did not set the server up")
        await #expect(throws: StoreError.setupClosed) { try await store.setup.issue(Secret("x")) }
        try await delete(others[0])
        try await carryOut(store)
        #expect(try await store.organizations.isHouse(try await claim("again").0.id))
    }

    @Test("goes in steps, however much there is of it")
    func steps() async throws {
        let fixture = try await Fixture()
        let scope = fixture.scope
        _ = try await fixture.store.webhooks(in: scope).create(try Self.webhook())
        for _ in 0..<3 {
            try await fixture.store.write { transaction in
                for _ in 0..<400 { try transaction.note(.userRenamed, in: scope) }
            }
        }
        _ = try await fixture.store.deletions.begin(in: scope)
        let job = try #require(try await fixture.store.jobs.claim(.only(Deletions.kind), holder: "test", for: .seconds(60), limit: 9).first)
        let result = try #require(try await fixture.store.deletions.carryOut(job))
        #expect(Int(result.prefix { $0.isNumber }) ?? 0 >= 3000)
        #expect(try await counts(fixture, scope.organization).values.allSatisfy { $0 == 0 })
    }
}
