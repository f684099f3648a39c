import FoundationEssentials
import SQLite
import Units

/// An event on its way to one webhook.
package struct Delivery: Sendable, Hashable, Codable, OrganizationRow {
    package let id: DeliveryID
    package let webhook: WebhookID
    package let event: EventID
    package let kind: String
    /// Counts the events that were for this webhook, those that were not kept too.
    package let number: Int
    package let state: State
    package let attempts: Int
    package let summary: String
    package let createdAt: Timestamp
    package let attemptedAt: Timestamp?
    package let finishedAt: Timestamp?
    /// Of the last attempt.
    package let durationMs: Int?
    package let status: Int?
    package let error: String?
    /// The delivery that is made again by this one.
    package let replayOf: DeliveryID?
    /// Of one that failed.
    package var nextAttemptAt: Timestamp?
    /// What is sent, where one delivery is asked for.
    package var payload: String?

    /// Once shipped a name is never changed (DIA-12).
    package enum State: String, Sendable, Codable, ColumnValue, CaseIterable {
        /// It waits for its turn.
        case received
        case processing
        /// It was taken.
        case processed
        /// It was not taken and is tried again; what came after it waits.
        case failed
        /// It was given up.
        case retryExhausted = "retry_exhausted"
    }

    static var table: OrganizationTable { .deliveries }

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        webhook = try row["webhook"]
        event = try row["event"]
        kind = try row["kind"]
        number = try row["number"]
        state = try row["state"]
        attempts = try row["attempts"]
        summary = try row["summary"]
        createdAt = try row["created_at"]
        attemptedAt = try row["attempted_at"]
        finishedAt = try row["finished_at"]
        durationMs = try row["duration_ms"]
        status = try row["status"]
        error = try row["error"]
        replayOf = try row["replay_of"]
    }
}

/// An organisation's deliveries.
package struct Deliveries: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    /// To the organisation's webhooks; what its users are told is theirs alone.
    private var shared: SQL { "webhook IN (SELECT id FROM webhooks WHERE organization = \(scope.organization) AND owner IS NULL)" }

    /// The newest first.
    ///
    /// - Parameter webhook: of this one only.
    /// - Throws: `.missing` for a webhook that is not there.
    package func newest(of webhook: WebhookID? = nil, limit: Int = 100) async throws -> [Delivery] {
        try await store.read { transaction in
            if let webhook { _ = try transaction.webhook(webhook, in: scope) }
            return try transaction.rows(
                Delivery.self, in: scope, where: webhook.map { "webhook = \($0)" } ?? shared, order: "position DESC", limit: limit
            ).map(transaction.timed)
        }
    }

    /// With what is sent.
    package func find(_ id: DeliveryID) async throws -> Delivery {
        try await store.read { transaction in
            _ = try transaction.row(Delivery.self, in: scope, where: "id = \(id) AND \(part: shared)", or: "delivery")
            var delivery = try transaction.delivery(id, in: scope)
            let event = try transaction.row(StoredEvent.self, in: scope, where: "id = \(delivery.event)", or: "event")
            delivery.payload = event.body(delivery.number, in: scope.organization)
            return delivery
        }
    }

    /// Has an event delivered again, behind what waits; one that is not over is tried at once instead, with what stands before it.
    ///
    /// - Throws: `.quota` where too many wait.
    /// - Returns: the delivery that it is now.
    package func replay(_ id: DeliveryID) async throws -> Delivery {
        try await store.write(.durable) { transaction in
            let before = try transaction.row(Delivery.self, in: scope, where: "id = \(id) AND \(part: shared)", or: "delivery")
            guard before.finishedAt != nil else {
                try transaction.hurry(before.webhook, in: scope)
                return try transaction.delivery(id, in: scope)
            }
            try transaction.admit(
                .webhookBacklog, of: .deliveries, where: "webhook = \(before.webhook) AND finished_at IS NULL", by: store.quotas, in: scope)
            let event = QueuedEvent(
                id: before.event, kind: before.kind, summary: before.summary, number: before.number, replayOf: id)
            return try transaction.delivery(transaction.queue(event, for: before.webhook, in: scope), in: scope)
        }
    }
}

extension ControlStore {
    package func deliveries(in scope: OrganizationScope) -> Deliveries { Deliveries(store: self, scope: scope) }
}
