import Crypto
import Foundation
import SQLite
@testable import Store
import Testing
import Units
import Wire

@Suite("Webhooks")
struct WebhookTests {
    /// Of the events of a store, carried out as a test says.
    private struct Post {
        let fixture: Fixture

        init(quotas: Quotas = Quotas()) async throws { fixture = try await Fixture(quotas: quotas) }

        var webhooks: StoredWebhooks { fixture.store.webhooks(in: fixture.scope) }
        var deliveries: Deliveries { fixture.store.deliveries(in: fixture.scope) }

        func webhook(_ kinds: [EventKind]? = Post.destinations, active: Bool = true) async throws -> Webhook {
            try await webhooks.create(try Self.fields(kinds, active: active))
        }

        static let destinations = [EventKind(.destinationCreated), EventKind(.destinationRemoved)].compactMap(\.self)

        static func fields(
            _ kinds: [EventKind]? = Post.destinations, active: Bool = true, url: String = "https://example.org/hook"
        ) throws -> WebhookFields {
            try WebhookFields(url: url, description: "ours", kinds: kinds, active: active)
        }

        /// Something that is told.
        func happen(_ name: String, by author: Author? = nil) async throws {
            let endpoint = try #require(DestinationEndpoint.preset(.twitch))
            let scope = OrganizationScope(fixture.organization.id, by: author ?? fixture.scope.author)
            _ = try await fixture.store.destinations(in: scope).create(name: name, endpoint: endpoint, secret: Secret("k3y"))
        }

        func due() async throws -> [Job] {
            try await fixture.store.jobs.claim(.only(EventOutbox.kind), holder: "a", for: .seconds(60), limit: 99)
        }

        /// Carries out the one delivery that is due, as the queue does.
        @discardableResult
        func attempt(_ end: EventOutbox.End, status: Int? = nil) async throws -> EventOutbox.Attempt {
            let jobs = try await due()
            #expect(jobs.count == 1)
            let job = try #require(jobs.first)
            let attempt = try #require(try await fixture.store.eventOutbox.begin(job))
            var end = end
            if case .failed = end, attempt.isLast { end = .exhausted }
            try await fixture.store.eventOutbox.ended(
                attempt, end, EventOutbox.Report(duration: .milliseconds(12), status: status, error: status.map { "answered \($0)" }))
            if case .failed = end {
                let wait = JobSchedule.retry(after: job.attempts, jitter: 0)
                try await fixture.store.jobs.fail(job.id, holder: "a", reason: "x", retryAfter: wait)
            } else {
                try await fixture.store.jobs.finish(job.id, holder: "a")
            }
            return attempt
        }

        /// Until when nothing is due.
        func wait() async throws -> Duration {
            let next = try #require(try await fixture.store.jobs.nextMoment(.only(EventOutbox.kind)))
            let wait = next - fixture.clock.now
            fixture.clock.advance(wait)
            return wait
        }

        /// The oldest first.
        func states(of webhook: Webhook) async throws -> [Delivery.State] {
            try await deliveries.newest(of: webhook.id).map(\.state).reversed()
        }
    }

    private static func data(_ body: String) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
        return try #require(object)
    }

    @Test("an event goes to those that want it, in the transaction of what it tells, one at a time and in its order")
    func order() async throws {
        let post = try await Post()
        let (all, some, off) = (try await post.webhook(nil), try await post.webhook(), try await post.webhook(active: false))
        try await post.attempt(.processed)  // `all` is told of `some`...
        try await post.attempt(.processed)  // ...and of `off`
        for name in ["a", "b", "c"] { try await post.happen(name) }
        await #expect(throws: StoreError.taken("name")) { try await post.happen("a") }
        try await post.fixture.store.users(in: post.fixture.scope).rename(post.fixture.owner.id, to: "Other")
        #expect(try await post.deliveries.newest(of: off.id).isEmpty)
        #expect(try await post.deliveries.newest(of: some.id).map(\.number) == [3, 2, 1])
        let made = [String](repeating: "destination.created", count: 3)
        let kinds = ["user.renamed"] + made + ["webhook.created", "webhook.created"]
        #expect(try await post.deliveries.newest(of: all.id).map(\.kind) == kinds)
        let waiting = Dictionary(uniqueKeysWithValues: try await post.webhooks.all().map { ($0.id, $0.waiting) })
        #expect(waiting == [all.id: 4, some.id: 3, off.id: 0])
        // One of each at a time.
        var jobs = try await post.due()
        #expect(jobs.count == 2)
        #expect(try await post.due().isEmpty)
        var told: [WebhookID: [Int]] = [:]
        while !jobs.isEmpty {
            var attempts: [EventOutbox.Attempt] = []
            for job in jobs {
                let attempt = try #require(try await post.fixture.store.eventOutbox.begin(job))
                let body = try Self.data(attempt.body)
                told[attempt.webhook, default: []].append(try #require(body["sequence"] as? Int))
                attempts.append(attempt)
            }
            #expect(try await post.due().isEmpty, "the next ones wait for them")
            for (job, attempt) in zip(jobs, attempts) {
                try await post.fixture.store.eventOutbox.ended(attempt, .processed, .init(duration: .zero, status: 204, error: nil))
                try await post.fixture.store.jobs.finish(job.id, holder: "a")
            }
            jobs = try await post.due()
        }
        #expect(told == [all.id: [3, 4, 5, 6], some.id: [1, 2, 3]])
        #expect(try await post.states(of: some) == [.processed, .processed, .processed])
    }

    @Test("a message says what happened to what, by whom, and nothing that is secret")
    func body() async throws {
        let post = try await Post()
        _ = try await post.webhook()
        try await post.happen("Tube \"1\"")
        let attempt = try await post.attempt(.processed, status: 200)
        let body = try Self.data(attempt.body)
        #expect(body["type"] as? String == "destination.created" && body["version"] as? Int == 1 && body["sequence"] as? Int == 1)
        #expect(body["organization"] as? String == post.fixture.organization.id.text)
        #expect((body["timestamp"] as? String).flatMap { Timestamp(text: $0) } == post.fixture.clock.now)
        let data = try #require(body["data"] as? [String: Any])
        #expect(data["detail"] as? String == "Tube \"1\"")
        #expect((data["by"] as? [String: String]) == ["kind": "user", "id": post.fixture.owner.id.text])
        #expect(!attempt.body.contains("k3y") && !attempt.body.contains("192.0.2.1"))
        let kept = try await post.deliveries.find(attempt.delivery)
        #expect(kept.payload == attempt.body && kept.summary == "by user" && kept.status == 200 && kept.durationMs == 12)
        // By a program of theirs.
        let token = try await post.fixture.apiToken("t").id
        let author = Author.user(post.fixture.owner.id, address: nil, token: token)
        try await post.happen("b", by: author)
        let told = try #require(try Self.data(try await post.attempt(.processed).body)["data"] as? [String: Any])
        #expect((told["by"] as? [String: String])?["token"] == token.text)
    }

    @Test("the longest message is within what its reader expects")
    func longest() {
        // Four bytes each, and a quote that JSON writes with two.
        for text in [String(repeating: "🎥", count: 5000), String(repeating: "\"", count: 5000)] {
            let events: [NewEvent] = [
                .broadcast(.init(broadcast: Self.id(), sender: Self.id(), state: "degraded", was: "live", reason: text)),
                .output(
                    .init(broadcast: Self.id(), output: Self.id(), destination: Self.id(), name: text, state: "failed", reason: text)),
            ]
            for event in events { #expect(event.data.utf8.count < 4096) }
        }
    }

    private static func id<Kind>() -> ID<Kind> {
        var random = SystemRandomNumberGenerator()
        return ID(ULID(unixMs: 0, random: &random))
    }

    @Test("what fails holds up what came after it, is tried later each time, and is given up after a day; then the others go on")
    func retries() async throws {
        let post = try await Post()
        let webhook = try await post.webhook(Post.destinations + [try #require(EventKind(rawValue: "webhook.failing"))])
        for name in ["a", "b"] { try await post.happen(name) }
        var waits: [Duration] = []
        var (first, attempts) = (DeliveryID?.none, 0)
        repeat {
            let attempt = try await post.attempt(.failed, status: 500)
            first = first ?? attempt.delivery
            #expect(attempt.delivery == first)
            attempts += 1
            if attempt.isLast { break }
            #expect(try await post.states(of: webhook) == [.failed, .received])
            let kept = try await post.deliveries.newest(of: webhook.id)[1]
            waits.append(try await post.wait())
            #expect(kept.nextAttemptAt == post.fixture.clock.now && kept.error == "answered 500" && kept.attempts == attempts)
        } while waits.count < 100
        #expect(waits.prefix(4) == [.seconds(5), .seconds(10), .seconds(20), .seconds(40)] && waits.max() == .seconds(3600))
        let tried = waits.reduce(Duration.zero, +)
        #expect(tried >= EventOutbox.patience && tried < EventOutbox.patience + .seconds(3600))
        #expect(try await post.webhooks.find(webhook.id).failingSince == post.fixture.clock.now)
        // It is told of it itself, last.
        #expect(try await post.states(of: webhook) == [.retryExhausted, .received, .received])
        #expect(try await post.due().isEmpty, "a webhook that is away is not stormed")
        #expect(try await post.wait() == EventOutbox.pause)
        let second = try await post.attempt(.failed)
        #expect(second.isLast && second.delivery != first, "it is tried once in any case")
        _ = try await post.wait()
        try await post.attempt(.processed)
        #expect(try await post.states(of: webhook) == [.retryExhausted, .retryExhausted, .processed])
        #expect(try await post.webhooks.find(webhook.id).failingSince == nil)
        let noted = try await post.fixture.store.audit(in: post.fixture.scope).entries().filter { $0.action == .webhookFailing }
        #expect(noted.count == 1)
    }

    @Test("what was under way when control was killed is told again in its place; what was taken before is not")
    func killed() async throws {
        let post = try await Post()
        let webhook = try await post.webhook()
        let outbox = post.fixture.store.eventOutbox
        for name in ["a", "b"] { try await post.happen(name) }
        var job = try #require(try await post.due().first)
        let first = try #require(try await outbox.begin(job))
        #expect(try await post.due().isEmpty)
        // Nothing of its end is written down: its job is somebody's again when its lease has run out.
        post.fixture.clock.advance(.seconds(60))
        let again = try await post.attempt(.processed)
        #expect(again.delivery == first.delivery && again.body == first.body)
        #expect(try await post.deliveries.find(first.delivery).attempts == 2)
        // Whoever had it before was slow and lives.
        try await outbox.ended(first, .failed, .init(duration: .seconds(70), status: nil, error: "late"))
        #expect(try await post.states(of: webhook) == [.processed, .received])
        job = try #require(try await post.due().first)
        let second = try #require(try await outbox.begin(job))
        try await outbox.ended(second, .processed, .init(duration: .zero, status: 204, error: nil))
        // It is written down, and the end of its job is not.
        post.fixture.clock.advance(.seconds(60))
        job = try #require(try await post.due().first)
        #expect(try await outbox.begin(job) == nil)
        #expect(try await post.states(of: webhook) == [.processed, .processed])
    }

    @Test("one that is switched off is told nothing; what waits goes on at once when it is back, and 410 switches it off")
    func off() async throws {
        let post = try await Post()
        let webhook = try await post.webhook()
        for name in ["a", "b"] { try await post.happen(name) }
        try await post.attempt(.failed)
        _ = try await post.webhooks.change(webhook.id, try Post.fields(active: false))
        try await post.happen("c")
        let wait = try await post.wait()
        #expect(wait == .seconds(5))
        let job = try #require(try await post.due().first)
        #expect(try await post.fixture.store.eventOutbox.begin(job) == nil)
        #expect(try await post.states(of: webhook) == [.failed, .received])
        // In the very moment: before the end of that job is written down.
        _ = try await post.webhooks.change(webhook.id, try Post.fields())
        try await post.fixture.store.jobs.finish(job.id, holder: "a")
        try await post.attempt(.failed)
        // Whoever changes it has mended something: nobody waits an hour.
        _ = try await post.webhooks.change(webhook.id, try Post.fields(url: "https://example.org/other"))
        #expect(try await post.attempt(.processed).url == "https://example.org/other")
        try await post.attempt(.gone, status: 410)
        let gone = try await post.webhooks.find(webhook.id)
        #expect(!gone.active && gone.failingSince != nil && gone.waiting == 0)
        #expect(try await post.due().isEmpty)
    }

    @Test("a secret is shown once, lies sealed, and signs beside its successor for a while")
    func secrets() async throws {
        let post = try await Post()
        let made = try await post.webhook()
        let secret = try #require(made.secret?.secret)
        #expect(secret.revealed.hasPrefix("whsec_"))
        #expect(Data(base64Encoded: String(secret.revealed.dropFirst(6)))?.count == 32)
        #expect(try await post.webhooks.find(made.id).secret == nil)
        #expect(try await post.webhooks.all()[0].secret == nil)
        let sealed: [UInt8]? = try await post.fixture.store.read {
            try $0.column("secret", of: .webhooks, in: post.fixture.scope, where: "TRUE")
        }
        #expect(Data(try #require(sealed)).range(of: Data(secret.revealed.utf8)) == nil)
        for name in ["a", "b", "c"] { try await post.happen(name) }
        #expect(try await post.attempt(.processed).secrets == [secret])
        let second = try await post.webhooks.rotateSecret(of: made.id, overlap: .seconds(60))
        let successor = try #require(second.secret?.secret)
        #expect(second.olderSecretUntil == post.fixture.clock.now + .seconds(60) && successor != secret)
        #expect(try await post.attempt(.processed).secrets == [successor, secret])
        post.fixture.clock.advance(.seconds(60))
        #expect(try await post.attempt(.processed).secrets == [successor])
        // Whose secret was seen by others wants it gone now.
        _ = try await post.webhooks.rotateSecret(of: made.id, overlap: .seconds(60))
        let third = try #require(try await post.webhooks.rotateSecret(of: made.id, overlap: .zero).secret?.secret)
        try await post.happen("d")
        #expect(try await post.attempt(.processed).secrets == [third])
        try await post.fixture.store.operations.removeExpired()
        #expect(try await post.webhooks.find(made.id).olderSecretUntil == nil)
    }

    @Test("an event is told again as it was, behind what waits; one that still waits is tried at once")
    func replay() async throws {
        let post = try await Post()
        let webhook = try await post.webhook()
        for name in ["a", "b"] { try await post.happen(name) }
        let first = try await post.attempt(.processed)
        let again = try await post.deliveries.replay(first.delivery)
        #expect(again.replayOf == first.delivery && again.state == .received && again.event == first.event)
        let second = try await post.attempt(.failed)
        #expect(try await post.due().isEmpty)
        #expect(try await post.deliveries.replay(again.id).id == again.id)
        #expect(try await post.attempt(.processed).delivery == second.delivery)
        let third = try await post.attempt(.processed)
        #expect(third.delivery == again.id && third.event == first.event && third.body == first.body)
        #expect(try await post.webhooks.find(webhook.id).waiting == 0)
    }

    @Test("so many wait for one webhook; the others are counted, and their numbers are missing")
    func backlog() async throws {
        var quotas = Quotas()
        (quotas[.webhookBacklog], quotas[.webhooks]) = (2, 1)
        let post = try await Post(quotas: quotas)
        let webhook = try await post.webhook()
        await #expect(throws: StoreError.quota(.webhooks, limit: 1)) { try await post.webhook() }
        for name in ["a", "b", "c", "d"] { try await post.happen(name) }
        #expect(try await post.webhooks.find(webhook.id).skipped == 2)
        let (store, scope) = (post.fixture.store, post.fixture.scope)
        #expect(try await store.read { try $0.count(of: .events, in: scope, where: "TRUE") } == 2, "what nobody is told is not kept")
        await #expect(throws: StoreError.quota(.webhookBacklog, limit: 2)) { try await post.webhooks.test(webhook.id) }
        let first = try await post.attempt(.processed)
        try await post.happen("e")
        await #expect(throws: StoreError.quota(.webhookBacklog, limit: 2)) { try await post.deliveries.replay(first.delivery) }
        #expect(try await post.deliveries.newest(of: webhook.id).map(\.number) == [5, 2, 1])
        for _ in 0..<2 { try await post.attempt(.processed) }
        #expect(try await post.webhooks.test(webhook.id).kind == "webhook.test")
    }

    @Test("deliveries go after 30 days, and of each webhook all but the last ten thousand that are over; events go with them")
    func cleanup() async throws {
        let post = try await Post()
        let webhook = try await post.webhook()
        let (store, scope) = (post.fixture.store, post.fixture.scope)
        func count(_ table: OrganizationTable) async throws -> Int {
            try await store.read { try $0.count(of: table, in: scope, where: "TRUE") }
        }
        try await post.happen("a")
        try await post.attempt(.processed)
        try await post.happen("waits")
        try await store.write { transaction in
            try transaction.across(.operation).run(
                """
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(EventOutbox.keptDeliveries + 50))
                INSERT INTO deliveries (id, organization, webhook, event, number, kind, summary, state, created_at, finished_at)
                SELECT 'copy ' || i, organization, webhook, event, number, kind, summary, state, created_at, finished_at
                FROM deliveries, n WHERE state = 'processed'
                """)
        }
        try await store.operations.removeExpired()
        // The newest ones, and the one that waits.
        #expect(try await count(.deliveries) == EventOutbox.keptDeliveries + 1)
        #expect(try await post.webhooks.find(webhook.id).waiting == 1)
        post.fixture.clock.advance(.seconds(29 * 86_400))
        try await store.operations.removeExpired()
        #expect(try await count(.events) == 2)
        post.fixture.clock.advance(.seconds(2 * 86_400))
        try await store.operations.removeExpired()
        #expect(try await count(.deliveries) == 0)
        #expect(try await count(.events) == 0)
        // What comes then begins anew.
        try await post.happen("b")
        #expect(try await post.due().count == 2, "one has nothing to do any more")
        try await post.webhooks.remove(webhook.id)
        try await store.operations.removeExpired()
        #expect(try await count(.events) == 0, "without waiting for their time")
    }

    @Test("of a sender that comes and goes events are told once, whatever control does meanwhile")
    func presence() async throws {
        let post = try await Post()
        let webhook = try await post.webhook(EventKind.senders)
        let sender = try await post.fixture.sender("truck")
        let pool = try await post.fixture.pool()
        let presences = post.fixture.store.presences
        for _ in 0..<2 { try await presences.tell(came: [sender.id, pool.id], gone: []) }
        #expect(try await presences.online() == [sender.id, pool.id])
        for _ in 0..<2 { try await presences.tell(came: [], gone: [sender.id]) }
        #expect(try await post.deliveries.newest(of: webhook.id).map(\.kind) == ["sender.offline", "sender.online"])
        let data = try #require(try Self.data(try await post.attempt(.processed).body)["data"] as? [String: String])
        #expect(data["sender"] == sender.id.text && data["name"] == "truck")
    }

    @Test("what is left of a lost queue is taken up")
    func resume() async throws {
        let post = try await Post()
        _ = try await post.webhook()
        try await post.happen("a")
        try await post.fixture.store.write { try $0.shared.run("DELETE FROM jobs") }
        #expect(try await post.due().isEmpty)
        try await post.fixture.store.eventOutbox.resume()
        try await post.fixture.store.eventOutbox.resume()
        try await post.attempt(.processed)
    }

    @Test("each kind of event has one name, and names are those of the audit log")
    func names() {
        #expect(Set(EventKind.allCases.map(\.rawValue)).count == EventKind.allCases.count)
        #expect(EventKind(rawValue: "destination.created") != nil && EventKind(rawValue: "broadcast.started") == .broadcastStarted)
        #expect(EventKind(rawValue: "nothing") == nil && EventKind(.broadcastEnded) == nil)
        let untold = AuditAction.allCases.filter { EventKind(rawValue: $0.rawValue) == nil }
        #expect(untold == [.organizationCreated, .organizationDeleted])
    }
}
