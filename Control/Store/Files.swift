package import Blobs
import SQLite
import Units

extension BlobArea: ColumnValue {}

/// A file of an organisation: what there is of it besides its bytes.
package struct StoredBlob: Sendable, Hashable, OrganizationRow {
    package let key: BlobKey
    package let bytes: Int
    /// When it was uploaded last.
    package let createdAt: Timestamp

    static var table: OrganizationTable { .blobs }

    init(_ row: borrowing Row) throws {
        key = try BlobKey(row)
        bytes = try row["bytes"]
        createdAt = try row["created_at"]
    }
}

extension BlobKey {
    /// Of the columns organization, area and name.
    init(_ row: borrowing Row) throws {
        let (organization, area): (OrganizationID, BlobArea) = (try row["organization"], try row["area"])
        let name: String = try row["name"]
        guard let key = BlobKey(name, in: area, of: organization) else { throw StoreError.missing("file \(name)") }
        self = key
    }
}

/// An organisation's files: which there are. Their bytes lie in `BlobStore`, written before their row and removed after it.
package struct Files: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    /// How long a file stays that nothing refers to: between its upload and what it was uploaded for lies a press of a button.
    package static let patience = Duration.seconds(3600)

    /// Whether there is room for one more.
    ///
    /// - Throws: `.quota`.
    package func admit(_ key: BlobKey, bytes: Int) async throws {
        try await store.read { try $0.admitFile(key, bytes: bytes, by: store.quotas, in: scope) }
    }

    /// Notes a file that has been written.
    ///
    /// - Throws: `.quota`.
    package func add(_ key: BlobKey, bytes: Int) async throws {
        precondition(key.organization == scope.organization, "a file is added to its own organisation")
        try await store.write(.durable) { transaction in
            try transaction.admitFile(key, bytes: bytes, by: store.quotas, in: scope)
            try transaction.delete(from: .blobs, in: scope, where: "area = \(key.area) AND name = \(key.name)")
            try transaction.insert(
                into: .blobs, in: scope, ["area": key.area, "name": key.name, "bytes": bytes, "created_at": transaction.now])
        }
    }

    /// nil where there is none of this name.
    package func find(_ key: BlobKey) async throws -> StoredBlob? { try await store.read { try $0.file(key, in: scope) } }
}

extension ControlStore {
    package func files(in scope: OrganizationScope) -> Files { Files(store: self, scope: scope) }

    /// Forgets the files that nothing has referred to for an hour.
    package func forgetUnusedFiles() async throws {
        try await write { transaction in
            let limit = transaction.now - Files.patience
            try transaction.across(.operation).run(
                """
                DELETE FROM blobs WHERE created_at < \(limit) AND NOT EXISTS (
                    SELECT 1 FROM organization_branding AS used
                    WHERE used.organization = blobs.organization AND blobs.area = 'branding' AND blobs.name IN (used.logo, used.icon))
                AND NOT EXISTS (
                    SELECT 1 FROM users
                    WHERE users.organization = blobs.organization AND blobs.area = 'avatars' AND users.avatar = blobs.name)
                """)
        }
    }

    /// Those of some files that no row has.
    package func unknown(among keys: [BlobKey]) async throws -> [BlobKey] {
        var result: [BlobKey] = []
        // In steps, so that nobody waits for all of them.
        for start in stride(from: 0, to: keys.count, by: 500) {
            let some = Array(keys[start..<min(start + 500, keys.count)])
            result += try await read { transaction in
                try some.filter { try transaction.file($0, in: OrganizationScope($0.organization, by: .system)) == nil }
            }
        }
        return result
    }
}

extension Transaction {
    func file(_ key: BlobKey, in scope: OrganizationScope) throws -> StoredBlob? {
        guard key.organization == scope.organization else { return nil }
        return try row(StoredBlob.self, in: scope, where: "area = \(key.area) AND name = \(key.name)")
    }

    /// One that is there already takes its own place.
    fileprivate func admitFile(_ key: BlobKey, bytes: Int, by quotas: Quotas, in scope: OrganizationScope) throws {
        let others: SQL = "NOT (area = \(key.area) AND name = \(key.name))"
        try admit(.files, of: .blobs, where: others, by: quotas, in: scope)
        let recorded = try sum("bytes", of: .recordings, in: scope, where: "TRUE")
        guard try sum("bytes", of: .blobs, in: scope, where: others) + recorded + bytes <= quotas[.storage] << 20 else {
            throw StoreError.quota(.storage, limit: quotas[.storage])
        }
    }

    /// A file that something is about to refer to.
    ///
    /// - Parameter field: what refers to it, for whoever sent it.
    /// - Returns: nil for an empty name.
    /// - Throws: `.invalid` where there is none.
    func uploaded(_ name: String, to area: BlobArea, as field: String, in scope: OrganizationScope) throws -> String? {
        if name.isEmpty { return nil }
        guard let key = BlobKey(name, in: area, of: scope.organization), try file(key, in: scope) != nil else {
            throw StoreError.invalid(field: field, expected: "the name of a file that was uploaded for it, or nothing")
        }
        return name
    }
}
