import Crypto
import Glibc
import Posix
import Releases

/// The folder in which releases of this server lie until the updater takes them: files by their digests, signed releases by their versions.
struct OwnShelf: Sendable {
    let folder: String

    private static let suffix = ".release"
    /// More are published by nobody.
    private static let limit = 200
    private static let chunkBytes = 4 << 20
    /// Of the disk, beside what is fetched: the database's.
    private static let spareBytes = 1 << 28

    /// No room for what would be fetched.
    struct Full: Error, CustomStringConvertible {
        let description: String
    }

    /// The newest first; nothing of it was judged.
    func versions() throws -> [ReleaseVersion] {
        let names: [String]
        do throws(SystemError) {
            names = try FileTree.names(in: folder)
        } catch {
            guard error.code == ENOENT else { throw error }
            return []
        }
        let versions = names.filter { $0.hasSuffix(Self.suffix) }.compactMap { ReleaseVersion(String($0.dropLast(Self.suffix.count))) }
        return Array(versions.sorted(by: >).prefix(Self.limit))
    }

    /// nil where there is none that can be read.
    func text(_ name: String) -> SignedText? {
        // try?: what cannot be read is none.
        guard let file = try? RegularFile("\(folder)/\(name)", upTo: SignedText.byteLimit, links: .refused) else { return nil }
        return try? SignedText(bytes: file.bytes)
    }

    func release(_ version: ReleaseVersion) -> SignedText? { text("\(version)\(Self.suffix)") }

    func keep(_ text: SignedText, as name: String) throws {
        try Folder.make(folder)
        try Self.write(text.bytes, to: "\(folder)/\(name)")
    }

    func keep(_ text: SignedText, of version: ReleaseVersion) throws { try keep(text, as: "\(version)\(Self.suffix)") }

    func has(_ file: ReleaseFile) throws(SystemError) -> Bool {
        guard case .file(let bytes, _)? = try FileTree.look(path(file)) else { return false }
        return bytes == file.size
    }

    /// Fetches a file, from where the last attempt ended; it has its name once it is what was signed.
    ///
    /// - Parameter progress: bytes that came, one part after the other.
    func fetch(_ file: ReleaseFile, from feed: ReleaseFeed, progress: @Sendable (Int) async -> Void) async throws {
        try Folder.make(folder)
        let draft = path(file) + ".part"
        var size = 0
        if case .file(let bytes, _)? = try FileTree.look(draft) { size = bytes }
        if size > file.size {
            try FileTree.remove(draft)
            size = 0
        }
        if size == 0, file.size == 0 { try FileTree.append([], to: draft) }
        await progress(size)
        while size < file.size {
            let range = size..<min(size + Self.chunkBytes, file.size)
            let bytes = try await feed.part(range, of: Hex.encode(file.digest))
            try FileTree.append(bytes, to: draft)
            size += bytes.count
            await progress(bytes.count)
        }
        guard try isRight(file, at: draft) else {
            try FileTree.remove(draft)
            throw ReleaseFeed.Fault(description: "'\(file.path)' came as something else than was signed")
        }
        try FileTree.sync(draft)
        try FileTree.rename(draft, to: path(file))
    }

    func demandRoom(for bytes: Int) throws {
        try Folder.make(folder)
        var info = statvfs()
        guard statvfs(folder, &info) == 0 else { throw SystemError("statvfs", on: folder) }
        let free = Int(info.f_bavail) * Int(info.f_frsize)
        guard free >= bytes + Self.spareBytes else {
            throw Full(description: "\(free >> 20) MiB are free, and \((bytes + Self.spareBytes) >> 20) are needed")
        }
    }

    /// Written beside and renamed: what is there is the old one or the new.
    static func write(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o644) throws(SystemError) {
        let draft = path + ".new"
        try FileTree.remove(draft)
        try FileTree.makeFile(draft, mode: mode)
        try FileTree.append(bytes, to: draft)
        try FileTree.sync(draft)
        try FileTree.rename(draft, to: path)
        try FileTree.sync(UnixSocket.folder(of: path) + "/.")
    }

    private func isRight(_ file: ReleaseFile, at path: String) throws(SystemError) -> Bool {
        var digest = SHA256Digest()
        var offset = 0
        while offset <= file.size {
            let bytes = try FileTree.read(path, offset..<offset + Self.chunkBytes)
            if bytes.isEmpty { break }
            offset += bytes.count
            digest.add(bytes)
        }
        return digest.finished() == file.digest
    }

    private func path(_ file: ReleaseFile) -> String { "\(folder)/\(Hex.encode(file.digest))" }
}
