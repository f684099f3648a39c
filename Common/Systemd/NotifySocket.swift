import Glibc
import Posix

/// Tells systemd how the service does, over the datagram socket it names in `NOTIFY_SOCKET`.
///
/// **Source**: sd_notify(3), "Notes" (the protocol is declared stable), and sd_watchdog_enabled(3). A message that
/// systemd does not take is lost: the service works without it, and a lost `WATCHDOG=1` is followed by the next.
package struct NotifySocket: Sendable {
    private let path: String
    /// How often to send `watchdog()`: half of what systemd allows; nil where it does not watch this process.
    package let watchdogInterval: Duration?

    /// Reads `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`; nil where no manager listens or its address is of
    /// another kind than a path or an abstract name.
    package init?(environment: [String: String]) {
        guard let path = environment["NOTIFY_SOCKET"], let first = path.utf8.first, path.utf8.count > 1 else { return nil }
        guard first == UInt8(ascii: "/") || first == UInt8(ascii: "@") else { return nil }
        self.path = path
        watchdogInterval = NotifySocket.interval(environment)
    }

    /// Start-up is complete.
    package func ready() { send("READY=1") }
    /// The service is about to end.
    package func stopping() { send("STOPPING=1") }
    /// Alive; to be sent each `watchdogInterval`.
    package func watchdog() { send("WATCHDOG=1") }
    /// One line for a person, shown by `systemctl status`; a newline would begin another field and is dropped.
    package func status(_ text: String) { send("STATUS=" + text.filter { !$0.isNewline }) }

    private static func interval(_ environment: [String: String]) -> Duration? {
        guard let text = environment["WATCHDOG_USEC"], let microseconds = Int64(text), microseconds > 0 else { return nil }
        if let pid = environment["WATCHDOG_PID"], pid_t(pid) != getpid() { return nil }
        return .microseconds(microseconds) / 2
    }

    private func send(_ message: String) {
        // Losing it is right: see the type's comment.
        try? UnixSocket.send(Array(message.utf8), to: path)
    }
}
