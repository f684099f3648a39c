import CAvcodec

/// JPEG by libavcodec's own encoder: no second library for 60,000 points.
enum JPEGEncoder {
    /// The library says nothing on standard error: whoever reads that knows it from the answer.
    static func beQuiet() { strata_av_be_quiet() }

    /// - Parameter quantizer: 2, the finest, to 31.
    /// - Returns: a whole file; nil without memory.
    static func encode(_ drawing: Drawing, quantizer: Int) -> [UInt8]? {
        guard let codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG), let context = avcodec_alloc_context3(codec) else { return nil }
        var owned: UnsafeMutablePointer<AVCodecContext>? = context
        defer { avcodec_free_context(&owned) }
        (context.pointee.width, context.pointee.height) = (CInt(drawing.width), CInt(drawing.height))
        context.pointee.pix_fmt = AV_PIX_FMT_YUVJ420P
        context.pointee.color_range = AVCOL_RANGE_JPEG
        context.pointee.time_base = AVRational(num: 1, den: 1)
        context.pointee.thread_count = 1
        context.pointee.flags |= strata_av_jpeg_flags()
        context.pointee.global_quality = strata_av_quality(CInt(quantizer))
        guard avcodec_open2(context, codec, nil) == 0 else { return nil }
        return send(drawing, to: context) ? file(of: context) : nil
    }

    private static func send(_ drawing: Drawing, to context: UnsafeMutablePointer<AVCodecContext>) -> Bool {
        var frame = av_frame_alloc()
        defer { av_frame_free(&frame) }
        guard let frame else { return false }
        (frame.pointee.width, frame.pointee.height) = (context.pointee.width, context.pointee.height)
        frame.pointee.format = AV_PIX_FMT_YUVJ420P.rawValue
        frame.pointee.color_range = AVCOL_RANGE_JPEG
        guard av_frame_get_buffer(frame, 0) == 0 else { return false }
        frame.pointee.quality = context.pointee.global_quality
        frame.pointee.pts = 0
        let (data, lines) = (frame.pointee.data, frame.pointee.linesize)
        guard let luma = data.0, let blue = data.1, let red = data.2 else { return false }
        copy(drawing.luma, drawing.width, to: luma, Int(lines.0))
        copy(drawing.blue, drawing.width / 2, to: blue, Int(lines.1))
        copy(drawing.red, drawing.width / 2, to: red, Int(lines.2))
        return avcodec_send_frame(context, frame) == 0 && avcodec_send_frame(context, nil) == 0
    }

    private static func copy(_ plane: [UInt8], _ width: Int, to target: UnsafeMutablePointer<UInt8>, _ stride: Int) {
        plane.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return }
            for row in 0..<bytes.count / width { (target + row * stride).update(from: base + row * width, count: width) }
        }
    }

    private static func file(of context: UnsafeMutablePointer<AVCodecContext>) -> [UInt8]? {
        var packet = av_packet_alloc()
        defer { av_packet_free(&packet) }
        guard let packet, avcodec_receive_packet(context, packet) == 0, let data = packet.pointee.data else { return nil }
        return Array(UnsafeBufferPointer(start: data, count: Int(packet.pointee.size)))
    }
}
