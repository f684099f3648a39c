import CGStreamer

extension Pipeline {
    /// Has each buffer that reaches the appsink of this name given to `take`, on the streaming thread, in order. Set before the start.
    ///
    /// `take` must not wait. It is released with the element; no call comes after `stop` has returned true.
    /// An appsink with `buffer-list=true` is given whole lists by the library, and `take` their buffers one by one.
    package func onSample(
        _ sink: StaticString, _ take: @escaping @Sendable (UnsafeRawBufferPointer, Sample) -> Void
    ) throws(GStreamerError) {
        try onSharedSample(sink) { sample in sample.withBytes { take($0, sample) } }
    }

    /// The same without mapping the bytes: for handing buffers on.
    package func onSharedSample(_ sink: StaticString, _ take: @escaping @Sendable (Sample) -> Void) throws(GStreamerError) {
        try withElement(sink) { element, name throws(GStreamerError) in
            guard let sink = strata_app_sink(element) else {
                throw GStreamerError(function: "gst_app_sink_set_callbacks", element: name, reason: "not an appsink")
            }
            var callbacks = GstAppSinkCallbacks()
            callbacks.new_sample = takeSample
            let context = Unmanaged.passRetained(SampleSink(take)).toOpaque()
            Handover.give()
            gst_app_sink_set_callbacks(sink, &callbacks, context, releaseSampleSink)
        }
    }
}

private final class SampleSink: Sendable {
    let take: @Sendable (Sample) -> Void
    init(_ take: @escaping @Sendable (Sample) -> Void) { self.take = take }
}

private func takeSample(_ sink: UnsafeMutablePointer<GstAppSink>?, _ context: gpointer?) -> GstFlowReturn {
    Handover.take()
    guard let context, let sample = gst_app_sink_pull_sample(sink) else { return GST_FLOW_EOS }
    defer { strata_sample_unref(sample) }
    let segment = gst_sample_get_segment(sample)
    let target = Unmanaged<SampleSink>.fromOpaque(context).takeUnretainedValue()
    func give(_ buffer: UnsafeMutablePointer<GstBuffer>) {
        let running = Sample.time(gst_segment_to_running_time(segment, GST_FORMAT_TIME, strata_pts(buffer)))
        target.take(Sample(buffer, runningTime: running))
    }
    if let list = gst_sample_get_buffer_list(sample) {
        for index in 0..<gst_buffer_list_length(list) {
            if let buffer = gst_buffer_list_get(list, index) { give(buffer) }
        }
    } else if let buffer = gst_sample_get_buffer(sample) {
        give(buffer)
    }
    return GST_FLOW_OK
}

private func releaseSampleSink(_ context: gpointer?) {
    if let context { Unmanaged<SampleSink>.fromOpaque(context).release() }
}
