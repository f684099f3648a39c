import CAvcodec
import MPEGTS

/// A picture as encoders take it: I420, BT.709, 16 to 235, in memory of libavutil's, freed with it. One thread.
struct Canvas: ~Copyable {
    private let frame: UnsafeMutablePointer<AVFrame>

    deinit {
        var frame: UnsafeMutablePointer<AVFrame>? = self.frame
        av_frame_free(&frame)
    }

    private init(adopting frame: UnsafeMutablePointer<AVFrame>) { self.frame = frame }

    /// - Returns: black; nil without memory.
    static func black(_ width: Int, _ height: Int) -> Canvas? {
        guard let frame = av_frame_alloc() else { return nil }
        let canvas = Canvas(adopting: frame)
        (frame.pointee.width, frame.pointee.height) = (CInt(width), CInt(height))
        frame.pointee.format = AV_PIX_FMT_YUV420P.rawValue
        guard av_frame_get_buffer(frame, 0) == 0 else { return nil }
        for (index, plane) in canvas.planes.enumerated() {
            plane.base.update(repeating: index == 0 ? 16 : 128, count: plane.stride * plane.height)
        }
        return canvas
    }

    static func drawn(_ picture: SlatePicture) -> Canvas? {
        guard let canvas = black(picture.width, picture.height) else { return nil }
        picture.bytes.withUnsafeBufferPointer { bytes in
            guard var next = bytes.baseAddress else { return }
            for plane in canvas.planes {
                for row in 0..<plane.height {
                    (plane.base + row * plane.stride).update(from: next, count: plane.width)
                    next += plane.width
                }
            }
        }
        return canvas
    }

    /// The whole of a file's picture as large as it can be, in the middle of a black one.
    ///
    /// - Returns: nil for a picture of a kind that cannot be converted.
    static func fitting(_ picture: borrowing DecodedPicture, _ size: PictureSize) -> Canvas? { fitting(picture.frame, isFile: true, size) }

    /// The same of a drawing.
    static func fitting(_ drawn: borrowing Canvas, _ size: PictureSize) -> Canvas? { fitting(drawn.frame, isFile: false, size) }

    /// - Returns: whether the encoder has taken it as its picture of this number.
    borrowing func send(to encoder: UnsafeMutablePointer<AVCodecContext>, as number: Int64) -> Bool {
        frame.pointee.pts = number
        return avcodec_send_frame(encoder, frame) == 0
    }

    private static func fitting(_ picture: UnsafeMutablePointer<AVFrame>, isFile: Bool, _ size: PictureSize) -> Canvas? {
        let (width, height) = (Int(picture.pointee.width), Int(picture.pointee.height))
        let scale = min(Double(size.width) / Double(width), Double(size.height) / Double(height))
        func even(_ length: Int, _ most: Int) -> Int { min(most / 2 * 2, max(2, Int((Double(length) * scale / 2).rounded()) * 2)) }
        guard let scaled = black(even(width, size.width), even(height, size.height)) else { return nil }
        guard convert(picture, isFile: isFile, to: scaled.frame), let canvas = black(size.width, size.height) else { return nil }
        // Of luma; the colours lie at half of it.
        let left = (size.width - Int(scaled.frame.pointee.width)) / 4 * 2
        let top = (size.height - Int(scaled.frame.pointee.height)) / 4 * 2
        for (index, (from, to)) in zip(scaled.planes, canvas.planes).enumerated() {
            let (x, y) = index == 0 ? (left, top) : (left / 2, top / 2)
            for row in 0..<from.height {
                (to.base + (y + row) * to.stride + x).update(from: from.base + row * from.stride, count: from.width)
            }
        }
        return canvas
    }

    private static func convert(
        _ picture: UnsafeMutablePointer<AVFrame>, isFile: Bool, to target: UnsafeMutablePointer<AVFrame>
    ) -> Bool {
        let context = sws_getContext(
            picture.pointee.width, picture.pointee.height, AVPixelFormat(picture.pointee.format),
            target.pointee.width, target.pointee.height, AV_PIX_FMT_YUV420P, SWS_BILINEAR, nil, nil, nil)
        guard let context else { return false }
        defer { sws_freeContext(context) }
        // JPEG has BT.601 and 0 to 255; for what has no luma of its own neither counts.
        let theirs = sws_getCoefficients(isFile ? SWS_CS_ITU601 : SWS_CS_ITU709)
        let isSet = sws_setColorspaceDetails(context, theirs, isFile ? 1 : 0, sws_getCoefficients(SWS_CS_ITU709), 0, 0, 1 << 16, 1 << 16)
        return isSet >= 0 && sws_scale_frame(context, target, picture) >= 0
    }

    private struct Plane {
        let base: UnsafeMutablePointer<UInt8>
        let stride: Int
        let width: Int
        let height: Int
    }

    private var planes: [Plane] {
        let (data, lines) = (frame.pointee.data, frame.pointee.linesize)
        let (width, height) = (Int(frame.pointee.width), Int(frame.pointee.height))
        return [(data.0, lines.0, 1), (data.1, lines.1, 2), (data.2, lines.2, 2)].compactMap { base, line, share in
            base.map { Plane(base: $0, stride: Int(line), width: width / share, height: height / share) }
        }
    }
}
