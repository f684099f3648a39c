import CPosix
import Glibc

/// How a process ended.
package enum ExitStatus: Hashable, Sendable, CustomStringConvertible {
    case exited(code: CInt)
    case signalled(CInt)
    /// It ended, but it was not our child: only its parent knows how.
    case unknown

    package var isSuccess: Bool { self == .exited(code: 0) }

    package var description: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .signalled(let signal): "signal \(signal)"
        case .unknown: "unknown"
        }
    }
}

/// A process held by its pidfd, so that a signal never reaches another one that got its number.
package struct ChildProcess: Sendable {
    package let pid: Int32
    private let handle: Handle

    private final class Handle: Sendable {
        let pidfd: Descriptor
        let ended = Guarded<Ended?>(nil)
        init(_ pidfd: consuming Descriptor) { self.pidfd = pidfd }
    }

    private struct Ended {
        let status: ExitStatus
        let processorTime: Duration
    }

    /// Where a standard stream of a child goes.
    package enum Stream: Sendable {
        case null
        case inherited
        /// Borrowed for the call.
        case descriptor(CInt)

        fileprivate func number(_ own: CInt) -> CInt {
            switch self {
            case .null: -1
            case .inherited: own
            case .descriptor(let descriptor): descriptor
            }
        }
    }

    /// Starts a program by its path, without a shell: default signals, no descriptors but the three standard streams.
    /// - Parameters:
    ///   - environment: the whole environment, or nil for ours.
    ///   - ownSession: no part of our session and process group, so that it outlives us and our terminal's Ctrl-C.
    /// - Throws: `SystemError`, also where the program cannot be executed.
    package static func start(
        _ executable: String, _ arguments: [String], environment: [String: String]? = nil, directory: String? = nil,
        input: Stream = .null, output: Stream = .inherited, error: Stream = .inherited, ownSession: Bool = false
    ) throws -> ChildProcess {
        let variables = environment?.map { "\($0.key)=\($0.value)" } ?? inheritedEnvironment()
        var pid: Int32 = 0
        let code = withCStrings([executable] + arguments) { argv in
            withCStrings(variables) { envp in
                cposix_spawn(
                    &pid, executable, argv, envp, input.number(0), output.number(1), error.number(2), ownSession ? 1 : 0, directory)
            }
        }
        guard code == 0 else { throw SystemError("posix_spawn", code, on: executable) }
        return try adopt(pid: pid)
    }

    /// A process that runs already; its exit status stays unknown where it is not our child.
    package static func adopt(pid: Int32) throws -> ChildProcess {
        let pidfd = cposix_pidfd_open(pid)
        guard pidfd >= 0 else { throw SystemError("pidfd_open", on: "pid \(pid)") }
        return ChildProcess(pid: pid, handle: Handle(Descriptor(adopting: pidfd)))
    }

    /// Sends a signal; nothing happens where it has ended already.
    package func signal(_ number: CInt) { _ = cposix_pidfd_signal(handle.pidfd.raw, number) }

    /// Whether it has ended and been waited for, or never was ours and is gone.
    package var exitStatus: ExitStatus? { reap() }

    /// What it and its own children have used, once its end is known; nil before.
    package var processorTime: Duration? { handle.ended.withLock { $0?.processorTime } }

    /// Waits until it ends, without a thread: the pidfd is watched on the loop. Several may wait. Not ended by cancellation.
    package func exit(on loop: Loop) async -> ExitStatus {
        await withCheckedContinuation { continuation in
            loop.run { waitForExit(on: loop) { continuation.resume(returning: $0) } }
        }
    }

    /// Loop thread.
    private func waitForExit(on loop: Loop, _ done: @escaping @Sendable (ExitStatus) -> Void) {
        if let status = reap() { return done(status) }
        // A descriptor of its own for each waiter, since a loop watches a descriptor once.
        let copy = fcntl(handle.pidfd.raw, F_DUPFD_CLOEXEC, 0)
        let waiting = Waiting()
        do {
            guard copy >= 0 else { throw SystemError("fcntl F_DUPFD_CLOEXEC", on: "pid \(pid)") }
            waiting.watch = try loop.watch(copy, .read) { _ in
                guard let status = reap() else { return }
                waiting.watch?.cancel()
                close(copy)
                done(status)
            }
        } catch {
            // Without a descriptor to spare it is asked for again in a while: the one wait that the kernel cannot announce.
            if copy >= 0 { close(copy) }
            loop.timer(after: .milliseconds(100)) { waitForExit(on: loop, done) }
        }
    }

    private final class Waiting: @unchecked Sendable {
        // Sendable: only the loop's thread touches it.
        var watch: Watch?
    }

    private func reap() -> ExitStatus? {
        handle.ended.withLock { known in
            if let known { return known.status }
            var code: CInt = 0
            var spent: Int64 = 0
            let result = cposix_pidfd_reap(handle.pidfd.raw, &code, &spent)
            if result == 1 {
                known = Ended(status: code >= 0 ? .exited(code: code) : .signalled(-code), processorTime: .nanoseconds(spent))
            } else if result < 0, errno == ECHILD, hasEnded {
                known = Ended(status: .unknown, processorTime: .zero)
            }
            return known?.status
        }
    }

    /// A pidfd is readable once its process has ended.
    private var hasEnded: Bool {
        var entry = pollfd(fd: handle.pidfd.raw, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) == 1
    }
}

private func inheritedEnvironment() -> [String] {
    var variables: [String] = []
    var entry = environ
    while let variable = entry.pointee {
        variables.append(String(cString: variable))
        entry += 1
    }
    return variables
}

/// Calls `body` with a NULL-terminated array of C strings.
private func withCStrings<Result>(_ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result) -> Result {
    let copies = strings.map { strdup($0) } + [nil]
    defer { for copy in copies { free(copy) } }
    return copies.withUnsafeBufferPointer { buffer in
        guard let start = buffer.baseAddress else { preconditionFailure("the array holds at least its terminator") }
        return body(start)
    }
}
