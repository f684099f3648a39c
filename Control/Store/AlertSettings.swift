import Crypto
import SQLite
package import Units
package import Wire

/// What one user wants to be told of, and how.
package struct AlertSettings: Sendable, Hashable {
    package let rules: [AlertRule]
    package let byMail: Bool
    /// Whether the end of an incident is a message too.
    package let tellsRecovery: Bool
    /// Their own; with its secret where it was made just now.
    package var webhook: Webhook?

    /// Of a user who has said nothing.
    fileprivate init() { (rules, byMail, tellsRecovery, webhook) = ([], true, false, nil) }

    fileprivate init(_ row: AlertRow, _ webhook: Webhook?) {
        (rules, byMail, tellsRecovery) = (row.rules, row.byMail, row.tellsRecovery)
        self.webhook = webhook
    }
}

/// A user who wants to be told of something.
package struct AlertSubscriber: Sendable, Hashable {
    package let user: UserID
    package let organization: OrganizationID
    package let role: Role
    package let rules: [AlertRule]

    package init(user: UserID, organization: OrganizationID, role: Role, rules: [AlertRule]) {
        self.user = user
        self.organization = organization
        self.role = role
        self.rules = rules
    }
}

struct AlertRow: OrganizationRow {
    let user: UserID
    let rules: [AlertRule]
    let byMail: Bool
    let tellsRecovery: Bool

    static var table: OrganizationTable { .alertSettings }

    init(_ row: borrowing Row) throws {
        user = try row["user"]
        let rules: JSONColumn<[AlertRule]> = try row["rules"]
        self.rules = rules.value
        byMail = try row["by_mail"]
        tellsRecovery = try row["tells_recovery"]
    }
}

/// What users of an organisation want to be told of.
package struct StoredAlerts: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    package func find(_ user: UserID) async throws -> AlertSettings {
        try await store.read { try $0.alerts(of: user, in: scope) }
    }

    /// Takes it all over. Incidents of what is not wanted any more are over, without a word.
    ///
    /// - Parameter url: in its parts by whoever took it, and put together again; nil: no webhook. Another one gets another secret: what the
    ///   one before signed with is none of the new one's business.
    /// - Returns: with the secret of a webhook that was made; it is not told again.
    package func save(_ rules: [AlertRule], byMail: Bool, recovery: Bool, url: String?, for user: UserID) async throws -> AlertSettings {
        let url = try url.map { try checked($0, "alerts.webhook_url", upTo: 2048) }
        return try await store.write(.durable) { transaction in
            _ = try transaction.user(user, in: scope)
            try transaction.delete(from: .alertSettings, in: scope, where: "user = \(user)")
            try transaction.insert(
                into: .alertSettings, in: scope,
                [
                    "user": user, "rules": try JSONColumn(rules), "by_mail": byMail, "tells_recovery": recovery,
                    "changed_at": transaction.now,
                ])
            let secret = try transaction.setWebhook(url, of: user, by: store.keyring, in: scope)
            for incident in try transaction.rows(Incident.self, in: scope, where: "user = \(user) AND closed_at IS NULL")
            where !rules.contains(where: { $0.kind == incident.kind }) {
                try transaction.update(.incidents, in: scope, set: ["closed_at": transaction.now], where: "id = \(incident.id)")
            }
            try transaction.note(.alertsChanged, user.text, in: scope)
            var settings = try transaction.alerts(of: user, in: scope)
            settings.webhook?.secret = secret.map { SecretOnWire($0) }
            return settings
        }
    }
}

extension ControlStore {
    package func alerts(in scope: OrganizationScope) -> StoredAlerts { StoredAlerts(store: self, scope: scope) }

    /// Everybody who wants to be told of anything and is not shut out.
    package func alertSubscribers() async throws -> [AlertSubscriber] {
        try await read { transaction in
            try transaction.across(.alerts).all(
                """
                SELECT alert_settings.organization AS organization, user, rules, role FROM alert_settings
                JOIN users ON users.organization = alert_settings.organization AND users.id = user
                WHERE is_active = 1 AND rules <> '[]' ORDER BY user
                """
            ) { row in
                let rules: JSONColumn<[AlertRule]> = try row["rules"]
                return AlertSubscriber(
                    user: try row["user"], organization: try row["organization"], role: try row["role"], rules: rules.value)
            }
        }
    }
}

extension Transaction {
    func alerts(of user: UserID, in scope: OrganizationScope) throws -> AlertSettings {
        guard let row = try row(AlertRow.self, in: scope, where: "user = \(user)") else { return AlertSettings() }
        return AlertSettings(row, try webhook(of: user, in: scope))
    }

    /// Forgets what a user wants to be told of; their incidents are over, without a word.
    func endAlerts(of user: UserID, in scope: OrganizationScope) throws {
        try delete(from: .alertSettings, in: scope, where: "user = \(user)")
        try delete(from: .webhooks, in: scope, where: "owner = \(user)")
        try update(.incidents, in: scope, set: ["closed_at": now], where: "user = \(user) AND closed_at IS NULL")
    }

    /// - Returns: the secret of a new one.
    fileprivate func setWebhook(_ url: String?, of user: UserID, by keyring: Keyring, in scope: OrganizationScope) throws -> Secret? {
        let before = try webhook(of: user, in: scope)
        guard url != before?.url else {
            // It said that it is gone, and its owner says that it is not.
            if let before, !before.active {
                try update(.webhooks, in: scope, set: ["is_active": true, "failing_since": Timestamp?.none], where: "id = \(before.id)")
            }
            if let before { try hurry(before.id, in: scope) }
            return nil
        }
        try delete(from: .webhooks, in: scope, where: "owner = \(user)")
        guard let url else { return nil }
        let (id, secret): (WebhookID, Secret) = (newID(), StoredWebhooks.freshSecret())
        let place = Webhook.SecretColumn.current.place(id, in: scope.organization)
        try insert(
            into: .webhooks, in: scope,
            [
                "id": id, "owner": user, "url": url, "description": "of a user", "kinds": try JSONColumn(EventKind.alerts.map(\.rawValue)),
                "is_active": true, "secret": try keyring.seal(Array(secret.revealed.utf8), for: place), "created_at": now,
                "changed_at": now,
            ])
        return secret
    }
}
