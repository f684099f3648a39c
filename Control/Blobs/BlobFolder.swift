import Crypto
import Glibc
package import Posix
package import Units

/// How much of a disk is free.
package struct DiskSpace: Sendable, Hashable {
    package let free, total: Int

    package init(free: Int, total: Int) {
        self.free = free
        self.total = total
    }

    /// Of the disk that a path lies on. Source: statvfs(3).
    package init(of path: String) throws(SystemError) {
        var info = statvfs()
        guard statvfs(path, &info) == 0 else { throw SystemError("statvfs", on: path) }
        free = Int(info.f_bavail) * Int(info.f_frsize)
        total = Int(info.f_blocks) * Int(info.f_frsize)
    }

    /// Whether less than a tenth is free, or less than a GiB: somebody should make room.
    package var isLow: Bool { free < total / 10 || free < 1 << 30 }

    /// Whether a twentieth is free: below it the rest is the database's.
    package var isAmple: Bool { free >= total / 20 }
}

/// Blobs as files of a folder (STO-04): each is there whole or not at all, and still there after a loss of power once it was written.
///
/// Pictures of people and pages are called by their content. Other objects (`BlobFolder+Objects.swift`) have a file beside them with their
/// digest, and come in parts through `.uploads` (`BlobFolder+Uploads.swift`). What begins with a dot is nobody's object.
///
/// Its calls block: `BlobStore` makes them on a thread of its own.
package struct BlobFolder: Sendable {
    let root: String
    let space: @Sendable (String) throws -> DiskSpace

    /// - Parameter space: how full the disk is; a test's own in tests.
    package init(_ root: String, space: @escaping @Sendable (String) throws -> DiskSpace = { try DiskSpace(of: $0) }) {
        self.root = root
        self.space = space
    }

    /// Writes a blob beside its place and moves it there; one that is there is replaced by the same.
    ///
    /// - Throws: `BlobError.diskFull`; `SystemError`.
    package func write(_ bytes: [UInt8], to key: BlobKey) throws {
        precondition(Hex.encode(SHA256.hash(bytes)) == key.digest, "a blob's name is its content's")
        let folder = "\(root)/\(BlobKey.folder(of: key.organization, key.area))"
        do {
            try Folder.make(folder)
            guard try space(folder).isAmple else { throw BlobError.diskFull }
            try put(bytes, draft: Self.newDraft(in: folder), place: "\(root)/\(key.path)")
            // Its name, and those of the folders that may be new.
            for folder in [folder, "\(root)/org/\(key.organization)", "\(root)/org", root] { try Self.sync(folder) }
        } catch let error as SystemError where error.code == ENOSPC || error.code == EDQUOT {
            throw BlobError.diskFull
        }
    }

    /// The bytes; nil where there is no such blob.
    ///
    /// - Throws: `RegularFile.Fault`.
    package func read(_ key: BlobKey) throws -> [UInt8]? {
        do throws(RegularFile.Fault) {
            return try RegularFile("\(root)/\(key.path)", upTo: key.area.mostBytes, links: .refused).bytes
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    /// Every blob that was written before a time. Drafts of before then, which a crash left, are removed.
    package func settled(before unixSeconds: Int64) throws -> [BlobKey] {
        var keys: [BlobKey] = []
        for text in try Self.names(in: "\(root)/org") {
            guard let organization = OrganizationID(text) else { continue }
            for area in BlobArea.allCases {
                let folder = "\(root)/\(BlobKey.folder(of: organization, area))"
                for name in try Self.names(in: folder) where Self.isOlder("\(folder)/\(name)", unixSeconds) {
                    if let key = BlobKey(name, in: area, of: organization) {
                        keys.append(key)
                    } else if name.hasPrefix(Self.draft) {
                        try Self.unlink("\(folder)/\(name)")
                    }
                }
            }
        }
        return keys
    }

    /// Removes a blob, unless it was written again since.
    package func remove(_ key: BlobKey, writtenBefore unixSeconds: Int64) throws {
        let path = "\(root)/\(key.path)"
        if Self.isOlder(path, unixSeconds) { try Self.unlink(path) }
    }

    /// Removes everything of an organisation; it may be begun again.
    package func removeAll(of organization: OrganizationID) throws {
        try removeUploads(of: organization)
        try Self.removeTree("\(root)/org/\(organization)")
    }

    static let draft = ".draft-"

    /// A name that nothing has.
    static func newDraft(in folder: String) -> String { "\(folder)/\(draft)\(Hex.encode(randomBytes(8)))" }

    func put(_ bytes: [UInt8], draft: String, place: String) throws(SystemError) {
        let raw = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard raw >= 0 else { throw SystemError("open", on: draft) }
        let file = Descriptor(adopting: raw)
        do throws(SystemError) {
            try Self.append(bytes, to: file.raw, draft)
            try Self.flush(file.raw, draft)
            guard rename(draft, place) == 0 else { throw SystemError("rename", on: place) }
        } catch {
            Glibc.unlink(draft)
            throw error
        }
    }

    static func append(_ bytes: [UInt8], to descriptor: CInt, _ path: String) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw SystemError("write", on: path) }
            rest = rest.dropFirst(count)
        }
    }

    static func flush(_ descriptor: CInt, _ path: String) throws(SystemError) {
        guard fsync(descriptor) == 0 else { throw SystemError("fsync", on: path) }
    }

    static func sync(_ folder: String) throws(SystemError) {
        let raw = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard raw >= 0 else { throw SystemError("open", on: folder) }
        let opened = Descriptor(adopting: raw)
        guard fsync(opened.raw) == 0 else { throw SystemError("fsync", on: folder) }
    }

    /// By the time of its last write; what is not there is not older.
    static func isOlder(_ path: String, _ unixSeconds: Int64) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && Int64(status.st_mtim.tv_sec) < unixSeconds
    }

    /// Everything in a folder; nothing where there is none.
    static func names(in folder: String) throws(SystemError) -> [String] {
        guard let stream = opendir(folder) else {
            guard errno == ENOENT else { throw SystemError("opendir", on: folder) }
            return []
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func unlink(_ path: String) throws(SystemError) {
        guard Glibc.unlink(path) == 0 || errno == ENOENT else { throw SystemError("unlink", on: path) }
    }

    /// A folder and all that is in it; one that is not there is removed already. No link is followed.
    static func removeTree(_ path: String) throws(SystemError) {
        for name in try names(in: path) {
            let inner = "\(path)/\(name)"
            if isFolder(inner) { try removeTree(inner) } else { try unlink(inner) }
        }
        try removeFolder(path)
    }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func removeFolder(_ path: String) throws(SystemError) {
        guard rmdir(path) == 0 || errno == ENOENT else { throw SystemError("rmdir", on: path) }
    }
}
