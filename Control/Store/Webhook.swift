import Crypto
import FoundationEssentials
import SQLite
package import Units

extension Kind {
    package enum Webhook {}
    package enum Event {}
    package enum Delivery {}
}

package typealias WebhookID = ID<Kind.Webhook>
package typealias EventID = ID<Kind.Event>
package typealias DeliveryID = ID<Kind.Delivery>

/// Where an organisation wants its events told, or one of its users what they asked to be told of.
package struct Webhook: Sendable, Hashable, Codable, OrganizationRow {
    package let id: WebhookID
    package let url: String
    package let description: String
    /// Names of the events that it wants; nil: all, those of later versions too.
    package let kinds: [String]?
    package let active: Bool
    /// Since when it has been given up to tell it something; nil since it took something.
    package let failingSince: Timestamp?
    /// Events that were not kept for it because too many waited: their numbers are missing.
    package let skipped: Int
    package let createdAt: Timestamp
    package let changedAt: Timestamp
    /// Until when the secret before signs as well.
    package let olderSecretUntil: Timestamp?
    /// Whose alone it is; nil for the organisation's.
    private(set) var owner: UserID?
    /// Deliveries that wait.
    package var waiting = 0
    /// Shown once, by whatever made it.
    package var secret: SecretOnWire?
    /// Of the last event that was for it.
    private(set) var lastNumber = 0

    static var table: OrganizationTable { .webhooks }

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        url = try row["url"]
        description = try row["description"]
        let kinds: JSONColumn<[String]>? = try row["kinds"]
        self.kinds = kinds?.value
        active = try row["is_active"]
        failingSince = try row["failing_since"]
        skipped = try row["skipped"]
        createdAt = try row["created_at"]
        changedAt = try row["changed_at"]
        olderSecretUntil = try row["older_secret_until"]
        lastNumber = try row["last_number"]
        owner = try row["owner"]
    }

    /// Those that a person manages for the organisation.
    static let ofOrganization: SQL = "owner IS NULL"

    /// Whose owner, where they have one, is not shut out.
    static func isHeard(in scope: OrganizationScope) -> SQL {
        "(owner IS NULL OR owner IN (SELECT id FROM users WHERE organization = \(scope.organization) AND is_active = 1))"
    }

    func wants(_ kind: EventKind) -> Bool { kinds?.contains(kind.rawValue) ?? true }

    private enum CodingKeys: String, CodingKey {
        case id, url, description, kinds, active, failingSince, skipped, createdAt, changedAt, olderSecretUntil, waiting, secret
    }
}

/// What a person says of a webhook.
package struct WebhookFields: Sendable, Hashable {
    let url: String
    let description: String
    let kinds: [EventKind]?
    let active: Bool

    /// - Parameter url: in its parts by whoever took it, and put together again.
    /// - Throws: `.invalid`.
    package init(url: String, description: String, kinds: [EventKind]?, active: Bool) throws(StoreError) {
        self.url = try checked(url, "webhook.url", upTo: 2048)
        self.description = try checked(description, "webhook.description", upTo: 100)
        guard kinds.map({ !$0.isEmpty && Set($0).count == $0.count }) ?? true else {
            throw .invalid(field: "webhook.kinds", expected: "each event once, or nothing for all of them")
        }
        self.kinds = kinds
        self.active = active
    }

    fileprivate func kindsColumn() throws -> JSONColumn<[String]>? { try kinds.map { try JSONColumn($0.map(\.rawValue)) } }
}

/// An organisation's webhooks.
package struct StoredWebhooks: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    /// - Returns: with its secret, which is not told again.
    package func create(_ fields: WebhookFields) async throws -> Webhook {
        let secret = Self.freshSecret()
        return try await store.write(.durable) { transaction in
            try transaction.admit(.webhooks, of: .webhooks, where: Webhook.ofOrganization, by: store.quotas, in: scope)
            let id: WebhookID = transaction.newID()
            // Before it is there: it is not told of itself.
            try transaction.note(.webhookCreated, id.text, detail: fields.description, in: scope)
            try transaction.insert(
                into: .webhooks, in: scope,
                [
                    "id": id, "url": fields.url, "description": fields.description, "kinds": try fields.kindsColumn(),
                    "is_active": fields.active, "secret": try seal(secret, for: place(.current, id)), "created_at": transaction.now,
                    "changed_at": transaction.now,
                ])
            var made = try transaction.webhook(id, in: scope)
            made.secret = SecretOnWire(secret)
            return made
        }
    }

    package func all() async throws -> [Webhook] {
        try await store.read { transaction in
            try transaction.rows(Webhook.self, in: scope, where: Webhook.ofOrganization).map { try transaction.counted($0, in: scope) }
        }
    }

    package func find(_ id: WebhookID) async throws -> Webhook {
        try await store.read { try $0.webhook(id, in: scope) }
    }

    /// What waits for one that is switched on is tried at once: what was wrong may be mended.
    package func change(_ id: WebhookID, _ fields: WebhookFields) async throws -> Webhook {
        try await store.write(.durable) { transaction in
            let before = try transaction.webhook(id, in: scope)
            let failing = before.url == fields.url ? before.failingSince : nil
            try transaction.updateOne(
                .webhooks, in: scope,
                set: [
                    "url": fields.url, "description": fields.description, "kinds": try fields.kindsColumn(), "is_active": fields.active,
                    "changed_at": transaction.now, "failing_since": failing,
                ], where: "id = \(id)", or: "webhook")
            try transaction.note(.webhookChanged, id.text, detail: fields.description, in: scope)
            if fields.active { try transaction.hurry(id, in: scope) }
            return try transaction.webhook(id, in: scope)
        }
    }

    /// Removes it with everything that waits for it.
    package func remove(_ id: WebhookID) async throws {
        try await store.write(.durable) { transaction in
            guard try transaction.delete(from: .webhooks, in: scope, where: "id = \(id) AND owner IS NULL") == 1 else {
                throw StoreError.missing("webhook")
            }
            try transaction.note(.webhookRemoved, id.text, in: scope)
        }
    }

    /// Makes a new secret; the one before signs beside it for `overlap`.
    ///
    /// - Returns: with its new secret, which is not told again.
    package func rotateSecret(of id: WebhookID, overlap: Duration) async throws -> Webhook {
        let secret = Self.freshSecret()
        return try await store.write(.durable) { transaction in
            _ = try transaction.webhook(id, in: scope)
            guard let before = try transaction.secret(.current, of: id, by: store.keyring, in: scope) else {
                throw StoreError.missing("webhook")
            }
            let older = overlap > .zero ? try seal(before, for: place(.older, id)) : nil
            let end = older.map { _ in transaction.now + overlap }
            try transaction.updateOne(
                .webhooks, in: scope,
                set: [
                    "secret": try seal(secret, for: place(.current, id)), "older_secret": older,
                    "older_secret_until": end,
                ], where: "id = \(id)", or: "webhook")
            try transaction.note(.webhookSecretRotated, id.text, in: scope)
            var changed = try transaction.webhook(id, in: scope)
            changed.secret = SecretOnWire(secret)
            return changed
        }
    }

    /// Tells it, and nobody else, that this is a test; behind what waits.
    ///
    /// - Throws: `.quota` where too many wait.
    package func test(_ id: WebhookID) async throws -> Delivery {
        try await store.write(.durable) { transaction in
            let webhook = try transaction.webhook(id, in: scope)
            try transaction.admit(
                .webhookBacklog, of: .deliveries, where: "webhook = \(id) AND finished_at IS NULL", by: store.quotas, in: scope)
            let event = NewEvent.test(id)
            let queued = QueuedEvent(
                id: try transaction.keep(event, in: scope), kind: event.kind.rawValue, summary: event.summary,
                number: try transaction.nextNumber(of: webhook, in: scope))
            return try transaction.delivery(transaction.queue(queued, for: id, in: scope), in: scope)
        }
    }

    /// Standard Webhooks, "Symmetric signatures": 24 to 64 random bytes in base 64 behind a prefix.
    static func freshSecret() -> Secret { Secret(Webhook.secretPrefix + Data(randomBytes(32)).base64EncodedString()) }

    private func seal(_ secret: Secret, for place: SealedPlace) throws -> [UInt8] {
        try store.keyring.seal(Array(secret.revealed.utf8), for: place)
    }

    private func place(_ which: Webhook.SecretColumn, _ id: WebhookID) -> SealedPlace { which.place(id, in: scope.organization) }
}

extension Webhook {
    package static let secretPrefix = "whsec_"

    enum SecretColumn: CaseIterable {
        case current, older

        var name: StaticString { self == .current ? "secret" : "older_secret" }

        func place(_ id: WebhookID, in organization: OrganizationID) -> SealedPlace {
            SealedPlace(organization: organization.text, column: "webhooks.\(name)", row: id.text)
        }
    }
}

extension ControlStore {
    package func webhooks(in scope: OrganizationScope) -> StoredWebhooks { StoredWebhooks(store: self, scope: scope) }
}

extension Transaction {
    /// With what waits for it.
    func webhook(_ id: WebhookID, in scope: OrganizationScope) throws -> Webhook {
        try counted(row(Webhook.self, in: scope, where: "id = \(id) AND owner IS NULL", or: "webhook"), in: scope)
    }

    /// One user's own; nil where they have none.
    func webhook(of user: UserID, in scope: OrganizationScope) throws -> Webhook? {
        try row(Webhook.self, in: scope, where: "owner = \(user)").map { try counted($0, in: scope) }
    }

    fileprivate func counted(_ webhook: Webhook, in scope: OrganizationScope) throws -> Webhook {
        var webhook = webhook
        webhook.waiting = try waiting(for: webhook.id, in: scope)
        return webhook
    }

    /// nil where there is no such webhook, or it has none.
    func secret(
        _ which: Webhook.SecretColumn, of id: WebhookID, by keyring: Keyring, in scope: OrganizationScope
    ) throws -> Secret? {
        let sealed: [UInt8]?? = try column(which.name, of: .webhooks, in: scope, where: "id = \(id)")
        guard let sealed = sealed ?? nil else { return nil }
        return Secret(String(decoding: try keyring.open(sealed, for: which.place(id, in: scope.organization)), as: UTF8.self))
    }
}
