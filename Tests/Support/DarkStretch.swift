import Foundation

/// What a recording shows of a sender that was away: judged by ffprobe and ffmpeg, not by anything of ours.
package struct DarkStretch: CustomStringConvertible {
    /// In seconds of the recording: when the slate is shown, first picture and end of the last.
    package let from: Double
    package let to: Double
    package let slatePictures: Int
    /// How often it changes between slate and picture.
    package let changes: Int
    /// Between packets, by their decode times.
    package let widestVideoMs: Double
    package let widestAudioMs: Double
    /// Every decode time lies behind the one before, of pictures and of sound.
    package let isMonotonic: Bool
    /// What ffmpeg said while it decoded all of it.
    package let complaints: String

    package var seconds: Double { to - from }

    package var description: String {
        "slate from \(Self.text(from)) to \(Self.text(to)) s (\(slatePictures) pictures, \(changes) changes), \(isMonotonic ? "" : "not ")monotonic, "
            + "widest gap \(Self.text(widestVideoMs)) ms of video, \(Self.text(widestAudioMs)) ms of audio, "
            + (complaints.isEmpty ? "decodes without a complaint" : "complaints: \(complaints.prefix(500))")
    }

    private static func text(_ value: Double) -> String { String(format: "%.2f", value) }

    package init(_ path: String) async throws {
        let video = try await Self.times(path, "v")
        let audio = try await Self.times(path, "a")
        func steps(_ times: [Double]) -> [Double] { zip(times, times.dropFirst()).map { ($1 - $0) * 1000 } }
        isMonotonic = steps(video).allSatisfy { $0 > 0 } && steps(audio).allSatisfy { $0 > 0 }
        widestVideoMs = steps(video).max() ?? .infinity
        widestAudioMs = steps(audio).max() ?? .infinity
        complaints = try await decodingErrors(path)
        let pictures = try await Self.pictures(path)
        let dark = pictures.filter(\.isSlate)
        slatePictures = dark.count
        changes = zip(pictures, pictures.dropFirst()).filter { $0.isSlate != $1.isSlate }.count
        from = dark.first?.time ?? .nan
        to = pictures.first { $0.time > dark.last?.time ?? .infinity }?.time ?? dark.last?.time ?? .nan
    }

    /// The decode times of a stream's packets, in seconds.
    private static func times(_ path: String, _ stream: String) async throws -> [Double] {
        let answer = try await runTool(
            "ffprobe", ["-v", "error", "-select_streams", stream, "-show_entries", "packet=dts_time", "-of", "csv=p=0", path])
        return answer.text.split(whereSeparator: { $0 == "\n" || $0 == "," }).compactMap { Double($0) }
    }

    private struct Picture {
        let time: Double
        let isSlate: Bool
    }

    /// Each decoded picture, small and by its time: the slate is a dark field with a red stroke through its middle.
    private static func pictures(_ path: String) async throws -> [Picture] {
        let (width, height) = (32, 18)
        let probe = try await runTool(
            "ffprobe",
            ["-v", "error", "-select_streams", "v", "-show_entries", "frame=best_effort_timestamp_time", "-of", "csv=p=0", path])
        let times = probe.text.split(whereSeparator: { $0 == "\n" || $0 == "," }).compactMap { Double($0) }
        let raw = try await runTool(
            "ffmpeg",
            ["-v", "error", "-i", path, "-an", "-fps_mode", "passthrough", "-vf", "scale=\(width):\(height):flags=area"]
                + ["-pix_fmt", "yuv444p", "-f", "rawvideo", "-"])
        let bytes = [UInt8](raw.output)
        let size = width * height * 3
        return zip(times, stride(from: 0, to: bytes.count - size + 1, by: size)).map { time, start in
            let luma = bytes[start..<start + width * height]
            let red = bytes[start + 2 * width * height..<start + size]
            let corners = [0, width - 1, width * (height - 1), width * height - 1].map { luma[start + $0] }
            let middle = red[red.startIndex + width * (height / 2) + width / 2]
            return Picture(time: time, isSlate: corners.allSatisfy { (20...42).contains($0) } && middle > 150)
        }
    }
}
