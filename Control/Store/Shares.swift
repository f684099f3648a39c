import SQLite

/// How much of what it may have an organisation has (STO-10).
package struct Share: Sendable, Hashable {
    package let quota: Quota
    /// In the quota's own unit, but of storage in bytes.
    package let used: Int
    package let limit: Int
}

extension ControlStore {
    /// As many as the rows are that the quotas themselves are held against, so that what is shown and what is refused are one.
    package func shares(in scope: OrganizationScope) async throws -> [Share] {
        try await read { transaction in
            func count(_ quota: Quota, _ table: OrganizationTable, _ condition: SQL) throws -> Share {
                Share(quota: quota, used: try transaction.count(of: table, in: scope, where: condition), limit: quotas[quota])
            }
            return [
                try count(.users, .users, "is_active = 1"), try count(.senders, .devices, "revoked_at IS NULL"),
                try count(.destinations, .destinations, "removed_at IS NULL"), try count(.broadcasts, .broadcasts, "ended_at IS NULL"),
                try count(.webhooks, .webhooks, "TRUE"), try count(.files, .blobs, "TRUE"),
                Share(quota: .storage, used: try transaction.storedBytes(in: scope), limit: quotas[.storage] << 20),
            ]
        }
    }
}
