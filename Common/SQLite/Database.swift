import Glibc

/// A SQLite database: one connection on one thread of its own, write-ahead logging, foreign keys on.
///
///     let database = try await Database.open(.file("/var/lib/strata/strata.db"))
///     try await database.write(.durable) { connection in
///         try connection.run("INSERT INTO notes (id, text) VALUES (\(id), \(text))")
///     }
///
/// Transactions run one after the other in the order they were asked for, each closure to its end without suspension.
package actor Database {
    private let thread: DatabaseThread
    private let location: Location
    // Made on the database's thread, used on it, and let go after the last job: only this actor's jobs touch it.
    private var connection: Connection?

    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private init(_ location: Location, on thread: DatabaseThread) {
        self.location = location
        self.thread = thread
    }

    deinit { thread.stop() }

    /// Opens the database, and makes it, mode 0600, where there is none; its folder must exist.
    package static func open(_ location: Location, on disk: Disk = .system) async throws -> Database {
        let database = Database(location, on: try DatabaseThread())
        try await database.connect(disk)
        return database
    }

    /// Runs `body` in a transaction that sees one state of the database and changes none.
    package func read<Value: Sendable>(_ body: @Sendable (Connection) throws -> Value) throws -> Value {
        try open().transaction(.read, body)
    }

    /// Runs `body` in a transaction: committed when it returns, undone when it throws.
    ///
    /// - Throws: what `body` throws, or a `SQLiteError`; nothing was changed then.
    package func write<Value: Sendable>(
        _ durability: Durability = .normal, _ body: @Sendable (Connection) throws -> Value
    ) throws -> Value {
        try open().transaction(.write(durability), body)
    }

    /// Copies the database as it is into a new file, mode 0600, that appears when it is whole and was checked; other
    /// transactions go on between the steps.
    ///
    /// - Parameter pagesAtOnce: of a step, a few milliseconds in which others of this process wait. A copy begins anew where
    ///   another process writes between two steps: -1 copies all in one, and lets others write meanwhile.
    package func backUp(to path: String, pagesAtOnce: CInt = 1000) async throws {
        let draft = path + ".draft"
        unlink(draft)
        do {
            try await copy(to: draft, pagesAtOnce)
            guard rename(draft, path) == 0 else {
                let code = errno
                throw SQLiteError("rename", code: code, message: "\(path): \(String(cString: strerror(code)))")
            }
        } catch {
            unlink(draft)
            throw error
        }
    }

    /// Reads the whole file; others of this process that use this connection wait meanwhile.
    ///
    /// - Returns: what is wrong with it, the first of several; nil where nothing is.
    package func fault() throws -> String? {
        let answer: String? = try open().first("PRAGMA quick_check(1)") { try $0["quick_check"] }
        return answer == "ok" ? nil : answer ?? "it cannot be checked"
    }

    /// Moves the log into the database and lets the file go; every later transaction throws.
    package func close() throws {
        guard let connection else { return }
        try connection.run("PRAGMA wal_checkpoint(TRUNCATE)")
        self.connection = nil
    }

    private func connect(_ disk: Disk) throws {
        connection = try Connection(location, on: disk)
    }

    private func open() throws(SQLiteError) -> Connection {
        guard let connection else { throw SQLiteError("database", code: 21, message: "\(location.path) was closed") }
        return connection
    }

    private func copy(to path: String, _ pages: CInt) async throws {
        let backup = try DatabaseCopy(of: try open(), at: path)
        while try !backup.step(pages: pages) { await Task.yield() }
        try backup.verify()
    }
}
