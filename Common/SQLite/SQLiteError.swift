import CSQLite

/// A call to SQLite that failed: which, SQLite's extended code, its message, and the statement.
package struct SQLiteError: Error, Hashable, Sendable, CustomStringConvertible {
    package let function: String
    /// Extended result code. Source: sqlite.org/rescode.html
    package let code: CInt
    package let message: String
    /// The statement's text, without its values; nil where there is none.
    package let sql: String?

    /// What a caller can do something about.
    package enum Kind: Hashable, Sendable {
        /// A UNIQUE or PRIMARY KEY constraint: such a row is there already.
        case duplicate
        /// A foreign key: what the row refers to is not there, or is still referred to.
        case reference
        /// A CHECK or NOT NULL constraint: the value breaks a rule of the schema.
        case rule
        /// Another connection held the lock for longer than the busy timeout.
        case busy
        case diskFull
        case corrupt
        /// A column holds something else than was asked for, or does not exist: the code and the schema disagree.
        case mismatch
        case other
    }

    package var kind: Kind {
        switch code {
        case Extended.primaryKey, Extended.unique, Extended.rowID: return .duplicate
        case Extended.foreignKey: return .reference
        case SQLITE_MISMATCH: return .mismatch
        // Of the index beside the log, which is made as long as it has to be when the database is opened.
        case Extended.sharedMemorySize: return .diskFull
        default: break
        }
        switch code & 0xFF {
        case SQLITE_CONSTRAINT: return .rule
        case SQLITE_BUSY, SQLITE_LOCKED: return .busy
        case SQLITE_FULL: return .diskFull
        case SQLITE_CORRUPT, SQLITE_NOTADB: return .corrupt
        default: return .other
        }
    }

    package var description: String {
        let statement = sql.map { " in '\($0.prefix(200))'" } ?? ""
        return "\(function): \(message) (\(code))\(statement)"
    }

    init(_ function: String, code: CInt, message: String, sql: String? = nil) {
        self.function = function
        self.code = code
        self.message = message
        self.sql = sql
    }

    /// The last error of a connection, read right after the call.
    init(_ function: String, of database: OpaquePointer?, sql: String? = nil) {
        self.init(
            function, code: sqlite3_extended_errcode(database), message: String(cString: sqlite3_errmsg(database)), sql: sql)
    }

    /// Extended codes are macros of shifts, which Swift does not import. Source: sqlite3.h
    private enum Extended {
        static let foreignKey = SQLITE_CONSTRAINT | 3 << 8
        static let primaryKey = SQLITE_CONSTRAINT | 6 << 8
        static let unique = SQLITE_CONSTRAINT | 8 << 8
        static let rowID = SQLITE_CONSTRAINT | 10 << 8
        static let sharedMemorySize = SQLITE_IOERR | 19 << 8
    }

    static func mismatch(_ text: String, sql: String?) -> SQLiteError {
        SQLiteError("column", code: SQLITE_MISMATCH, message: text, sql: sql)
    }
}
