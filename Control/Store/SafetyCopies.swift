import Glibc
import Posix
import SQLite

/// The copies of a database that lie beside it, and the way back to one of them (STO-12).
///
/// `strata.db.before-2.1800000000000` was made before the step after version 2, at that Unix millisecond;
/// `strata.db.before-restore.1800000000000` is what a restore put aside, with its log beside it.
package struct SafetyCopies: Sendable {
    private let database: String
    private let folder: String
    private let prefix: String

    /// How long a copy is kept.
    static let lifetime = Duration.seconds(30 * 86_400)

    package struct Copy: Sendable, Hashable {
        package let name: String
        package let madeAt: Timestamp
    }

    package enum Failure: Error, Hashable, CustomStringConvertible {
        case noSuchCopy(String, folder: String)
        /// A sound file, perhaps, but none of control's.
        case notControls(String)
        /// What no copy is called.
        case noName(String, expected: String)
        case noDatabase(String)

        package var description: String {
            switch self {
            case .noSuchCopy(let name, let folder):
                "there is no copy '\(name)' in \(folder): 'strata-control restore' without --copy lists those that there are"
            case .notControls(let path): "\(path) is no database of control's: nothing was changed"
            case .noName(let name, let expected): "a copy is not called '\(name)', but such as \(expected)"
            case .noDatabase(let path): "there is no \(path): control never ran here"
            }
        }
    }

    package init(of database: String) {
        self.database = database
        let slash = database.lastIndex(of: "/")
        folder = slash.map { String(database[...$0]) } ?? "./"
        prefix = (slash.map { String(database[database.index(after: $0)...]) } ?? database) + ".before-"
    }

    func path(version: Int, at now: Timestamp) -> String { "\(folder)\(prefix)\(version).\(now.unixMs)" }

    /// What there is, the newest first.
    package func all() throws -> [Copy] {
        guard let stream = opendir(folder) else { throw SystemError("opendir", on: folder) }
        defer { closedir(stream) }
        var copies: [Copy] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            guard name.hasPrefix(prefix), let ms = name.split(separator: ".").last.flatMap({ Int64($0) }) else { continue }
            copies.append(Copy(name: name, madeAt: Timestamp(unixMs: ms)))
        }
        return copies.sorted { $0.madeAt > $1.madeAt }
    }

    /// Copies the database under a name that `all` finds, while others have it open or not.
    ///
    /// - Parameter name: `strata.db.before-update.1800000000000`, say; what is there under it is replaced.
    /// - Throws: `.noName`, `.noDatabase`; `SQLiteError`: nothing is there under the name then.
    package func make(_ name: String) async throws {
        guard name.hasPrefix(prefix), !name.contains("/"), name.split(separator: ".").last.flatMap({ Int64($0) }) != nil else {
            throw Failure.noName(name, expected: "\(prefix)update.1800000000000")
        }
        guard access(database, F_OK) == 0 else { throw Failure.noDatabase(database) }
        let source = try await Database.open(.file(database))
        // In one step: control writes meanwhile.
        try await source.backUp(to: folder + name, pagesAtOnce: -1)
        try await source.close()
        try FileTree.sync(folder + ".")
    }

    func removeExpired(at now: Timestamp) throws {
        for copy in try all() where copy.madeAt < now - Self.lifetime {
            let path = folder + copy.name
            guard unlink(path) == 0 else { throw SystemError("unlink", on: path) }
            // Only what a restore put aside has a log.
            for log in ["-wal", "-shm"] { unlink(path + log) }
        }
    }

    /// Puts a copy in the place of the database. What was there is put aside as one more copy, as it is, be it damaged.
    ///
    /// The database must not be open anywhere.
    ///
    /// - Returns: the name of what was put aside; nil where there was no database.
    /// - Throws: `.noSuchCopy`, `.notControls`; `SQLiteError` for a copy that is no sound database: nothing has changed then.
    package func restore(_ name: String, at now: Timestamp) async throws -> String? {
        guard try all().contains(where: { $0.name == name }) else { throw Failure.noSuchCopy(name, folder: folder) }
        return try await putInPlace(folder + name, at: now)
    }

    /// Puts a database in the place of this one, which is put aside; the file itself stays where it is.
    func putInPlace(_ path: String, at now: Timestamp) async throws -> String? {
        let copy = try await Database.open(.file(path))
        guard try await Self.isControls(copy) else { throw Failure.notControls(path) }
        // Checked as it is written; it appears when it is whole.
        let restored = database + ".restored"
        try await copy.backUp(to: restored)
        try await copy.close()
        let aside = try putAside(at: now)
        guard rename(restored, database) == 0 else { throw SystemError("rename", on: database) }
        // Whoever asked writes down that it is done, on another disk perhaps.
        try FileTree.sync(folder + ".")
        return aside
    }

    private static func isControls(_ copy: Database) async throws -> Bool {
        try await copy.read { connection in
            let tables: Int? = try connection.first("SELECT count(*) AS count FROM sqlite_schema WHERE name = 'migrations'") {
                try $0["count"]
            }
            guard tables == 1 else { return false }
            return try connection.first("SELECT count(*) AS count FROM migrations") { try $0["count"] } ?? 0 > 0
        }
    }

    private func putAside(at now: Timestamp) throws -> String? {
        let name = "\(prefix)restore.\(now.unixMs)"
        guard rename(database, folder + name) == 0 else {
            guard errno == ENOENT else { throw SystemError("rename", on: database) }
            return try putLogAside()
        }
        // The log belongs to the file that it was written for: it goes with it, or there is none.
        guard rename(database + "-wal", folder + name + "-wal") == 0 || errno == ENOENT else {
            throw SystemError("rename", on: database + "-wal")
        }
        unlink(database + "-shm")
        return name
    }

    /// The log that a restore has left which was cut off in between: SQLite would write it into whatever database lies beside it.
    ///
    /// - Returns: the name of what that restore had put aside, which gets its log; nil where there is no log.
    private func putLogAside() throws -> String? {
        let log = database + "-wal"
        guard access(log, F_OK) == 0 else { return nil }
        let owner = try all().first { $0.name.hasPrefix("\(prefix)restore.") && access("\(folder)\($0.name)-wal", F_OK) != 0 }
        guard let owner else {
            guard unlink(log) == 0 else { throw SystemError("unlink", on: log) }
            return nil
        }
        guard rename(log, "\(folder)\(owner.name)-wal") == 0 else { throw SystemError("rename", on: log) }
        unlink(database + "-shm")
        return owner.name
    }
}

extension ControlStore {
    /// Removes copies from before migrations that are older than 30 days.
    package func removeExpiredCopies() throws {
        guard case .file(let path) = location else { return }
        try SafetyCopies(of: path).removeExpired(at: now)
    }
}
