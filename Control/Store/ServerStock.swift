import SQLite

/// How much a server has, of all its organisations: for whoever runs it.
package struct ServerStock: Sendable, Hashable {
    package let organizations: Int
    /// Who may sign in.
    package let users: Int
    package let senders: Int
    /// That have begun at some time.
    package let meetings: Int
    /// That are there, whatever became of them.
    package let recordings: Int
}

extension Operations {
    package func stock() async throws -> ServerStock {
        try await store.read { transaction in
            let all = transaction.across(.operation)
            func count(_ rows: SQL) throws -> Int { try all.first("SELECT count(*) AS value FROM \(part: rows)") { try $0["value"] } ?? 0 }
            return ServerStock(
                organizations: try count("organizations"), users: try count("users WHERE is_active = 1"),
                senders: try count("devices WHERE kind = 'sender' AND revoked_at IS NULL"),
                meetings: try count("meetings WHERE state IN ('active', 'ended')"),
                recordings: try count("recordings WHERE removed_at IS NULL"))
        }
    }
}
