import Glibc

/// A folder that one process at a time has, by a lock on its file `lock`: two programs on the same files would undo each other's work.
///
/// The kernel lets go of it with the process, whatever its end.
package final class FolderLock: Sendable {
    private let descriptor: Descriptor

    /// - Parameter folder: it must be there.
    /// - Throws: `SystemError`; EWOULDBLOCK where another process has the folder.
    package init(_ folder: String) throws(SystemError) {
        let path = folder + "/lock"
        let raw = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard raw >= 0 else { throw SystemError("open", on: path) }
        descriptor = Descriptor(adopting: raw)
        guard flock(raw, LOCK_EX | LOCK_NB) == 0 else { throw SystemError("flock", on: "\(path), which another process has") }
    }

    /// Gives the folder up, at once, whoever still holds this value.
    package func release() { flock(descriptor.raw, LOCK_UN) }
}
