import Blobs
import Crypto
import Glibc
import SQLite
import Units

/// The files of organisations within a backup: rows of a table that is empty in every other database.
struct BlobCopies {
    /// The path of the backup's own copy of the database.
    let database: String

    /// Copies each file in that a row names and that is there.
    ///
    /// - Throws: `Backups.Failure.tooLarge` where both together could not be opened again.
    func add(from folder: BlobFolder) async throws {
        let copy = try await Database.open(.file(database))
        if let keys = try await Self.keys(in: copy) {
            var bytes = Self.size(of: database)
            for key in keys {
                guard let content = try folder.read(key) else { continue }
                bytes += content.count
                guard bytes <= Envelope.mostBytes else { throw Backups.Failure.tooLarge(database) }
                try await copy.write { connection in
                    try connection.run(
                        """
                        INSERT INTO blob_copies (organization, area, name, content)
                        VALUES (\(key.organization), \(key.area), \(key.name), \(content))
                        """)
                }
            }
        }
        try await copy.close()
    }

    /// Writes the files to where they belong, and takes them out of the database.
    func putBack(into folder: BlobFolder) async throws {
        let copy = try await Database.open(.file(database))
        if let keys = try await Self.keys(in: copy) {
            for key in keys {
                let content: [UInt8]? = try await copy.read { connection in
                    try connection.first(
                        """
                        SELECT content FROM blob_copies
                        WHERE organization = \(key.organization) AND area = \(key.area) AND name = \(key.name)
                        """
                    ) { try $0["content"] }
                }
                // What is not what its name says was not made by us.
                guard let content, BlobKey(content, key.kind, in: key.area, of: key.organization) == key else { continue }
                try folder.write(content, to: key)
            }
            try await copy.write { try $0.run("DELETE FROM blob_copies") }
        }
        try await copy.close()
    }

    /// nil where the database is from before there were files, or is none of control's.
    private static func keys(in copy: Database) async throws -> [BlobKey]? {
        try await copy.read { connection in
            let tables: Int? = try connection.first("SELECT count(*) AS count FROM sqlite_schema WHERE name = 'blob_copies'") {
                try $0["count"]
            }
            guard tables == 1 else { return nil }
            return try connection.all("SELECT organization, area, name FROM blobs", BlobKey.init)
        }
    }

    private static func size(of path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }
}
