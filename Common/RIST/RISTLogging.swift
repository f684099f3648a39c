import CRist

/// librist's own log goes nowhere: its lines are text about what strangers sent, and what counts comes as statistics and events.
///
/// All settings live as long as the process. Contexts keep a pointer to theirs, and librist copies the first that are made
/// for its sockets, and calls them after any context has ended (librist/logging.h, `rist_logging_set`).
enum RISTLogging {
    // Sendable: written once, before any context exists; librist only reads them. try?: what fails is told where they are used.
    private nonisolated(unsafe) static let silent: UnsafeMutablePointer<rist_logging_settings>? = try? make(RIST_LOG_DISABLE, nil)
    /// Also what librist's sockets log to, whichever settings were made first: a pin may need their lines.
    private nonisolated(unsafe) static let pinning: UnsafeMutablePointer<rist_logging_settings>? = {
        guard let made = try? make(RIST_LOG_INFO, lineLogged), rist_logging_set_global(made) == 0 else { return nil }
        return made
    }()

    /// For contexts whose lines nobody needs.
    static func silentSettings() throws(RISTError) -> UnsafeMutablePointer<rist_logging_settings> { try checked(silent) }

    /// For senders: the pin that is being set looks at each line of a peer's life; there are none for packets.
    static func pinningSettings() throws(RISTError) -> UnsafeMutablePointer<rist_logging_settings> { try checked(pinning) }

    private static func checked(
        _ settings: UnsafeMutablePointer<rist_logging_settings>?
    ) throws(RISTError) -> UnsafeMutablePointer<rist_logging_settings> {
        guard let settings else { throw RISTError("rist_logging_set", -1) }
        return settings
    }

    private static func make(
        _ level: rist_log_level,
        _ callback: (@convention(c) (UnsafeMutableRawPointer?, rist_log_level, UnsafePointer<CChar>?) -> CInt)?
    ) throws(RISTError) -> UnsafeMutablePointer<rist_logging_settings> {
        var settings: UnsafeMutablePointer<rist_logging_settings>?
        let code = rist_logging_set(&settings, level, callback, nil, nil, nil)
        guard code == 0, let settings else { throw RISTError("rist_logging_set", code) }
        return settings
    }
}

/// No line is read: that there is one on this thread is what counts.
private func lineLogged(_ context: UnsafeMutableRawPointer?, _ level: rist_log_level, _ line: UnsafePointer<CChar>?) -> CInt {
    InterfacePin.look()
    return 0
}
