import Foundation
import Posix

/// A camera in place of hardware (`FakeCamera`), for programs that are started with `command` before them: their /dev is a folder of the
/// test's own, in which it is plugged in and unplugged. This machine's own /dev is left alone.
package struct CameraStandIn: Sendable {
    package static let id = "v4l2:usb-0000:00:14.0-2"
    package static let name = "Stand-in camera"

    /// What comes before a program's command.
    package let command: [String]
    private let devices: String

    /// Unplugged, at first.
    package init(on stage: Stage) throws {
        let library = Places.programs.appendingPathComponent("libstrata-camera.so").path
        guard FileManager.default.fileExists(atPath: library) else { throw SupportFailure("\(library) is not built") }
        devices = try stage.folder.makeFolder("dev")
        let script = """
            for name in null zero full random urandom tty; do
                : > "$1/$name" && mount --bind "/dev/$name" "$1/$name" || exit 1
            done
            mount --rbind "$1" /dev || exit 1
            export LD_PRELOAD="$2"
            shift 2
            exec "$@"
            """
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", devices, library]
    }

    /// - Parameter number: of its node, which is another one where somebody still holds the last one open; the port it is in is the same.
    package func plugIn(as number: Int = 0) throws {
        // 81 is the kernel's number for video devices (Documentation/admin-guide/devices.txt).
        guard mknod(path(number), S_IFCHR | 0o660, dev_t(81 << 8 | number)) == 0 else { throw SystemError("mknod", on: path(number)) }
    }

    package func unplug(_ number: Int = 0) throws {
        guard unlink(path(number)) == 0 else { throw SystemError("unlink", on: path(number)) }
    }

    private func path(_ number: Int) -> String { "\(devices)/video\(number)" }
}

/// A stretch of a recording that shows the stand-in's pictures, in seconds: judged by ffmpeg, not by anything of ours.
package struct CameraStretch: CustomStringConvertible {
    package let from: Double
    package let to: Double
    package let pictures: Int
    /// How far its bar goes in a second, in widths of the picture: half of one, where each picture is shown in its time.
    package let speed: Double
    /// Of the steps from one picture to the next, those in which the bar stands still or goes back.
    package let still: Int

    package var seconds: Double { to - from }

    package var description: String {
        String(format: "%.2f to %.2f s: %d pictures, %.3f widths a second, %d times still", from, to, pictures, speed, still)
    }

    /// In order; pictures of something else lie between them.
    package static func all(in path: String) async throws -> [CameraStretch] {
        let times = try await runTool(
            "ffprobe",
            ["-v", "error", "-select_streams", "v", "-show_entries", "frame=best_effort_timestamp_time", "-of", "csv=p=0", path]
        ).text.split(whereSeparator: { $0 == "\n" || $0 == "," }).compactMap { Double($0) }
        // The middle of each picture, one row high.
        let raw = try await runTool(
            "ffmpeg",
            ["-v", "error", "-i", path, "-an", "-fps_mode", "passthrough", "-vf", "crop=iw:ih/2,scale=\(width):1:flags=area"]
                + ["-pix_fmt", "yuv444p", "-f", "rawvideo", "-"])
        let bytes = [UInt8](raw.output)
        let bars = stride(from: 0, to: bytes.count - 3 * width + 1, by: 3 * width).map { bar(Array(bytes[$0..<$0 + 3 * width])) }
        return zip(times, bars).split { $0.1 == nil }.map { part in
            CameraStretch(part.compactMap { time, bar in bar.map { (time: time, bar: $0) } })
        }
    }

    private static let width = 64

    private init(_ pictures: [(time: Double, bar: Double)]) {
        // A bar that leaves on the right comes in on the left.
        let steps = zip(pictures, pictures.dropFirst()).map { ($1.bar - $0.bar + 1.5).truncatingRemainder(dividingBy: 1) - 0.5 }
        (from, to) = (pictures.first?.time ?? 0, pictures.last?.time ?? 0)
        self.pictures = pictures.count
        speed = to > from ? steps.reduce(0, +) / (to - from) : 0
        still = steps.filter { $0 <= 0.001 }.count
    }

    /// Where the white bar's middle is, 0..<1; nil where it is no picture of the camera: all of it is violet but for the bar.
    private static func bar(_ row: [UInt8]) -> Double? {
        let (luma, blue, red) = (row[..<width], row[width..<2 * width], row[(2 * width)...])
        let ground = luma.indices.filter { luma[$0] < 120 }
        guard (40...60).contains(ground.count) else { return nil }
        // Beside the bar its grey runs into the violet.
        let violet = ground.filter { blue[$0 + width] > 150 && red[$0 + 2 * width] > 140 }
        guard violet.count * 5 >= ground.count * 4 else { return nil }
        // The middle of what lies on a circle.
        let angles = luma.indices.map { (Double($0) * 2 * .pi / Double(width), max(0, Double(luma[$0]) - 100)) }
        let (x, y) = angles.reduce((0, 0)) { ($0.0 + cos($1.0) * $1.1, $0.1 + sin($1.0) * $1.1) }
        let turn = atan2(y, x) / (2 * .pi)
        return turn < 0 ? turn + 1 : turn
    }
}
