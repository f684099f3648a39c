/// A key frame as a small JPEG file: what people see of a stream.
package enum Still {
    package enum Coding: String, Sendable { case h264, h265 }

    /// In points, of the longer side at most.
    package static let side = 320
    /// Of the file.
    package static let bytes = 24 * 1024
    /// Of the key frame: one second of 16 Mbit/s.
    package static let inputBytes = 2 << 20

    /// Blocking: tens of milliseconds, and as many as hostile bytes can cost where nothing ends the process.
    ///
    /// - Parameter bytes: one access unit in Annex B form, with its parameter sets.
    /// - Returns: nil for what is no whole picture, is too large, or does not fit into `bytes` however coarse.
    package static func jpeg(of bytes: [UInt8], _ coding: Coding) -> [UInt8]? {
        JPEGEncoder.beQuiet()
        guard let picture = DecodedPicture.decode(bytes, coding), let drawing = Drawing(picture) else { return nil }
        // The first is usual; only noise needs the last.
        for quantizer in [4, 10, 31] {
            if let file = JPEGEncoder.encode(drawing, quantizer: quantizer), file.count <= Still.bytes { return file }
        }
        return nil
    }
}
