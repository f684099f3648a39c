import GStreamer

/// Loads what outputs need, once in a process: may read the disk for some hundred milliseconds.
package enum OutputLibrary {
    private static let sinks = ["appsrc", "rtmp2sink", "srtsink", "fdsink"]

    /// Throws where an element that every host needs is missing, and says which.
    package static func prepare() throws {
        try GStreamerRuntime.start()
        for element in sinks where !GStreamerRuntime.hasElement(element) {
            throw GStreamerError(function: "gst_element_factory_find", element: element, reason: "the element is not installed")
        }
    }

    /// For a program that uses GStreamer for outputs and nothing else, at its start: nothing else can be loaded from then on.
    package static func forgetOthers() throws { try GStreamerRuntime.keepOnly(plugins: sinks) }
}
