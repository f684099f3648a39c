import CSQLite
import Glibc

/// Where a database lies.
package enum Location: Hashable, Sendable {
    case file(String)
    /// A database of its own that goes with its connection: for tests.
    case memory

    var path: String {
        switch self {
        case .file(let path): path
        case .memory: ":memory:"
        }
    }
}

/// Owns one sqlite3.
struct DatabaseHandle: ~Copyable {
    let raw: OpaquePointer

    /// Opens, or makes with mode 0600 (the log and the index beside it take the mode of the database).
    init(_ location: Location, on disk: Disk = .system) throws(SQLiteError) {
        if case .file(let path) = location {
            // Never one that is there: with the descriptor's end every lock of this process on it would be gone, and another process that
            // ends its connection would remove the log under ours. Source: sqlite.org/howtocorrupt.html, 2.2
            let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            if descriptor >= 0 {
                close(descriptor)
            } else if errno != EEXIST {
                let code = errno
                throw SQLiteError("open", code: SQLITE_CANTOPEN, message: "\(path): \(String(cString: strerror(code))) (\(code))")
            }
        }
        var database: OpaquePointer?
        // One thread uses it: SQLite need not lock (sqlite.org/threadsafe.html, multi-thread).
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = sqlite3_open_v2(location.path, &database, flags, disk.name)
        guard code == SQLITE_OK, let database else {
            let error = SQLiteError("sqlite3_open_v2", of: database)
            sqlite3_close_v2(database)
            throw error
        }
        let switches = [
            (SQLITE_DBCONFIG_DEFENSIVE, 1), (SQLITE_DBCONFIG_DQS_DDL, 0), (SQLITE_DBCONFIG_DQS_DML, 0), (SQLITE_DBCONFIG_ENABLE_TRIGGER, 1),
        ]
        for (which, on) in switches {
            guard strata_db_switch(database, CInt(which), CInt(on)) == SQLITE_OK else {
                let error = SQLiteError("sqlite3_db_config", of: database)
                sqlite3_close_v2(database)
                throw error
            }
        }
        raw = database
    }

    // close_v2 waits for the statements to be finalised, in whatever order they go.
    deinit { sqlite3_close_v2(raw) }
}

/// Owns one sqlite3_backup. Source: sqlite.org/backup.html
struct Backup: ~Copyable {
    private let raw: OpaquePointer
    private let target: OpaquePointer

    init(from source: borrowing DatabaseHandle, to target: borrowing DatabaseHandle) throws(SQLiteError) {
        guard let backup = sqlite3_backup_init(target.raw, "main", source.raw, "main") else {
            throw SQLiteError("sqlite3_backup_init", of: target.raw)
        }
        raw = backup
        self.target = target.raw
    }

    deinit { sqlite3_backup_finish(raw) }

    /// Copies up to `pages`; true when nothing is left.
    func step(pages: CInt) throws(SQLiteError) -> Bool {
        switch sqlite3_backup_step(raw, pages) {
        case SQLITE_OK: return false
        case SQLITE_DONE: return true
        case let code: throw SQLiteError("sqlite3_backup_step", code: code, message: String(cString: sqlite3_errstr(code)))
        }
    }
}
