import CGStreamer
package import Posix

/// The library as a whole: started once in a process, and asked what it can do.
package enum GStreamerRuntime {
    private static let started: Result<Void, GStreamerError> = {
        var error: UnsafeMutablePointer<GError>?
        guard gst_init_check(nil, nil, &error) != 0 else {
            return .failure(GStreamerError(function: "gst_init_check", adopting: error))
        }
        Complaints.limit()
        return .success(())
    }()

    /// Starts the library; further calls return the first one's result. Any thread.
    package static func start() throws(GStreamerError) { try started.get() }

    /// Whether an element of this type is registered: says nothing about whether it runs.
    package static func hasElement(_ name: String) -> Bool {
        guard case .success = started, let factory = gst_element_factory_find(name) else { return false }
        gst_object_unref(gpointer(factory))
        return true
    }

    /// `GStreamer 1.22.0`
    package static var version: String {
        guard case .success = started, let text = gst_version_string() else { return "GStreamer" }
        defer { g_free(text) }
        return String(cString: text)
    }

    /// The clock all pipelines run on, CLOCK_MONOTONIC: a wall clock that steps moves nothing.
    ///
    /// One for the process, never freed. Sendable: GstClock is thread safe.
    nonisolated(unsafe) static let clock: UnsafeMutablePointer<GstClock> = {
        _ = started
        // gst_object_ref_sink turns the floating reference into ours, which is kept for good.
        let clock = strata_monotonic_clock()
        gst_object_ref_sink(clock)
        guard let clock else { preconditionFailure("g_object_new of a registered type never returns NULL") }
        return clock
    }()

    /// The time on the pipelines' clock, nanoseconds.
    package static var now: Instant { Instant(nanoseconds: Int64(gst_clock_get_time(clock))) }
}
