package import Boards
import Configuration
import Crypto
import Glibc
package import Identity
package import Posix

/// The token that a board has and has not used up yet, in its state folder: there from before the boot partition loses it until the
/// identity that it made is on the disk. 0600.
package enum PendingEnrollment {
    package static func path(in state: String) -> String { state + "/enrollment.toml" }

    /// - Returns: nil where there is none.
    /// - Throws: `IdentityError.state` where it is open to others or holds something else.
    package static func read(state: String) throws(IdentityError) -> BoardFile? {
        let file = path(in: state)
        let text: String?
        do throws(CryptoError) {
            text = try KeyFile.read(file)
        } catch {
            throw .state(file: file, reason: error.description)
        }
        guard let text else { return nil }
        do throws(ConfigurationFaults) {
            return try BoardFile(text, source: file)
        } catch {
            throw .state(file: file, reason: error.description)
        }
    }

    /// Keeps it, whole or not at all.
    ///
    /// - Parameter owner: who is to read it, and whose the folder is, which is made where it is missing; nil for the caller.
    /// - Throws: `SystemError`, `CryptoError`.
    static func write(_ file: BoardFile, state: String, owner: FileOwner?) throws {
        if mkdir(state, 0o700) == 0 {
            try owner?.take(state)
        } else if errno != EEXIST {
            throw SystemError("mkdir", on: state)
        }
        let draft = try KeyFile.reserve(0, beside: path(in: state))
        do {
            try owner?.take(draft)
            try KeyFile.write(file.enrollmentText.revealed, to: path(in: state), in: draft)
        } catch {
            KeyFile.drop(draft)
            throw error
        }
        try ErasedFile.sweep(path(in: state))
    }

    package static func erase(state: String) throws(SystemError) {
        try ErasedFile.erase(path(in: state))
        try ErasedFile.sweep(path(in: state))
    }
}

/// Whose a file is.
package struct FileOwner: Hashable, Sendable {
    private let user: uid_t
    private let group: gid_t

    /// By a user's name; nil where this machine has none of that name.
    package init?(named name: String) {
        guard let entry = getpwnam(name) else { return nil }
        user = entry.pointee.pw_uid
        group = entry.pointee.pw_gid
    }

    /// Gives it a file; of a link, the link itself.
    func take(_ path: String) throws(SystemError) {
        guard lchown(path, user, group) == 0 else { throw SystemError("lchown", on: path) }
    }
}

/// Files whose bytes are not to be found again by whoever gets the card.
///
/// Flash writes elsewhere what is written over, so this is no promise; a token is worth nothing once it is used up or over, and that is.
enum ErasedFile {
    /// Erases what a loss of power has left of files that were being written beside this one, as `KeyFile` calls them.
    static func sweep(_ path: String) throws(SystemError) {
        let folder = UnixSocket.folder(of: path)
        let beginning = String(path.dropFirst(folder.count + 1)) + "."
        for name in try FileTree.names(in: folder) where name.hasPrefix(beginning) && name.count == beginning.count + 8 {
            try erase("\(folder)/\(name)")
        }
    }

    /// Writes zeros over it, removes it, and has both on the disk. Nothing is no error.
    static func erase(_ path: String) throws(SystemError) {
        guard case .file(let bytes, _)? = try FileTree.look(path) else { return }
        let raw = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
        guard raw >= 0 else { throw SystemError("open", on: path) }
        let file = Descriptor(adopting: raw)
        let zeros = [UInt8](repeating: 0, count: min(bytes, BoardFile.byteLimit))
        var done = 0
        while done < zeros.count {
            let count = zeros.withUnsafeBytes { pwrite(file.raw, $0.baseAddress, $0.count - done, off_t(done)) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw SystemError("pwrite", on: path) }
            done += count
        }
        guard fsync(file.raw) == 0 else { throw SystemError("fsync", on: path) }
        guard unlink(path) == 0 else { throw SystemError("unlink", on: path) }
        try FileTree.sync(UnixSocket.folder(of: path) + "/.")
    }
}
