import Crypto
import SQLite
package import Units

/// Where the installation's own errors are told: the whole server's setting, sealed, as the address has a key in it.
package struct ErrorTracking: Sendable {
    let store: ControlStore

    static let name = "error tracking"
    // Beside the server's own keys, so that a rotation seals it again with them.
    private static let place = SealedPlace(organization: "", column: "server_keys.sealed", row: name)

    /// nil where they are told to nobody.
    package func find() async throws -> Secret? {
        let sealed: [UInt8]? = try await store.read { transaction in
            try transaction.shared.first("SELECT sealed FROM server_keys WHERE name = \(Self.name)") { try $0["sealed"] }
        }
        return try sealed.map { Secret(String(decoding: try store.keyring.open($0, for: Self.place), as: UTF8.self)) }
    }

    /// - Parameters:
    ///   - dsn: checked; nil tells nobody.
    ///   - shown: of it, for the audit logs.
    ///   - scope: whose log it stands in beside the operator's; nil where the operator did it.
    package func change(to dsn: Secret?, shown: String, by scope: OrganizationScope?) async throws {
        let sealed = try dsn.map { try store.keyring.seal(Array($0.revealed.utf8), for: Self.place) }
        try await store.write(.durable) { transaction in
            try transaction.shared.run("DELETE FROM server_keys WHERE name = \(Self.name)")
            if let sealed {
                try transaction.shared.run(
                    "INSERT INTO server_keys (name, sealed, created_at) VALUES (\(Self.name), \(sealed), \(transaction.now))")
            }
            try transaction.noteOfOperator(.errorTrackingChanged, Self.name, detail: shown)
            if let scope { try transaction.note(.errorTrackingChanged, Self.name, detail: shown, in: scope) }
        }
    }
}

extension ControlStore {
    package var errorTracking: ErrorTracking { ErrorTracking(store: self) }
}
