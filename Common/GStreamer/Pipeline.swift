import CGStreamer
package import Posix

/// A GStreamer pipeline: made from constant text, its values set as properties, run and stopped on a thread of its own.
///
/// All methods may be called from any thread. When the last reference goes, the pipeline stops by itself.
package final class Pipeline: Sendable {
    /// What the pipeline says, for one reader. Holds the last 64 messages; older ones are dropped.
    /// Ends when the pipeline is gone.
    package let messages: AsyncStream<PipelineMessage>

    /// Sendable: GStreamer's objects are thread safe. Our own reference; the keeper has its own.
    nonisolated(unsafe) private let pipeline: UnsafeMutablePointer<GstElement>
    private let keeper: Keeper
    private let gone = Gate()

    /// - Throws: what is wrong with the text: an element that does not exist, pads that do not fit.
    package init(_ text: PipelineText) throws(GStreamerError) {
        try GStreamerRuntime.start()
        pipeline = try Pipeline.parse(text)
        guard let bus = gst_element_get_bus(pipeline) else { preconditionFailure("a pipeline has a bus") }
        let (messages, continuation) = AsyncStream.makeStream(of: PipelineMessage.self, bufferingPolicy: .bufferingNewest(64))
        self.messages = messages
        gst_object_ref(pipeline)
        keeper = Keeper(
            pipeline, bus: bus, deliver: { continuation.yield($0) },
            finish: { [gone] in
                continuation.finish()
                gone.open()
            })
        try keeper.start()
    }

    deinit {
        keeper.close()
        gst_object_unref(pipeline)
    }

    private static func parse(_ text: PipelineText) throws(GStreamerError) -> UnsafeMutablePointer<GstElement> {
        var error: UnsafeMutablePointer<GError>?
        let parsed = gst_parse_launch_full(text.description, nil, GST_PARSE_FLAG_FATAL_ERRORS, &error)
        guard let parsed, error == nil else {
            if let parsed { gst_object_unref(parsed) }
            throw GStreamerError(function: "gst_parse_launch", adopting: error)
        }
        guard strata_is_pipeline(parsed) != 0 else {
            // A text of one element gives that element: put it into a pipeline, so that there is a bus and a clock.
            guard let made = gst_pipeline_new(nil) else { preconditionFailure("gst_pipeline_new has no failure") }
            gst_object_ref_sink(made)
            gst_bin_add(strata_bin(made), parsed)
            configure(made)
            return made
        }
        gst_object_ref_sink(parsed)
        configure(parsed)
        return parsed
    }

    /// Monotonic clock; and the bus stays open in the null state, as the keeper's commands go through it.
    private static func configure(_ pipeline: UnsafeMutablePointer<GstElement>) {
        let whole = UnsafeMutableRawPointer(pipeline).assumingMemoryBound(to: GstPipeline.self)
        gst_pipeline_use_clock(whole, GStreamerRuntime.clock)
        gst_pipeline_set_auto_flush_bus(whole, 0)
    }
}

// MARK: - State

extension Pipeline {
    /// Asks for the playing state and returns when the elements have opened their devices and connections; the first buffer may
    /// come later. Throws with the element's own reason where one refuses.
    package func start() async throws(GStreamerError) {
        try await change(to: GST_STATE_PLAYING)
    }

    /// Opens everything and has the first buffer wait at each sink.
    package func pause() async throws(GStreamerError) {
        try await change(to: GST_STATE_PAUSED)
    }

    /// Takes the pipeline to the null state and frees it. No callback runs after it returns true.
    ///
    /// - Returns: false where an element has not let go within `limit`: the pipeline is given up, and goes when the element lets it.
    @discardableResult
    package func stop(within limit: Duration = .seconds(5)) async -> Bool {
        keeper.close()
        return await gone.wait(atMost: limit)
    }

    /// Has every source send the end of its stream; `.endOfStream` follows when all sinks have seen it.
    package func endOfStream() {
        keeper.run { gst_element_send_event($0, gst_event_new_eos()) }
    }

    /// Fixes the base time instead of having the start choose it: pipelines with the same one share their running time.
    package func fixBaseTime(_ instant: Instant) {
        gst_element_set_start_time(pipeline, strata_no_time())
        gst_element_set_base_time(pipeline, GstClockTime(instant.nanoseconds))
    }

    /// Plays from the beginning without emptying the pipeline, so that the running time goes on; to the end, where `.segmentDone`
    /// follows. The first one of a pipeline must flush.
    ///
    /// - Parameter sink: through which the demuxer is asked: through all of them it would be asked as often.
    package func playSegment(flush: Bool, through sink: StaticString) async throws(GStreamerError) {
        let name = "\(sink)"
        let result = await command { pipeline -> GStreamerError? in
            guard let element = gst_bin_get_by_name(strata_bin(pipeline), name) else {
                return GStreamerError(function: "gst_bin_get_by_name", element: name, reason: "no such element in the pipeline")
            }
            defer { gst_object_unref(element) }
            var flags = GST_SEEK_FLAG_SEGMENT.rawValue
            if flush { flags |= GST_SEEK_FLAG_FLUSH.rawValue | GST_SEEK_FLAG_ACCURATE.rawValue }
            let done = gst_element_seek(
                element, 1, GST_FORMAT_TIME, GstSeekFlags(rawValue: flags), GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_NONE, -1)
            return done == 0 ? GStreamerError(function: "gst_element_seek", element: name, reason: "cannot be played in a loop") : nil
        }
        if let error = result ?? nil { throw error }
    }

    private func change(to state: GstState) async throws(GStreamerError) {
        let result = await command { pipeline -> GStreamerError? in
            guard gst_element_set_state(pipeline, state) == GST_STATE_CHANGE_FAILURE else { return nil }
            return Pipeline.reason(ofFailed: pipeline)
        }
        guard let result else { throw GStreamerError(function: "gst_element_set_state", reason: "the pipeline is stopped") }
        if let error = result { throw error }
    }

    /// nil where the pipeline is stopped already.
    func command<Result: Sendable>(_ body: @escaping @Sendable (UnsafeMutablePointer<GstElement>) -> Result) async -> Result? {
        await withCheckedContinuation { continuation in
            let accepted = keeper.run { continuation.resume(returning: body($0)) }
            if !accepted { continuation.resume(returning: nil) }
        }
    }

    /// The error that an element posted while the state change failed.
    private static func reason(ofFailed pipeline: UnsafeMutablePointer<GstElement>) -> GStreamerError {
        let bus = gst_element_get_bus(pipeline)
        defer { gst_object_unref(bus) }
        guard let message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR) else {
            return GStreamerError(function: "gst_element_set_state", reason: "an element refused without a reason")
        }
        defer { strata_message_unref(message) }
        let fault = ElementFault(message, gst_message_parse_error)
        return GStreamerError(function: "gst_element_set_state", element: fault.element, reason: fault.reason)
    }
}

// MARK: - Elements

extension Pipeline {
    /// Sets a property of the element of this name. Throws for an unknown name, and for a value that does not fit the property.
    package func set(_ element: StaticString, _ property: StaticString, _ value: PropertyValue) throws(GStreamerError) {
        try withElement(element) { element, name throws(GStreamerError) in
            try ElementProperties(element: element, elementName: name).set("\(property)", to: value)
        }
    }

    /// Reads a property: a number, a text, a flag. nil where it is unset.
    package func get(_ element: StaticString, _ property: StaticString) throws(GStreamerError) -> Structure.Field? {
        try withElement(element) { element, name throws(GStreamerError) in
            try ElementProperties(element: element, elementName: name).get("\(property)")
        }
    }

    /// Reads a property that holds named values, e.g. the `stats` of a network sink. nil while there are none.
    package func getStructure(_ element: StaticString, _ property: StaticString) throws(GStreamerError) -> Structure? {
        try withElement(element) { element, name throws(GStreamerError) in
            try ElementProperties(element: element, elementName: name).getStructure("\(property)")
        }
    }

    /// Whether a pad has a peer: of a demuxer's branch, whether the file has such a track.
    package func isLinked(_ element: StaticString, pad: StaticString) throws(GStreamerError) -> Bool {
        try withElement(element) { element, name throws(GStreamerError) in
            guard let pad = gst_element_get_static_pad(element, "\(pad)") else {
                throw GStreamerError(function: "gst_element_get_static_pad", element: name, reason: "no pad \(pad)")
            }
            defer { gst_object_unref(pad) }
            return gst_pad_is_linked(pad) != 0
        }
    }

    /// Whether it is known what passes a pad.
    package func hasCaps(_ element: StaticString, pad: StaticString) throws(GStreamerError) -> Bool {
        try withElement(element) { element, name throws(GStreamerError) in
            guard let pad = gst_element_get_static_pad(element, "\(pad)") else {
                throw GStreamerError(function: "gst_element_get_static_pad", element: name, reason: "no pad \(pad)")
            }
            defer { gst_object_unref(pad) }
            return gst_pad_has_current_caps(pad) != 0
        }
    }

    /// Asks an encoder for a key frame with its next picture; one that cannot goes on as before.
    package func requestKeyFrame(of encoder: StaticString) throws(GStreamerError) {
        try withElement(encoder) { element, name throws(GStreamerError) in
            guard let pad = gst_element_get_static_pad(element, "src") else {
                throw GStreamerError(function: "gst_element_get_static_pad", element: name, reason: "no pad src")
            }
            defer { gst_object_unref(pad) }
            // To its own source pad, as if whoever is behind it asked: sent to the element it would go past it.
            gst_pad_send_event(pad, strata_key_frame_event())
        }
    }

    /// The element of this name in the text, held while `body` runs.
    func withElement<Result>(
        _ name: StaticString, _ body: (UnsafeMutablePointer<GstElement>, String) throws(GStreamerError) -> Result
    ) throws(GStreamerError) -> Result {
        guard let element = gst_bin_get_by_name(strata_bin(pipeline), "\(name)") else {
            throw GStreamerError(function: "gst_bin_get_by_name", element: "\(name)", reason: "no such element in the pipeline")
        }
        defer { gst_object_unref(element) }
        return try body(element, "\(name)")
    }
}
