package import HTTP
package import Posix
package import Units
package import Web

/// The folder of blobs, on a thread of its own, since disks block: one call after the other.
package actor BlobStore: ObjectStore {
    private let folder: BlobFolder
    private let signer: BlobSigner
    private let loop: Loop
    /// Of organisations that somebody has asked for since the start; kept right from then on.
    private var usages: [OrganizationID: ObjectUsage] = [:]

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - signer: of addresses of objects.
    ///   - loop: nobody else's.
    package init(_ folder: BlobFolder, signer: BlobSigner, on loop: Loop) {
        self.folder = folder
        self.signer = signer
        self.loop = loop
    }

    // MARK: Pictures, by their content

    /// As `BlobFolder.write`.
    package func write(_ bytes: [UInt8], to key: BlobKey) throws {
        try changing(ObjectKey(key)) { try folder.write(bytes, to: key) }
    }

    /// As `BlobFolder.read`.
    package func read(_ key: BlobKey) throws -> [UInt8]? { try folder.read(key) }

    /// As `BlobFolder.settled`.
    package func settled(before unixSeconds: Int64) throws -> [BlobKey] { try folder.settled(before: unixSeconds) }

    /// As `BlobFolder.remove`: nothing is written between the question how old one is and its end.
    package func remove(_ keys: [BlobKey], writtenBefore unixSeconds: Int64) throws {
        for key in keys { try changing(ObjectKey(key)) { try folder.remove(key, writtenBefore: unixSeconds) } }
    }

    /// As `BlobFolder.removeAll`.
    package func removeAll(of organization: OrganizationID) throws {
        usages[organization] = nil
        try folder.removeAll(of: organization)
    }

    /// As `BlobFolder.sweep`.
    package func sweep(before unixSeconds: Int64) throws { try folder.sweep(before: unixSeconds) }

    // MARK: Objects

    package func put(_ bytes: [UInt8], to key: ObjectKey, type: String) throws -> ObjectFacts {
        try changing(key) { try folder.put(bytes, to: key, type: type) }
    }

    package func get(_ key: ObjectKey, _ range: ByteRange?) throws -> ObjectBytes? { try folder.get(key, range) }

    package func find(_ key: ObjectKey) throws -> ObjectFacts? { try folder.facts(of: key) }

    /// An object as it lies on the disk, to be read part for part; nil where there is none.
    package func file(_ key: ObjectKey) throws -> FileBody? { try folder.file(key) }

    package func remove(_ key: ObjectKey) throws { try changing(key) { try folder.remove(key) } }

    package func list(_ prefix: ObjectPrefix, page: String?, most: Int) throws -> ObjectPage {
        try folder.list(prefix, after: page, most: most)
    }

    package func begin(_ key: ObjectKey, type: String, sha256: String?) throws -> ObjectUpload {
        try folder.begin(key, type: type, sha256: sha256)
    }

    package func send(_ bytes: [UInt8], as number: Int, of upload: ObjectUpload) throws -> ObjectPart {
        try folder.send(bytes, as: number, of: upload)
    }

    package func complete(_ upload: ObjectUpload, _ parts: [ObjectPart]) throws -> ObjectFacts {
        try changing(upload.key) { try folder.complete(upload, parts) }
    }

    package func abandon(_ upload: ObjectUpload) throws { try folder.abandon(upload) }

    package func link(to use: ObjectUse, _ key: ObjectKey, for seconds: Int64) -> ObjectLink {
        precondition((1...ObjectLimits.linkSeconds).contains(seconds), "an address is good for ten minutes at most")
        return signer.link(to: use, key, until: unixMilliseconds() / 1000 + seconds)
    }

    /// Counted once, and kept right by what is written and removed here.
    package func usage(of organization: OrganizationID) throws -> ObjectUsage {
        if let known = usages[organization] { return known }
        let counted = try folder.usage(of: organization)
        usages[organization] = counted
        return counted
    }

    /// Keeps the count of an organisation right over a change of one of its objects, where somebody has asked for it.
    private func changing<Result>(_ key: ObjectKey, _ change: () throws -> Result) throws -> Result {
        guard var usage = usages[key.organization] else { return try change() }
        // Until it is known again: a change that fails may have been done.
        usages[key.organization] = nil
        let before = try folder.facts(of: key)?.bytes
        let result = try change()
        let after = try folder.facts(of: key)?.bytes
        usage.objects += (after == nil ? 0 : 1) - (before == nil ? 0 : 1)
        usage.bytes += (after ?? 0) - (before ?? 0)
        usages[key.organization] = usage
        return result
    }
}
