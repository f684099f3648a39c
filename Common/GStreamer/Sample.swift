import CGStreamer

/// What a buffer says of itself, beside its bytes. Times are in nanoseconds; nil where the buffer has none.
package struct Sample {
    /// Presentation and decoding time within the stream's own segment.
    package let pts: Int64?
    package let dts: Int64?
    /// The presentation time as running time: nanoseconds since the pipeline's base time.
    package let runningTime: Int64?
    package let duration: Int64?
    /// Can be decoded without what came before.
    package let isKeyFrame: Bool
    package let isDiscontinuity: Bool
    /// Codec configuration only, no picture.
    package let isHeader: Bool
    /// Valid while the callback runs that was given this sample.
    let buffer: UnsafeMutablePointer<GstBuffer>

    init(_ buffer: UnsafeMutablePointer<GstBuffer>, runningTime: Int64?) {
        let flags = strata_flags(buffer)
        pts = Sample.time(strata_pts(buffer))
        dts = Sample.time(strata_dts(buffer))
        duration = Sample.time(strata_duration(buffer))
        self.runningTime = runningTime
        isKeyFrame = flags & GST_BUFFER_FLAG_DELTA_UNIT.rawValue == 0
        isDiscontinuity = flags & GST_BUFFER_FLAG_DISCONT.rawValue != 0
        isHeader = flags & GST_BUFFER_FLAG_HEADER.rawValue != 0
        self.buffer = buffer
    }

    static func time(_ time: GstClockTime) -> Int64? { time == strata_no_time() ? nil : Int64(time) }

    /// The number of bytes, without mapping them.
    package var byteCount: Int { Int(gst_buffer_get_size(buffer)) }

    /// Reads the bytes where they are; an empty buffer where the memory cannot be mapped.
    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        var map = GstMapInfo()
        guard gst_buffer_map(buffer, &map, GST_MAP_READ) != 0 else { return body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        defer { gst_buffer_unmap(buffer, &map) }
        return body(UnsafeRawBufferPointer(start: map.data, count: Int(map.size)))
    }
}
