import FoundationEssentials
import Posix
import SQLite
package import Units

/// The events that wait to be told, for whoever carries them out: each webhook's in its order, one at a time.
///
/// Every delivery has a job of its own, which is there only while the delivery is the first of its webhook: what ends it begins the next one's,
/// in the same transaction.
package struct EventOutbox: Sendable {
    let store: ControlStore

    /// The kind of its jobs.
    package static let kind = "webhook"
    /// For how long a delivery is tried from when its event happened; once in any case.
    package static let patience = Duration.seconds(86_400)
    /// Between one that was given up and the next: a webhook that is away has a day's events waiting.
    static let pause = Duration.seconds(5)
    /// Deliveries that are kept of one webhook for longer than an hour.
    static let keptDeliveries = 10_000

    /// What a job says.
    struct Reference: Codable {
        let delivery: DeliveryID
        let organization: OrganizationID
    }

    /// What is sent, and where.
    package struct Attempt: Sendable {
        package let delivery: DeliveryID
        package let webhook: WebhookID
        package let event: EventID
        package let organization: OrganizationID
        package let url: String
        package let body: String
        /// Sign it, all of them; as a person has them, with their prefix.
        package let secrets: [Secret]
        /// Whether it is given up where this attempt fails.
        package let isLast: Bool
    }

    package enum End: Sendable {
        case processed
        case failed
        case exhausted
        /// The webhook says that it is gone for good (410).
        case gone
    }

    /// What is kept of an attempt.
    package struct Report: Sendable {
        let duration: Duration
        let status: Int?
        let error: String?

        package init(duration: Duration, status: Int?, error: String?) {
            self.duration = duration
            self.status = status
            self.error = error.map { clipped($0, to: 300) }
        }
    }

    /// - Returns: nil where there is nothing to send: it is over, or its webhook is gone or switched off.
    package func begin(_ job: Job) async throws -> Attempt? {
        let reference = try JSONDecoder().decode(Reference.self, from: Data(job.payload.utf8))
        let scope = OrganizationScope(reference.organization, by: .system)
        return try await store.write { transaction in
            guard
                let delivery = try transaction.row(
                    Delivery.self, in: scope, where: "id = \(reference.delivery) AND finished_at IS NULL"),
                let webhook = try transaction.row(
                    Webhook.self, in: scope, where: "id = \(delivery.webhook) AND is_active = 1 AND \(part: Webhook.isHeard(in: scope))"),
                let secret = try transaction.secret(.current, of: webhook.id, by: store.keyring, in: scope)
            else {
                // The webhook may be switched on again before this job's end is written down: then the delivery gets another.
                try transaction.shared.run("UPDATE jobs SET unique_key = NULL WHERE id = \(job.id)")
                return nil
            }
            var secrets = [secret]
            if let end = webhook.olderSecretUntil, transaction.now < end,
                let older = try transaction.secret(.older, of: webhook.id, by: store.keyring, in: scope)
            {
                secrets.append(older)
            }
            let event = try transaction.row(StoredEvent.self, in: scope, where: "id = \(delivery.event)", or: "event")
            try transaction.update(
                .deliveries, in: scope,
                set: ["state": Delivery.State.processing, "attempts": delivery.attempts + 1, "attempted_at": transaction.now],
                where: "id = \(delivery.id)")
            return Attempt(
                delivery: delivery.id, webhook: webhook.id, event: event.id, organization: scope.organization, url: webhook.url,
                body: event.body(delivery.number, in: scope.organization), secrets: secrets,
                isLast: transaction.now - delivery.createdAt >= Self.patience)
        }
    }

    /// Writes down what became of an attempt, and begins the next delivery where this one is over.
    package func ended(_ attempt: Attempt, _ end: End, _ report: Report) async throws {
        try await store.write { try $0.ended(attempt, end, report) }
    }

    /// Has whatever waits tried: after a start, when a job may be missing, e.g. in a database that was put back.
    package func resume() async throws {
        try await store.write { transaction in
            for webhook in try transaction.allWebhooks(.reconciliation) where webhook.isActive {
                try transaction.beginNext(of: webhook.id, in: OrganizationScope(webhook.organization, by: .system), at: transaction.now)
            }
        }
    }
}

extension ControlStore {
    package var eventOutbox: EventOutbox { EventOutbox(store: self) }

    /// Tells what was observed and lies in no row of the database.
    package func tell(_ events: [NewEvent], in scope: OrganizationScope) async throws {
        guard !events.isEmpty else { return }
        try await write(.durable) { transaction in for event in events { try transaction.tell(event, in: scope) } }
    }
}

/// An event as it is stored.
struct StoredEvent: OrganizationRow {
    let id: EventID
    let kind: String
    let at: Timestamp
    /// JSON.
    let data: String

    static var table: OrganizationTable { .events }

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        kind = try row["kind"]
        at = try row["at"]
        data = try row["data"]
    }

    /// What is sent: the same at each attempt and in each replay. `type`, `timestamp` and `data` are those of Standard Webhooks.
    func body(_ number: Int, in organization: OrganizationID) -> String {
        // No text but the data's holds what JSON would escape.
        "{\"type\":\"\(kind)\",\"timestamp\":\"\(at)\",\"version\":\(NewEvent.version),\"organization\":\"\(organization)\""
            + ",\"sequence\":\(number),\"data\":\(data)}"
    }
}

/// An event that is put into a webhook's queue.
struct QueuedEvent {
    let id: EventID
    let kind: String
    let summary: String
    let number: Int
    var replayOf: DeliveryID?
}

extension Transaction {
    // MARK: Into the outbox

    /// Has an event told to every webhook that wants it, once this transaction is stored.
    func tell(_ event: NewEvent, in scope: OrganizationScope) throws {
        let webhooks = try rows(Webhook.self, in: scope, where: "is_active = 1 AND \(part: Webhook.ofOrganization)")
        try tell(event, to: webhooks.filter { $0.wants(event.kind) }, in: scope)
    }

    /// Has an event told to these webhooks.
    func tell(_ event: NewEvent, to webhooks: [Webhook], in scope: OrganizationScope) throws {
        var kept: EventID?
        for webhook in webhooks {
            let number = try nextNumber(of: webhook, in: scope)
            guard try waiting(for: webhook.id, in: scope) < quotas[.webhookBacklog] else {
                try update(.webhooks, in: scope, set: ["skipped": webhook.skipped + 1], where: "id = \(webhook.id)")
                continue
            }
            let id = try kept ?? keep(event, in: scope)
            kept = id
            let queued = QueuedEvent(id: id, kind: event.kind.rawValue, summary: event.summary, number: number)
            _ = try queue(queued, for: webhook.id, in: scope)
        }
    }

    func keep(_ event: NewEvent, in scope: OrganizationScope) throws -> EventID {
        let id: EventID = newID()
        try insert(into: .events, in: scope, ["id": id, "kind": event.kind, "at": now, "data": event.data])
        return id
    }

    /// Counts the event that is for a webhook now.
    func nextNumber(of webhook: Webhook, in scope: OrganizationScope) throws -> Int {
        let number = webhook.lastNumber + 1
        try update(.webhooks, in: scope, set: ["last_number": number], where: "id = \(webhook.id)")
        return number
    }

    func waiting(for webhook: WebhookID, in scope: OrganizationScope) throws -> Int {
        try count(of: .deliveries, in: scope, where: "webhook = \(webhook) AND finished_at IS NULL")
    }

    func queue(_ event: QueuedEvent, for webhook: WebhookID, in scope: OrganizationScope) throws -> DeliveryID {
        let id: DeliveryID = newID()
        try insert(
            into: .deliveries, in: scope,
            [
                "id": id, "webhook": webhook, "event": event.id, "number": event.number, "kind": event.kind, "summary": event.summary,
                "replay_of": event.replayOf, "state": Delivery.State.received, "created_at": now,
            ])
        try beginNext(of: webhook, in: scope, at: now)
        return id
    }

    func delivery(_ id: DeliveryID, in scope: OrganizationScope) throws -> Delivery {
        try timed(row(Delivery.self, in: scope, where: "id = \(id)", or: "delivery"))
    }

    /// With the time of its next attempt.
    func timed(_ delivery: Delivery) throws -> Delivery {
        guard delivery.state == .failed else { return delivery }
        var delivery = delivery
        delivery.nextAttemptAt = try shared.first(
            "SELECT run_at FROM jobs WHERE kind = \(EventOutbox.kind) AND unique_key = \(delivery.id.text) AND finished_at IS NULL"
        ) { try $0["run_at"] }
        return delivery
    }

    // MARK: Out of it

    /// Has the first delivery that waits tried at a time; nothing where it has its job.
    func beginNext(of webhook: WebhookID, in scope: OrganizationScope, at time: Timestamp) throws {
        guard let first = try firstWaiting(for: webhook, in: scope) else { return }
        let reference = try JSONColumn(EventOutbox.Reference(delivery: first, organization: scope.organization))
        // Its end is a time and not a number: see `Outbox`.
        try addJob(EventOutbox.kind, payload: reference, uniqueKey: first.text, runAt: time, maxAttempts: 1000)
    }

    /// Has the first delivery that waits tried now.
    func hurry(_ webhook: WebhookID, in scope: OrganizationScope) throws {
        try beginNext(of: webhook, in: scope, at: now)
        guard let first = try firstWaiting(for: webhook, in: scope) else { return }
        try shared.run(
            """
            UPDATE jobs SET run_at = \(now)
            WHERE kind = \(EventOutbox.kind) AND unique_key = \(first.text) AND finished_at IS NULL AND lease_holder IS NULL
                AND run_at > \(now)
            """)
        hasNewJobs = true
    }

    fileprivate func allWebhooks(_ crossing: Crossing) throws -> [(organization: OrganizationID, id: WebhookID, isActive: Bool)] {
        try across(crossing).all("SELECT organization, id, is_active FROM webhooks") { row in
            (try row["organization"], try row["id"], try row["is_active"])
        }
    }

    private func firstWaiting(for webhook: WebhookID, in scope: OrganizationScope) throws -> DeliveryID? {
        try rows(Delivery.self, in: scope, where: "webhook = \(webhook) AND finished_at IS NULL", order: "position", limit: 1).first?.id
    }

    fileprivate func ended(_ attempt: EventOutbox.Attempt, _ end: EventOutbox.End, _ report: EventOutbox.Report) throws {
        let scope = OrganizationScope(attempt.organization, by: .system)
        let state: Delivery.State =
            switch end {
            case .processed: .processed
            case .failed: .failed
            case .exhausted, .gone: .retryExhausted
            }
        let finishedAt = state == .failed ? nil : now
        let changed = try update(
            .deliveries, in: scope,
            set: [
                "state": state, "finished_at": finishedAt, "duration_ms": report.duration.milliseconds, "status": report.status,
                "error": report.error,
            ], where: "id = \(attempt.delivery) AND finished_at IS NULL")
        // It was removed meanwhile.
        guard changed == 1 else { return }
        switch end {
        case .failed: return
        case .processed:
            try update(
                .webhooks, in: scope, set: ["failing_since": Timestamp?.none],
                where: "id = \(attempt.webhook) AND failing_since IS NOT NULL")
            try beginNext(of: attempt.webhook, in: scope, at: now)
        case .exhausted:
            // First, as being marked may be an event for it too.
            try beginNext(of: attempt.webhook, in: scope, at: now + EventOutbox.pause)
            try markFailing(attempt.webhook, "a delivery was given up", in: scope)
        case .gone:
            try update(.webhooks, in: scope, set: ["is_active": false], where: "id = \(attempt.webhook)")
            try markFailing(attempt.webhook, "it says that it is gone (410): switched off", in: scope)
        }
    }

    private func markFailing(_ webhook: WebhookID, _ reason: String, in scope: OrganizationScope) throws {
        let changed = try update(
            .webhooks, in: scope, set: ["failing_since": now], where: "id = \(webhook) AND failing_since IS NULL")
        // A user sees it of their own one; it is nobody else's to know.
        let isShared = try count(of: .webhooks, in: scope, where: "id = \(webhook) AND owner IS NULL") == 1
        if changed == 1, isShared { try note(.webhookFailing, webhook.text, detail: reason, in: scope) }
    }

    /// Removes deliveries of before a time, and of each webhook those that are over and too many; then the events that no delivery needs.
    func removeOldDeliveries(before limit: Timestamp) throws {
        let all = across(.operation)
        try all.run("DELETE FROM deliveries WHERE created_at < \(limit)")
        for webhook in try allWebhooks(.operation) {
            try all.run(
                """
                DELETE FROM deliveries
                WHERE organization = \(webhook.organization) AND webhook = \(webhook.id) AND finished_at IS NOT NULL AND position <= (
                    SELECT position FROM deliveries WHERE organization = \(webhook.organization) AND webhook = \(webhook.id)
                    ORDER BY position DESC LIMIT 1 OFFSET \(EventOutbox.keptDeliveries))
                """)
        }
        // Within: the index alone is read, not what the events say.
        try all.run(
            """
            DELETE FROM events WHERE id IN (
                SELECT id FROM events AS one
                WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE organization = one.organization AND event = one.id))
            """)
    }
}
