import GStreamer
import Wire

/// Which of a camera's modes a broadcast takes.
enum CameraMode {
    /// The mode whose size and rate fit best: not below what is wanted where that can be, no larger than needed, raw rather than JPEG.
    /// nil where the camera told none that we can read: it then gives what it likes.
    static func choose(_ modes: [VideoMode], for choice: EncoderChoice) -> VideoMode? {
        let readable = modes.filter { $0.format == "MJPG" || isRaw($0.format) }
        return readable.min { rank($0, choice).lexicographicallyPrecedes(rank($1, choice)) }
    }

    /// Four-character codes of uncompressed pictures that GStreamer's v4l2src gives. Source: linux/videodev2.h.
    private static func isRaw(_ format: String) -> Bool {
        ["YUYV", "UYVY", "YVYU", "NV12", "NV21", "YU12", "YV12", "422P", "RGB3", "BGR3", "GREY"].contains(format)
    }

    /// Smaller is better, compared from the left.
    private static func rank(_ mode: VideoMode, _ choice: EncoderChoice) -> [Int] {
        let missingArea = max(0, choice.width * choice.height - mode.width * mode.height)
        let rate = mode.frameSeconds > 0 ? mode.frames * 1000 / mode.frameSeconds : 0
        // 29.97 counts as 30.
        let missingRate = max(0, choice.frameRate * 999 - rate)
        let surplus = max(0, mode.width * mode.height - choice.width * choice.height)
        return [missingRate > choice.frameRate * 500 ? 1 : 0, missingArea, missingRate, surplus, mode.format == "MJPG" ? 1 : 0, rate]
    }

    /// What v4l2src is held to.
    static func caps(_ mode: VideoMode) -> Caps {
        let size: [String: Structure.Field] = ["width": .integer(Int64(mode.width)), "height": .integer(Int64(mode.height))]
        guard mode.frames > 0, mode.frameSeconds > 0 else { return caps(mode.format, size) }
        return caps(mode.format, size.merging(["framerate": .fraction(mode.frames, mode.frameSeconds)]) { $1 })
    }

    private static func caps(_ format: String, _ fields: [String: Structure.Field]) -> Caps {
        format == "MJPG" ? Caps("image/jpeg", fields) : Caps("video/x-raw", fields)
    }
}
