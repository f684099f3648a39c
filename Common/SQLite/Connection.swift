import CSQLite

/// How surely a transaction is on the disk when it returns.
package enum Durability: Hashable, Sendable {
    /// In the log, synced at the next checkpoint: a loss of power may take the last moments back, never a part of one.
    case normal
    /// Synced before it returns, about 1 ms on a server's disk: for what was promised to somebody.
    case durable
}

/// A connection with its prepared statements. It belongs to the thread of the `Database` that opened it: a transaction's
/// closure may use it, and must not keep it.
package final class Connection {
    private let handle: DatabaseHandle
    private var statements: [String: Statement] = [:]
    private var durability = Durability.normal

    /// Statements are constant texts of the source, so this bound is reached by a mistake only.
    private static let cachedStatements = 512

    init(_ location: Location, on disk: Disk = .system) throws {
        handle = try DatabaseHandle(location, on: disk)
        // Source for each: sqlite.org/pragma.html. trusted_schema and the switches of DatabaseHandle are SQLite's own advice
        // against hostile database files (sqlite.org/security.html).
        try run("PRAGMA busy_timeout = 5000")
        try run("PRAGMA foreign_keys = ON")
        try run("PRAGMA trusted_schema = OFF")
        try run("PRAGMA secure_delete = FAST")
        try run("PRAGMA synchronous = NORMAL")
        let mode: String? = try first("PRAGMA journal_mode = WAL") { try $0["journal_mode"] }
        guard location == .memory || mode == "wal" else {
            throw SQLiteError("journal_mode", code: SQLITE_CANTOPEN, message: "write-ahead logging was refused: \(mode ?? "nothing")")
        }
    }

    /// Runs a statement to its end and ignores its rows.
    package func run(_ sql: SQL) throws(SQLiteError) {
        let statement = try begin(sql)
        defer { statement.reset() }
        while try statement.step() {}
    }

    /// Runs the statements of a constant script, one after the other; none may have parameters.
    package func run(script: StaticString) throws(SQLiteError) {
        guard sqlite3_exec(handle.raw, "\(script)", nil, nil, nil) == SQLITE_OK else { throw SQLiteError("sqlite3_exec", of: handle.raw) }
    }

    /// The first row of a query, made into a value; nil without one.
    package func first<Value>(_ sql: SQL, _ make: (borrowing Row) throws -> Value) throws -> Value? {
        let statement = try begin(sql)
        defer { statement.reset() }
        return try statement.step() ? try make(Row(statement)) : nil
    }

    /// Every row of a query, each made into a value.
    package func all<Value>(_ sql: SQL, _ make: (borrowing Row) throws -> Value) throws -> [Value] {
        let statement = try begin(sql)
        defer { statement.reset() }
        var values: [Value] = []
        while try statement.step() { values.append(try make(Row(statement))) }
        return values
    }

    /// Rows that the last INSERT, UPDATE or DELETE changed.
    package var changes: Int { Int(sqlite3_changes64(handle.raw)) }

    /// Runs `body` in a transaction: all of it or, when it throws, nothing.
    func transaction<Value>(_ kind: Transaction, _ body: (Connection) throws -> Value) throws -> Value {
        if case .write(let wanted) = kind { try use(wanted) }
        try run(kind == .read ? "BEGIN" : "BEGIN IMMEDIATE")
        do {
            let value = try body(self)
            try run("COMMIT")
            return value
        } catch {
            // SQLite has rolled back by itself after some errors (a full disk, for one): then there is nothing to do here.
            if sqlite3_get_autocommit(handle.raw) == 0 { try run("ROLLBACK") }
            throw error
        }
    }

    enum Transaction: Hashable {
        case read
        case write(Durability)
    }

    /// The setting cannot change within a transaction. Source: sqlite.org/pragma.html#pragma_synchronous
    private func use(_ wanted: Durability) throws(SQLiteError) {
        guard wanted != durability else { return }
        try run(wanted == .durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL")
        durability = wanted
    }

    private func begin(_ sql: SQL) throws(SQLiteError) -> Statement {
        let statement = try prepared(sql.text)
        statement.isRunning = true
        do throws(SQLiteError) {
            try statement.bind(sql.values)
        } catch {
            statement.reset()
            throw error
        }
        return statement
    }

    private func prepared(_ text: String) throws(SQLiteError) -> Statement {
        if let kept = statements[text] {
            return kept.isRunning ? try Statement(text, on: handle.raw) : kept
        }
        let statement = try Statement(text, on: handle.raw)
        if statements.count >= Self.cachedStatements { statements.removeAll() }
        statements[text] = statement
        return statement
    }

    /// Begins to copy this database over another.
    func backUp(to target: borrowing DatabaseHandle) throws(SQLiteError) -> Backup {
        try Backup(from: handle, to: target)
    }
}
