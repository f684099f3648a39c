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

    private static func make(_ encoder: [String]) async throws -> [UInt8] {
        let folder = try TemporaryFolder()
        let path = folder["clip.ts"]
        let sources = ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]
        let audio = ["-c:a", "aac", "-ac", "2", "-f", "mpegts", path]
        _ = try await runTool("ffmpeg", ["-v", "error"] + sources + ["-t", "12", "-pix_fmt", "yuv420p"] + encoder + audio)
        return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }
}
