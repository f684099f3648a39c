import Glibc
import Posix

/// One end of a stream of lines over a connected Unix socket. Belongs to its loop's thread.
///
/// A droppable line is dropped while more than `droppableBytes` wait to be written; other lines are queued up to
/// `queuedBytes`, above which the peer counts as gone: it learns the state anew when it connects again.
final class LineChannel {
    static let lineBytes = 256 * 1024
    static let droppableBytes = 64 * 1024
    static let queuedBytes = 4 * 1024 * 1024
    /// With so much waiting the next line still has room, however long it is, and what others send meanwhile as well.
    static let ampleBytes = 256 * 1024

    /// Why a channel closed, for a log: a fixed short text.
    typealias Reason = StaticString

    private let onLine: ([UInt8]) -> Void
    private let onClose: (Reason) -> Void
    private var socket: Descriptor?
    private var watch: Watch?
    private var framer = LineFramer(limit: LineChannel.lineBytes)
    private var pending: [UInt8] = []
    /// Bytes of `pending` that the kernel has taken.
    private var written = 0
    private(set) var droppedLines = 0

    /// - Parameters:
    ///   - onLine: a line without its newline.
    ///   - onClose: once, not after `close()`; the descriptor is closed by then.
    init(
        _ socket: consuming Descriptor, loop: Loop, onLine: @escaping ([UInt8]) -> Void, onClose: @escaping (Reason) -> Void
    ) throws {
        self.onLine = onLine
        self.onClose = onClose
        let raw = socket.raw
        self.socket = consume socket
        watch = try loop.watch(raw, .read) { [self] ready in became(ready) }
    }

    var isOpen: Bool { socket != nil }
    /// That the peer has not taken yet.
    var waitingBytes: Int { pending.count - written }

    func send(_ line: [UInt8], droppable: Bool) {
        guard socket != nil else { return }
        let waiting = waitingBytes
        if droppable && waiting > LineChannel.droppableBytes {
            droppedLines += 1
            return
        }
        guard waiting + line.count < LineChannel.queuedBytes else { return fail("too slow") }
        pending += line
        pending.append(UInt8(ascii: "\n"))
        if waiting == 0 { flush() }
    }

    /// Tries to write what is queued, then closes without telling `onClose`.
    func close() {
        if socket != nil && written < pending.count { flush() }
        watch?.cancel()
        watch = nil
        socket = nil
    }

    private func became(_ ready: Readiness) {
        if ready.contains(.write) { flush() }
        if !ready.isDisjoint(with: [.read, .hangup, .error]) { read() }
    }

    /// Takes what has arrived by now.
    func read() {
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while let raw = socket?.raw {
            let count = Glibc.read(raw, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN { return }
            guard count > 0 else { return fail(count == 0 ? "closed by the peer" : "broken") }
            do throws(LineFramer.TooLong) {
                try framer.feed(chunk[..<count], onLine)
            } catch {
                return fail("line too long")
            }
        }
    }

    private func flush() {
        while let raw = socket?.raw, written < pending.count {
            let count = pending.withUnsafeBytes { bytes in
                Glibc.send(raw, bytes.baseAddress.map { $0 + written }, bytes.count - written, CInt(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN { break }
            guard count >= 0 else { return fail("broken") }
            written += count
        }
        if written == pending.count {
            pending.removeAll(keepingCapacity: pending.capacity <= LineChannel.droppableBytes)
            written = 0
        }
        watch?.interest = pending.isEmpty ? .read : [.read, .write]
    }

    private func fail(_ reason: Reason) {
        guard socket != nil else { return }
        watch?.cancel()
        watch = nil
        socket = nil
        onClose(reason)
    }
}
