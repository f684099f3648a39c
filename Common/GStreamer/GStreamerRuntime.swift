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

    /// Forgets every plugin that has none of these elements: the registry of all that is installed takes 2 MB of each process, and
    /// whatever is in it a stream or a picture might get to run. For a program that has one use for the library, at its start.
    package static func keepOnly(plugins elements: [String]) throws(GStreamerError) {
        try start()
        var kept: Set<String> = []
        for element in elements {
            guard let factory = gst_element_factory_find(element) else { continue }
            if let name = gst_plugin_feature_get_plugin_name(strata_feature(factory)) { kept.insert(String(cString: name)) }
            gst_object_unref(gpointer(factory))
        }
        let registry = gst_registry_get()
        let plugins = gst_registry_get_plugin_list(registry)
        var next = plugins
        while let item = next {
            let plugin = OpaquePointer(item.pointee.data)
            // One without a file is the library's own: bins and pipelines.
            if gst_plugin_get_filename(plugin) != nil, !kept.contains(String(cString: gst_plugin_get_name(plugin))) {
                gst_registry_remove_plugin(registry, plugin)
            }
            next = item.pointee.next
        }
        gst_plugin_list_free(plugins)
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
