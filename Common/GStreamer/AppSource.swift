import CGStreamer

/// The way of our own bytes into a pipeline. All methods may be called from any thread, one at a time for an order to exist.
package final class AppSource: Sendable {
    /// What a buffer carries beside its bytes; times in nanoseconds of the pipeline's running time, nil where there is none.
    package struct Stamp: Sendable, Hashable {
        package var pts: Int64?
        package var dts: Int64?
        /// A muxer does without, except at the end of a file.
        package var duration: Int64?
        package var isKeyFrame: Bool
        package var isDiscontinuity: Bool

        package init(pts: Int64?, dts: Int64? = nil, duration: Int64? = nil, isKeyFrame: Bool = true, isDiscontinuity: Bool = false) {
            self.pts = pts
            self.dts = dts
            self.duration = duration
            self.isKeyFrame = isKeyFrame
            self.isDiscontinuity = isDiscontinuity
        }
    }

    package enum Outcome: Sendable, Hashable {
        case taken
        /// The pipeline is stopping, flushing or at its end: the bytes are gone.
        case refused
    }

    /// Sendable: appsrc locks itself. Our own reference.
    nonisolated(unsafe) private let source: UnsafeMutablePointer<GstAppSrc>

    /// - Parameter source: a reference is taken.
    init(_ source: UnsafeMutablePointer<GstAppSrc>) {
        gst_object_ref(source)
        self.source = source
    }

    deinit { gst_object_unref(source) }

    /// Bytes pushed and not yet taken on by the pipeline: the caller drops where it is too much, as a push never waits
    /// (`block=false`, the default) and, with `max-bytes=0`, never refuses.
    package var queuedBytes: Int { Int(gst_app_src_get_current_level_bytes(source)) }

    /// The same in buffers.
    package var queuedBuffers: Int { Int(gst_app_src_get_current_level_buffers(source)) }

    /// Says what the bytes are; to be called before the first push, and again for a change in the middle: bytes and changes stay in
    /// the order of the calls.
    ///
    /// - Parameter header: what a sink that serves many is to send to who joins it from here on.
    package func setCaps(_ caps: Caps, header: StreamHeader? = nil) {
        guard let made = caps.make() else { preconditionFailure("a media type of the program's own is well formed") }
        header?.put(into: made)
        gst_app_src_set_caps(source, made)
        strata_caps_unref(made)
    }

    /// Copies the bytes once and queues them.
    @discardableResult
    package func push(_ bytes: UnsafeRawBufferPointer, _ stamp: Stamp) -> Outcome {
        guard let buffer = AppSource.buffer(bytes, stamp) else { return .refused }
        // gst_app_src_push_buffer takes the buffer over, also where it refuses.
        return gst_app_src_push_buffer(source, buffer) == GST_FLOW_OK ? .taken : .refused
    }

    @discardableResult
    package func push(_ bytes: [UInt8], _ stamp: Stamp) -> Outcome {
        bytes.withUnsafeBytes { push($0, stamp) }
    }

    /// Queues several buffers with one lock and one wake-up of the streaming thread.
    @discardableResult
    package func pushList(expected: Int, _ fill: (inout Batch) -> Void) -> Outcome {
        guard let list = gst_buffer_list_new_sized(guint(max(1, expected))) else { return .refused }
        var batch = Batch(list: list)
        fill(&batch)
        guard gst_buffer_list_length(list) > 0 else {
            strata_buffer_list_unref(list)
            return .taken
        }
        return gst_app_src_push_buffer_list(source, list) == GST_FLOW_OK ? .taken : .refused
    }

    /// Hands a buffer of another pipeline on, without copying its bytes, under new times.
    @discardableResult
    package func push(sharing sample: Sample, _ stamp: Stamp) -> Outcome {
        guard let buffer = strata_buffer_share(sample.buffer) else { return .refused }
        AppSource.mark(buffer, stamp)
        return gst_app_src_push_buffer(source, buffer) == GST_FLOW_OK ? .taken : .refused
    }

    /// Nothing more will come; the queued bytes still go.
    package func endOfStream() { gst_app_src_end_of_stream(source) }

    /// The buffers of one `pushList`.
    package struct Batch {
        fileprivate let list: OpaquePointer

        /// Copies the bytes once.
        package mutating func add(_ bytes: UnsafeRawBufferPointer, _ stamp: Stamp) {
            if let buffer = AppSource.buffer(bytes, stamp) { gst_buffer_list_insert(list, -1, buffer) }
        }
    }

    private static func buffer(_ bytes: UnsafeRawBufferPointer, _ stamp: Stamp) -> UnsafeMutablePointer<GstBuffer>? {
        guard let buffer = gst_buffer_new_allocate(nil, gsize(bytes.count), nil) else { return nil }
        gst_buffer_fill(buffer, 0, bytes.baseAddress, gsize(bytes.count))
        mark(buffer, stamp)
        return buffer
    }

    private static func mark(_ buffer: UnsafeMutablePointer<GstBuffer>, _ stamp: Stamp) {
        var set: guint = 0
        var clear: guint = 0
        if stamp.isKeyFrame { clear |= GST_BUFFER_FLAG_DELTA_UNIT.rawValue } else { set |= GST_BUFFER_FLAG_DELTA_UNIT.rawValue }
        if stamp.isDiscontinuity { set |= GST_BUFFER_FLAG_DISCONT.rawValue } else { clear |= GST_BUFFER_FLAG_DISCONT.rawValue }
        func time(_ nanoseconds: Int64?) -> GstClockTime { nanoseconds.map { GstClockTime($0) } ?? strata_no_time() }
        strata_stamp(buffer, time(stamp.pts), time(stamp.dts), set, clear)
        if stamp.duration != nil { strata_stamp_duration(buffer, time(stamp.duration)) }
    }
}

extension Pipeline {
    /// The appsrc of this name. Throws where there is none.
    package func appSource(_ name: StaticString) throws(GStreamerError) -> AppSource {
        try withElement(name) { element, name throws(GStreamerError) in
            guard let source = strata_app_source(element) else {
                throw GStreamerError(function: "gst_app_src_push_buffer", element: name, reason: "not an appsrc")
            }
            return AppSource(source)
        }
    }
}
