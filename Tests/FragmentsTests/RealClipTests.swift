import Foundation
import MPEGTS
import Support
import Testing
import Wire

@testable import Fragments

/// What is made of real streams, as ffmpeg reads it.
@Suite(.timeLimit(.minutes(2))) struct RealClipTests {
    /// What a writer makes of a whole transport stream.
    private static func chunks(_ stream: [UInt8]) -> [PreviewChunk] {
        var reader = StreamReader()
        var writer = FragmentWriter()
        var chunks: [PreviewChunk] = []
        for at in stride(from: 0, to: stream.count, by: 1316) {
            reader.feed(Array(stream[at..<min(stream.count, at + 1316)]), arrival: .zero) { writer.take($0) { chunks.append($0) } }
        }
        return chunks
    }

    private struct Packet: Equatable {
        let kind: Substring
        let shown: Double, decoded: Double, duration: Double
        let isKey: Bool
    }

    private static func packets(_ path: String) async throws -> [Packet] {
        let entries = ["-show_entries", "packet=codec_type,pts_time,dts_time,duration_time,flags", "-of", "csv=p=0"]
        return try await runTool("ffprobe", ["-v", "error"] + entries + [path]).text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ",")
            guard fields.count >= 5, let shown = Double(fields[1]), let decoded = Double(fields[2]) else { return nil }
            return Packet(
                kind: fields[0], shown: shown, decoded: decoded, duration: Double(fields[3]) ?? 0, isKey: fields[4].hasPrefix("K"))
        }
    }

    /// A digest of each picture that a decoder makes.
    private static func pictures(_ path: String) async throws -> [Substring] {
        try await runTool("ffmpeg", ["-v", "error", "-i", path, "-map", "0:v", "-vsync", "passthrough", "-f", "framemd5", "-"]).text
            .split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { $0.split(separator: " ").last }
    }

    @Test("a player sees every picture unchanged, at its time, without a hole, and the sound with it", arguments: ["h264", "h265"])
    func plays(_ coding: String) async throws {
        let clip = try await (coding == "h264" ? Clip.h264 : Clip.h265).value
        let chunks = Self.chunks(clip)
        #expect(chunks.first?.kind == .beginning && chunks.filter { $0.kind == .beginning }.count == 1)
        let beginning = try #require(chunks.first).bytes
        let codecs = String(decoding: beginning[2..<2 + Int(beginning[1])], as: UTF8.self)
        print(
            "RealClipTests: \(codecs), \(chunks.count - 1) fragments of \(clip.count) bytes, \(chunks.reduce(0) { $0 + $1.bytes.count }) bytes"
        )
        let expected = coding == "h264" ? #/avc1\.42c0[0-9a-f]{2},mp4a\.40\.2/# : #/hvc1\.1\.6\.L[0-9]+\.[0-9a-f.]+,mp4a\.40\.2/#
        #expect(codecs.wholeMatch(of: expected) != nil)

        let folder = try TemporaryFolder()
        let (source, made) = (folder["source.ts"], folder["made.mp4"])
        try Data(clip).write(to: URL(fileURLWithPath: source))
        let segments = [Array(beginning.dropFirst(2 + Int(beginning[1])))] + chunks.dropFirst().map { Array($0.bytes.dropFirst()) }
        try Data(segments.joined()).write(to: URL(fileURLWithPath: made))
        #expect(try await decodingErrors(made).isEmpty)
        let probe = try await Probe(made)
        #expect(probe.video?.codecName == (coding == "h264" ? "h264" : "hevc") && probe.video?.width == 640 && probe.video?.height == 360)
        #expect(probe.audio?.codecName == "aac" && probe.audio?.sampleRate == "48000" && probe.audio?.channels == 2)

        let (theirs, ours) = (try await Self.packets(source), try await Self.packets(made))
        for kind in ["video", "audio"] {
            let (before, after) = (theirs.filter { $0.kind == kind }, ours.filter { $0.kind == kind })
            // Less than a second at the end is not given out yet.
            #expect(
                after.count > before.count - (kind == "video" ? 20 : 60) && !after.isEmpty, "\(kind): \(after.count) of \(before.count)")
            for (one, next) in zip(after, after.dropFirst()) {
                #expect(abs(one.decoded + one.duration - next.decoded) < 0.0002, "\(kind): a hole at \(one.decoded)")
            }
        }
        // The same pictures, and one distance between the times of both files for both kinds: to a thousandth of a second.
        let pictures = ours.filter { $0.kind == "video" }
        let sources = theirs.filter { $0.kind == "video" }.prefix(pictures.count)
        let distance = try #require(sources.first).shown - (try #require(pictures.first).shown)
        #expect(zip(sources, pictures).allSatisfy { abs($0.shown - $1.shown - distance) < 0.001 && $0.isKey == $1.isKey })
        let sound = try #require(ours.first { $0.kind == "audio" })
        #expect(theirs.contains { $0.kind == "audio" && abs($0.shown - sound.shown - distance) < 0.001 })
        let (seen, shown) = (try await Self.pictures(source), try await Self.pictures(made))
        #expect(shown.count == pictures.count && Array(seen.prefix(shown.count)) == shown)
    }

    @Test("fragments are a quarter of a second or less, each key frame begins one, and nothing says otherwise")
    func pieces() async throws {
        let chunks = Self.chunks(try await Clip.h264.value).dropFirst()
        // 12 s, a key frame each second.
        #expect((44...60).contains(chunks.count) && (11...12).contains(chunks.filter { $0.kind == .key }.count))
        #expect(chunks.first?.kind == .key)
    }

    @Test("whoever begins at any key has whole pictures")
    func joining() async throws {
        let chunks = Self.chunks(try await Clip.h264.value)
        let beginning = chunks[0].bytes
        let head = Array(beginning.dropFirst(2 + Int(beginning[1])))
        let keys = chunks.indices.filter { chunks[$0].kind == .key }
        let folder = try TemporaryFolder()
        for at in [keys[1], keys[keys.count - 2]] {
            let path = folder["from\(at).mp4"]
            try Data(([head] + chunks[at...].map { Array($0.bytes.dropFirst()) }).joined()).write(to: URL(fileURLWithPath: path))
            #expect(try await decodingErrors(path).isEmpty)
            #expect(try await Self.packets(path).first { $0.kind == "video" }?.isKey == true)
        }
    }
}
