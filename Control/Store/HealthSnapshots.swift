import SQLite
package import Units

extension Kind {
    package enum HealthSnapshot {}
}

/// What the health probes said at a time. It is the whole server's, and belongs to no organisation.
package struct HealthSnapshot: Sendable, Hashable {
    package enum Occasion: String, Sendable, CaseIterable, ColumnValue {
        /// By the timetable.
        case scheduled
        /// Somebody asked.
        case manual
    }

    package let id: ID<Kind.HealthSnapshot>
    package let at: Timestamp
    package let occasion: Occasion
    /// `healthy`, `degraded`, `unhealthy`.
    package let status: String
    /// JSON, of the probes' own shape.
    package let probes: String

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        at = try row["at"]
        occasion = try row["occasion"]
        status = try row["status"]
        probes = try row["probes"]
    }
}

/// The history of the server's health, as long as `Retention` says.
package struct HealthSnapshots: Sendable {
    let store: ControlStore

    /// Of those that somebody asked for: the oldest go.
    package static let manualLimit = 1000

    package func add(_ occasion: HealthSnapshot.Occasion, status: String, probes: String) async throws -> HealthSnapshot {
        try await store.write { transaction in
            let id = transaction.newID(Kind.HealthSnapshot.self)
            try transaction.shared.run(
                """
                INSERT INTO health_snapshots (id, at, occasion, status, probes)
                VALUES (\(id), \(transaction.now), \(occasion), \(status), \(probes))
                """)
            if occasion == .manual {
                try transaction.shared.run(
                    """
                    DELETE FROM health_snapshots WHERE occasion = \(occasion) AND id NOT IN
                        (SELECT id FROM health_snapshots WHERE occasion = \(occasion) ORDER BY id DESC LIMIT \(Self.manualLimit))
                    """)
            }
            let made = try transaction.shared.first("SELECT * FROM health_snapshots WHERE id = \(id)", HealthSnapshot.init)
            guard let made else { throw StoreError.missing("health snapshot") }
            return made
        }
    }

    /// The newest first; the next after `last`.
    package func page(after last: ID<Kind.HealthSnapshot>?, limit: Int) async throws -> [HealthSnapshot] {
        try await store.read { transaction in
            try transaction.shared.all(
                "SELECT * FROM health_snapshots WHERE \(last) IS NULL OR id < \(last) ORDER BY id DESC LIMIT \(limit)", HealthSnapshot.init)
        }
    }
}

extension ControlStore {
    package var healthSnapshots: HealthSnapshots { HealthSnapshots(store: self) }
}
