import Glibc
package import Logging
package import Posix

/// What a child hears at its socket.
package enum ChildEvent: Sendable, Equatable {
    /// A parent is there: the first, or its successor.
    case connected
    /// A line without its newline.
    case line([UInt8])
    /// The parent is gone; another may come.
    case disconnected
    /// No parent for the whole of `orphanAfter`: the child ends itself. Comes once.
    case orphaned
}

/// The child's side of adoption: it listens on a Unix socket, so that it outlives its parent and serves the successor.
///
/// One parent at a time, of our own user or root. Another one that connects while the first is alive is refused (its
/// connection is closed without a line); it replaces the first where that process is known to be gone, even if a
/// descriptor of it lives on elsewhere.
package final class ChildSocket: @unchecked Sendable {
    // Sendable by the loop's thread: `state` is touched only there, and once in init before anybody else has it.

    /// Lines and changes of the connection, in order. A parent that sends faster than they are taken (1,000 waiting) is
    /// disconnected.
    package let events: AsyncStream<ChildEvent>

    private let path: String
    private let loop: Loop
    private let orphanAfter: Duration
    private let log: Log
    private let continuation: AsyncStream<ChildEvent>.Continuation
    /// Bytes that `send` took and the loop has not come to yet.
    private let handed = Guarded(0)
    private var listener: Descriptor?
    private var watch: Watch?
    private var parent: (channel: LineChannel, peer: UnixSocket.Peer)?
    private var orphanTimer: LoopTimer?

    /// Waiting events above which a parent is cut off; the stream holds a few more, for the changes themselves.
    private static let waitingLines = 1000
    private static let reserved = 16

    /// Listens from here on; from any thread.
    ///
    /// - Throws: `SystemError`: EADDRINUSE where another child lives at `path`, EPERM where its folder is open to others.
    package init(path: String, loop: Loop, orphanAfter: Duration, log: Log) throws {
        self.path = path
        self.loop = loop
        self.orphanAfter = orphanAfter
        self.log = log
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.waitingLines + Self.reserved))
        listener = try UnixSocket.listen(at: path)
        loop.submit { self.begin() }
    }

    /// Where a receiver that listens for orders at `path` gives its preview.
    package static func previewPath(beside path: String) -> String {
        let (socket, preview) = (".sock", ".view")
        return (path.hasSuffix(socket) ? String(path.dropLast(socket.count)) : path) + preview
    }

    /// Sends a line to the parent, where there is one; from any thread, in order.
    ///
    /// - Parameter droppable: true for figures: dropped while the parent is slow. Other lines are queued up to 4 MiB,
    ///   above which the parent is disconnected.
    package func send(_ line: [UInt8], droppable: Bool = false) {
        handed.withLock { $0 += line.count }
        loop.submit {
            self.handed.withLock { $0 -= line.count }
            self.parent?.channel.send(line, droppable: droppable)
        }
    }

    /// Whether the parent takes what it is sent, so that one line more does not cut it off, however long it is; on the loop's thread.
    ///
    /// Who has much to send at once asks before each line: what was sent since is counted.
    package var keepsUp: Bool { handed.withLock { $0 } + (parent?.channel.waitingBytes ?? 0) < LineChannel.ampleBytes }

    /// Stops listening, writes what the parent can take at once, and ends `events`.
    package func close() {
        loop.submit { self.end() }
    }

    private func begin() {
        guard let raw = listener?.raw else { return }
        do {
            watch = try loop.watch(raw, .read) { [self] _ in accept() }
        } catch {
            log.error("cannot watch the socket", ["path": .text(path), "error": "\(error)"])
            return end()
        }
        awaitParent()
    }

    private func accept() {
        while let raw = listener?.raw {
            do throws(SystemError) {
                try welcome(try UnixSocket.accept(raw))
            } catch {
                if error.code != EAGAIN { log.warning("cannot accept a parent", ["error": "\(error)"]) }
                return
            }
        }
    }

    private func welcome(_ socket: consuming Descriptor) throws(SystemError) {
        let peer = try UnixSocket.peer(of: socket.raw)
        guard peer.isTrusted else {
            return log.warning("refused a stranger", ["peer.pid": .integer(Int(peer.pid)), "peer.user": .integer(Int(peer.user))])
        }
        // Its end may lie unread in its socket, while its process is not waited for yet and looks alive.
        parent?.channel.read()
        if let parent {
            guard !parent.peer.isAlive else {
                return log.warning(
                    "refused a second parent", ["peer.pid": .integer(Int(peer.pid)), "parent.pid": .integer(Int(parent.peer.pid))])
            }
            parent.channel.close()
            lost("replaced")
        }
        do {
            let channel = try LineChannel(
                socket, loop: loop, onLine: { [self] in heard($0) }, onClose: { [unowned self] in lost($0) })
            parent = (channel, peer)
        } catch {
            return log.warning("cannot watch the parent", ["error": "\(error)"])
        }
        orphanTimer?.cancel()
        log.info("parent connected", ["parent.pid": .integer(Int(peer.pid))])
        continuation.yield(.connected)
    }

    private func heard(_ line: [UInt8]) {
        guard parent != nil else { return }
        guard case .enqueued(let room) = continuation.yield(.line(line)), room > Self.reserved else {
            parent?.channel.close()
            return lost("sends faster than it is heard")
        }
    }

    private func lost(_ reason: LineChannel.Reason) {
        guard let old = parent else { return }
        parent = nil
        log.info(
            "parent gone",
            ["parent.pid": .integer(Int(old.peer.pid)), "reason": "\(reason)", "dropped_lines": .integer(old.channel.droppedLines)])
        continuation.yield(.disconnected)
        awaitParent()
    }

    private func awaitParent() {
        orphanTimer?.cancel()
        orphanTimer = loop.timer(after: orphanAfter) { [self] in
            log.notice("no parent, ending", ["seconds": .number(orphanAfter / .seconds(1))])
            continuation.yield(.orphaned)
        }
    }

    private func end() {
        guard let socket = listener.take() else { return }
        orphanTimer?.cancel()
        watch?.cancel()
        parent?.channel.close()
        parent = nil
        UnixSocket.remove(path)
        _ = consume socket
        continuation.finish()
    }
}
