import Glibc
import Posix

/// Is told by the kernel when names come and go in a folder. Source: inotify(7).
final class FolderWatch: Sendable {
    let path: String
    private let descriptor: Descriptor
    /// Loop thread only.
    private let state = Guarded(State())

    private struct State {
        var watch: Watch?
    }

    /// nil where the folder is not there: nothing can come into it that we would offer.
    ///
    /// - Throws: `SystemError` where inotify refuses.
    init?(_ path: String) throws(SystemError) {
        let raw = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        guard raw >= 0 else { throw SystemError("inotify_init1") }
        descriptor = Descriptor(adopting: raw)
        self.path = path
        let mask = UInt32(IN_CREATE | IN_DELETE | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE)
        guard inotify_add_watch(raw, path, mask) >= 0 else {
            guard errno == ENOENT else { throw SystemError("inotify_add_watch", on: path) }
            return nil
        }
    }

    /// Calls `changed` on the loop after each burst of changes. Loop thread.
    func start(on loop: Loop, _ changed: @escaping () -> Void) throws {
        let raw = descriptor.raw
        let watch = try loop.watch(raw, .read) { _ in
            // What changed is looked at anew: the events themselves only have to be taken out.
            var bytes = [UInt8](repeating: 0, count: 4096)
            while read(raw, &bytes, bytes.count) > 0 {}
            changed()
        }
        state.withLock { $0.watch = watch }
    }

    /// Loop thread.
    func cancel() {
        state.withLock { state in
            state.watch?.cancel()
            state.watch = nil
        }
    }
}
