import Crypto
import FoundationEssentials
import SQLite
package import Units

/// Organisations that are deleted (ORG-03): out of everybody's reach at once, and gone step by step afterwards, so that nobody else waits for it.
package struct Deletions: Sendable {
    let store: ControlStore

    /// The kind of its jobs.
    package static let kind = "delete organization"
    /// Rows that one transaction removes: tens of milliseconds.
    private static let step = 500

    private struct Reference: Codable {
        let organization: OrganizationID
    }

    /// Ends everything by which anybody or anything gets at an organisation's rows: sessions, passwords and addresses, tokens, links, the
    /// identities of senders, and what its webhooks are told. A job removes the rows.
    ///
    /// Where the server was set up with it, the pool is the operator's alone from now on: no other organisation comes after it.
    ///
    /// - Returns: what has sockets to be closed.
    /// - Throws: `.missing` where whoever asks is not the owner any more; `.organizationBusy` while a broadcast runs.
    package func begin(in scope: OrganizationScope) async throws -> (sessions: [SessionID], senders: [DeviceID]) {
        try await store.write(.durable) { transaction in
            let (id, now, all) = (scope.organization, transaction.now, transaction.across(.operation))
            let owner = try transaction.row(User.self, in: scope, where: "id = \(scope.author.id) AND role = 'owner'", or: "owner")
            guard try transaction.count(of: .broadcasts, in: scope, where: "ended_at IS NULL") == 0 else {
                throw StoreError.organizationBusy
            }
            let sessions: [SessionID] = try all.all("SELECT id FROM sessions WHERE organization = \(id) AND ended_at IS NULL") {
                try $0["id"]
            }
            let senders: [DeviceID] = try all.all("SELECT id FROM devices WHERE organization = \(id) AND revoked_at IS NULL") {
                try $0["id"]
            }
            try all.run(
                "UPDATE sessions SET ended_at = \(now), end_reason = \(SessionEnd.deactivated) WHERE organization = \(id) AND ended_at IS NULL"
            )
            // Nobody's, so that no link to a new password goes to anybody.
            try all.run("UPDATE users SET email = id || '@deleted.invalid', password_hash = NULL WHERE organization = \(id)")
            try all.run("UPDATE devices SET revoked_at = \(now) WHERE organization = \(id) AND revoked_at IS NULL")
            for table in Self.keys { try transaction.delete(from: table, in: scope, where: "TRUE") }
            try transaction.silenceWebhooks(by: store.keyring, in: scope)
            if try transaction.house() == id {
                try transaction.shared.run("DELETE FROM setup")
                // Whoever comes next has errors of their own, and says whom they tell.
                try transaction.shared.run("DELETE FROM server_keys WHERE name IN (\(ErrorTracking.name), \(PhoneHome.name))")
                try transaction.shared.run("DELETE FROM phone_home_calls")
            }
            let slug: String? = try transaction.shared.first("SELECT slug FROM organizations WHERE id = \(id)") { try $0["slug"] }
            try transaction.noteOfOperator(.organizationDeleted, id.text, detail: "\(slug ?? "") by \(owner.email)")
            try transaction.addJob(
                Self.kind, payload: try JSONColumn(Reference(organization: id)), uniqueKey: id.text, runAt: now, maxAttempts: 1000)
            return (sessions, senders)
        }
    }

    /// What opens something, or is a secret.
    private static let keys: [OrganizationTable] = [
        .refreshTokens, .apiTokens, .passwordResets, .invitations, .mails, .enrollmentTokens, .organizationSettings, .destinations,
        .branding, .blobs, .emailChanges, .alertSettings, .guestLinks, .meetings, .rooms,
    ]

    /// Whose rows a job removes.
    package static func organization(of job: Job) throws -> OrganizationID {
        try JSONDecoder().decode(Reference.self, from: Data(job.payload.utf8)).organization
    }

    /// Removes what is left of an organisation; it may be begun again.
    package func carryOut(_ job: Job) async throws -> String? {
        let id = try Self.organization(of: job)
        var removed = 0
        for some in Self.many(of: id) {
            var count: Int
            repeat {
                try Task.checkCancellation()
                count = try await store.write { transaction in
                    let all = transaction.across(.operation)
                    try all.run(some)
                    return all.changes
                }
                removed += count
            } while count > 0
        }
        try await store.write(.durable) { transaction in
            let all = transaction.across(.operation)
            // Until the end of this transaction: tables refer to each other.
            try all.run("PRAGMA defer_foreign_keys = ON")
            for table in OrganizationTable.all { try all.run("DELETE FROM \(part: table.sql) WHERE organization = \(id)") }
            try all.run("DELETE FROM organizations WHERE id = \(id)")
        }
        return "\(removed) rows and what was left"
    }

    /// Some rows of each table that may have very many of them.
    private static func many(of id: OrganizationID) -> [SQL] {
        [
            """
            DELETE FROM flight_records WHERE organization = \(id) AND (broadcast, source, run, number) IN
                (SELECT broadcast, source, run, number FROM flight_records WHERE organization = \(id) LIMIT \(step))
            """,
            "DELETE FROM deliveries WHERE rowid IN (SELECT rowid FROM deliveries WHERE organization = \(id) LIMIT \(step))",
            "DELETE FROM events WHERE rowid IN (SELECT rowid FROM events WHERE organization = \(id) LIMIT \(step))",
            "DELETE FROM chat_messages WHERE rowid IN (SELECT rowid FROM chat_messages WHERE organization = \(id) LIMIT \(step))",
            "DELETE FROM meeting_events WHERE rowid IN (SELECT rowid FROM meeting_events WHERE organization = \(id) LIMIT \(step))",
            "DELETE FROM audit WHERE rowid IN (SELECT rowid FROM audit WHERE organization = \(id) LIMIT \(step))",
            "DELETE FROM sessions WHERE rowid IN (SELECT rowid FROM sessions WHERE organization = \(id) LIMIT \(step))",
            "DELETE FROM broadcasts WHERE rowid IN (SELECT rowid FROM broadcasts WHERE organization = \(id) LIMIT \(step))",
            "DELETE FROM configurations WHERE rowid IN (SELECT rowid FROM configurations WHERE organization = \(id) LIMIT \(step))",
            "DELETE FROM rollout_boards WHERE rowid IN (SELECT rowid FROM rollout_boards WHERE organization = \(id) LIMIT \(step))",
            "DELETE FROM board_updates WHERE rowid IN (SELECT rowid FROM board_updates WHERE organization = \(id) LIMIT \(step))",
            "DELETE FROM devices WHERE rowid IN (SELECT rowid FROM devices WHERE organization = \(id) LIMIT \(step))",
        ]
    }
}

extension Transaction {
    /// Has nothing told to an organisation's webhooks any more, nor what waits for them. Their secrets are gone; as a webhook has one, it gets
    /// another, which nobody was shown.
    fileprivate func silenceWebhooks(by keyring: Keyring, in scope: OrganizationScope) throws {
        for webhook in try rows(Webhook.self, in: scope) {
            let place = Webhook.SecretColumn.current.place(webhook.id, in: scope.organization)
            let secret = Array(StoredWebhooks.freshSecret().revealed.utf8)
            try update(
                .webhooks, in: scope,
                set: [
                    "is_active": false, "secret": try keyring.seal(secret, for: place), "older_secret": [UInt8]?.none,
                    "older_secret_until": Timestamp?.none,
                ], where: "id = \(webhook.id)")
        }
    }
}

extension ControlStore {
    package var deletions: Deletions { Deletions(store: self) }
}
