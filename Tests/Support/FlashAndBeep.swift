import Foundation

/// Measures how far a flash in the middle of the picture and a beep, made at the same time, are apart in a recording.
package struct FlashAndBeep: Sendable, CustomStringConvertible {
    /// Beep minus flash, in milliseconds, for each flash that has a beep within half a second.
    package let offsetsMs: [Double]
    package let flashes: Int
    package let beeps: Int

    package var worstMs: Double { offsetsMs.map(abs).max() ?? .infinity }

    package var description: String { "\(flashes) flashes, \(beeps) beeps, offsets \(offsetsMs.map { Int($0.rounded()) }) ms" }

    /// A clip that flashes white and beeps at 1 kHz for 100 ms each second, from the first second on.
    package static func makeClip(_ path: String, seconds: Int) async throws {
        let on = "gte(t,1)*lt(mod(t,1),0.1)"
        _ = try await runTool(
            "ffmpeg",
            [
                "-v", "error", "-y", "-f", "lavfi", "-i", "color=black:s=640x360:r=50,drawbox=c=white:t=fill:enable='\(on)'", "-f", "lavfi",
                "-i", "aevalsrc='0.5*sin(2*PI*1000*t)*\(on)':s=48000", "-t", "\(seconds)", "-c:v", "libx264", "-preset", "ultrafast", "-g",
                "50", "-bf", "0", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k", path,
            ])
    }

    package init(recording path: String) async throws {
        // -copyts: both streams on the container's own clock.
        let input = ["-v", "error", "-copyts", "-i", path]
        let video = try await runTool(
            "ffmpeg",
            input + ["-an", "-vf", "crop=iw/4:ih/4,signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-", "-f", "null", "-"],
            mayFail: true)
        // Windows of 5 ms.
        let audio = try await runTool(
            "ffmpeg",
            input + [
                "-vn", "-af",
                "aresample=48000,asetnsamples=n=240,astats=metadata=1:reset=1,ametadata=print:key=lavfi.astats.Overall.RMS_level:file=-",
                "-f", "null", "-",
            ], mayFail: true)
        let bright = Self.onsets(Self.levels(video.text), above: 120)
        let loud = Self.onsets(Self.levels(audio.text), above: -30)
        flashes = bright.count
        beeps = loud.count
        offsetsMs = bright.compactMap { flash in
            guard let beep = loud.min(by: { abs($0 - flash) < abs($1 - flash) }), abs(beep - flash) < 0.5 else { return nil }
            return (beep - flash) * 1000
        }
    }

    /// (seconds, level) out of pairs of lines `frame:0 pts:0 pts_time:0` and `lavfi...=16.3`.
    private static func levels(_ text: String) -> [(Double, Double)] {
        var time: Double?
        var levels: [(Double, Double)] = []
        for line in text.split(separator: "\n") {
            if let range = line.range(of: "pts_time:") {
                time = Double(line[range.upperBound...].prefix { $0 != " " })
            } else if let time, let equals = line.firstIndex(of: "=") {
                // "-inf" is digital silence.
                levels.append((time, Double(line[line.index(after: equals)...]) ?? -.infinity))
            }
        }
        return levels
    }

    /// Where the level rises over a threshold; a recording that starts above it has no onset there.
    private static func onsets(_ levels: [(Double, Double)], above threshold: Double) -> [Double] {
        zip(levels, levels.dropFirst()).compactMap { $0.1 <= threshold && $1.1 > threshold ? $1.0 : nil }
    }
}
