import CGStreamer

/// A call into GStreamer that failed, or an element that reported an error.
package struct GStreamerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The C function, e.g. `gst_parse_launch`.
    package let function: String
    /// The element's name in the pipeline, where one is to blame.
    package let element: String?
    /// The library's own words.
    package let reason: String

    package init(function: String, element: String? = nil, reason: String) {
        self.function = function
        self.element = element
        self.reason = reason
    }

    /// Takes the text out of a GError and frees it.
    init(function: String, element: String? = nil, adopting error: UnsafeMutablePointer<GError>?) {
        let reason = error.flatMap { $0.pointee.message.map { String(cString: $0) } } ?? "no reason given"
        if let error { g_error_free(error) }
        self.init(function: function, element: element, reason: reason)
    }

    /// `gst_element_set_state camera: Device '/dev/video0' is busy`
    package var description: String {
        element.map { "\(function) \($0): \(reason)" } ?? "\(function): \(reason)"
    }
}
