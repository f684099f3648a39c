package import Posix
package import Units
package import Wire

/// What the receivers of this host have recorded. Its calls block: they belong on a thread of their own.
package struct TakeShelf: Sendable {
    let root: String

    /// What cannot be given.
    package enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
        case noTake
        /// It is not finished.
        case unfinished
        case beyondEnd
        /// A part of it cannot be read any more.
        case damaged

        package var description: String {
            switch self {
            case .noTake: "this host has no such take"
            case .unfinished: "the take is not finished"
            case .beyondEnd: "the take's file is not so long"
            case .damaged: "the take's file is shorter than it was"
            }
        }
    }

    /// A finished take, and where its files' bytes lie.
    struct Finished: Codable, Hashable, Sendable {
        let take: RecordedTake
        /// Of each file, one after the other.
        let extents: [[Extent]]
    }

    /// Some bytes of a file of the take's folder.
    struct Extent: Codable, Hashable, Sendable {
        let name: String
        let offset: Int
        var bytes: Int
    }

    /// A folder that is being removed.
    private static let gone = ".gone"

    /// - Parameter root: the host's folder for recordings.
    package init(_ root: String) { self.root = root }

    /// Of all takes that are there, the oldest first; what a crash has left of one that was discarded is removed.
    package func leases() throws(SystemError) -> [LeaseID] {
        let shelf = TakeFolder.shelf(root)
        guard try FileTree.look(shelf) == .folder else { return [] }
        let names = try FileTree.names(in: shelf)
        for name in names where name.hasSuffix(Self.gone) {
            // try?: what cannot be removed now hides nothing of what is there, and is tried again.
            try? FileTree.remove("\(shelf)/\(name)")
        }
        return names.compactMap { LeaseID($0) }.sorted { $0.text < $1.text }
    }

    /// Whether nobody writes it.
    package func isAtRest(_ lease: LeaseID) -> Bool {
        // try?: whoever has the lock writes, and what cannot be locked is looked at the next time.
        guard let lock = try? FolderLock(TakeFolder(root, lease).path) else { return false }
        lock.release()
        return true
    }

    /// What was finished before; nil where that is yet to be done.
    package func finished(_ lease: LeaseID) throws -> RecordedTake? { try record(lease)?.take }

    private func record(_ lease: LeaseID) throws -> Finished? {
        try TakeFolder(root, lease).read(Finished.self, from: TakeFolder.filesFile)
    }

    /// Has a take looked through again, whose files turned out to be other than was told.
    package func forget(_ lease: LeaseID) throws(SystemError) {
        try FileTree.remove("\(TakeFolder(root, lease).path)/\(TakeFolder.filesFile)")
    }

    /// - Throws: `Fault`, or what reading throws.
    package func read(_ ask: RecordingAsk, of lease: LeaseID) throws -> [UInt8] {
        guard let record = try record(lease) else { throw Fault.unfinished }
        guard record.extents.indices.contains(ask.file - 1), (0...1 << 50).contains(ask.offset),
            (1...WireLimits.recordingPiece).contains(ask.count)
        else {
            throw Fault.beyondEnd
        }
        let folder = TakeFolder(root, lease).path
        var (bytes, at): ([UInt8], Int) = ([], 0)
        for extent in record.extents[ask.file - 1] where bytes.count < ask.count {
            let first = ask.offset + bytes.count - at
            at += extent.bytes
            guard first < extent.bytes else { continue }
            let start = extent.offset + first
            let count = min(extent.bytes - first, ask.count - bytes.count)
            let part = try FileTree.read("\(folder)/\(extent.name)", start..<start + count)
            guard part.count == count else { throw Fault.damaged }
            bytes += part
        }
        guard bytes.count == ask.count else { throw Fault.beyondEnd }
        return bytes
    }

    /// Removes what somebody has left who was killed before they had written whose it is, and so before anything of it.
    ///
    /// - Returns: whether it was that.
    package func sweep(_ lease: LeaseID) throws(SystemError) -> Bool {
        let folder = TakeFolder(root, lease)
        let owner = "\(folder.path)/\(TakeFolder.ownerFile)"
        guard try FileTree.look(owner) == nil, try FileTree.look(folder.path) == .folder else { return false }
        let lock = try FolderLock(folder.path)
        defer { lock.release() }
        guard try FileTree.look(owner) == nil, try folder.next() == 1 else { return false }
        try discard(lease)
        return true
    }

    /// Removes a take; one that is not there is removed already. It is gone at once, however long its files take.
    package func discard(_ lease: LeaseID) throws(SystemError) {
        let folder = TakeFolder(root, lease).path
        guard try FileTree.look(folder) != nil else { return }
        try FileTree.remove(folder + Self.gone)
        try FileTree.rename(folder, to: folder + Self.gone)
        try FileTree.sync(TakeFolder.shelf(root))
        try FileTree.remove(folder + Self.gone)
    }
}
