import Crypto
import Fragments
import Posix
package import Units
package import Wire

/// Makes finished files of the parts that a lease has recorded: every fragment is held against its digest, what is damaged is left out, parts
/// that go on with one another become one file, and each file gets its length and an index in front and a digest of all of it.
///
/// Only heads are written; the rest of a file stays where it was recorded. Whoever is killed begins again, and comes to the same. Step by step,
/// a few megabytes each, so that whoever has the thread can rest in between.
package final class TakeCompletion {
    private let shelf: TakeShelf
    private let lease: LeaseID
    private let folder: TakeFolder
    private let owner: TakeFolder.Owner
    /// What there was when this began.
    private let written: [Int: Int]
    private var groups: [Group] = []
    private var damaged: Int
    private var files: [RecordedFile] = []
    private var extents: [[TakeShelf.Extent]] = []
    private var pass: Pass?

    /// Parts of one file.
    private struct Group {
        let beginning: [UInt8]
        let index: RecordingIndex
        var pieces: [Piece]
    }

    private struct Piece {
        /// The name of the part's file.
        let name: String
        let fragment: IndexedFragment
    }

    /// On its way through a group's fragments.
    private final class Pass {
        let head: [UInt8]
        var digest = SHA256Digest()
        var next = 0
        var damaged: Set<Int> = []

        init(_ head: [UInt8]) {
            self.head = head
            digest.add(head)
        }
    }

    /// Read and hashed in one step, bytes.
    private static let step = 4 << 20

    /// - Throws: `TakeShelf.Fault.noTake`, or what reading throws. The last step throws where the take goes on meanwhile.
    package init(_ lease: LeaseID, on shelf: TakeShelf) throws {
        self.shelf = shelf
        self.lease = lease
        folder = TakeFolder(shelf.root, lease)
        guard let owner = try folder.read(TakeFolder.Owner.self, from: TakeFolder.ownerFile) else { throw TakeShelf.Fault.noTake }
        self.owner = owner
        written = try folder.written()
        damaged = folder.lost
        for part in try folder.parts() { try add(part) }
    }

    private func add(_ part: Int) throws {
        let name = folder.media(part)
        guard let index = try folder.readIndex(part) else {
            // One that was killed as it began has nothing.
            if try !isEmpty(part) { damaged += 1 }
            return
        }
        damaged += index.damagedLines
        guard let beginning = try folder.beginning(part, index) else {
            damaged += index.fragments.count
            return
        }
        let pieces = index.fragments.map { Piece(name: name, fragment: $0) }
        if let last = groups.last, last.beginning == beginning, last.index.zero == index.zero {
            groups[groups.count - 1].pieces += pieces
        } else {
            groups.append(Group(beginning: beginning, index: index, pieces: pieces))
        }
    }

    /// Whether a part has no more than a beginning.
    private func isEmpty(_ part: Int) throws(SystemError) -> Bool {
        try FileTree.read("\(folder.path)/\(folder.media(part))", 0..<4096).count < 4096
    }

    /// Does some of it.
    ///
    /// - Returns: the take, once it is finished.
    package func step() throws -> RecordedTake? {
        guard let group = groups.first else { return try finish() }
        guard let pass = try pass ?? begin(group) else {
            groups.removeFirst()
            return nil
        }
        self.pass = pass
        var count = 0
        while pass.next < group.pieces.count, count < Self.step {
            let piece = group.pieces[pass.next]
            let (first, size) = (piece.fragment.offset, piece.fragment.bytes)
            let bytes = try FileTree.read("\(folder.path)/\(piece.name)", first..<first + size)
            if bytes.count == size, Hex.encode(SHA256.hash(bytes)) == piece.fragment.sha256 {
                pass.digest.add(bytes)
            } else {
                pass.damaged.insert(pass.next)
            }
            count += size
            pass.next += 1
        }
        if pass.next == group.pieces.count { try end(pass, group) }
        return nil
    }

    /// nil where nothing is left of it.
    private func begin(_ group: Group) throws -> Pass? {
        let head = RecordingHead.bytes(
            group.beginning, zero: group.index.zero, hasPictures: group.index.width != nil, fragments: group.pieces.map(\.fragment))
        return head.map(Pass.init)
    }

    private func end(_ pass: Pass, _ group: Group) throws {
        self.pass = nil
        guard pass.damaged.isEmpty else {
            // Once more, without them: the head tells what follows it.
            damaged += pass.damaged.count
            groups[0].pieces = group.pieces.enumerated().filter { !pass.damaged.contains($0.offset) }.map { $0.element }
            return
        }
        groups.removeFirst()
        let number = files.count + 1
        let head = folder.head(number)
        try FileTree.remove("\(folder.path)/\(head)")
        try FileTree.append(pass.head, to: "\(folder.path)/\(head)")
        try FileTree.sync("\(folder.path)/\(head)")
        let end = group.pieces.map(\.fragment.end).max() ?? group.index.zero
        files.append(
            RecordedFile(
                number: number, bytes: pass.head.count + group.pieces.reduce(0) { $0 + $1.fragment.bytes },
                sha256: Hex.encode(pass.digest.finished()), beganAtMs: group.index.atMs, durationMs: Int((end - group.index.zero) / 90),
                codecs: group.index.codecs, width: group.index.width, height: group.index.height))
        extents.append([TakeShelf.Extent(name: head, offset: 0, bytes: pass.head.count)] + Self.extents(of: group.pieces))
    }

    private static func extents(of pieces: [Piece]) -> [TakeShelf.Extent] {
        var result: [TakeShelf.Extent] = []
        for piece in pieces {
            if let last = result.last, last.name == piece.name, last.offset + last.bytes == piece.fragment.offset {
                result[result.count - 1].bytes += piece.fragment.bytes
            } else {
                result.append(TakeShelf.Extent(name: piece.name, offset: piece.fragment.offset, bytes: piece.fragment.bytes))
            }
        }
        return result
    }

    private func finish() throws -> RecordedTake {
        // Whoever has taken the lease up again has the lock or has written more: what is finished here would be taken for all of it.
        let lock = try FolderLock(folder.path)
        defer { lock.release() }
        guard try folder.written() == written else { throw TakeShelf.Fault.unfinished }
        let take = RecordedTake(
            lease: lease, recording: owner.recording.id, organization: owner.recording.organization, files: files,
            damagedFragments: damaged)
        try FileTree.sync(folder.path)
        try folder.write(TakeShelf.Finished(take: take, extents: extents), to: TakeFolder.filesFile)
        return take
    }
}
