import Foundation

/// Short transport streams with picture and sound, each made once for all tests.
package enum Clip {
    /// 12 s at 25 fps with a key frame each second, 640x360, about 1 Mbit/s.
    package static let h264 = Task {
        try await make(["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "25", "-b:v", "900k"])
    }
    package static let h265 = Task {
        try await make(["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:keyint=25:bframes=0"])
    }

    /// Flashes and beeps each second (`FlashAndBeep`), with timestamps that wrap `after` seconds: 25 fps, a key frame each second.
    package static func makeWrapping(_ path: String, after: Int, seconds: Int) async throws {
        let plain = path + ".mp4"
        try await FlashAndBeep.makeClip(plain, seconds: seconds)
        defer { try? FileManager.default.removeItem(atPath: plain) }  // Goes with its folder otherwise.
        // The muxer adds 1.4 s by itself (muxdelay, twice), which -muxdelay 0 takes away.
        let start = Double(Int64(1) << 33) / 90_000 - Double(after)
        let timing = ["-muxdelay", "0", "-muxpreload", "0", "-output_ts_offset", "\(start)"]
        _ = try await runTool("ffmpeg", ["-v", "error", "-i", plain, "-c", "copy"] + timing + ["-f", "mpegts", path])
    }

    private static func make(_ encoder: [String]) async throws -> [UInt8] {
        let folder = try TemporaryFolder()
        let path = folder["clip.ts"]
        let sources = ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]
        let audio = ["-c:a", "aac", "-ac", "2", "-f", "mpegts", path]
        _ = try await runTool("ffmpeg", ["-v", "error"] + sources + ["-t", "12", "-pix_fmt", "yuv420p"] + encoder + audio)
        return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }
}
