import CRist

/// librist's own log goes nowhere: its lines are text about what strangers sent, and what counts comes as statistics and events.
enum RISTLogging {
    // Sendable: written once, before any context exists; librist only reads it.
    private nonisolated(unsafe) static let silent: UnsafeMutablePointer<rist_logging_settings>? = try? make(RIST_LOG_DISABLE, nil, nil)

    /// Settings that live as long as the process, as every context keeps a pointer to them.
    static func settings() throws(RISTError) -> UnsafeMutablePointer<rist_logging_settings> {
        guard let silent else { throw RISTError("rist_logging_set", -1) }
        return silent
    }

    /// Settings that call `callback` for each line of a peer's life, none for packets. Free them after their context.
    static func settings(
        _ callback: @escaping @convention(c) (UnsafeMutableRawPointer?, rist_log_level, UnsafePointer<CChar>?) -> CInt,
        _ context: UnsafeMutableRawPointer
    ) throws(RISTError) -> UnsafeMutablePointer<rist_logging_settings> {
        try make(RIST_LOG_INFO, callback, context)
    }

    static func free(_ settings: UnsafeMutablePointer<rist_logging_settings>) {
        var settings: UnsafeMutablePointer<rist_logging_settings>? = settings
        rist_logging_settings_free2(&settings)
    }

    private static func make(
        _ level: rist_log_level,
        _ callback: (@convention(c) (UnsafeMutableRawPointer?, rist_log_level, UnsafePointer<CChar>?) -> CInt)?,
        _ context: UnsafeMutableRawPointer?
    ) throws(RISTError) -> UnsafeMutablePointer<rist_logging_settings> {
        var settings: UnsafeMutablePointer<rist_logging_settings>?
        let code = rist_logging_set(&settings, level, callback, context, nil, nil)
        guard code == 0, let settings else { throw RISTError("rist_logging_set", code) }
        return settings
    }
}
