import Glibc
import Posix

/// One wait for a process to listen at a path: tries again whenever something new lies in the folder (inotify(7)), as
/// a listener moves its socket to the path once it answers.
final class SocketArrival: @unchecked Sendable {
    // Sendable by the loop's thread: everything but `path` and `loop` is touched only there.

    private let path: String
    private let loop: Loop
    private var notices: Descriptor?
    private var watch: Watch?
    private var timer: LoopTimer?
    private var waiter: CheckedContinuation<CInt, any Error>?
    private var lastError: any Error = CancellationError()
    private var isCancelled = false

    /// - Throws: the `SystemError` of the last attempt; CancellationError.
    static func connect(path: String, within: Duration, loop: Loop) async throws -> Descriptor {
        let arrival = SocketArrival(path: path, loop: loop)
        let raw = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                loop.submit { arrival.begin(within, continuation) }
            }
        } onCancel: {
            loop.submit { arrival.cancel() }
        }
        return Descriptor(adopting: raw)
    }

    private init(path: String, loop: Loop) {
        self.path = path
        self.loop = loop
    }

    private func begin(_ within: Duration, _ continuation: CheckedContinuation<CInt, any Error>) {
        waiter = continuation
        if isCancelled { return finish(.failure(CancellationError())) }
        do {
            try watchFolder()
        } catch {
            return finish(.failure(error))
        }
        timer = loop.timer(after: within) { [self] in finish(.failure(lastError)) }
        attempt()
    }

    /// Also before `begin`: a task may be cancelled at any time.
    private func cancel() {
        isCancelled = true
        finish(.failure(CancellationError()))
    }

    private func watchFolder() throws {
        let folder = UnixSocket.folder(of: path)
        let raw = inotify_init1(CInt(IN_NONBLOCK) | CInt(IN_CLOEXEC))
        guard raw >= 0 else { throw SystemError("inotify_init1") }
        notices = Descriptor(adopting: raw)
        guard inotify_add_watch(raw, folder, UInt32(IN_MOVED_TO) | UInt32(IN_CREATE)) >= 0 else {
            throw SystemError("inotify_add_watch", on: folder)
        }
        watch = try loop.watch(raw, .read) { [self] _ in
            drain(raw)
            attempt()
        }
    }

    private func attempt() {
        guard waiter != nil else { return }
        do throws(SystemError) {
            finish(.success(try UnixSocket.connect(to: path).release()))
        } catch {
            lastError = error
            // Not there yet, or left behind by a process that is gone; anything else does not pass by waiting.
            if error.code != ENOENT && error.code != ECONNREFUSED { finish(.failure(error)) }
        }
    }

    /// Which file it was does not matter: empties the queue.
    private func drain(_ raw: CInt) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while read(raw, &buffer, buffer.count) > 0 {}
    }

    private func finish(_ result: Result<CInt, any Error>) {
        guard let waiter = waiter.take() else { return }
        watch?.cancel()
        watch = nil
        timer?.cancel()
        timer = nil
        notices = nil
        waiter.resume(with: result)
    }
}
