import CAvcodec
package import MPEGTS
import Units
package import Wire

/// Encodes a slate once. Opened first, which may start threads, and given its picture when the process can do nothing else any more.
package struct SlateEncoder: ~Copyable {
    private let context: UnsafeMutablePointer<AVCodecContext>
    private let format: SlateFormat

    /// The process ends with its number.
    package enum Fault: CInt, Error {
        /// No decoder takes the picture, or it is not what its head says.
        case picture = 1
        /// There is no encoder for the format.
        case encoder = 2
    }

    deinit {
        var context: UnsafeMutablePointer<AVCodecContext>? = self.context
        avcodec_free_context(&context)
    }

    private init(adopting context: UnsafeMutablePointer<AVCodecContext>, _ format: SlateFormat) {
        self.context = context
        self.format = format
    }

    package static func open(_ format: SlateFormat) throws(Fault) -> SlateEncoder {
        strata_av_be_quiet()
        let codec = avcodec_find_encoder_by_name(format.coding == .h264 ? "libx264" : "libx265")
        guard let codec, let context = avcodec_alloc_context3(codec) else { throw .encoder }
        let encoder = SlateEncoder(adopting: context, format)
        (context.pointee.width, context.pointee.height) = (CInt(format.size.width), CInt(format.size.height))
        context.pointee.pix_fmt = AV_PIX_FMT_YUV420P
        context.pointee.sample_aspect_ratio = AVRational(num: 1, den: 1)
        context.pointee.color_range = AVCOL_RANGE_MPEG
        context.pointee.colorspace = AVCOL_SPC_BT709
        context.pointee.color_primaries = AVCOL_PRI_BT709
        context.pointee.color_trc = AVCOL_TRC_BT709
        context.pointee.time_base = AVRational(num: CInt(format.frame), den: CInt(MediaTime.ticksPerSecond))
        context.pointee.framerate = AVRational(num: CInt(MediaTime.ticksPerSecond), den: CInt(format.frame))
        context.pointee.gop_size = CInt(format.pictures)
        context.pointee.max_b_frames = 0
        context.pointee.thread_count = 1
        if (10...62).contains(format.level) { context.pointee.level = CInt(format.level) }
        var options: OpaquePointer?
        defer { av_dict_free(&options) }
        for (name, value) in SlateEncoder.options(format) { av_dict_set(&options, name, value, 0) }
        // What the encoder does not know stays behind.
        guard avcodec_open2(context, codec, &options) == 0, av_dict_count(options) == 0 else { throw .encoder }
        return encoder
    }

    /// A constant quantizer: a still picture costs nothing after its key frame, where a rate to be reached would be spent.
    private static func options(_ format: SlateFormat) -> KeyValuePairs<String, String> {
        switch format.coding {
        case .h264: ["preset": "veryfast", "tune": "zerolatency", "qp": "24", "aud": "1", "profile": profile(format.profile)]
        case .h265:
            [
                "preset": "ultrafast", "tune": "zerolatency",
                "x265-params": "qp=26:bframes=0:pools=none:frame-threads=1:repeat-headers=1:aud=1:log-level=none:scenecut=0:open-gop=0",
            ]
        }
    }

    /// What is beyond eight bits of 4:2:0 gets the profile below: its decoders read that as well.
    private static func profile(_ code: UInt8) -> String {
        switch code {
        case 66: "baseline"
        case 77, 88: "main"
        default: "high"
        }
    }

    /// Blocking, for up to seconds. Once.
    ///
    /// - Parameter picture: nil: one of ours.
    /// - Returns: a group of pictures in Annex B form, each behind a delimiter.
    package borrowing func encode(_ picture: OwnPicture?) throws(Fault) -> [UInt8] {
        let canvas = try canvas(picture)
        var coded: [UInt8] = []
        for number in 0..<format.pictures {
            guard canvas.send(to: context, as: Int64(number)) else { throw .encoder }
            take(&coded)
        }
        guard avcodec_send_frame(context, nil) == 0 else { throw .encoder }
        take(&coded)
        return coded
    }

    private borrowing func canvas(_ picture: OwnPicture?) throws(Fault) -> Canvas {
        if let picture {
            guard let decoded = DecodedPicture.decode(picture), let canvas = Canvas.fitting(decoded, format.size) else { throw .picture }
            return canvas
        }
        guard let drawn = Canvas.drawn(SlatePicture(for: format.size)), let canvas = Canvas.fitting(drawn, format.size) else {
            throw .encoder
        }
        return canvas
    }

    private borrowing func take(_ coded: inout [UInt8]) {
        var packet = av_packet_alloc()
        defer { av_packet_free(&packet) }
        while let packet, avcodec_receive_packet(context, packet) == 0 {
            coded += UnsafeBufferPointer(start: packet.pointee.data, count: Int(packet.pointee.size))
        }
    }
}
