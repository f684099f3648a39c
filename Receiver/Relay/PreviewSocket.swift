import Glibc
import Logging
import Posix
import Service
import Wire

/// Where the pool takes a live preview from: a Unix socket beside the one of orders, so that neither waits for the other. Whoever connects
/// watches, until the connection ends; whoever comes next takes the place.
///
/// What the pool does not take at once waits, up to `WireLimits.previewMark`; beyond it all up to the next key is lost (`PreviewGate`).
final class PreviewSocket: @unchecked Sendable {
    // Sendable by the loop's thread: all but `flow`, which has its lock, is touched only there, and once in init.

    private struct Flow {
        var gate = PreviewGate()
        /// Bytes that the kernel has not taken.
        var waiting = 0
        var isWatched = false
    }

    private let path: String
    private let loop: Loop
    private let log: Log
    /// Told on the loop: itself where somebody watches from here on, nil where nobody does.
    private let changed: (PreviewSocket?) -> Void
    private let flow = Guarded(Flow())
    private var listener: Descriptor?
    private var doorbell: Watch?
    private var watcher: Descriptor?
    private var line: Watch?
    private var pending: [UInt8] = []
    private var written = 0

    /// Listens from here on; from any thread.
    ///
    /// - Throws: as `ChildSocket` does.
    init(path: String, loop: Loop, log: Log, changed: @escaping @Sendable (PreviewSocket?) -> Void) throws(SystemError) {
        self.path = path
        self.loop = loop
        self.log = log
        self.changed = changed
        listener = try UnixSocket.listen(at: path)
        loop.submit { self.begin() }
    }

    /// Any thread: passes a chunk on where somebody watches and there is room.
    func offer(_ chunk: PreviewChunk) {
        let bytes = flow.withLock { flow in
            var bytes: [UInt8] = []
            guard flow.isWatched else { return bytes }
            flow.gate.take(chunk) { chunk in
                guard flow.waiting + bytes.count + chunk.bytes.count <= WireLimits.previewMark else { return false }
                bytes += chunk.framed
                return true
            }
            flow.waiting += bytes.count
            return bytes
        }
        if !bytes.isEmpty { loop.submit { self.write(bytes) } }
    }

    func close() {
        loop.submit {
            guard let socket = self.listener.take() else { return }
            self.doorbell?.cancel()
            self.leave("closed")
            UnixSocket.remove(self.path)
            _ = consume socket
        }
    }

    private func begin() {
        guard let raw = listener?.raw else { return }
        do {
            doorbell = try loop.watch(raw, .read) { [self] _ in accept() }
        } catch {
            log.error("cannot watch the preview's socket", ["path": .text(path), "error": "\(error)"])
            listener = nil
        }
    }

    private func accept() {
        while let raw = listener?.raw {
            do throws(SystemError) {
                let socket = try UnixSocket.accept(raw)
                let peer = try UnixSocket.peer(of: socket.raw)
                guard peer.isTrusted else {
                    log.warning("refused a stranger", ["peer.pid": .integer(Int(peer.pid)), "peer.user": .integer(Int(peer.user))])
                    continue
                }
                welcome(socket)
            } catch {
                if error.code != EAGAIN { log.warning("cannot accept who wants a preview", ["error": "\(error)"]) }
                return
            }
        }
    }

    private func welcome(_ socket: consuming Descriptor) {
        leave("another one watches")
        let raw = socket.raw
        do {
            // It has nothing to say: what can be read is its end.
            line = try loop.watch(raw, .read) { [self] ready in became(ready) }
        } catch {
            return log.warning("cannot watch who wants a preview", ["error": "\(error)"])
        }
        watcher = consume socket
        flow.withLock { $0 = Flow(isWatched: true) }
        log.info("the preview is watched")
        changed(self)
    }

    private func became(_ ready: Readiness) {
        if ready.contains(.write) { flush() }
        guard !ready.isDisjoint(with: [.read, .hangup, .error]), let raw = watcher?.raw else { return }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = Glibc.read(raw, &bytes, bytes.count)
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        leave(count > 0 ? "said something" : "left")
    }

    private func write(_ bytes: [UInt8]) {
        guard watcher != nil else { return }
        pending += bytes
        if pending.count == bytes.count { flush() }
    }

    private func flush() {
        while let raw = watcher?.raw, written < pending.count {
            let count = pending.withUnsafeBytes { bytes in
                Glibc.send(raw, bytes.baseAddress.map { $0 + written }, bytes.count - written, CInt(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN { break }
            guard count >= 0 else { return leave("broken") }
            written += count
            flow.withLock { $0.waiting -= count }
        }
        if written == pending.count {
            pending = []
            written = 0
        }
        line?.interest = pending.isEmpty ? .read : [.read, .write]
    }

    private func leave(_ reason: StaticString) {
        guard watcher != nil else { return }
        line?.cancel()
        line = nil
        watcher = nil
        (pending, written) = ([], 0)
        let lost = flow.withLock { flow in
            defer { flow = Flow() }
            return flow.gate.lost
        }
        log.info("the preview is not watched any more", ["reason": "\(reason)", "lost_chunks": .integer(lost)])
        changed(nil)
    }
}
