import GStreamer
import Units
import Wire

/// The values of an encoder's properties: what each calls bit rate, GOP and VBV.
///
/// The defaults of a broadcast: a key frame each 2 s and no other, constant bit rate with a VBV of 150 ms: an encoder with more follows the
/// links too slowly (Agent/Bonding/README.md has the figures).
struct EncoderSettings {
    let encoder: EncoderID
    let choice: EncoderChoice

    private static let groupSeconds = 2
    private static let bufferMs = 150

    var rawPicture: Caps {
        Caps(
            "video/x-raw",
            [
                "format": .text("I420"), "width": .integer(Int64(choice.width)), "height": .integer(Int64(choice.height)),
                "framerate": .fraction(choice.frameRate, 1), "pixel-aspect-ratio": .fraction(1, 1), "interlace-mode": .text("progressive"),
                "colorimetry": .text("bt709"),
            ])
    }

    static let rawSound = Caps(
        "audio/x-raw",
        [
            "format": .text("S16LE"), "rate": .integer(Int64(SoundTimeline.rate)), "channels": .integer(2), "layout": .text("interleaved"),
        ])

    /// Everything that is set once, and the bit rate.
    func apply(to pipeline: Pipeline) throws(GStreamerError) {
        let group = Int64(choice.frameRate * EncoderSettings.groupSeconds)
        switch encoder {
        case .x264:
            try pipeline.set("encoder", "key-int-max", .integer(group))
            try pipeline.set("encoder", "vbv-buf-capacity", .integer(Int64(EncoderSettings.bufferMs)))
        case .x265:
            try pipeline.set("encoder", "key-int-max", .integer(group))
            let kilobits = choice.bitrate.kilobits
            let fixed = "bframes=0:scenecut=0:open-gop=0:repeat-headers=1"
            let buffer = max(1, kilobits * EncoderSettings.bufferMs / 1000)
            try pipeline.set("encoder", "option-string", .text("\(fixed):vbv-maxrate=\(kilobits):vbv-bufsize=\(buffer)"))
        case .openh264: try pipeline.set("encoder", "gop-size", .integer(group))
        case .vah264: try pipeline.set("encoder", "key-int-max", .integer(group))
        case .v4l2h264, .v4l2h265, .automatic: break
        }
        try applyBitrate(choice.bitrate, to: pipeline)
        try pipeline.set("audioencoder", "bitrate", .count(choice.audioBitrate.bitsPerSecond))
    }

    /// On the running encoder; without a new key frame but for `vah264`.
    func applyBitrate(_ bitrate: Bitrate, to pipeline: Pipeline) throws(GStreamerError) {
        switch encoder {
        case .x264, .x265, .vah264: try pipeline.set("encoder", "bitrate", .count(max(1, bitrate.kilobits)))
        case .openh264: try pipeline.set("encoder", "bitrate", .count(bitrate.bitsPerSecond))
        case .v4l2h264, .v4l2h265: try pipeline.set("encoder", "extra-controls", .structure(controls(bitrate)))
        case .automatic: break
        }
    }

    /// Names as the V4L2 plugin makes them of the kernel's: V4L2_CID_MPEG_VIDEO_BITRATE_MODE is `video_bitrate_mode`, 1 is constant.
    private func controls(_ bitrate: Bitrate) -> Structure {
        let group = Int64(choice.frameRate * EncoderSettings.groupSeconds)
        var fields: [String: Structure.Field] = [
            "video_bitrate": .integer(Int64(bitrate.bitsPerSecond)), "video_bitrate_mode": .integer(1),
            "repeat_sequence_header": .integer(1),
            "video_gop_size": .integer(group), "video_b_frames": .integer(0),
        ]
        if encoder == .v4l2h264 { fields["h264_i_frame_period"] = .integer(group) }
        return Structure("controls", fields)
    }
}
