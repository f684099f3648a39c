import CGStreamer
import Posix

/// What GLib and the elements complain about goes to standard error, but not without end.
///
/// A server that talks nonsense to rtmp2sink makes it complain for each byte: 190 MB in half a minute.
enum Complaints {
    private static let lines = 20
    private static let span: Duration = .seconds(60)
    private static let state = Guarded<(since: Instant, count: Int)>((.now, 0))

    /// From now on, in the whole process.
    static func limit() { g_log_set_default_handler(complain, nil) }

    /// Whether one more may be written now.
    fileprivate static func takes() -> Bool {
        state.withLock { state in
            let now = Instant.now
            if now - state.since > span { state = (now, 0) }
            state.count += 1
            return state.count <= lines
        }
    }
}

private func complain(_ domain: UnsafePointer<gchar>?, _ level: GLogLevelFlags, _ text: UnsafePointer<gchar>?, _ context: gpointer?) {
    // The last words of a process that is about to abort are always written.
    guard level.rawValue & (G_LOG_FLAG_FATAL.rawValue | G_LOG_LEVEL_ERROR.rawValue) != 0 || Complaints.takes() else { return }
    g_log_default_handler(domain, level, text, context)
}
