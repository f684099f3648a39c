import Foundation

/// Processor time that a process has used so far, in its own code and for it in the kernel. Source: proc_pid_stat(5), fields 14 to 17.
package struct ProcessorTime: Sendable {
    package let own: Duration
    /// Of its children that have ended and were waited for.
    package let children: Duration

    /// Throws where it is gone.
    package init(of pid: Int32) throws {
        let text = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        // Behind the name, which may hold anything, field 3 comes first.
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ").dropFirst(12).prefix(4)
        let ticks = fields.compactMap { Int($0) }
        guard ticks.count == 4 else { throw SupportFailure("/proc/\(pid)/stat is not as proc_pid_stat(5) says: \(text)") }
        let milliseconds = 1000 / sysconf(CInt(_SC_CLK_TCK))
        own = .milliseconds((ticks[0] + ticks[1]) * milliseconds)
        children = .milliseconds((ticks[2] + ticks[3]) * milliseconds)
    }

    /// The part of a core that each process uses over a while.
    package static func shares(of pids: [Int32], over time: Duration) async throws -> [Double] {
        let clock = ContinuousClock()
        let (began, before) = (clock.now, try pids.map { try ProcessorTime(of: $0).own })
        try await Task.sleep(for: time)
        let (ended, after) = (clock.now, try pids.map { try ProcessorTime(of: $0).own })
        return zip(before, after).map { ($1 - $0) / (ended - began) }
    }

    package static func share(of pid: Int32, over time: Duration) async throws -> Double { try await shares(of: [pid], over: time)[0] }
}
