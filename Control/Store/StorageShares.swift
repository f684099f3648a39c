package import Blobs
import SQLite

/// What an organisation's files of one kind take of the disk.
package struct StorageShare: Sendable, Hashable {
    /// nil for the picture that is shown while a sender is silent, which lies in the database.
    package let area: BlobArea?
    package let files: Int
    package let bytes: Int
}

extension ControlStore {
    /// Of each kind, those of which there is none too.
    package func storageShares(in scope: OrganizationScope) async throws -> [StorageShare] {
        try await read { transaction in
            let found = try transaction.grouped(
                "count(*) AS files, sum(bytes) AS bytes", of: .blobs, in: scope, where: "TRUE", by: "area"
            ) { row -> StorageShare in
                let area: BlobArea = try row["slot"]
                return StorageShare(area: area, files: try row["files"], bytes: try row["bytes"])
            }
            let slates = try transaction.grouped(
                "count(*) AS files, sum(length(picture)) AS bytes", of: .slates, in: scope, where: "TRUE", by: "'slate'"
            ) { row -> StorageShare in StorageShare(area: nil, files: try row["files"], bytes: try row["bytes"]) }
            return BlobArea.allCases.map { area in
                found.first { $0.area == area } ?? StorageShare(area: area, files: 0, bytes: 0)
            } + (slates.isEmpty ? [StorageShare(area: nil, files: 0, bytes: 0)] : slates)
        }
    }
}
