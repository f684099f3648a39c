import Glibc
import SQLite

/// What the opening of the database found, and did.
package struct Opening: Sendable, Hashable {
    /// Bytes of the log beside the database: whoever had it last did not close it. What was committed is taken from there. 0: it was closed, or is new.
    package internal(set) var leftLogBytes = 0
    /// The version of the schema that it had, where steps were missing; 0 for a new one.
    package internal(set) var upgradedFrom: Int?
    /// Where the copy from before those steps lies.
    package internal(set) var copy: String?

    /// Before anything is opened: SQLite removes the log that the last connection closes.
    init(of location: Location) {
        var status = stat()
        if case .file(let path) = location, stat(path + "-wal", &status) == 0 { leftLogBytes = Int(status.st_size) }
    }
}

/// Why the database does not open, and what a person can do about it; it is as it was.
package enum Unopenable: Error, Hashable, CustomStringConvertible {
    /// - copies: names of those from before an upgrade or a restore, the newest first.
    case damaged(path: String, reason: String, copies: [String])
    /// Another program has had it for longer than is waited for.
    case locked(path: String)
    case diskFull(path: String)

    /// nil for an error of another kind.
    init?(_ error: SQLiteError, at location: Location) {
        guard case .file(let path) = location else { return nil }
        switch error.kind {
        case .corrupt:
            // try?: what is wrong with the database is what has to be told.
            let copies = (try? SafetyCopies(of: path).all().map(\.name)) ?? []
            self = .damaged(path: path, reason: error.message, copies: copies)
        case .busy: self = .locked(path: path)
        case .diskFull: self = .diskFull(path: path)
        case .duplicate, .reference, .rule, .mismatch, .other: return nil
        }
    }

    package var description: String {
        switch self {
        case .damaged(let path, let reason, let copies):
            "\(path) is damaged (\(reason)) and left as it is: put a backup in its place, or a copy from before an upgrade, by"
                + " 'strata-control restore'; copies here: \(copies.isEmpty ? "none" : copies.joined(separator: ", "))"
        case .locked(let path): "another program has locked \(path) and did not let go of it for 5 s: end that program"
        case .diskFull(let path): "the disk of \(path) is full: make room there"
        }
    }
}

extension ControlStore {
    /// Reads the whole database by a connection of its own, while work goes on: a second for some hundred megabytes.
    ///
    /// - Returns: what is wrong with it; nil where nothing is.
    package func inspect() async throws -> String? {
        do {
            // Let go of without a checkpoint, which would wait for the other connection.
            return try await Database.open(location).fault()
        } catch let error as SQLiteError where error.kind == .corrupt {
            return error.message
        }
    }
}
