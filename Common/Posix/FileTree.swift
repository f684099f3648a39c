import CPosix
import Glibc

/// Changes to files by their paths, each of them one system call, but for `append` and `remove`.
///
/// Nothing is on the disk for certain before `sync` of the file and of the folder that has its name.
package enum FileTree {
    package enum Entry: Hashable, Sendable {
        case folder
        case file(bytes: Int, mode: UInt32)
        case link(target: String)
        /// A device, a FIFO, a socket.
        case other
    }

    /// What has this name, no link followed; nil where nothing has.
    package static func look(_ path: String) throws(SystemError) -> Entry? {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw SystemError("lstat", on: path)
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return .folder
        case S_IFREG: return .file(bytes: Int(status.st_size), mode: status.st_mode & 0o7777)
        case S_IFLNK:
            var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
            let count = target.withUnsafeMutableBytes { buffer in
                buffer.bindMemory(to: CChar.self).baseAddress.map { readlink(path, $0, buffer.count) } ?? 0
            }
            guard count >= 0 else { throw SystemError("readlink", on: path) }
            return .link(target: String(decoding: target.prefix(count), as: UTF8.self))
        default: return .other
        }
    }

    /// Names in a folder, in no order.
    package static func names(in path: String) throws(SystemError) -> [String] {
        guard let stream = opendir(path) else { throw SystemError("opendir", on: path) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// As many bytes of a regular file as there are, at most those asked for.
    package static func read(_ path: String, _ range: Range<Int>) throws(SystemError) -> [UInt8] {
        let raw = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard raw >= 0 else { throw SystemError("open", on: path) }
        let file = Descriptor(adopting: raw)
        var bytes = [UInt8](repeating: 0, count: range.count)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                pread(file.raw, buffer.baseAddress.map { $0 + count }, buffer.count - count, off_t(range.lowerBound + count))
            }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw SystemError("pread", on: path) }
            if got == 0 { break }
            count += got
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Puts bytes behind those of a file; one that is not there is made, mode 0600. On an error some of them may be there.
    package static func append(_ bytes: [UInt8], to path: String) throws(SystemError) {
        let raw = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard raw >= 0 else { throw SystemError("open", on: path) }
        let file = Descriptor(adopting: raw)
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { write(file.raw, $0.baseAddress.map { $0 + done }, $0.count - done) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw SystemError("write", on: path) }
            done += count
        }
    }

    /// Makes an empty file of this mode, whatever the process's mask keeps closed; nothing may have its name, not even a link.
    package static func makeFile(_ path: String, mode: UInt32) throws(SystemError) {
        let raw = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard raw >= 0 else { throw SystemError("open", on: path) }
        let file = Descriptor(adopting: raw)
        guard fchmod(file.raw, mode) == 0 else { throw SystemError("fchmod", on: path) }
    }

    package static func makeFolder(_ path: String) throws(SystemError) {
        guard mkdir(path, 0o755) == 0 else { throw SystemError("mkdir", on: path) }
    }

    package static func makeLink(_ path: String, to target: String) throws(SystemError) {
        guard symlink(target, path) == 0 else { throw SystemError("symlink", on: path) }
    }

    package static func setMode(_ mode: UInt32, of path: String) throws(SystemError) {
        guard chmod(path, mode) == 0 else { throw SystemError("chmod", on: path) }
    }

    /// When a file was written last, in Unix seconds; 0 where there is none.
    package static func writtenAt(_ path: String) -> Int64 {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_mtim.tv_sec) : 0
    }

    /// Has a file be one that was written then, in Unix seconds; no link is followed. Source: utimensat(2).
    package static func setTime(_ unixSeconds: Int64, of path: String) throws(SystemError) {
        // Of reading and of writing.
        let times = [timespec](repeating: timespec(tv_sec: Int(unixSeconds), tv_nsec: 0), count: 2)
        guard utimensat(AT_FDCWD, path, times, CInt(AT_SYMLINK_NOFOLLOW)) == 0 else { throw SystemError("utimensat", on: path) }
    }

    package static func rename(_ path: String, to other: String) throws(SystemError) {
        guard Glibc.rename(path, other) == 0 else { throw SystemError("rename", on: path) }
    }

    /// The two names change places. Source: renameat2(2), RENAME_EXCHANGE; EINVAL on a file system that cannot.
    package static func exchange(_ path: String, _ other: String) throws(SystemError) {
        guard cposix_exchange(path, other) == 0 else { throw SystemError("renameat2", on: path) }
    }

    /// Has a file's bytes, or a folder's names, on the disk.
    package static func sync(_ path: String) throws(SystemError) {
        let raw = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard raw >= 0 else { throw SystemError("open", on: path) }
        let file = Descriptor(adopting: raw)
        guard fsync(file.raw) == 0 else { throw SystemError("fsync", on: path) }
    }

    /// Removes what has this name and everything in it, following no link; nothing is no error.
    package static func remove(_ path: String) throws(SystemError) {
        guard let entry = try look(path) else { return }
        guard entry == .folder else {
            guard unlink(path) == 0 else { throw SystemError("unlink", on: path) }
            return
        }
        for name in try names(in: path) { try remove("\(path)/\(name)") }
        guard rmdir(path) == 0 else { throw SystemError("rmdir", on: path) }
    }
}
