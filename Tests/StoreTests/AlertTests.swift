import Foundation
import Testing
import Units
import Wire

@testable import Store

@Suite("Alerts")
struct AlertTests {
    private static let rules = [AlertRule(kind: .loss, value: 5, seconds: 30), AlertRule(kind: .silence)]

    /// A user of a store who wants to be told of something, and what they are told.
    private struct Desk {
        let fixture: Fixture

        init(rules: [AlertRule] = AlertTests.rules, byMail: Bool = true, recovery: Bool = true, url: String? = nil) async throws {
            fixture = try await Fixture()
            _ = try await alerts.save(rules, byMail: byMail, recovery: recovery, url: url, for: fixture.owner.id)
        }

        var alerts: StoredAlerts { fixture.store.alerts(in: fixture.scope) }

        static func new(_ kind: AlertKind = .silence, _ subject: String = "one", sender: DeviceID? = nil) -> NewIncident {
            NewIncident(kind: kind, subject: subject, sender: sender, part: nil, broadcast: nil, reason: "because")
        }

        @Sendable static func write(_ user: User, _ incident: Incident) -> NewMail? {
            NewMail(purpose: .alert, to: user.email, subject: incident.closedAt == nil ? "begun" : "over", text: incident.name, html: "")
        }

        func begin(_ new: NewIncident = Desk.new()) async throws -> (incident: Incident, earlier: Int)? {
            try await fixture.store.incidents.begin(new, for: fixture.owner.id, in: fixture.organization.id, writing: Self.write)
        }

        /// Mails and messages that wait.
        func waiting() async throws -> (mails: [String], messages: [String]) {
            let jobs = try await fixture.store.jobs.claim(.only(Outbox.kind), holder: "a", for: .seconds(60), limit: 999)
            var mails: [String] = []
            for job in jobs {
                if let mail = try await fixture.store.outbox.find(job) {
                    mails.append(mail.content.subject)
                    try await fixture.store.outbox.sent(mail)
                }
                try await fixture.store.jobs.finish(job.id, holder: "a")
            }
            let due = try await fixture.store.jobs.claim(.only(EventOutbox.kind), holder: "a", for: .seconds(60), limit: 999)
            var messages: [String] = []
            for job in due {
                if let attempt = try await fixture.store.eventOutbox.begin(job) {
                    messages.append(attempt.body)
                    try await fixture.store.eventOutbox.ended(attempt, .processed, .init(duration: .zero, status: 204, error: nil))
                }
                try await fixture.store.jobs.finish(job.id, holder: "a")
            }
            return (mails, messages)
        }
    }

    @Test("nobody is told of anything before they have said so; what they said is kept, and another's is not seen")
    func settings() async throws {
        let fixture = try await Fixture()
        let alerts = fixture.store.alerts(in: fixture.scope)
        let before = try await alerts.find(fixture.owner.id)
        #expect(before.rules.isEmpty && before.byMail && !before.tellsRecovery && before.webhook == nil)
        #expect(try await fixture.store.alertSubscribers().isEmpty)
        _ = try await alerts.save(Self.rules, byMail: false, recovery: true, url: nil, for: fixture.owner.id)
        let after = try await alerts.find(fixture.owner.id)
        #expect(after.rules == Self.rules && !after.byMail && after.tellsRecovery)
        let subscriber = AlertSubscriber(
            user: fixture.owner.id, organization: fixture.organization.id, role: .owner, rules: Self.rules)
        #expect(try await fixture.store.alertSubscribers() == [subscriber])
        let stranger = try await fixture.stranger()
        await #expect(throws: StoreError.missing("user")) {
            try await fixture.store.alerts(in: stranger).save([], byMail: true, recovery: true, url: nil, for: fixture.owner.id)
        }
        #expect(try await fixture.store.alerts(in: stranger).find(fixture.owner.id).rules.isEmpty)
        #expect(try await fixture.store.audit(in: fixture.scope).entries().filter { $0.action == .alertsChanged }.count == 1)
    }

    @Test("an incident is told once, by mail and by webhook, and once that it is over; asked for again it is the same one")
    func once() async throws {
        let desk = try await Desk(url: "https://example.org/mine")
        let device = try await desk.fixture.sender("truck")
        let first = try #require(try await desk.begin(Desk.new(.silence, "one", sender: device.id)))
        let again = try #require(try await desk.begin(Desk.new(.silence, "one", sender: device.id)))
        #expect(again.incident == first.incident && first.incident.name == "truck" && first.earlier == 0)
        let told = try await desk.waiting()
        #expect(told.mails == ["begun"] && told.messages.count == 1)
        let text = try #require(told.messages.first)
        let body = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let data = try #require(body["data"] as? [String: Any])
        #expect(body["type"] as? String == "alert.opened" && data["kind"] as? String == "silence" && data["name"] as? String == "truck")
        // After a restart it is there.
        #expect(try await desk.fixture.store.incidents.open().map(\.incident) == [first.incident])
        desk.fixture.clock.advance(.seconds(60))
        for _ in 0..<2 { try await desk.fixture.store.incidents.end(first.incident, quietly: false, writing: Desk.write) }
        #expect(try await desk.waiting().mails == ["over"])
        #expect(try await desk.fixture.store.incidents.open().isEmpty)
        // A second one within the hour knows of the first.
        #expect(try await desk.begin(Desk.new(.silence, "one", sender: device.id))?.earlier == 1)
        #expect(try await desk.begin(Desk.new(.silence, "two", sender: device.id))?.earlier == 0)
        #expect(try await desk.alerts.incidents(of: desk.fixture.owner.id).count == 3)
    }

    @Test("who wants no word of the end, no mail, not that kind any more, or is shut out, gets none")
    func unwanted() async throws {
        let desk = try await Desk(byMail: false, recovery: false)
        let (store, owner) = (desk.fixture.store, desk.fixture.owner.id)
        let first = try #require(try await desk.begin())
        try await store.incidents.end(first.incident, quietly: false, writing: Desk.write)
        _ = try await desk.begin()
        _ = try await desk.alerts.save([AlertRule(kind: .black)], byMail: true, recovery: true, url: nil, for: owner)
        #expect(try await store.incidents.open().isEmpty, "it goes with its rule")
        #expect(try await desk.begin() == nil)
        let black = try #require(try await desk.begin(Desk.new(.black)))
        #expect(try await desk.waiting().mails == ["begun"])
        try await store.incidents.end(black.incident, quietly: true, writing: Desk.write)
        #expect(try await desk.waiting().mails.isEmpty)
        let member = try await store.users(in: desk.fixture.scope).create(try Fixture.user("member@first.example"), role: .member)
        _ = try await desk.alerts.save(Self.rules, byMail: false, recovery: true, url: "https://example.org/m", for: member.id)
        let begun = try await store.incidents.begin(Desk.new(), for: member.id, in: desk.fixture.organization.id, writing: Desk.write)
        #expect(begun != nil)
        _ = try await store.users(in: desk.fixture.scope).deactivate(member.id)
        #expect(try await store.alertSubscribers().map(\.user) == [owner])
        let refused = try await store.incidents.begin(Desk.new(), for: member.id, in: desk.fixture.organization.id, writing: Desk.write)
        #expect(refused == nil)
        #expect(try await desk.waiting().messages.isEmpty, "what was on its way stays here")
    }

    @Test("a user's webhook is theirs alone: nobody lists, changes or tests it, it is told no event of the organisation, and takes no room")
    func own() async throws {
        let desk = try await Desk(url: "https://example.org/mine")
        let (fixture, owner) = (desk.fixture, desk.fixture.owner.id)
        let mine = try #require(try await desk.alerts.find(owner).webhook)
        #expect(mine.secret == nil && mine.owner == owner)
        let webhooks = fixture.store.webhooks(in: fixture.scope)
        #expect(try await webhooks.all().isEmpty)
        let missing = StoreError.missing("webhook")
        await #expect(throws: missing) { try await webhooks.find(mine.id) }
        await #expect(throws: missing) { try await webhooks.remove(mine.id) }
        await #expect(throws: missing) { try await webhooks.test(mine.id) }
        await #expect(throws: missing) { try await webhooks.rotateSecret(of: mine.id, overlap: .zero) }
        await #expect(throws: missing) { try await fixture.store.deliveries(in: fixture.scope).newest(of: mine.id) }
        let fields = try WebhookFields(url: "https://example.org/x", description: "x", kinds: nil, active: true)
        await #expect(throws: missing) { try await webhooks.change(mine.id, fields) }
        // The audit's events and those of the organisation are not for it.
        try await fixture.store.users(in: fixture.scope).rename(owner, to: "Other")
        #expect(try await desk.waiting().messages.isEmpty)
        _ = try await desk.begin()
        #expect(try await fixture.store.deliveries(in: fixture.scope).newest().isEmpty)
        let delivery = try #require(
            try await fixture.store.read { try $0.rows(Delivery.self, in: fixture.scope).first }, "it is on its way all the same")
        await #expect(throws: StoreError.missing("delivery")) {
            try await fixture.store.deliveries(in: fixture.scope).find(delivery.id)
        }
        await #expect(throws: StoreError.missing("delivery")) {
            try await fixture.store.deliveries(in: fixture.scope).replay(delivery.id)
        }
        // Ten of the organisation's have room beside it.
        for _ in 0..<10 { _ = try await webhooks.create(fields) }
        // Another address: another secret, and nothing of what waited for the one before.
        let (first, url) = (mine.id, "https://example.net/")
        let other = try await desk.alerts.save(Self.rules, byMail: true, recovery: true, url: url, for: owner)
        #expect(other.webhook?.id != first && other.webhook?.secret != nil && other.webhook?.waiting == 0)
        let same = try await desk.alerts.save(Self.rules, byMail: true, recovery: true, url: url, for: owner)
        #expect(same.webhook?.id == other.webhook?.id && same.webhook?.secret == nil)
        #expect(try await desk.alerts.save(Self.rules, byMail: true, recovery: true, url: nil, for: owner).webhook == nil)
    }

    @Test("one that says it is gone is off until its owner saves it again; the audit log says nothing of it")
    func gone() async throws {
        let desk = try await Desk(url: "https://example.org/mine")
        let owner = desk.fixture.owner.id
        _ = try await desk.begin()
        let jobs = try await desk.fixture.store.jobs.claim(.only(EventOutbox.kind), holder: "a", for: .seconds(60), limit: 9)
        let job = try #require(jobs.first)
        let attempt = try #require(try await desk.fixture.store.eventOutbox.begin(job))
        try await desk.fixture.store.eventOutbox.ended(attempt, .gone, .init(duration: .zero, status: 410, error: "gone"))
        let off = try #require(try await desk.alerts.find(owner).webhook)
        #expect(!off.active && off.failingSince != nil)
        #expect(try await !desk.fixture.store.audit(in: desk.fixture.scope).entries().contains { $0.action == .webhookFailing })
        let on = try await desk.alerts.save(Self.rules, byMail: true, recovery: true, url: off.url, for: owner)
        #expect(on.webhook?.active == true && on.webhook?.failingSince == nil)
    }

    @Test("a hundred mails a day reach somebody and no more; incidents that are over go after a month")
    func bounds() async throws {
        let desk = try await Desk()
        for number in 0..<110 { _ = try await desk.begin(Desk.new(.silence, "\(number)")) }
        #expect(try await desk.waiting().mails.count == 100)
        let open = try await desk.fixture.store.incidents.open()
        #expect(open.count == 110)
        for one in open.dropFirst() { try await desk.fixture.store.incidents.end(one.incident, quietly: true, writing: Desk.write) }
        desk.fixture.clock.advance(.seconds(31 * 86_400))
        try await desk.fixture.store.operations.removeExpired()
        #expect(try await desk.alerts.incidents(of: desk.fixture.owner.id).count == 1, "the one that lasts stays")
    }
}
