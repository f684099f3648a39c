import GStreamer
package import Wire

/// The video encoders of this machine.
package enum EncoderCatalog {
    /// Every encoder that a choice can name, best first: hardware before software.
    private static let known: [(id: EncoderID, codec: VideoCodec, hardware: Bool, element: String)] = [
        (.v4l2h264, .h264, true, "v4l2h264enc"), (.vah264, .h264, true, "vah264enc"), (.x264, .h264, false, "x264enc"),
        (.openh264, .h264, false, "openh264enc"), (.v4l2h265, .h265, true, "v4l2h265enc"), (.x265, .h265, false, "x265enc"),
    ]

    /// Those whose element is registered, best first. GStreamer registers hardware elements only where it finds the device;
    /// that one runs is shown by the preflight, which starts it.
    package static func found() -> [VideoEncoder] {
        known.filter { GStreamerRuntime.hasElement($0.element) }
            .map { VideoEncoder(id: $0.id, codec: $0.codec, hardware: $0.hardware) }
    }
}
