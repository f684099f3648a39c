import SQLite

/// A numbered step of the schema. Steps only add, so that a program of the version before can still run on the result: a server that goes
/// back to it keeps its database, with all that was written since. One that cannot be held to this says so in its script, by
/// `PRAGMA user_version = N` with its own number: no program that does not know the step opens the database then.
struct Migration: Sendable {
    let version: Int
    let name: String
    let script: StaticString
}

/// Brings a database to the newest schema.
struct MigrationRun {
    let database: Database
    let location: Location
    let platformVersion: String
    let now: Timestamp
    let steps: [Migration]

    /// Applies what is missing, each step in a transaction of its own with its line in the tracking table (STO-03), after a
    /// copy of a database that holds anything.
    ///
    /// - Parameter opening: gets what was done.
    func bringUpToDate(_ opening: inout Opening) async throws {
        try await database.write(.durable) { try $0.run(script: Self.tracking) }
        let applied = try await applied()
        try refuseForeign(applied, needed: try await needed())
        let missing = steps.filter { $0.version > applied.last?.version ?? 0 }
        guard !missing.isEmpty else { return }
        let version = applied.last?.version ?? 0
        if !applied.isEmpty { opening.copy = try await copy(from: version) }
        for step in missing { try await apply(step) }
        opening.upgradedFrom = version
    }

    /// Changes nothing.
    ///
    /// - Returns: the version that the database has.
    /// - Throws: `.newerDatabase`, `.foreignHistory`.
    func version() async throws -> Int {
        let applied = try await applied()
        try refuseForeign(applied, needed: try await needed())
        return applied.last?.version ?? 0
    }

    /// The newest step that a program has to know. Source: SQLite's documentation, PRAGMA user_version: kept in the header, 0 in a new
    /// database, changed with the transaction.
    private func needed() async throws -> Int {
        try await database.read { connection in
            let version: Int? = try connection.first("PRAGMA user_version") { try $0["user_version"] }
            return version ?? 0
        }
    }

    private func applied() async throws -> [(version: Int, name: String)] {
        try await database.read { connection in
            try connection.all("SELECT version, name FROM migrations ORDER BY version") { row -> (version: Int, name: String) in
                (try row["version"], try row["name"])
            }
        }
    }

    private func refuseForeign(_ applied: [(version: Int, name: String)], needed: Int) throws {
        let known = steps.last?.version ?? 0
        guard needed <= known else { throw StoreError.newerDatabase(version: applied.last?.version ?? needed, known: known) }
        for (version, name) in applied where version <= known {
            guard steps.contains(where: { $0.version == version && $0.name == name }) else {
                throw StoreError.foreignHistory(version: version, found: name)
            }
        }
    }

    private func apply(_ step: Migration) async throws {
        let (platformVersion, now) = (platformVersion, now)
        try await database.write(.durable) { connection in
            try connection.run(script: step.script)
            try connection.run(
                """
                INSERT INTO migrations (version, name, applied_at, platform_version)
                VALUES (\(step.version), \(step.name), \(now.text), \(platformVersion))
                """)
        }
    }

    /// - Returns: where it lies; nil for a database in memory.
    private func copy(from version: Int) async throws -> String? {
        guard case .file(let path) = location else { return nil }
        let copies = SafetyCopies(of: path)
        let copy = copies.path(version: version, at: now)
        try await database.backUp(to: copy)
        try copies.removeExpired(at: now)
        return copy
    }

    private static let tracking: StaticString = """
        CREATE TABLE IF NOT EXISTS migrations (
            version INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            applied_at TEXT NOT NULL,
            platform_version TEXT NOT NULL
        ) STRICT;
        """
}
