import CLab
import Foundation
import Posix

/// A program that a stage has started, with what it has said.
package final class RunningProgram: @unchecked Sendable {
    // Sendable: `said` and `ending` are behind their lock, the rest is set once.
    package let name: String
    package let pid: Int32
    private let said: Guarded<Said>
    private let done = Guarded<CInt?>(nil)

    fileprivate struct Said {
        var lines: [String] = []
        var rest: [UInt8] = []
        var isClosed = false
    }

    /// How a program ended: its exit code, or minus the signal.
    package typealias Ending = CInt

    init(name: String, pid: pid_t, output: CInt) {
        self.name = name
        self.pid = pid
        said = Guarded(Said())
        let reader = Thread { [said] in
            var isOpen = true
            while isOpen {
                var wanted = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
                guard poll(&wanted, 1, -1) > 0 else { continue }
                isOpen = said.withLock { $0.read(output) }
            }
        }
        reader.start()
        let waiter = Thread { [said, done] in
            // Left unreaped until the lock is held: `signal` then never meets a number that is somebody else's.
            var info = siginfo_t()
            while waitid(P_PID, id_t(pid), &info, CInt(WEXITED | WNOWAIT)) < 0 && errno == EINTR {}
            // Whoever sees the end sees its last words too. Not until the pipe is closed: children of its own may hold that.
            while said.withLock({ $0.hasUnread(output) }) { usleep(1000) }
            done.withLock { done in
                var status: CInt = 0
                waitpid(pid, &status, 0)
                done = status & 0x7F == 0 ? (status >> 8) & 0xFF : -(status & 0x7F)
            }
        }
        waiter.start()
    }

    /// What it wrote to stderr, and to stdout where that went nowhere else, by whole lines.
    package var lines: [String] { said.withLock { $0.lines } }

    /// nil while it runs.
    package var ending: Ending? { done.withLock { $0 } }

    package var isRunning: Bool { ending == nil }

    /// The first line from `start` on that contains `text`; a program that ends before it says so is a failure.
    @discardableResult
    package func line(containing text: String, from start: Int = 0, within limit: Duration = .seconds(10)) async throws -> String {
        try await eventually(within: limit, "\(name) says '\(text)'; it said:\n\(tail)") {
            // Before the lines: what was said until then is among them.
            let ending = ending
            if let line = lines.dropFirst(start).first(where: { $0.contains(text) }) { return line }
            if let ending { throw SupportFailure("\(name) ended with \(ending):\n\(tail)") }
            return nil
        }
    }

    /// Its last lines, for a failure's text.
    package var tail: String { lines.suffix(30).map { "    \($0)" }.joined(separator: "\n") }

    package func signal(_ number: CInt) {
        done.withLock { if $0 == nil { kill(pid, number) } }
    }

    /// Waits for its end.
    package func end(within limit: Duration) async throws -> Ending {
        try await eventually(within: limit, "\(name) (\(pid)) ends") { ending }
    }

    /// SIGTERM, and its ending; one that does not end in time is killed, and that is a failure.
    @discardableResult
    package func stop(within limit: Duration = .seconds(10)) async throws -> Ending {
        signal(SIGTERM)
        do { return try await end(within: limit) } catch {
            signal(SIGKILL)
            throw error
        }
    }

    /// `kill -9`, and waits until it is gone.
    package func kill9() async throws {
        signal(SIGKILL)
        _ = try await end(within: .seconds(5))
    }

    /// Resident memory in bytes, and processor time used so far, both of /proc.
    package func usage() throws -> (residentBytes: Int, processor: Duration) {
        (try residentKilobytes(of: pid) * 1024, try ProcessorTime(of: pid).own)
    }
}

extension RunningProgram.Said {
    /// Takes what is there.
    ///
    /// - Returns: whether more may come.
    mutating func read(_ output: CInt) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let size = Glibc.read(output, &buffer, buffer.count)
        guard size > 0 else {
            isClosed = true
            close(output)
            return false
        }
        take(buffer[..<size])
        return true
    }

    func hasUnread(_ output: CInt) -> Bool {
        var waiting = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        return !isClosed && poll(&waiting, 1, 0) > 0 && waiting.revents & Int16(POLLIN) != 0
    }

    private mutating func take(_ bytes: ArraySlice<UInt8>) {
        rest += bytes
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            lines.append(String(decoding: rest[..<end], as: UTF8.self))
            rest.removeSubrange(...end)
        }
    }
}
