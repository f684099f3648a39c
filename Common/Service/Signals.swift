import Glibc
package import Posix

/// What the system asks of a program.
package enum Signal: Sendable, Equatable {
    /// SIGTERM or SIGINT: end cleanly.
    case stop
    /// SIGHUP: read certificates and the like again.
    case reload
}

/// The signals of this process as events, over a pipe that the handler writes to; SIGPIPE is ignored from then on.
///
/// A handler, not signalfd(2): a mask that blocks signals would be inherited by every child, a handler is not.
package final class Signals: @unchecked Sendable {
    // Sendable by the loop's thread: `watch` is set and used only there.

    /// At most 16 wait; a signal more changes nothing, as they do not count.
    package let events: AsyncStream<Signal>

    private let continuation: AsyncStream<Signal>.Continuation
    private let pipe: Descriptor
    private var watch: Watch?

    /// Takes the signals over; once in a process.
    package init(loop: Loop) throws {
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(16))
        let ends = try SignalPipe.open()
        pipe = Descriptor(adopting: ends)
        try SignalPipe.catch([SIGTERM, SIGINT, SIGHUP])
        loop.submit { self.begin(loop) }
    }

    private func begin(_ loop: Loop) {
        // A watch that cannot be had leaves the signals unheard, and the program unstoppable: better to end now.
        guard let watch = try? loop.watch(pipe.raw, .read, { [self] _ in read() }) else {
            preconditionFailure("a loop that runs can watch a pipe")
        }
        self.watch = watch
    }

    private func read() {
        var number: UInt8 = 0
        while Glibc.read(pipe.raw, &number, 1) == 1 {
            continuation.yield(CInt(number) == SIGHUP ? .reload : .stop)
        }
    }
}

/// The pipe between the handler and the loop. A handler can reach only a global.
private enum SignalPipe {
    // Written once in `open`, before a handler is installed.
    nonisolated(unsafe) private static var writeEnd: CInt = -1

    /// - Returns: the end to read from.
    static func open() throws(SystemError) -> CInt {
        precondition(writeEnd < 0, "a process has one Signals")
        var ends: (CInt, CInt) = (-1, -1)
        let result = withUnsafeMutableBytes(of: &ends) { bytes in
            bytes.withMemoryRebound(to: CInt.self) { Glibc.pipe($0.baseAddress) }
        }
        guard result == 0 else { throw SystemError("pipe") }
        for end in [ends.0, ends.1] {
            guard fcntl(end, F_SETFD, FD_CLOEXEC) == 0, fcntl(end, F_SETFL, O_NONBLOCK) == 0 else { throw SystemError("fcntl") }
        }
        writeEnd = ends.1
        return ends.0
    }

    static func `catch`(_ numbers: [CInt]) throws(SystemError) {
        var action = sigaction()
        action.sa_flags = SA_RESTART
        action.__sigaction_handler.sa_handler = { number in
            let saved = errno
            var byte = UInt8(truncatingIfNeeded: number)
            _ = write(SignalPipe.writeEnd, &byte, 1)
            errno = saved
        }
        for number in numbers {
            guard sigaction(number, &action, nil) == 0 else { throw SystemError("sigaction") }
        }
        action.__sigaction_handler.sa_handler = SIG_IGN
        guard sigaction(SIGPIPE, &action, nil) == 0 else { throw SystemError("sigaction") }
    }
}
