package import Posix
package import Units

/// The folder of blobs, on a thread of its own, since disks block: one call after the other.
package actor BlobStore {
    private let folder: BlobFolder
    private let loop: Loop

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// - Parameter loop: nobody else's.
    package init(_ folder: BlobFolder, on loop: Loop) {
        self.folder = folder
        self.loop = loop
    }

    /// As `BlobFolder.write`.
    package func write(_ bytes: [UInt8], to key: BlobKey) throws { try folder.write(bytes, to: key) }

    /// As `BlobFolder.read`.
    package func read(_ key: BlobKey) throws -> [UInt8]? { try folder.read(key) }

    /// As `BlobFolder.settled`.
    package func settled(before unixSeconds: Int64) throws -> [BlobKey] { try folder.settled(before: unixSeconds) }

    /// As `BlobFolder.remove`: nothing is written between the question how old one is and its end.
    package func remove(_ keys: [BlobKey], writtenBefore unixSeconds: Int64) throws {
        for key in keys { try folder.remove(key, writtenBefore: unixSeconds) }
    }

    /// As `BlobFolder.removeAll`.
    package func removeAll(of organization: OrganizationID) throws { try folder.removeAll(of: organization) }
}
