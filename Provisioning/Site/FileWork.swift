import Glibc
import Posix

/// Files and folders of a machine, written so that a crash leaves the old content or the new, and through no symbolic link: services own
/// some of the folders, and this runs as root.
enum FileWork {
    struct Owner: Hashable, Sendable {
        let user: UInt32
        let group: UInt32
    }

    /// What is at a path.
    struct Found: Hashable, Sendable {
        enum Kind: Hashable, Sendable { case file, folder, other }
        let kind: Kind
        /// The lower twelve bits of `st_mode`.
        let mode: UInt32
        let owner: Owner
    }

    private static let chunk = 1 << 20
    /// Of a file that is being written, beside it: one that was cut off is replaced by the next.
    private static let draftSuffix = ".strata-new"

    /// nil where there is nothing.
    static func look(_ path: String) throws(SystemError) -> Found? {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            let code = errno
            if code == ENOENT || code == ENOTDIR { return nil }
            throw SystemError("lstat", code, on: path)
        }
        let kind: Found.Kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            default: .other
            }
        return Found(kind: kind, mode: status.st_mode & 0o7777, owner: Owner(user: status.st_uid, group: status.st_gid))
    }

    /// A small file as a whole; nil where there is none.
    static func read(_ path: String) throws(RegularFile.Fault) -> [UInt8]? {
        do throws(RegularFile.Fault) {
            return try RegularFile(path, upTo: 4 << 20, links: .refused).bytes
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    static func write(_ bytes: [UInt8], to path: String, _ owner: Owner, mode: UInt32) throws(SystemError) {
        let draft = try Draft(path, owner, mode)
        do throws(SystemError) {
            try draft.append(bytes[...])
            try draft.place()
        } catch {
            draft.drop()
            throw error
        }
    }

    /// - Parameter links: `refused` for a source in a folder that a service owns: what it may put there is read as root.
    static func copy(
        _ source: String, to path: String, _ owner: Owner, mode: UInt32, links: RegularFile.Links = .followed
    ) throws(SystemError) {
        let file = try open(source, links)
        let draft = try Draft(path, owner, mode)
        do throws(SystemError) {
            while true {
                let bytes = try next(file.raw, source)
                if bytes.isEmpty { break }
                try draft.append(bytes[...])
            }
            try draft.place()
        } catch {
            draft.drop()
            throw error
        }
    }

    /// Whether two files hold the same bytes; false where the second is not there.
    static func isSame(_ source: String, as path: String) throws(SystemError) -> Bool {
        guard let found = try look(path), found.kind == .file else { return false }
        let left = try open(source, .followed)
        let right = try open(path, .refused)
        while true {
            let (first, second) = (try next(left.raw, source), try next(right.raw, path))
            if first != second { return false }
            if first.isEmpty { return true }
        }
    }

    /// Makes one folder, or gives the one that is there this owner and mode.
    static func makeFolder(_ path: String, _ owner: Owner, mode: UInt32) throws(SystemError) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw SystemError("mkdir", on: path) }
        let raw = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard raw >= 0 else { throw SystemError("open", on: path) }
        let folder = Descriptor(adopting: raw)
        guard fchown(folder.raw, owner.user, owner.group) == 0 else { throw SystemError("fchown", on: path) }
        guard fchmod(folder.raw, mode) == 0 else { throw SystemError("fchmod", on: path) }
        try syncFolder(of: path)
    }

    /// Nothing is there afterwards; what a link names stays.
    static func remove(_ path: String) throws(SystemError) {
        guard unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR else { throw SystemError("unlink", on: path) }
    }

    /// Removes a folder that is empty; one that is not stays.
    static func removeEmpty(_ path: String) throws(SystemError) {
        guard rmdir(path) == 0 || [ENOENT, ENOTDIR, ENOTEMPTY, EEXIST].contains(errno) else { throw SystemError("rmdir", on: path) }
    }

    /// Removes a folder with all that is in it; what links in it name stays.
    static func removeTree(_ path: String) throws(SystemError) {
        let above = UnixSocket.folder(of: path)
        let raw = Glibc.open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if raw < 0 && errno == ENOENT { return }
        guard raw >= 0 else { throw SystemError("open", on: above) }
        let folder = Descriptor(adopting: raw)
        guard let name = path.utf8.split(separator: UInt8(ascii: "/")).last else { throw SystemError("unlinkat", EBUSY, on: path) }
        try removeTree(name.map { CChar(truncatingIfNeeded: $0) } + [0], in: folder.raw, path, depth: 0)
    }

    // MARK: Parts

    /// Folders in folders, at most: a service could make more of them than there are descriptors.
    private static let depthLimit = 128

    private static func removeTree(_ name: [CChar], in folder: CInt, _ path: String, depth: Int) throws(SystemError) {
        if unlinkat(folder, name, 0) == 0 || errno == ENOENT { return }
        let code = errno
        // unlink(2): EISDIR is Linux's, EPERM is POSIX's answer for a folder.
        guard code == EISDIR || code == EPERM else { throw SystemError("unlinkat", code, on: path) }
        guard depth < depthLimit else { throw SystemError("unlinkat", ELOOP, on: path) }
        let raw = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard raw >= 0 else { throw SystemError("openat", on: path) }
        guard let stream = fdopendir(raw) else {
            let code = errno
            close(raw)
            throw SystemError("fdopendir", code, on: path)
        }
        defer { closedir(stream) }
        for inner in names(in: stream) { try removeTree(inner, in: raw, path, depth: depth + 1) }
        guard unlinkat(folder, name, CInt(AT_REMOVEDIR)) == 0 else { throw SystemError("unlinkat", on: path) }
    }

    /// Without itself and the one above.
    private static func names(in stream: OpaquePointer) -> [[CChar]] {
        var names: [[CChar]] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in bytes.prefix { $0 != 0 }.map { CChar(truncatingIfNeeded: $0) } }
            let dot = CChar(truncatingIfNeeded: UInt8(ascii: "."))
            if name != [dot], name != [dot, dot] { names.append(name + [0]) }
        }
        return names
    }

    private static func open(_ path: String, _ links: RegularFile.Links) throws(SystemError) -> Descriptor {
        let raw = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (links == .refused ? O_NOFOLLOW : 0))
        guard raw >= 0 else { throw SystemError("open", on: path) }
        let file = Descriptor(adopting: raw)
        var status = stat()
        guard fstat(file.raw, &status) == 0 else { throw SystemError("fstat", on: path) }
        // A device or a pipe has no end.
        guard status.st_mode & S_IFMT == S_IFREG else { throw SystemError("open", EINVAL, on: "\(path), which is no regular file") }
        return file
    }

    /// The next bytes of a regular file, full chunks until its end: two files are compared by them.
    private static func next(_ file: CInt, _ path: String) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: chunk)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress.map { $0 + count }, $0.count - count) }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw SystemError("read", on: path) }
            if got == 0 { break }
            count += got
        }
        return Array(bytes.prefix(count))
    }

    static func syncFolder(of path: String) throws(SystemError) {
        let above = UnixSocket.folder(of: path)
        let raw = Glibc.open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard raw >= 0 else { throw SystemError("open", on: above) }
        let folder = Descriptor(adopting: raw)
        guard fsync(folder.raw) == 0 else { throw SystemError("fsync", on: above) }
    }

    /// A file that becomes another one's successor once it is whole.
    private struct Draft: ~Copyable {
        private let path: String
        private let draft: String
        private let descriptor: Descriptor

        init(_ path: String, _ owner: Owner, _ mode: UInt32) throws(SystemError) {
            let draft = path + FileWork.draftSuffix
            unlink(draft)
            let raw = Glibc.open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard raw >= 0 else { throw SystemError("open", on: draft) }
            // Before it holds anything.
            guard fchown(raw, owner.user, owner.group) == 0, fchmod(raw, mode) == 0 else {
                let fault = SystemError("fchown", on: draft)
                close(raw)
                unlink(draft)
                throw fault
            }
            descriptor = Descriptor(adopting: raw)
            self.path = path
            self.draft = draft
        }

        func append(_ bytes: ArraySlice<UInt8>) throws(SystemError) {
            var rest = bytes
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.write(descriptor.raw, $0.baseAddress, $0.count) }
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { throw SystemError("write", on: path) }
                rest = rest.dropFirst(count)
            }
        }

        func place() throws(SystemError) {
            guard fsync(descriptor.raw) == 0 else { throw SystemError("fsync", on: draft) }
            guard rename(draft, path) == 0 else { throw SystemError("rename", on: path) }
            try FileWork.syncFolder(of: path)
        }

        func drop() { unlink(draft) }
    }
}
