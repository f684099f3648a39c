import Glibc
import Posix

/// A file that only its owner may read, written so that a crash leaves the old content or the new.
package enum KeyFile {
    /// The key ring of a file; a file that does not exist is made with one fresh key.
    ///
    /// - Throws: `.file` where others may read it, or it cannot be read or made; `.malformed` for its content.
    package static func keyring(at path: String) throws(CryptoError) -> Keyring {
        if let text = try read(path) { return try Keyring(text: text) }
        let ring = Keyring()
        try write(ring.text, to: path)
        return ring
    }

    /// The content; nil where there is no such file. Refuses a file that its group or others may read or write.
    package static func read(_ path: String) throws(CryptoError) -> String? {
        let file: RegularFile
        do throws(RegularFile.Fault) {
            file = try RegularFile(path, upTo: 1 << 20, links: .refused)
        } catch {
            if error.isMissing { return nil }
            throw .file(path: path, reason: error.reason)
        }
        guard file.mode & 0o077 == 0 else {
            throw .file(path: path, reason: "mode \(String(file.mode & 0o777, radix: 8)): only its owner may read a key file (600)")
        }
        return String(decoding: file.bytes, as: UTF8.self)
    }

    /// Whether a file can be written here: asked before something is made that only this file will hold.
    ///
    /// - Throws: `.file` with the reason.
    package static func check(_ path: String) throws(CryptoError) { drop(try reserve(1024, beside: path)) }

    /// Takes room on the disk for what will be written here, before it is made: a file beside `path`, mode 0600.
    ///
    /// - Returns: that file's path, for `write(_:to:in:)` or `drop`.
    /// - Throws: `.file` with the reason; nothing is left then.
    package static func reserve(_ bytes: Int, beside path: String) throws(CryptoError) -> String {
        try checkPlace(path)
        let draft = "\(path).\(Hex.encode(randomBytes(4)))"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failed(path, "open", errno) }
        defer { close(descriptor) }
        // Nothing to write is nothing to sync.
        guard bytes > 0 else { return draft }
        do throws(CryptoError) {
            try fill(descriptor, with: [UInt8](repeating: UInt8(ascii: " "), count: bytes), path: path)
        } catch {
            unlink(draft)
            throw error
        }
        return draft
    }

    /// Gives room back that was taken; one that has become its file is left alone.
    package static func drop(_ draft: String) { unlink(draft) }

    /// Writes `text` with mode 0600 to a new file beside `path`, syncs it and renames it into place.
    ///
    /// - Throws: `.file`; also where what is there is no regular file, which stays.
    package static func write(_ text: String, to path: String) throws(CryptoError) {
        try write(text, to: path, in: reserve(0, beside: path))
    }

    /// The same in room that was taken before.
    package static func write(_ text: String, to path: String, in draft: String) throws(CryptoError) {
        let descriptor = open(draft, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw failed(draft, "open", errno) }
        do throws(CryptoError) {
            guard ftruncate(descriptor, off_t(text.utf8.count)) == 0 else { throw failed(draft, "ftruncate", errno) }
            try fill(descriptor, with: Array(text.utf8), path: draft)
        } catch {
            close(descriptor)
            unlink(draft)
            throw error
        }
        close(descriptor)
        guard rename(draft, path) == 0 else {
            let code = errno
            unlink(draft)
            throw failed(path, "rename", code)
        }
        try syncFolder(of: path)
    }

    /// What lies here is replaced, which is right for a file alone: a pipe, a device or a link would be gone.
    private static func checkPlace(_ path: String) throws(CryptoError) {
        var status = stat()
        // What cannot be looked at, the file beside it tells.
        guard lstat(path, &status) == 0 else { return }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return
        case S_IFDIR: throw .file(path: path, reason: "it is a folder")
        case S_IFLNK: throw .file(path: path, reason: "it is a symbolic link, which would be replaced: name the file itself")
        default: throw .file(path: path, reason: "it is no regular file, and would be replaced: name another path")
        }
    }

    private static func fill(_ descriptor: CInt, with bytes: [UInt8], path: String) throws(CryptoError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            let code = errno
            if count < 0 && code == EINTR { continue }
            guard count > 0 else { throw failed(path, "write", code) }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0 else { throw failed(path, "fsync", errno) }
    }

    /// The new name itself must survive a loss of power.
    private static func syncFolder(of path: String) throws(CryptoError) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) + "/" } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failed(folder, "open", errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failed(folder, "fsync", errno) }
    }

    private static func failed(_ path: String, _ function: String, _ code: CInt) -> CryptoError {
        .file(path: path, reason: "\(function): \(String(cString: strerror(code))) (\(code))")
    }
}
