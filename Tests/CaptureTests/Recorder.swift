import Foundation
import GStreamer
import Posix
import Testing

@testable import Capture

/// Keeps a transport stream, and lets a test wait until so many pictures have begun in it.
final class Recorder: Sendable {
    private let state = Guarded(State())

    private struct State {
        var bytes: [UInt8] = []
        var pictures = 0
        var largest = 0
        var waiting: [(Int, Gate)] = []
    }

    var sink: @Sendable (UnsafeRawBufferPointer) -> Void {
        { [self] in take($0) }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        let ready = state.withLock { state in
            state.bytes += bytes
            state.largest = max(state.largest, bytes.count)
            var offset = 0
            while offset + 188 <= bytes.count {
                if Recorder.beginsPicture(bytes[offset..<(offset + 188)]) { state.pictures += 1 }
                offset += 188
            }
            let ready = state.waiting.filter { $0.0 <= state.pictures }
            state.waiting.removeAll { $0.0 <= state.pictures }
            return ready
        }
        for (_, gate) in ready { gate.open() }
    }

    /// A packet in which a PES packet of video begins.
    private static func beginsPicture(_ packet: Slice<UnsafeRawBufferPointer>) -> Bool {
        let packet = UnsafeRawBufferPointer(rebasing: packet)
        guard packet[0] == 0x47, packet[1] & 0x40 != 0 else { return false }
        let start = packet[3] & 0x20 != 0 ? 5 + Int(packet[4]) : 4
        return start + 3 < 188 && packet[start] == 0 && packet[start + 1] == 0 && packet[start + 2] == 1 && packet[start + 3] & 0xf0 == 0xe0
    }

    var bytes: [UInt8] { state.withLock { $0.bytes } }
    var pictures: Int { state.withLock { $0.pictures } }
    var largest: Int { state.withLock { $0.largest } }

    /// Presentation times of the pictures, 33 bits at 90 kHz. Source: ISO/IEC 13818-1, 2.4.3.7.
    var videoTimes: [Int64] {
        let bytes = self.bytes
        return bytes.withUnsafeBytes { all in
            stride(from: 0, to: all.count - 187, by: 188).compactMap { offset in
                let packet = all[offset..<(offset + 188)]
                guard Recorder.beginsPicture(packet) else { return nil }
                let start = offset + (all[offset + 3] & 0x20 != 0 ? 5 + Int(all[offset + 4]) : 4)
                func byte(_ index: Int) -> Int64 { Int64(all[start + 9 + index]) }
                return (byte(0) >> 1 & 7) << 30 | byte(1) << 22 | (byte(2) >> 1) << 15 | byte(3) << 7 | byte(4) >> 1
            }
        }
    }

    /// Returns when so many pictures have begun in all, or when it takes far too long.
    func wait(forPictures count: Int, _ location: SourceLocation = #_sourceLocation) async {
        let gate = Gate()
        let isReady = state.withLock { state in
            if state.pictures >= count { return true }
            state.waiting.append((count, gate))
            return false
        }
        if isReady { return }
        if await !gate.wait(atMost: .seconds(15)) {
            Issue.record("only \(pictures) of \(count) pictures came", sourceLocation: location)
        }
    }
}

/// A folder that goes with the test.
final class Scratch: Sendable {
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.path + "/strata-capture-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = "\(path)/\(name)"
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }
}

/// Runs a program to its end and gives what it printed; on a thread of its own.
func run(_ program: String, _ arguments: [String]) async throws -> (status: Int32, output: String, errors: String) {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = [program] + arguments
            let output = Pipe()
            let scratch = Scratch()
            let errorPath = "\(scratch.path)/errors"
            _ = FileManager.default.createFile(atPath: errorPath, contents: nil)
            process.standardOutput = output
            process.standardError = FileHandle(forWritingAtPath: errorPath)
            do {
                try process.run()
                let data = output.fileHandleForReading.readDataToEndOfFile()
                process.waitUntilExit()
                let errors = (try? String(contentsOfFile: errorPath, encoding: .utf8)) ?? ""
                continuation.resume(returning: (process.terminationStatus, String(decoding: data, as: UTF8.self), errors))
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}

/// What ffprobe finds in a transport stream.
struct Probe {
    struct Packet: Equatable {
        var pts: Int64
        var dts: Int64
        var bytes: Int
        var isKey: Bool
    }

    var video: [Packet] = []
    var audio: [Packet] = []
    var videoCodec = ""
    var audioCodec = ""
    var profile = ""
    var size = ""
    var audioRate = ""
    var hasBFrames = -1

    init(_ path: String) async throws {
        let result = try await run("ffprobe", ["-v", "error", "-show_streams", "-of", "json", path])
        let found = try JSONDecoder().decode(Streams.self, from: Data(result.output.utf8)).streams
        if let video = found.first(where: { $0.codec_type == "video" }) {
            videoCodec = video.codec_name ?? ""
            profile = video.profile ?? ""
            size = "\(video.width ?? 0)x\(video.height ?? 0)"
            hasBFrames = video.has_b_frames ?? -1
        }
        if let audio = found.first(where: { $0.codec_type == "audio" }) {
            audioCodec = audio.codec_name ?? ""
            audioRate = "\(audio.sample_rate ?? "")/\(audio.channels ?? 0)"
        }
        video = try await Probe.packets(path, "v")
        audio = try await Probe.packets(path, "a")
    }

    private struct Streams: Decodable {
        var streams: [Stream]
    }

    /// Names as ffprobe writes them.
    // swift-format-ignore
    private struct Stream: Decodable {
        var codec_type: String
        var codec_name: String?
        var profile: String?
        var width: Int?
        var height: Int?
        var has_b_frames: Int?
        var sample_rate: String?
        var channels: Int?
    }

    private static func packets(_ path: String, _ stream: String) async throws -> [Packet] {
        let result = try await run(
            "ffprobe", ["-v", "error", "-select_streams", stream, "-show_entries", "packet=pts,dts,size,flags", "-of", "csv=p=0", path])
        return result.output.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ",").map(String.init)
            guard fields.count >= 4, let pts = Int64(fields[0]), let bytes = Int(fields[2]) else { return nil }
            return Packet(pts: pts, dts: Int64(fields[1]) ?? pts, bytes: bytes, isKey: fields[3].hasPrefix("K"))
        }
    }
}
