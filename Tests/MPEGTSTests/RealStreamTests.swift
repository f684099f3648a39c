import Foundation
import MPEGTS
import Testing
import Units

/// What our demuxer reads, against what ffprobe reads, from what ffmpeg and GStreamer write.
struct RealStreamTests {
    private struct Read: Equatable {
        var times: [Int64] = []
        var keys: [Int64] = []
        var sounds: [Int64] = []
    }

    private static let encoders: [[String]] = [
        ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-bf", "2"],
        ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:keyint=25"],
    ]

    @Test("ffprobe and the demuxer agree about every picture and every sound frame", arguments: encoders)
    func agree(_ encoder: [String]) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mpegts-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("a.ts").path
        _ = try run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=326x182:rate=25", "-f", "lavfi", "-i",
                "sine=frequency=440:sample_rate=44100", "-t", "3",
            ]
                + encoder + ["-pix_fmt", "yuv420p", "-c:a", "aac", "-f", "mpegts", file])
        let collected = Collected.reading([UInt8](try Data(contentsOf: URL(fileURLWithPath: file))), chunks: [1316])
        var ours = Read()
        for unit in collected.videos {
            ours.times.append(unit.presentation.ticks)
            if unit.isKey { ours.keys.append(unit.presentation.ticks) }
        }
        ours.sounds = collected.sounds.map(\.presentation.ticks)
        var theirs = Read()
        let packets = try run("ffprobe", ["-v", "error", "-show_entries", "packet=codec_type,pts,flags", "-of", "csv=p=0", file])
        for line in packets.split(separator: "\n") {
            let fields = line.split(separator: ",")
            guard fields.count >= 3, let time = Int64(fields[1]) else { continue }
            if fields[0] == "audio" {
                theirs.sounds.append(time)
            } else {
                theirs.times.append(time)
                if fields[2].hasPrefix("K") { theirs.keys.append(time) }
            }
        }
        #expect(ours.times == theirs.times)
        #expect(ours.keys == theirs.keys)
        #expect(ours.sounds.count == theirs.sounds.count)
        #expect(zip(ours.sounds, theirs.sounds).allSatisfy { abs($0 - $1) <= 1 })
        #expect(collected.videos[0].format?.size?.width == 326)
        #expect(collected.videos[0].format?.size?.height == 182)
    }

    private func run(_ program: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self)
    }
}
