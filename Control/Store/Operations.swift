import Crypto
import SQLite
import Units

/// How long what has happened is kept, where the operator may say so (DIA-18).
package struct Retention: Sendable, Hashable {
    /// What was told to webhooks.
    package var deliveries = Duration.seconds(30 * 86_400)
    /// How the server was.
    package var health = Duration.seconds(90 * 86_400)

    package init() {}
}

/// What the operator's program keeps for itself: its own keys, counters of attempts, and the removal of what is over.
package struct Operations: Sendable {
    let store: ControlStore

    /// A secret key of the server, made at its first use and sealed: the same ever after.
    ///
    /// - Parameter name: its purpose, e.g. `access tokens`.
    package func key(_ name: String, bytes count: Int = 32) async throws -> [UInt8] {
        let place = SealedPlace(organization: "", column: "server_keys.sealed", row: name)
        let fresh = try store.keyring.seal(randomBytes(count), for: place)
        let sealed: [UInt8]? = try await store.write(.durable) { transaction in
            try transaction.shared.run(
                """
                INSERT INTO server_keys (name, sealed, created_at) VALUES (\(name), \(fresh), \(transaction.now))
                ON CONFLICT (name) DO NOTHING
                """)
            return try transaction.shared.first("SELECT sealed FROM server_keys WHERE name = \(name)") { try $0["sealed"] }
        }
        guard let sealed else { throw StoreError.missing("server key") }
        return try store.keyring.open(sealed, for: place)
    }

    /// Counts an attempt, unless there were too many within a sliding window; a restart forgets none. Those that lie ahead do not
    /// count: the clock was set back, and they would for as long as it was.
    ///
    /// - Parameters:
    ///   - kind: what is attempted, e.g. `login`.
    ///   - subject: by whom or on what; only its hash is stored.
    /// - Returns: nil where the attempt may go on, else how long until the next one may.
    package func takeAttempt(_ kind: String, _ subject: String, limit: Int, within window: Duration) async throws -> Duration? {
        try await store.write { try $0.takeAttempt(kind, subject, limit: limit, within: window) }
    }

    /// Takes the newest attempt back: it succeeded, and only failures are held against anybody.
    package func refundAttempt(_ kind: String, _ subject: String) async throws {
        let subject = Hex.encode(SHA256.hash(subject))
        try await store.write { transaction in
            try transaction.shared.run(
                """
                DELETE FROM attempts WHERE rowid =
                    (SELECT rowid FROM attempts WHERE kind = \(kind) AND subject = \(subject) ORDER BY at DESC, rowid DESC LIMIT 1)
                """)
        }
    }

    /// The newest entries of the operator's own audit log.
    package func audit(limit: Int = 100) async throws -> [AuditEntry] {
        try await store.read { transaction in
            try transaction.across(.operation).all(
                "SELECT * FROM audit WHERE organization IS NULL ORDER BY rowid DESC LIMIT \(min(max(limit, 1), 1000))", AuditEntry.init)
        }
    }

    /// Removes what nobody can use any more: sessions, used-up refresh tokens and flight records 30 days after their end, attempts
    /// after a day, finished jobs, mails, incidents, rollouts, invitations, guest links and API tokens after 30 days, deliveries of events and snapshots of the server's
    /// health as long as is said, chats as long as their organisations say, links for new passwords and addresses at their end.
    package func removeExpired(_ retention: Retention = Retention()) async throws {
        try await store.write { transaction in
            let limit = transaction.now - .seconds(30 * 86_400)
            let all = transaction.across(.operation)
            try all.run("DELETE FROM refresh_tokens WHERE rotated_at < \(limit)")
            try all.run("DELETE FROM sessions WHERE min(expires_at, coalesce(ended_at, expires_at)) < \(limit)")
            // By both parts of the key: by the broadcast alone every record there is would be looked at.
            try all.run(
                """
                DELETE FROM flight_records
                WHERE (organization, broadcast) IN (SELECT organization, id FROM broadcasts WHERE ended_at < \(limit))
                """)
            try all.run("DELETE FROM invitations WHERE min(expires_at, coalesce(accepted_at, withdrawn_at, expires_at)) < \(limit)")
            try all.run("DELETE FROM api_tokens WHERE min(expires_at, coalesce(ended_at, expires_at)) < \(limit)")
            try all.run("DELETE FROM guest_links WHERE min(expires_at, coalesce(withdrawn_at, expires_at)) < \(limit)")
            try all.run("DELETE FROM password_resets WHERE expires_at < \(transaction.now)")
            try all.run("DELETE FROM email_changes WHERE expires_at < \(transaction.now)")
            try transaction.shared.run("DELETE FROM attempts WHERE at < \(transaction.now - .seconds(86_400)) OR at > \(transaction.now)")
            // Of those that nobody sends any more, because no server is configured now.
            try all.run(
                """
                UPDATE mails SET sealed = NULL, finished_at = \(transaction.now), outcome = 'given_up'
                WHERE finished_at IS NULL AND expires_at < \(transaction.now - Outbox.patience)
                """)
            try all.run("DELETE FROM mails WHERE finished_at < \(limit)")
            try all.run("DELETE FROM incidents WHERE closed_at < \(limit)")
            try transaction.removeOldChats()
            // Their boards go with them. The newest stands: boards that were switched off are still told to go back from it.
            try all.run("DELETE FROM rollouts WHERE ended_at < \(limit) AND id NOT IN (SELECT max(id) FROM rollouts GROUP BY organization)")
            try transaction.removeOldDeliveries(before: transaction.now - retention.deliveries)
            try all.run("UPDATE webhooks SET older_secret = NULL, older_secret_until = NULL WHERE older_secret_until < \(transaction.now)")
            try transaction.shared.run("DELETE FROM jobs WHERE finished_at < \(limit)")
            for table in ["health_snapshots", "phone_home_calls"] as [StaticString] {
                try transaction.shared.run("DELETE FROM \(name: table) WHERE at < \(transaction.now - retention.health)")
            }
            // What became of them stands with their deliveries.
            try transaction.shared.run(
                "DELETE FROM jobs WHERE kind = \(EventOutbox.kind) AND finished_at < \(transaction.now - .seconds(86_400))")
        }
    }

    /// Seals every stored secret that lies under an older master key again, under the current one; afterwards the older
    /// keys can be retired.
    ///
    /// - Returns: how many secrets were sealed again.
    package func reseal() async throws -> Int {
        let keyring = store.keyring
        return try await store.write(.durable) { transaction in
            var count = 0
            for column in SealedColumn.all {
                for secret in try transaction.sealed(column) where try Keyring.keyID(of: secret.bytes) != keyring.current {
                    let plain = try keyring.open(secret.bytes, for: secret.place)
                    try transaction.replace(column, secret, with: try keyring.seal(plain, for: secret.place))
                    count += 1
                }
            }
            return count
        }
    }
}

extension ControlStore {
    package var operations: Operations { Operations(store: self) }
}

/// A column that holds sealed secrets: every one there is.
private struct SealedColumn {
    let name: String
    let select: SQL
    let update: @Sendable (_ row: String, _ sealed: [UInt8]) -> SQL

    static let all = [
        SealedColumn(
            name: "destinations.secret",
            select: "SELECT organization, id, secret AS sealed FROM destinations WHERE secret IS NOT NULL",
            update: { "UPDATE destinations SET secret = \($1) WHERE id = \($0)" }),
        SealedColumn(
            name: "broadcasts.stream_key",
            select: "SELECT organization, id, stream_key AS sealed FROM broadcasts WHERE stream_key IS NOT NULL",
            update: { "UPDATE broadcasts SET stream_key = \($1) WHERE id = \($0)" }),
        SealedColumn(
            name: "organization_settings.code",
            select: "SELECT organization, organization AS id, code AS sealed FROM organization_settings WHERE code IS NOT NULL",
            update: { "UPDATE organization_settings SET code = \($1) WHERE organization = \($0)" }),
        SealedColumn(
            name: "mails.sealed", select: "SELECT organization, id, sealed FROM mails WHERE sealed IS NOT NULL",
            update: { "UPDATE mails SET sealed = \($1) WHERE id = \($0)" }),
        SealedColumn(
            name: "webhooks.secret", select: "SELECT organization, id, secret AS sealed FROM webhooks",
            update: { "UPDATE webhooks SET secret = \($1) WHERE id = \($0)" }),
        SealedColumn(
            name: "webhooks.older_secret",
            select: "SELECT organization, id, older_secret AS sealed FROM webhooks WHERE older_secret IS NOT NULL",
            update: { "UPDATE webhooks SET older_secret = \($1) WHERE id = \($0)" }),
        SealedColumn(
            name: "server_keys.sealed", select: "SELECT '' AS organization, name AS id, sealed FROM server_keys",
            update: { "UPDATE server_keys SET sealed = \($1) WHERE name = \($0)" }),
    ]
}

private struct SealedSecret {
    let place: SealedPlace
    let bytes: [UInt8]
}

extension Transaction {
    /// As `Operations.takeAttempt`, within what it is an attempt at.
    func takeAttempt(_ kind: String, _ subject: String, limit: Int, within window: Duration) throws -> Duration? {
        let subject = Hex.encode(SHA256.hash(subject))
        let past: [Timestamp] = try shared.all(
            """
            SELECT at FROM attempts WHERE kind = \(kind) AND subject = \(subject) AND at > \(now - window) AND at <= \(now)
            ORDER BY at DESC LIMIT \(limit)
            """
        ) { try $0["at"] }
        // The oldest of the last `limit` attempts makes room when it leaves the window.
        if past.count >= limit, let oldest = past.last { return max(oldest + window - now, .milliseconds(1)) }
        try shared.run("INSERT INTO attempts (kind, subject, at) VALUES (\(kind), \(subject), \(now))")
        return nil
    }

    fileprivate func sealed(_ column: SealedColumn) throws -> [SealedSecret] {
        try across(.operation).all(column.select) { row in
            SealedSecret(
                place: SealedPlace(organization: try row["organization"], column: column.name, row: try row["id"]), bytes: try row["sealed"]
            )
        }
    }

    fileprivate func replace(_ column: SealedColumn, _ secret: SealedSecret, with sealed: [UInt8]) throws {
        try across(.operation).run(column.update(secret.place.row, sealed))
    }
}
