import CAvcodec
import Wire

/// One picture as its decoder left it, freed with it. One thread.
///
/// libavcodec as it is: what it makes of hostile bytes is held by the process around it (`OwnProcess.confine`).
struct DecodedPicture: ~Copyable {
    let frame: UnsafeMutablePointer<AVFrame>

    /// Of a picture of 4096 by 2304, as everywhere: a larger one is refused before its memory is taken.
    static let points = 4096 * 2304

    deinit {
        var frame: UnsafeMutablePointer<AVFrame>? = self.frame
        av_frame_free(&frame)
    }

    private init(adopting frame: UnsafeMutablePointer<AVFrame>) { self.frame = frame }

    /// - Parameter bytes: one access unit in Annex B form, with its parameter sets.
    /// - Returns: nil for what is no whole picture, or is too large.
    static func decode(_ bytes: [UInt8], _ coding: Still.Coding) -> DecodedPicture? {
        decode(bytes, coding == .h264 ? AV_CODEC_ID_H264 : AV_CODEC_ID_HEVC, points: points) { context in
            // Nobody sees its edges in a picture of a tenth of the size; it is a fifth of the work.
            context.pointee.skip_loop_filter = AVDISCARD_ALL
            context.pointee.flags |= strata_av_still_flags()
        }
    }

    /// - Returns: nil for what is no whole picture, or not as large as its head says.
    static func decode(_ picture: OwnPicture) -> DecodedPicture? {
        let isPNG = picture.kind == .png
        // Lines and columns are rounded up to a vector's length before they are looked at.
        let points = (picture.width + 64) * (picture.height + 64)
        let decoded = decode(picture.bytes, isPNG ? AV_CODEC_ID_PNG : AV_CODEC_ID_MJPEG, points: points) { context in
            if isPNG { context.pointee.err_recognition |= strata_av_strict_flags() }
        }
        guard let decoded, decoded.width == picture.width, decoded.height == picture.height else { return nil }
        return decoded
    }

    private static func decode(
        _ bytes: [UInt8], _ id: AVCodecID, points: Int, _ settings: (UnsafeMutablePointer<AVCodecContext>) -> Void
    ) -> DecodedPicture? {
        guard let codec = avcodec_find_decoder(id), let context = avcodec_alloc_context3(codec) else { return nil }
        var owned: UnsafeMutablePointer<AVCodecContext>? = context
        defer { avcodec_free_context(&owned) }
        context.pointee.thread_count = 1
        context.pointee.max_pixels = Int64(points)
        settings(context)
        guard avcodec_open2(context, codec, nil) == 0, send(bytes, to: context), let frame = av_frame_alloc() else { return nil }
        let picture = DecodedPicture(adopting: frame)
        guard avcodec_receive_frame(context, frame) == 0, frame.pointee.decode_error_flags == 0 else { return nil }
        return picture
    }

    /// The bytes, and that there are no more.
    private static func send(_ bytes: [UInt8], to context: UnsafeMutablePointer<AVCodecContext>) -> Bool {
        var packet = av_packet_alloc()
        defer { av_packet_free(&packet) }
        guard let packet, av_new_packet(packet, CInt(bytes.count)) == 0, let data = packet.pointee.data else { return false }
        data.update(from: bytes, count: bytes.count)
        return avcodec_send_packet(context, packet) == 0 && avcodec_send_packet(context, nil) == 0
    }

    var width: Int { Int(frame.pointee.width) }
    var height: Int { Int(frame.pointee.height) }

    /// How wide a point is to its height; 1 where the stream does not tell, or tells nonsense.
    var pointShape: Double {
        let told = frame.pointee.sample_aspect_ratio
        guard told.num > 0, told.den > 0 else { return 1 }
        let shape = Double(told.num) / Double(told.den)
        return (0.25...4).contains(shape) ? shape : 1
    }

    /// Black is 0 and white 255, instead of 16 and 235.
    var isFullRange: Bool {
        let full = [AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUVJ444P].map(\.rawValue)
        return frame.pointee.color_range == AVCOL_RANGE_JPEG || full.contains(frame.pointee.format)
    }

    /// Colours as of BT.709, which is usual above standard definition where nothing is told.
    var isHighDefinition: Bool {
        let told = frame.pointee.colorspace
        return told == AVCOL_SPC_BT709 || (told == AVCOL_SPC_UNSPECIFIED && height > 576)
    }

    /// Luma, and the two colour differences where it has them; nil for a format that is none of those.
    borrowing func shrunk(to size: (width: Int, height: Int)) -> [[UInt8]]? {
        guard let format = av_pix_fmt_desc_get(AVPixelFormat(frame.pointee.format)), strata_av_is_planar(format) != 0 else { return nil }
        let (shiftX, shiftY) = (Int(format.pointee.log2_chroma_w), Int(format.pointee.log2_chroma_h))
        let parts = [format.pointee.comp.0, format.pointee.comp.1, format.pointee.comp.2].prefix(Int(format.pointee.nb_components))
        let lines = [frame.pointee.linesize.0, frame.pointee.linesize.1, frame.pointee.linesize.2]
        let bases = [frame.pointee.data.0, frame.pointee.data.1, frame.pointee.data.2]
        var planes: [[UInt8]] = []
        for (index, part) in parts.enumerated() {
            let at = Int(part.plane)
            guard bases.indices.contains(at), let base = bases[at], (8...16).contains(part.depth) else { return nil }
            let isLuma = index == 0
            let plane = Plane(
                base: UnsafeRawPointer(base + Int(part.offset)), stride: Int(lines[at]), step: Int(part.step),
                shift: Int(part.shift) + Int(part.depth) - 8, isWide: part.depth > 8,
                width: isLuma ? width : (width + (1 << shiftX) - 1) >> shiftX,
                height: isLuma ? height : (height + (1 << shiftY) - 1) >> shiftY)
            planes.append(plane.shrunk(to: isLuma ? size : (size.width / 2, size.height / 2)))
        }
        return planes
    }
}

/// One component of a picture, in the decoder's memory.
private struct Plane {
    let base: UnsafeRawPointer
    let stride: Int
    let step: Int
    /// From a sample's place in its number to eight bits.
    let shift: Int
    /// Two bytes for each sample.
    let isWide: Bool
    let width: Int
    let height: Int

    /// The mean of at most four by four samples for each point: as good as all of them at this size.
    func shrunk(to size: (width: Int, height: Int)) -> [UInt8] {
        let columns = (0..<size.width).map { Plane.places($0, size.width, width) }
        var result: [UInt8] = []
        result.reserveCapacity(size.width * size.height)
        for row in 0..<size.height {
            let rows = Plane.places(row, size.height, height)
            for column in columns {
                var sum = 0
                for y in rows { for x in column { sum += sample(x, y) } }
                result.append(UInt8(truncatingIfNeeded: sum / (rows.count * column.count)))
            }
        }
        return result
    }

    private static func places(_ index: Int, _ count: Int, _ length: Int) -> [Int] {
        let begin = index * length / count
        let span = max(1, (index + 1) * length / count - begin)
        let samples = min(4, span)
        return (0..<samples).map { min(length - 1, begin + $0 * span / samples) }
    }

    private func sample(_ x: Int, _ y: Int) -> Int {
        let place = base + y * stride + x * step
        return isWide ? Int(place.loadUnaligned(as: UInt16.self)) >> shift & 0xFF : Int(place.load(as: UInt8.self))
    }
}
