import GStreamer

/// Loads what outputs need, once in a process: may read the disk for some hundred milliseconds.
package enum OutputLibrary {
    /// Throws where an element that every host needs is missing, and says which.
    package static func prepare() throws {
        try GStreamerRuntime.start()
        for element in ["appsrc", "rtmp2sink", "srtsink", "fdsink"] where !GStreamerRuntime.hasElement(element) {
            throw GStreamerError(function: "gst_element_factory_find", element: element, reason: "the element is not installed")
        }
    }
}
