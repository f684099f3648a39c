import Foundation
import Posix
import Support
import Testing
import Wire

@testable import Stills

/// The real decoder, in the process that the receiver starts.
@Suite(.serialized, .timeLimit(.minutes(3))) struct StillTests {
    private struct Ended {
        let status: Int32
        let file: [UInt8]
        var picture: Thumbnail? { Thumbnail(file) }
    }

    private func run(_ bytes: [UInt8], _ coding: String = "h264", in folder: TemporaryFolder) async throws -> Ended {
        let (input, output) = (folder["key"], folder["thumbnail.jpg"])
        try Data(bytes).write(to: URL(fileURLWithPath: input))
        return try await run(input, coding, output)
    }

    private func run(_ input: String, _ coding: String, _ output: String) async throws -> Ended {
        let still = try Places.program("strata-still")
        let line = ["-c", #"exec "$0" "$1" <"$2" >"$3""#, still, coding, input, output]
        let answer = try await runTool("sh", line, mayFail: true)
        return Ended(status: answer.status, file: [UInt8](try Data(contentsOf: URL(fileURLWithPath: output))))
    }

    /// One key frame, red at the left and blue at the right.
    private func key(
        _ size: String, _ encoder: [String], matrix: String = "bt709", points: String = "1", in folder: TemporaryFolder
    ) async throws -> [UInt8] {
        let path = folder["made"]
        let range = encoder.contains("-color_range") ? "pc" : "tv"
        // Drawn as BT.601, which is what it would be taken for where it is not told.
        let source = "color=0xC02020:size=\(size),drawbox=x=iw/2:w=iw/2:h=ih:color=0x2030C0:t=fill"
        let form = "scale=in_color_matrix=bt601:out_color_matrix=\(matrix):out_range=\(range),setsar=\(points)"
        let muxer = encoder.contains("libx265") ? "hevc" : "h264"
        _ = try await runTool(
            "ffmpeg", ["-v", "error", "-y", "-f", "lavfi", "-i", "\(source),\(form)", "-frames:v", "1"] + encoder + ["-f", muxer, path])
        return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// Three bytes for each point.
    private func points(_ file: String) async throws -> [UInt8] {
        let raw = try await runTool("ffmpeg", ["-v", "error", "-i", file, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        return [UInt8](raw.output)
    }

    private struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let size: String
        let encoder: [String]
        var matrix = "bt709"
        var points = "1"
        let shown: [Int]
        var testDescription: String { name }
    }

    private static let x264 = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt"]
    private static let cases = [
        Case(name: "720p", size: "1280x720", encoder: x264 + ["yuv420p"], shown: [320, 180]),
        Case(
            name: "1080p, H.265", size: "1920x1080",
            encoder: ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p"],
            shown: [320, 180]),
        Case(name: "wide points", size: "720x576", encoder: x264 + ["yuv420p"], matrix: "bt601", points: "64/45", shown: [320, 180]),
        Case(name: "upright", size: "720x1280", encoder: x264 + ["yuv420p"], shown: [180, 320]),
        Case(name: "smaller than a thumbnail", size: "160x120", encoder: x264 + ["yuv420p"], matrix: "bt601", shown: [160, 120]),
        Case(name: "10 bits of 4:2:2", size: "1280x720", encoder: x264 + ["yuv422p10le"], shown: [320, 180]),
        Case(name: "0 to 255", size: "640x360", encoder: x264 + ["yuv420p", "-color_range", "pc"], matrix: "bt601", shown: [320, 180]),
        Case(name: "interlaced", size: "1280x720", encoder: x264 + ["yuv420p", "-x264-params", "interlaced=1"], shown: [320, 180]),
    ]

    @Test("a key frame is shown in its shape and its colours", arguments: cases)
    private func shown(_ one: Case) async throws {
        let folder = try TemporaryFolder()
        let bytes = try await key(one.size, one.encoder, matrix: one.matrix, points: one.points, in: folder)
        let ended = try await run(bytes, one.encoder.contains("libx265") ? "h265" : "h264", in: folder)
        let picture = try #require(ended.picture, "ended with \(ended.status), \(ended.file.count) bytes")
        #expect([picture.width, picture.height] == one.shown)
        let points = try await points(folder["thumbnail.jpg"])
        for (share, colour) in [(0.25, [0xC0, 0x20, 0x20]), (0.75, [0x20, 0x30, 0xC0])] {
            let at = (picture.height / 2 * picture.width + Int(Double(picture.width) * share)) * 3
            let found = points[at..<at + 3].map(Int.init)
            #expect(zip(found, colour).allSatisfy { abs($0 - $1) <= 12 }, "\(found) where \(colour) was")
        }
    }

    @Test("the clip's key frame takes tens of milliseconds; torn, damaged, endless, huge and made up, it makes no picture or a small one")
    func hostile() async throws {
        let folder = try TemporaryFolder()
        let copy = ["-frames:v", "1", "-c", "copy", "-bsf:v", "h264_mp4toannexb", "-f", "h264", folder["clip"]]
        _ = try await runTool("ffmpeg", ["-v", "error", "-i", try Places.clip()] + copy)
        let clip = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder["clip"])))
        let before = Instant.now
        let whole = try await run(clip, in: folder)
        print("StillTests: a key frame of \(clip.count) bytes: \((Instant.now - before).milliseconds) ms, with the shell's")
        #expect(whole.status == 0 && whole.picture?.width == 320 && whole.picture?.height == 180)

        for end in [0, 1, 100, clip.count / 2] {
            let torn = try await run(Array(clip.prefix(end)), in: folder)
            #expect(torn.status == 1 && torn.file.isEmpty, "\(end) bytes: \(torn.status)")
        }
        var random = SystemRandomNumberGenerator()
        for step in [3, 97, 2003] {
            var damaged = clip
            for at in stride(from: 40, to: damaged.count, by: step) { damaged[at] = UInt8.random(in: 0...255, using: &random) }
            let ended = try await run(damaged, in: folder)
            // Concealed where it can be, and else refused.
            #expect(ended.status == 1 ? ended.file.isEmpty : ended.status == 0 && ended.picture != nil, "\(step): \(ended.status)")
        }
        #expect(try await run("/dev/zero", "h264", folder["thumbnail.jpg"]).status == 1, "it reads no more than a key frame")
        #expect(try await run([UInt8](repeating: 0, count: 100), "av1", in: folder).status == 64)
        // What the parameters claim is looked at before memory is taken for it; 192 MiB are all there is.
        let small = try await key("64x64", Self.x264 + ["yuv420p", "-profile:v", "baseline"], in: folder)
        for (columns, rows) in [(1024, 1024), (1024, 4), (4, 1024), (256, 144)] {
            let claim = [0, 0, 0, 1] + SequenceParameters.h264(columns: columns, rows: rows)
            let ended = try await run(claim + small.dropFirst(small.firstPPS), in: folder)
            let isNone = ended.status == 1 && ended.file.isEmpty
            #expect(isNone || (ended.status == 0 && ended.picture != nil), "\(columns)x\(rows): \(ended.status)")
        }
    }

    @Test("before it reads a byte it can do nothing but read and write what it has")
    func confined() async throws {
        let folder = try TemporaryFolder()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try Places.program("strata-still"))
        process.arguments = ["h264"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let place = "/proc/\(process.processIdentifier)"
        func lines(_ name: String) throws -> [String] {
            try String(contentsOfFile: "\(place)/\(name)", encoding: .utf8).split(separator: "\n").map {
                $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ").replacingOccurrences(of: "\t", with: " ")
            }
        }
        try await eventually(within: .seconds(5), "it is confined") { try lines("status").contains("Seccomp: 2") }
        let (status, limits) = (try lines("status"), try lines("limits"))
        // Source: proc(5), field 19 of stat.
        #expect(try lines("stat").first?.split(separator: ")").last?.split(separator: " ")[16] == "10", "media goes first")
        #expect(status.contains("NoNewPrivs: 1") && status.contains("Threads: 1"), "\(status)")
        for limit in [
            "Max cpu time 1 1 seconds", "Max file size \(Still.bytes) \(Still.bytes) bytes", "Max core file size 0 0 bytes",
            "Max data size \(192 << 20) \(192 << 20) bytes",
        ] { #expect(limits.contains(limit), "\(limits)") }
        try input.fileHandleForWriting.write(contentsOf: Data(try await key("640x360", Self.x264 + ["yuv420p"], in: folder)))
        try input.fileHandleForWriting.close()
        let file = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0 && Thumbnail([UInt8](file)) != nil)
    }

    @Test("noise is made coarser until it fits")
    func noise() {
        var random = SystemRandomNumberGenerator()
        func plane(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) } }
        let drawing = Drawing(width: 320, height: 240, luma: plane(320 * 240), blue: plane(160 * 120), red: plane(160 * 120))
        let sizes = [4, 10, 31].compactMap { JPEGEncoder.encode(drawing, quantizer: $0)?.count }
        print("StillTests: noise of 320x240 takes \(sizes) bytes")
        #expect(sizes.count == 3 && sizes[0] > Still.bytes && sizes[1] > Still.bytes && sizes[2] <= Still.bytes)
        let still = Drawing(
            width: 320, height: 180, luma: [UInt8](repeating: 90, count: 320 * 180), blue: [UInt8](repeating: 90, count: 160 * 90),
            red: [UInt8](repeating: 90, count: 160 * 90))
        #expect((JPEGEncoder.encode(still, quantizer: 4)?.count ?? .max) < 4096)
    }
}

extension [UInt8] {
    /// Where the picture parameters begin, with their start code.
    fileprivate var firstPPS: Int {
        indices.first { $0 + 4 < count && self[$0] == 0 && self[$0 + 1] == 0 && self[$0 + 2] == 1 && self[$0 + 3] & 0x1F == 8 } ?? 0
    }
}
