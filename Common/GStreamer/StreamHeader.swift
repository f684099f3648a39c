import CGStreamer

/// What a sink that serves many sends first to each that joins: caps carry it as `streamheader`.
///
/// Not to be used by two threads at once.
package final class StreamHeader {
    /// Bytes in it.
    package private(set) var byteCount = 0

    /// A GstValueArray of buffers, each at most `datagram` long: srtsink sends each as one packet.
    private var array = GValue()
    private let datagram: Int

    /// - Parameter datagram: bytes that a packet has room for.
    package init(datagram: Int) {
        precondition(datagram > 0, "a packet has room for a byte")
        self.datagram = datagram
        g_value_init(&array, strata_type_array())
    }

    deinit { g_value_unset(&array) }

    package func removeAll() {
        g_value_reset(&array)
        byteCount = 0
    }

    /// Copies the bytes once.
    package func append(_ bytes: [UInt8]) {
        for start in stride(from: 0, to: bytes.count, by: datagram) {
            let end = min(bytes.count, start + datagram)
            bytes[start..<end].withUnsafeBytes { add($0) }
        }
        byteCount += bytes.count
    }

    private func add(_ bytes: UnsafeRawBufferPointer) {
        guard let buffer = gst_buffer_new_allocate(nil, gsize(bytes.count), nil) else { return }
        gst_buffer_fill(buffer, 0, bytes.baseAddress, gsize(bytes.count))
        var value = GValue()
        g_value_init(&value, strata_type_buffer())
        g_value_take_boxed(&value, buffer)
        // Takes the value over.
        gst_value_array_append_and_take_value(&array, &value)
    }

    func put(into caps: UnsafeMutablePointer<GstCaps>) { gst_caps_set_value(caps, "streamheader", &array) }
}
