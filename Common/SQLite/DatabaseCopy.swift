import CSQLite

/// A backup under way: the new file and SQLite's handle on the copying. Belongs to the database's thread.
final class DatabaseCopy {
    private let path: String
    private var target: DatabaseHandle?
    private var backup: Backup?

    init(of source: Connection, at path: String) throws(SQLiteError) {
        self.path = path
        let handle = try DatabaseHandle(.file(path))
        backup = try source.backUp(to: handle)
        target = consume handle
    }

    /// Copies up to `pages`; true when nothing is left.
    func step(pages: CInt) throws(SQLiteError) -> Bool {
        switch backup {
        case .some(let backup): try backup.step(pages: pages)
        case .none: true
        }
    }

    /// Reads the whole copy and throws where it is not a sound database.
    func verify() throws {
        backup = nil
        target = nil
        let copy = try Connection(.file(path))
        let answer: String? = try copy.first("PRAGMA quick_check(1)") { try $0["quick_check"] }
        guard answer == "ok" else {
            throw SQLiteError("quick_check", code: SQLITE_CORRUPT, message: "\(path): \(answer ?? "no answer")")
        }
        try copy.run("PRAGMA journal_mode = DELETE")
    }
}
