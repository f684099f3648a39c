import Glibc
import Posix
import SQLite

/// A numbered step of the schema. Steps only add, so that a program of the version before can still run on the result.
struct Migration: Sendable {
    let version: Int
    let name: String
    let script: StaticString

    /// How long a copy from before a batch of steps is kept (STO-12).
    static let copyLifetime = Duration.seconds(30 * 86_400)
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
    func bringUpToDate() async throws {
        try await database.write(.durable) { try $0.run(script: Self.tracking) }
        let applied = try await database.read { connection in
            try connection.all("SELECT version, name FROM migrations ORDER BY version") { row -> (version: Int, name: String) in
                (try row["version"], try row["name"])
            }
        }
        try refuseForeign(applied)
        let missing = steps.filter { $0.version > applied.last?.version ?? 0 }
        guard !missing.isEmpty else { return }
        if !applied.isEmpty { try await copy(from: applied.last?.version ?? 0) }
        for step in missing { try await apply(step) }
    }

    private func refuseForeign(_ applied: [(version: Int, name: String)]) throws {
        for (version, name) in applied {
            guard let step = steps.first(where: { $0.version == version }) else {
                if version > steps.last?.version ?? 0 {
                    throw StoreError.newerDatabase(version: applied.last?.version ?? version, known: steps.last?.version ?? 0)
                }
                throw StoreError.foreignHistory(version: version, found: name)
            }
            guard step.name == name else { throw StoreError.foreignHistory(version: version, found: name) }
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

    private func copy(from version: Int) async throws {
        guard case .file(let path) = location else { return }
        let copies = MigrationCopies(beside: path)
        try await database.backUp(to: copies.path(version: version, at: now))
        try copies.removeOlder(than: now - Migration.copyLifetime)
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

/// The safety copies beside a database: `strata.db.before-2.1800000000000` was made before the step after version 2, at
/// that Unix millisecond.
struct MigrationCopies {
    private let folder: String
    private let prefix: String

    init(beside path: String) {
        let slash = path.lastIndex(of: "/")
        folder = slash.map { String(path[...$0]) } ?? "./"
        prefix = (slash.map { String(path[path.index(after: $0)...]) } ?? path) + ".before-"
    }

    func path(version: Int, at now: Timestamp) -> String { "\(folder)\(prefix)\(version).\(now.unixMs)" }

    func removeOlder(than limit: Timestamp) throws {
        guard let stream = opendir(folder) else { throw SystemError("opendir", on: folder) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        closedir(stream)
        for name in names where name.hasPrefix(prefix) {
            guard let ms = name.split(separator: ".").last.flatMap({ Int64($0) }), Timestamp(unixMs: ms) < limit else { continue }
            guard unlink(folder + name) == 0 else { throw SystemError("unlink", on: folder + name) }
        }
    }
}
