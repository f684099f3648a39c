import CGStreamer

/// What a pipeline says of itself.
package enum PipelineMessage: Sendable, Hashable {
    /// An element failed; the pipeline is to be stopped.
    case error(ElementFault)
    case warning(ElementFault)
    /// All sinks have seen the end.
    case endOfStream
    /// A seek with the segment flag has played to its end.
    case segmentDone
    /// The pipeline has reached the state it was asked for: all sinks have their first buffer.
    case asyncDone
    /// The pipeline is in the playing state.
    case playing
    /// A message of an element of its own kind, e.g. a statistic.
    case element(source: String, Structure)
}

/// An error or a warning of an element.
package struct ElementFault: Sendable, Hashable, CustomStringConvertible {
    /// The element's name in the pipeline.
    package let element: String
    /// Its type, e.g. `v4l2src`; empty where the library does not say.
    package let factory: String
    /// For a person.
    package let text: String
    /// What the element adds: a path, errno's text, the server's answer. Often empty.
    package let detail: String

    /// Text and detail: `Resource not found. No such file "/clips/a.mp4"`
    package var reason: String { detail.isEmpty ? text : "\(text) \(detail)" }

    /// `camera (v4l2src): Cannot identify device '/dev/video9'. system error: Inappropriate ioctl for device`
    package var description: String { factory.isEmpty ? "\(element): \(reason)" : "\(element) (\(factory)): \(reason)" }
}

extension PipelineMessage {
    /// nil for messages that nobody outside needs.
    init?(_ message: UnsafeMutablePointer<GstMessage>, of pipeline: UnsafeMutablePointer<GstElement>) {
        switch strata_message_type(message) {
        case GST_MESSAGE_ERROR: self = .error(ElementFault(message, gst_message_parse_error))
        case GST_MESSAGE_WARNING: self = .warning(ElementFault(message, gst_message_parse_warning))
        case GST_MESSAGE_EOS: self = .endOfStream
        case GST_MESSAGE_SEGMENT_DONE: self = .segmentDone
        case GST_MESSAGE_ASYNC_DONE: self = .asyncDone
        case GST_MESSAGE_STATE_CHANGED:
            guard strata_message_is_from(message, pipeline) != 0 else { return nil }
            var new = GST_STATE_NULL
            gst_message_parse_state_changed(message, nil, &new, nil)
            guard new == GST_STATE_PLAYING else { return nil }
            self = .playing
        case GST_MESSAGE_ELEMENT:
            guard let structure = gst_message_get_structure(message) else { return nil }
            self = .element(source: sourceName(message), Structure(copying: structure))
        default: return nil
        }
    }

    /// The types that `init` knows, and those the keeper handles itself; the rest never enters the bus's queue.
    static func isWanted(_ message: UnsafeMutablePointer<GstMessage>, of pipeline: UnsafeMutablePointer<GstElement>) -> Bool {
        switch strata_message_type(message) {
        case GST_MESSAGE_STATE_CHANGED: strata_message_is_from(message, pipeline) != 0
        case GST_MESSAGE_ERROR, GST_MESSAGE_WARNING, GST_MESSAGE_EOS, GST_MESSAGE_SEGMENT_DONE, GST_MESSAGE_ASYNC_DONE,
            GST_MESSAGE_ELEMENT, GST_MESSAGE_APPLICATION, GST_MESSAGE_LATENCY:
            true
        default: false
        }
    }
}

extension ElementFault {
    typealias Parse = (
        UnsafeMutablePointer<GstMessage>?, UnsafeMutablePointer<UnsafeMutablePointer<GError>?>?,
        UnsafeMutablePointer<UnsafeMutablePointer<gchar>?>?
    ) -> Void

    init(_ message: UnsafeMutablePointer<GstMessage>, _ parse: Parse) {
        var error: UnsafeMutablePointer<GError>?
        var debug: UnsafeMutablePointer<gchar>?
        parse(message, &error, &debug)
        element = sourceName(message)
        factory = strata_message_factory(message).map { String(cString: $0) } ?? ""
        text = error.flatMap { $0.pointee.message.map { String(cString: $0) } } ?? "no reason given"
        // The first line is the library's own source line and object path.
        let lines = (debug.map { String(cString: $0) } ?? "").split(separator: "\n", omittingEmptySubsequences: true)
        detail = lines.dropFirst().joined(separator: " ")
        if let error { g_error_free(error) }
        g_free(debug)
    }
}

private func sourceName(_ message: UnsafeMutablePointer<GstMessage>) -> String {
    guard let name = strata_message_source(message) else { return "pipeline" }
    defer { g_free(name) }
    return String(cString: name)
}
