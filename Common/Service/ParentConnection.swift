import Glibc
package import Posix

/// What a parent hears from its child.
package enum ParentEvent: Sendable, Equatable {
    /// A line without its newline.
    case line([UInt8])
    /// The connection is gone: the last event. The child itself may live on.
    case closed(reason: String)
}

/// The parent's side of adoption: a connection to a child that listens on a Unix socket.
package final class ParentConnection: @unchecked Sendable {
    // Sendable by the loop's thread: `channel` is touched only there.

    /// Lines in order, then `closed`. A child that sends faster than they are taken (1,000 waiting) is cut off.
    package let events: AsyncStream<ParentEvent>
    /// The child, as it was when it began to listen; 0 in another pid namespace.
    package let childPID: Int32

    private let loop: Loop
    private let continuation: AsyncStream<ParentEvent>.Continuation
    private var channel: LineChannel?

    private static let waitingLines = 1000
    private static let reserved = 4

    /// Connects to the child that listens at `path`, or begins to within the time; from any thread.
    ///
    /// A child that already has a living parent closes the connection at once: `closed` without a line before it.
    ///
    /// - Throws: `SystemError` of the last attempt; CancellationError.
    package static func connect(path: String, within: Duration, loop: Loop) async throws -> ParentConnection {
        let socket = try await SocketArrival.connect(path: path, within: within, loop: loop)
        return try ParentConnection(socket, loop: loop)
    }

    private init(_ socket: consuming Descriptor, loop: Loop) throws(SystemError) {
        self.loop = loop
        childPID = try UnixSocket.peer(of: socket.raw).pid
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.waitingLines + Self.reserved))
        let raw = socket.release()
        loop.submit { self.begin(Descriptor(adopting: raw)) }
    }

    /// Sends a line; from any thread, in order.
    ///
    /// - Parameter droppable: true for what may be lost while the child is slow. Other lines are queued up to 4 MiB,
    ///   above which the connection is closed.
    package func send(_ line: [UInt8], droppable: Bool = false) {
        loop.submit { self.channel?.send(line, droppable: droppable) }
    }

    /// Ends the connection and `events`; the child goes on.
    package func close() {
        loop.submit {
            self.channel?.close()
            self.channel = nil
            self.continuation.finish()
        }
    }

    private func begin(_ socket: consuming Descriptor) {
        do {
            channel = try LineChannel(
                socket, loop: loop, onLine: { [self] in heard($0) }, onClose: { [unowned self] in lost($0) })
        } catch {
            finish("\(error)")
        }
    }

    private func heard(_ line: [UInt8]) {
        guard channel != nil else { return }
        guard case .enqueued(let room) = continuation.yield(.line(line)), room > Self.reserved else {
            channel?.close()
            return lost("sends faster than it is heard")
        }
    }

    private func lost(_ reason: LineChannel.Reason) {
        channel = nil
        finish("\(reason)")
    }

    private func finish(_ reason: String) {
        continuation.yield(.closed(reason: reason))
        continuation.finish()
    }
}
