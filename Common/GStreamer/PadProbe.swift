import CGStreamer

extension Pipeline {
    /// Shows each buffer that passes a pad to `look`, on the streaming thread. Set before the start, for the pipeline's life.
    package func onBuffer(_ element: StaticString, pad: StaticString, _ look: @escaping @Sendable (Sample) -> Void) throws(GStreamerError) {
        try probe(element, pad, GST_PAD_PROBE_TYPE_BUFFER.rawValue | GST_PAD_PROBE_TYPE_BUFFER_LIST.rawValue) { source, info in
            func show(_ buffer: UnsafeMutablePointer<GstBuffer>) {
                look(Sample(buffer, runningTime: Sample.time(strata_running_time(source, strata_pts(buffer)))))
            }
            if let buffer = strata_probe_buffer(info) { show(buffer) }
            if let list = strata_probe_list(info) {
                for index in 0..<gst_buffer_list_length(list) {
                    if let buffer = gst_buffer_list_get(list, index) { show(buffer) }
                }
            }
        }
    }

    /// Lets `edit` change the bytes of each buffer that passes a pad, in place where nobody else holds them.
    package func editBuffers(
        _ element: StaticString, pad: StaticString, _ edit: @escaping @Sendable (UnsafeMutableRawBufferPointer, Sample) -> Void
    ) throws(GStreamerError) {
        try probe(element, pad, GST_PAD_PROBE_TYPE_BUFFER.rawValue) { source, info in
            guard let buffer = strata_probe_writable_buffer(info) else { return }
            let sample = Sample(buffer, runningTime: Sample.time(strata_running_time(source, strata_pts(buffer))))
            var map = GstMapInfo()
            guard gst_buffer_map(buffer, &map, GstMapFlags(GST_MAP_READ.rawValue | GST_MAP_WRITE.rawValue)) != 0 else { return }
            edit(UnsafeMutableRawBufferPointer(start: map.data, count: Int(map.size)), sample)
            gst_buffer_unmap(buffer, &map)
        }
    }

    /// Tells of each key frame that somebody behind a pad asks for, on whichever thread asks. Set before the start.
    package func onKeyFrameWanted(
        _ element: StaticString, pad: StaticString, _ tell: @escaping @Sendable () -> Void
    ) throws(GStreamerError) {
        try probe(element, pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM.rawValue) { _, info in
            if strata_probe_wants_key_frame(info) != 0 { tell() }
        }
    }

    fileprivate typealias Look = (UnsafeMutablePointer<GstPad>, UnsafeMutablePointer<GstPadProbeInfo>) -> Void

    private func probe(_ element: StaticString, _ pad: StaticString, _ mask: UInt32, _ look: @escaping Look) throws(GStreamerError) {
        try withElement(element) { element, name throws(GStreamerError) in
            guard let pad = gst_element_get_static_pad(element, "\(pad)") else {
                throw GStreamerError(function: "gst_element_get_static_pad", element: name, reason: "no pad \(pad)")
            }
            defer { gst_object_unref(pad) }
            let context = Unmanaged.passRetained(Probe(look)).toOpaque()
            Handover.give()
            gst_pad_add_probe(pad, GstPadProbeType(rawValue: mask), runProbe, context, releaseProbe)
        }
    }

    fileprivate final class Probe {
        let look: Look
        init(_ look: @escaping Look) { self.look = look }
    }
}

private func runProbe(
    _ pad: UnsafeMutablePointer<GstPad>?, _ info: UnsafeMutablePointer<GstPadProbeInfo>?, _ context: gpointer?
) -> GstPadProbeReturn {
    Handover.take()
    guard let pad, let info, let context else { return GST_PAD_PROBE_OK }
    Unmanaged<Pipeline.Probe>.fromOpaque(context).takeUnretainedValue().look(pad, info)
    return GST_PAD_PROBE_OK
}

private func releaseProbe(_ context: gpointer?) {
    if let context { Unmanaged<Pipeline.Probe>.fromOpaque(context).release() }
}
