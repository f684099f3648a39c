import Glibc

/// A folder, or a part in it, that one process at a time has, by a lock on a file there: two programs on the same files would undo each
/// other's work.
///
/// The kernel lets go of it with the process, whatever its end.
package final class FolderLock: Sendable {
    private let descriptor: Descriptor

    /// - Parameters:
    ///   - folder: it must be there.
    ///   - file: its name in the folder, which names the part.
    /// - Throws: `SystemError`; EWOULDBLOCK where another process has it.
    package init(_ folder: String, file: String = "lock") throws(SystemError) {
        let path = "\(folder)/\(file)"
        let raw = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard raw >= 0 else { throw SystemError("open", on: path) }
        descriptor = Descriptor(adopting: raw)
        guard flock(raw, LOCK_EX | LOCK_NB) == 0 else { throw SystemError("flock", on: "\(path), which another process has") }
    }

    /// Gives the folder up, at once, whoever still holds this value.
    package func release() { flock(descriptor.raw, LOCK_UN) }
}
