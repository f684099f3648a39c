import Foundation
import Support
import Testing
import Units

@testable import Fragments
@testable import MPEGTS

/// What is written of streams that are made up. Times are in ticks of 90 kHz.
struct RecordingWriterTests {
    private static let frame: Int64 = 3600

    private struct Stream {
        var writer: RecordingWriter
        var nowMs: Int64 = 1_000_000
        var pieces: [RecordingWriter.Piece] = []
        var columns = 80
        var audio: AudioFormat? = AudioFormat(objectType: 2, rateIndex: 3, sampleRate: 48_000, channels: 2)

        init(_ origin: RecordingWriter.Origin = .init()) { writer = RecordingWriter(origin) }

        mutating func give(_ event: StreamReader.Event) {
            var made: [RecordingWriter.Piece] = []
            writer.take(event, atMs: nowMs) { made.append($0) }
            pieces += made
        }

        mutating func finish() {
            var made: [RecordingWriter.Piece] = []
            writer.finish { made.append($0) }
            pieces += made
        }

        mutating func picture(at decode: Int64, isKey: Bool = false, isDamaged: Bool = false, hasSets: Bool = true, bytes: Int = 100) {
            let sets = [SequenceParameters.h264(columns: columns, rows: 45), [0x68, 0xCE, 0x3C, 0x80]]
            let format = VideoFormat(coding: .h264, parameterSets: sets, size: PictureSize(h264: sets[0][...]))
            var whole: [UInt8] = [0, 0, 1, 9, 0x10]
            if isKey, hasSets { for set in sets { whole += [0, 0, 1] + set } }
            whole += [0, 0, 1, isKey ? 0x65 : 0x41] + [UInt8](repeating: 0xAA, count: bytes)
            give(
                .video(
                    VideoUnit(
                        bytes: whole, units: NALUnits.ranges(whole), presentation: MediaTime(ticks: decode),
                        decode: MediaTime(ticks: decode), isKey: isKey, isDamaged: isDamaged, format: format)))
        }

        mutating func sound(from start: Int64, to end: Int64) {
            guard let audio else { return }
            let length = 1024 * 90_000 / Int64(audio.sampleRate)
            for time in stride(from: (start + length - 1) / length * length, to: end, by: Int(length)) {
                give(.audio(AudioUnit(bytes: [UInt8](repeating: 1, count: 20), presentation: MediaTime(ticks: time), format: audio)))
            }
        }

        mutating func group(from start: Int64, pictures: Int = 25) {
            let frame = RecordingWriterTests.frame
            for number in 0..<Int64(pictures) {
                sound(from: start + number * frame, to: start + (number + 1) * frame)
                picture(at: start + number * frame, isKey: number == 0)
            }
        }

        var beginnings: [RecordingBeginning] { pieces.compactMap { if case .beginning(let one) = $0 { one } else { nil } } }
        var fragments: [RecordedFragment] { pieces.compactMap { if case .fragment(let one) = $0 { one } else { nil } } }
    }

    /// When the pictures of a fragment begin by their own clock, and how many there are.
    private func pictures(_ fragment: RecordedFragment) -> (start: Int64, count: Int)? {
        let bytes = fragment.bytes
        func number(_ at: Int, _ count: Int = 4) -> Int { bytes[at..<at + count].reduce(0) { $0 << 8 | Int($1) } }
        for at in bytes.indices.dropLast(4) where Array(bytes[at..<at + 4]) == Array("traf".utf8) && number(at + 16) == 1 {
            return (Int64(number(at + 32, 8)), number(at + 52))
        }
        return nil
    }

    @Test("a fragment is half a second at most, and nothing waits longer than that")
    func length() {
        var stream = Stream()
        stream.group(from: 900_000)
        stream.group(from: 900_000 + 25 * Self.frame)
        #expect(stream.beginnings.map(\.codecs) == ["avc1.42003e,mp4a.40.2"])
        #expect(stream.fragments.allSatisfy { $0.duration <= 45_000 + Self.frame })
        let end = stream.fragments.last.map { $0.start + $0.duration } ?? 0
        #expect(50 * Self.frame - end <= 45_000 + Self.frame, "\(end)")
        stream.finish()
        #expect(stream.fragments.compactMap { pictures($0)?.count }.reduce(0, +) == 50)
        #expect(stream.fragments.filter(\.isKey).map(\.start) == [0, 25 * Self.frame])
    }

    @Test("pictures with a hole are recorded as they are, but none is begun with; time that is missing stays missing")
    func asItCame() {
        var stream = Stream()
        stream.picture(at: 0, isKey: true, isDamaged: true)
        stream.picture(at: Self.frame)
        #expect(stream.pieces.isEmpty)
        stream.group(from: 2 * Self.frame)
        stream.picture(at: 27 * Self.frame, isDamaged: true)
        // Behind the one before, and then ten seconds of nothing.
        stream.picture(at: 26 * Self.frame)
        stream.group(from: 277 * Self.frame)
        stream.finish()
        #expect(stream.writer.lostPictures == 1 && stream.beginnings.count == 1)
        let recorded = stream.fragments.compactMap { pictures($0)?.count }
        #expect(recorded.reduce(0, +) == 51)
        #expect(stream.fragments.contains { pictures($0)?.start == 275 * Self.frame && $0.isKey })
    }

    @Test("another size and another sound begin a file of their own, whose times begin at zero; other parameter sets of that size do not")
    func files() {
        var stream = Stream()
        let second = 25 * Self.frame
        stream.group(from: 0)
        stream.picture(at: second, isKey: true, hasSets: false)
        stream.group(from: second + Self.frame, pictures: 24)
        #expect(stream.beginnings.count == 1)
        stream.columns = 40
        stream.group(from: 2 * second)
        stream.audio = AudioFormat(objectType: 2, rateIndex: 4, sampleRate: 44_100, channels: 1)
        stream.group(from: 3 * second)
        stream.group(from: 4 * second)
        stream.finish()
        #expect(stream.beginnings.map { $0.size?.width } == [1280, 640, 640])
        let zeros = stream.beginnings.map(\.zero)
        #expect(zeros[0] == 0 && abs(zeros[1] - 2 * second) < Self.frame && zeros[2] >= 3 * second - Self.frame)
        // The first fragment of the second file.
        var at = 0
        for piece in stream.pieces {
            if case .beginning = piece { at += 1 }
            if at == 2, case .fragment(let fragment) = piece {
                #expect((pictures(fragment)?.start ?? -1) < Self.frame && fragment.isKey)
                break
            }
        }
    }

    @Test("who goes on with a recording has its time, and its file where it begins with the same")
    func goesOn() throws {
        var first = Stream()
        first.group(from: 900_000)
        first.finish()
        let (beginning, last) = (try #require(first.beginnings.first), try #require(first.fragments.last))
        let origin = RecordingWriter.Origin(
            beganAtMs: beginning.atMs, end: last.start + last.duration, number: first.fragments.count, beginning: beginning.bytes,
            zero: beginning.zero)
        var second = Stream(origin)
        second.nowMs = first.nowMs + 4000
        second.group(from: 123_456_789)
        second.finish()
        #expect(second.beginnings.map(\.bytes) == [beginning.bytes] && second.beginnings.map(\.zero) == [0])
        #expect(second.fragments.first?.start == 4 * 90_000 && second.fragments.first.flatMap { pictures($0)?.start } == 4 * 90_000)
        // A clock that was set back leaves no time twice, and one that was wrong by years before leaves no hole of years.
        for step: Int64 in [-60_000, 50 * 365 * 86_400_000] {
            var third = Stream(origin)
            third.nowMs = first.nowMs + step
            third.group(from: 5)
            third.finish()
            #expect(third.fragments.first?.start == last.start + last.duration)
        }
    }

    @Test("an index says what was written, and what a crash or a disk leaves of one is taken as far as it is whole")
    func index() throws {
        let digest = String(repeating: "0a", count: 32)
        let beginning = RecordingBeginning(bytes: [1, 2, 3], codecs: "avc1.42c01f", size: nil, zero: 7, atMs: 42)
        let fragments = (0..<3).map {
            IndexedFragment(offset: 3 + 10 * $0, bytes: 10, sha256: digest, start: Int64(7 + $0), duration: 1, isKey: $0 == 0)
        }
        let text = RecordingIndex.line(of: beginning, sha256: digest) + fragments.map(\.line).joined()
        let whole = try #require(RecordingIndex(text))
        #expect(whole.fragments == fragments && whole.codecs == "avc1.42c01f" && whole.width == nil && whole.zero == 7 && whole.atMs == 42)
        #expect(RecordingIndex(text.dropLast())?.fragments == Array(fragments.dropLast()))
        let torn = text.replacing("F 13 10", with: "F 13 1\0")
        #expect(RecordingIndex(torn)?.fragments == [fragments[0], fragments[2]] && RecordingIndex(torn)?.damagedLines == 1)
        for other in [
            "", "B", "B 3 x avc1 - 0 0\n", "B 0 \(digest) avc1 - 0 0\n", "B 3 \(digest) avc1 0x0 0 0\n", "F 0 1 \(digest) 0 0 K\n",
        ] {
            #expect(RecordingIndex(other) == nil, "\(other)")
        }
        for other in ["F 2 1 \(digest) 8 0 K\n", "F 3 1 \(digest) 6 0 K\n", "F 99999999999999999999 1 \(digest) 8 0 K\n"] {
            #expect(RecordingIndex(RecordingIndex.line(of: beginning, sha256: digest) + other)?.fragments == [])
        }
        // Sound alone, and behind it pictures that begin before its end.
        let ahead = "F 3 1 \(digest) 90000 45000 -\nF 4 1 \(digest) 80000 45000 K\n"
        let both = RecordingIndex(RecordingIndex.line(of: beginning, sha256: digest) + ahead)
        #expect(both?.fragments.map(\.start) == [90_000, 80_000] && both?.damagedLines == 0)
    }
}

/// What is written of real streams, as ffmpeg reads it.
@Suite(.timeLimit(.minutes(2))) struct RecordedClipTests {
    @Test(
        "a finished file has every picture and sound unchanged, its length, and plays from any of its key frames",
        arguments: ["h264", "h265"])
    func plays(_ coding: String) async throws {
        let clip = try await (coding == "h264" ? Clip.h264 : Clip.h265).value
        var reader = StreamReader()
        var writer = RecordingWriter(.init())
        var beginning: RecordingBeginning?
        var media: [UInt8] = []
        var fragments: [IndexedFragment] = []
        let emit = { (piece: RecordingWriter.Piece) in
            switch piece {
            case .beginning(let one): beginning = one
            case .fragment(let one):
                fragments.append(
                    IndexedFragment(
                        offset: media.count, bytes: one.bytes.count, sha256: "", start: one.start, duration: one.duration, isKey: one.isKey)
                )
                media += one.bytes
            }
        }
        for at in stride(from: 0, to: clip.count, by: 1316) {
            reader.feed(Array(clip[at..<min(clip.count, at + 1316)]), arrival: .zero) { writer.take($0, atMs: 0, emit) }
        }
        reader.finish { writer.take($0, atMs: 0, emit) }
        writer.finish(emit)
        let begun = try #require(beginning)
        let head = try #require(RecordingHead.bytes(begun.bytes, zero: begun.zero, hasPictures: true, fragments: fragments))

        let folder = try TemporaryFolder()
        let (source, made, back) = (folder["source.ts"], folder["made.mp4"], folder["back.ts"])
        try Data(clip).write(to: URL(fileURLWithPath: source))
        try Data(head + media).write(to: URL(fileURLWithPath: made))
        #expect(try await decodingErrors(made).isEmpty)
        let probe = try await Probe(made)
        #expect(probe.video?.codecName == (coding == "h264" ? "h264" : "hevc") && probe.audio?.codecName == "aac")
        #expect(abs(probe.seconds - 12) < 0.3, "\(probe.seconds)")
        // Without a byte of the fragments the length is known.
        let start = folder["start.mp4"]
        try Data(head + media.prefix(200_000)).write(to: URL(fileURLWithPath: start))
        let told = try await runTool("ffprobe", ["-v", "quiet", "-show_entries", "format=duration", "-of", "csv=p=0", start]).text
        #expect(abs((Double(told.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0) - 12) < 0.3, "\(told)")
        _ = try await runTool("ffmpeg", ["-v", "error", "-i", made, "-c", "copy", "-f", "mpegts", back])
        let (before, after) = (try Recording.accessUnits(source, isEnded: true), try Recording.accessUnits(back, isEnded: true))
        for kind in [AccessUnit.Kind.video, .audio] {
            let delivery = Delivery(sent: before, recorded: after, kind)
            #expect(kind == .video ? delivery.isCompleteToTheEnd && delivery.before == 0 : delivery.isComplete, "\(kind): \(delivery)")
        }
        // From the middle a decoder has a picture at once.
        let seeked = try await runTool("ffmpeg", ["-v", "error", "-ss", "6.5", "-i", made, "-frames:v", "1", "-f", "framemd5", "-"])
        #expect(seeked.errors.isEmpty && seeked.text.contains("0,"))
    }
}
