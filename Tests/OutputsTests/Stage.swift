import Foundation
import Logging
import MPEGTS
import Outputs
import Posix
import Testing
import Units
import Wire

/// A short transport stream with picture and sound, made once for all tests.
enum Clip {
    /// 12 s at 25 fps with a key frame each second, 640x360, about 1 Mbit/s.
    static let h264: [UInt8] = make(["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "25", "-b:v", "900k"])
    static let h265: [UInt8] = make(["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:keyint=25:bframes=0"])

    private static func make(_ encoder: [String]) -> [UInt8] {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("clip-\(UUID().uuidString).ts").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let arguments =
            [
                "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-f", "lavfi", "-i",
                "sine=frequency=440:sample_rate=48000",
            ]
            + ["-t", "12", "-pix_fmt", "yuv420p"] + encoder + ["-c:a", "aac", "-ac", "2", "-f", "mpegts", path]
        _ = try? Running.output(of: "ffmpeg", arguments)
        return FileManager.default.contents(atPath: path).map { [UInt8]($0) } ?? []
    }
}

/// One output with media at eight times its speed, again and again, each time as a sender that began anew.
final class Stage: Sendable {
    let output: Output
    private let loop: Loop
    private let player: Task<Void, Never>

    init(_ target: OutputSpec.Target, folder: RecordingFolder? = nil, clip: [UInt8] = Clip.h264) async throws {
        let loop = try Loop(name: "stage")
        var random = SystemRandomNumberGenerator()
        let spec = OutputSpec(id: OutputID(ULID(unixMs: 1, random: &random)), target: target)
        let output = Output(spec, folder: folder, loop: loop, log: Log("test", threshold: .error))
        self.loop = loop
        self.output = output
        await output.start()
        player = loop.spawn { await Stage.play(clip, to: output, on: loop) }
    }

    private static func play(_ clip: [UInt8], to output: Output, on loop: Loop) async {
        var reader = StreamReader()
        reader.makesGroups = output.takesGroups
        var position = 0
        let began = Instant.now
        // 20 ms of wall time are 160 ms of media; a clip that ends begins anew.
        let step = clip.count / 75 / 188 * 188
        while !Task.isCancelled, step > 0 {
            let end = min(clip.count, position + step)
            var events: [StreamReader.Event] = []
            reader.feed(Array(clip[position..<end]), arrival: Instant.now - began) { events.append($0) }
            output.offer(events)
            position = end == clip.count ? 0 : end
            // Cancellation ends the play.
            try? await loop.sleep(for: .milliseconds(20))
        }
    }

    /// The first report that fits, within `limit`.
    func report(within limit: Duration = .seconds(8), where fits: (OutputReport) -> Bool) async throws -> OutputReport {
        let deadline = Instant.now + limit
        while Instant.now < deadline {
            let report = output.report
            if fits(report) { return report }
            try await loop.sleep(for: .milliseconds(20))
        }
        Issue.record("no such report within \(limit); the last one: \(output.report)")
        return output.report
    }

    func end() async {
        await output.stop()
        player.cancel()
        await player.value
        loop.stop()
    }
}

/// What ffprobe finds in a file.
struct Probe {
    var video = 0
    var audio = 0
    var firstIsKey = false
    var times: [Double] = []
    var errors = ""

    init(_ path: String) throws {
        let packets = try Running.output(
            of: "ffprobe", ["-v", "error", "-show_entries", "packet=codec_type,dts_time,flags", "-of", "csv=p=0", path])
        for line in packets.split(separator: "\n") {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            guard fields.count >= 3, let time = Double(fields[1]) else { continue }
            if fields[0] == "video" {
                if video == 0 { firstIsKey = fields[2].hasPrefix("K") }
                video += 1
                times.append(time)
            } else {
                audio += 1
            }
        }
    }

    var isMonotonic: Bool { zip(times, times.dropFirst()).allSatisfy { $0 < $1 } }
}
