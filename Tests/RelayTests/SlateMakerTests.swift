import Foundation
import Posix
import Stills
import Support
import Testing
import Wire

@testable import MPEGTS
@testable import Relay

/// The real encoder, in the process that the receiver starts.
@Suite(.serialized, .unlessStolen, .timeLimit(.minutes(2))) struct SlateMakerTests {
    private static func maker() throws -> SlateMaker { SlateMaker(program: try Places.program("strata-slate")) }

    @Test(
        "a slate has the stream's coding, profile, level, size and rate, begins with a key frame, and decodes without a complaint",
        arguments: [
            ("libx264", "baseline", "1280x720", "25"), ("libx264", "main", "640x360", "30000/1001"),
            ("libx264", "high", "1920x1080", "50"), ("libx265", "main", "640x360", "25"),
        ])
    func like(_ encoder: String, _ profile: String, _ size: String, _ rate: String) async throws {
        let loop = try Loop(name: "slate")
        defer { loop.stop() }
        try await onStage { stage in
            let stream = stage.folder["stream.ts"]
            let more = encoder == "libx265" ? ["-x265-params", "log-level=none:keyint=25"] : ["-level", "4.2"]
            _ = try await runTool(
                "ffmpeg",
                ["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=\(size):rate=\(rate)", "-t", "1", "-pix_fmt", "yuv420p"]
                    + ["-c:v", encoder, "-preset", "ultrafast", "-profile:v", profile] + more + [stream])
            let format = try #require(try Self.format(stream))
            let began = Instant.now
            let slate = try await Self.maker().make(format, nil, on: loop)
            let bytes = slate.pictures.flatMap(\.self)
            print(
                "SlateMakerTests: \(encoder) \(profile) \(size) \(rate): \(bytes.count) bytes, \((Instant.now - began).milliseconds) ms")
            let file = stage.folder["slate." + (encoder == "libx265" ? "h265" : "h264")]
            try Data(bytes).write(to: URL(fileURLWithPath: file))
            let (own, theirs) = (try await Probe(file).video, try await Probe(stream).video)
            #expect(own?.codecName == theirs?.codecName && own?.profile == theirs?.profile)
            #expect(own?.width == theirs?.width && own?.height == theirs?.height && own?.avgFrameRate == theirs?.avgFrameRate)
            #expect(try await decodingErrors(file).isEmpty)
            #expect(bytes.count < 200_000, "what is still costs little")
        }
    }

    @Test("an organisation's picture is shown whole in the middle, and what is none, or too large, is refused before it is decoded")
    func own() async throws {
        let loop = try Loop(name: "slate")
        defer { loop.stop() }
        try await onStage { stage in
            let stream = stage.folder["stream.ts"]
            _ = try await runTool(
                "ffmpeg",
                ["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-t", "1", "-pix_fmt", "yuv420p", "-c:v", "libx264"]
                    + ["-preset", "ultrafast", stream])
            let format = try #require(try Self.format(stream))
            for (kind, name) in [(SlateFile.Kind.png, "red.png"), (.jpeg, "red.jpg")] {
                let path = stage.folder[name]
                _ = try await runTool(
                    "ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "color=red:size=300x300", "-frames:v", "1", path])
                let file = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
                let picture = try OwnPicture(file)
                let slate = try await Self.maker().make(format, picture, on: loop)
                let coded = stage.folder["\(name).h264"]
                try Data(slate.pictures.flatMap(\.self)).write(to: URL(fileURLWithPath: coded))
                let shown = try await Self.plane(coded)
                // Red in the middle, a border at the side.
                #expect((60...100).contains(Int(shown[180 * 640 + 320])) && shown[180 * 640 + 20] < 25)
                #expect(picture.kind == kind && (picture.width, picture.height) == (300, 300))
                #expect(throws: OwnPicture.Refusal.neither) { try OwnPicture(Array(file.prefix(20))) }
                let long = file + [UInt8](repeating: 0, count: 96 << 10)
                #expect(throws: OwnPicture.Refusal.tooLarge(bytes: long.count)) { try OwnPicture(long) }
            }
            var huge = [UInt8]([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52])
            huge += [0, 1, 0, 0, 0, 1, 0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0]
            #expect(throws: OwnPicture.Refusal.neither) { try OwnPicture(huge) }
            for name in ["IDAT", "IEND"] { huge += [0, 0, 0, 0] + Array(name.utf8) + [0, 0, 0, 0] }
            #expect(throws: OwnPicture.Refusal.size(width: 65536, height: 65536)) { try OwnPicture(huge) }
            // Behind a fill byte lies what a decoder takes; a small one lies where a reader comes to that takes the fill byte for a marker.
            let header: [UInt8] = [0xFF, 0xC0, 0, 17, 8, 0xFF, 0xFF, 0xFF, 0xFF, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]
            let scan: [UInt8] = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x55]
            var hidden = [0xFF, 0xD8, 0xFF] + header + scan + [0xFF, 0xD9]
            hidden += [UInt8](repeating: 0, count: 4 + 0xC000 - hidden.count) + [0xFF, 0xC0, 0, 17, 8, 0, 16, 0, 16] + header
            #expect(throws: OwnPicture.Refusal.size(width: 65535, height: 65535)) { try OwnPicture(hidden) }
            // Scans are time of the decoder, however small the file.
            let small: [UInt8] = [0xFF, 0xD8, 0xFF, 0xC2, 0, 11, 8, 0, 16, 0, 16, 1, 1, 0x11, 0]
            #expect(try OwnPicture(small + scan + [0xFF, 0xD9]).width == 16)
            #expect(throws: OwnPicture.Refusal.neither) { try OwnPicture(small + scan) }
            #expect(throws: OwnPicture.Refusal.neither) { try OwnPicture(small + (0..<33).flatMap { _ in scan } + [0xFF, 0xD9]) }
        }
    }

    /// 640x360, 25 a second, main profile.
    private static let words = ["h264", "640", "360", "77", "30", "3600"]

    @Test("an encoder that hangs, dies, or gives what is no group of pictures is ended and told, and so is a picture that none decodes")
    func faults() async throws {
        let (loop, folder) = (try Loop(name: "maker"), try TemporaryFolder())
        defer { loop.stop() }
        let format = try #require(SlateFormat(words: Self.words))
        func fault(_ script: String, within limit: Duration = .seconds(20)) async throws -> SlateMaker.Fault? {
            let path = try folder.write("#!/bin/sh\n\(script)\n", to: "slate")
            #expect(chmod(path, 0o700) == 0)
            let maker = SlateMaker(program: path, limit: limit)
            return await #expect(throws: SlateMaker.Fault.self) { try await maker.make(format, nil, on: loop) }
        }
        #expect(try await fault("while :; do :; done", within: .milliseconds(700)) == .ended(.signalled(SIGKILL)))
        #expect(try await fault("kill -SEGV $$") == .ended(.signalled(SIGSEGV)))
        #expect(try await fault("exit \(SlateEncoder.Fault.picture.rawValue)") == .picture)
        #expect(try await fault("exit \(SlateEncoder.Fault.encoder.rawValue)") == .encoder(format))
        #expect(try await fault("exit 70") == .ended(.exited(code: 70)))
        #expect(try await fault(":") == .noSlate(bytes: 0))
        #expect(try await fault("head -c 9000000 /dev/zero") == .noSlate(bytes: Slate.bytes + 1))
        await #expect(throws: SystemError.self) {
            try await SlateMaker(program: folder["none"]).make(format, nil, on: loop)
        }
        // An odd number of lines is none for 4:2:0.
        let odd = try #require(SlateFormat(words: ["h264", "640", "361", "77", "30", "3600"]))
        await #expect(throws: SlateMaker.Fault.encoder(odd)) { try await Self.maker().make(odd, nil, on: loop) }
    }

    @Test("it can do nothing but read and write what it has, with all its threads, before it reads a byte", arguments: ["h264", "h265"])
    func confined(_ coding: String) async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try Places.program("strata-slate"))
        process.arguments = [coding] + Self.words.dropFirst()
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let place = "/proc/\(process.processIdentifier)"
        func status(_ path: String) throws -> String { try String(contentsOfFile: "\(place)/\(path)", encoding: .utf8) }
        try await eventually(within: .seconds(10), "it is confined") { try status("status").contains("Seccomp:\t2") }
        let threads = try FileManager.default.contentsOfDirectory(atPath: "\(place)/task")
        print("SlateMakerTests: \(coding): \(threads.count) threads")
        for thread in threads {
            let text = try status("task/\(thread)/status")
            #expect(text.contains("Seccomp:\t2") && text.contains("NoNewPrivs:\t1"), "\(text)")
        }
        let limits = try status("limits").split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        for limit in [
            "Max cpu time 20 20 seconds", "Max file size \(Slate.bytes) \(Slate.bytes) bytes", "Max core file size 0 0 bytes",
            "Max data size \(768 << 20) \(768 << 20) bytes",
        ] { #expect(limits.contains(limit), "\(limits)") }
        // Source: proc(5), field 19 of stat.
        #expect(try status("stat").split(separator: ")").last?.split(separator: " ")[16] == "5", "media goes first")
        try input.fileHandleForWriting.close()
        let coded = [UInt8](try output.fileHandleForReading.readToEnd() ?? Data())
        process.waitUntilExit()
        let format = try #require(SlateFormat(words: [coding] + Self.words.dropFirst()))
        #expect(process.terminationStatus == 0 && Slate(format: format, coded: coded)?.pictures.count == 25)
    }

    @Test("the largest picture, of sixteen bits and upright, is encoded within its bounds", arguments: ["h264", "h265"])
    func largest(_ coding: String) async throws {
        let (loop, folder) = (try Loop(name: "maker"), try TemporaryFolder())
        defer { loop.stop() }
        let path = folder["deep.png"]
        _ = try await runTool(
            "ffmpeg",
            ["-v", "error", "-f", "lavfi", "-i", "color=red:size=2160x3840", "-frames:v", "1", "-pix_fmt", "rgb48be", path])
        let picture = try OwnPicture([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
        let format = try #require(SlateFormat(words: [coding, "4096", "2304", "100", "52", "1500"]))
        let began = Instant.now
        let slate = try await Self.maker().make(format, picture, on: loop)
        print("SlateMakerTests: \(coding) 4096x2304: \(slate.pictures.joined().count) bytes, \((Instant.now - began).milliseconds) ms")
        #expect(slate.pictures.count == 60)
    }

    private static func format(_ stream: String) throws -> SlateFormat? {
        var reader = StreamReader()
        var found: VideoFormat?
        var times: [Int64] = []
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: stream)))
        reader.feed(bytes, arrival: .zero) { event in
            guard case .video(let unit) = event else { return }
            found = found ?? unit.format
            times.append(unit.decode.ticks)
        }
        return found.flatMap { SlateFormat($0, frame: times[2] - times[1]) }
    }

    /// The luma of the first picture.
    private static func plane(_ file: String) async throws -> [UInt8] {
        [UInt8](
            try await runTool("ffmpeg", ["-v", "error", "-i", file, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]).output)
    }
}
