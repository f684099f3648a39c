import CRist

/// librist's own log, off: its lines are text about what strangers sent, and what counts comes as statistics and events.
enum RISTLogging {
    // Sendable: written once, before any context exists; librist only reads it.
    private nonisolated(unsafe) static let shared: UnsafeMutablePointer<rist_logging_settings>? = {
        var settings: UnsafeMutablePointer<rist_logging_settings>?
        guard rist_logging_set(&settings, RIST_LOG_DISABLE, nil, nil, nil, nil) == 0 else { return nil }
        return settings
    }()

    /// Settings that live as long as the process, as every context keeps a pointer to them.
    static func settings() throws(RISTError) -> UnsafeMutablePointer<rist_logging_settings> {
        guard let shared else { throw RISTError("rist_logging_set", -1) }
        return shared
    }
}
