import Support
import Testing
import Units
import Wire

@testable import Fragments
@testable import MPEGTS

/// What is left out, and what begins anew. Times are in ticks of 90 kHz.
struct FragmentWriterTests {
    private static let frame: Int64 = 3600

    /// A stream that is made up, and what is given out of it.
    private struct Stream {
        var writer = FragmentWriter()
        var chunks: [PreviewChunk] = []
        var columns = 80
        var audio: AudioFormat? = AudioFormat(objectType: 2, rateIndex: 3, sampleRate: 48_000, channels: 2)

        mutating func give(_ event: StreamReader.Event) {
            var made: [PreviewChunk] = []
            writer.take(event) { made.append($0) }
            chunks += made
        }

        mutating func picture(at decode: Int64, isKey: Bool = false, isDamaged: Bool = false, bytes: Int = 100, units: Int = 1) {
            let sets = [SequenceParameters.h264(columns: columns, rows: 45), [0x68, 0xCE, 0x3C, 0x80]]
            let format = VideoFormat(coding: .h264, parameterSets: sets, size: PictureSize(h264: sets[0][...]))
            var whole: [UInt8] = []
            if isKey { for set in sets { whole += [0, 0, 1] + set } }
            for _ in 0..<units { whole += [0, 0, 1, isKey ? 0x65 : 0x41] + [UInt8](repeating: 0xAA, count: bytes) }
            give(
                .video(
                    VideoUnit(
                        bytes: whole, units: NALUnits.ranges(whole), presentation: MediaTime(ticks: decode),
                        decode: MediaTime(ticks: decode),
                        isKey: isKey, isDamaged: isDamaged, format: format)))
        }

        /// Pictures from a key frame on, with their sound.
        mutating func group(from start: Int64, pictures: Int = 25, withSound: Bool = true) {
            for number in 0..<Int64(pictures) {
                if withSound { sound(from: start + number * frame, to: start + (number + 1) * frame) }
                picture(at: start + number * frame, isKey: number == 0)
            }
        }

        mutating func sound(from start: Int64, to end: Int64, bytes: Int = 20) {
            guard let audio else { return }
            let length = 1024 * 90_000 / Int64(audio.sampleRate)
            for time in stride(from: (start + length - 1) / length * length, to: end, by: Int(length)) {
                give(.audio(AudioUnit(bytes: [UInt8](repeating: 1, count: bytes), presentation: MediaTime(ticks: time), format: audio)))
            }
        }

        /// What was given out since the last time.
        mutating func taken() -> [PreviewChunk] {
            defer { chunks = [] }
            return chunks
        }

        var codecs: [String] {
            chunks.filter { $0.kind == .beginning }.map { String(decoding: $0.bytes[2..<2 + Int($0.bytes[1])], as: UTF8.self) }
        }
    }

    /// When each track of a fragment begins, and how long its samples take.
    private func times(_ chunk: PreviewChunk) -> [Int: (start: Int64, length: Int64)] {
        let bytes = chunk.bytes
        func number(_ at: Int, _ count: Int = 4) -> Int { bytes[at..<at + count].reduce(0) { $0 << 8 | Int($1) } }
        var times: [Int: (start: Int64, length: Int64)] = [:]
        for at in bytes.indices.dropLast(4) where Array(bytes[at..<at + 4]) == Array("traf".utf8) {
            // tfhd of 16 bytes, tfdt of 20, then trun.
            let (track, start, run) = (number(at + 16), number(at + 4 + 16 + 12, 8), at + 4 + 16 + 20)
            let step = bytes[run + 10] & 4 != 0 ? 16 : 8
            let length = (0..<number(run + 12)).reduce(0) { $0 + number(run + 20 + $1 * step) }
            times[track] = (Int64(start), Int64(length))
        }
        return times
    }

    @Test("times begin at zero and go on without a hole over a picture that is torn, one that goes back, and a long silence")
    func holes() {
        var stream = Stream()
        stream.group(from: 1_000_000)
        for number in Int64(25)..<40 {
            stream.sound(from: 1_000_000 + number * Self.frame, to: 1_000_000 + (number + 1) * Self.frame)
            stream.picture(at: 1_000_000 + number * Self.frame, isDamaged: number == 30)
        }
        stream.group(from: 1_000_000 + 50 * Self.frame)
        stream.picture(at: 1_000_000 + 60 * Self.frame)
        stream.group(from: 50_000_000)
        stream.group(from: 50_000_000 + 25 * Self.frame)
        let fragments = stream.chunks.filter { $0.kind != .beginning }
        #expect(stream.codecs == ["avc1.42003e,mp4a.40.2"])
        var ends: [Int: Int64] = [:]
        for fragment in fragments {
            for (track, time) in times(fragment) {
                let hole = time.start - (ends[track] ?? 0)
                // The sound of the very first picture came before it, and had no place yet.
                let limit = ends[track] == nil ? Self.frame + 1920 : 4000
                #expect(track == 1 ? hole == 0 : abs(hole) < limit, "track \(track): \(hole) at \(time.start)")
                ends[track] = time.start + time.length
            }
        }
        // Of the torn one's group what came before it was given out, and of the one that goes back as well.
        #expect(fragments.filter { $0.kind == .key }.count == 4)
        #expect(abs((ends[1] ?? 0) - (ends[2] ?? 0)) < 9000, "\(ends)")
    }

    @Test("nothing is given out before the first key frame, and a fragment begins with each")
    func keys() {
        var stream = Stream()
        for number in 0..<30 { stream.picture(at: Int64(number) * Self.frame) }
        stream.sound(from: 0, to: 30 * Self.frame)
        #expect(stream.chunks.isEmpty)
        stream.group(from: 31 * Self.frame, pictures: 4)
        stream.group(from: 35 * Self.frame, pictures: 12)
        #expect(stream.chunks.map(\.kind) == [.beginning, .key, .key])
        #expect(stream.chunks.dropFirst().map { times($0)[1]?.length } == [4 * Self.frame, 7 * Self.frame])
    }

    @Test("another size, sound that comes, goes or changes, and pictures that come are told with the next key frame")
    func beginnings() {
        var stream = Stream()
        let second = 25 * Self.frame
        stream.group(from: 0, withSound: false)
        #expect(stream.codecs == ["avc1.42003e"])
        stream.group(from: second)
        stream.group(from: 2 * second)
        #expect(stream.codecs == ["avc1.42003e", "avc1.42003e,mp4a.40.2"])
        stream.columns = 40
        stream.group(from: 3 * second)
        #expect(stream.codecs.count == 3)
        stream.audio = AudioFormat(objectType: 2, rateIndex: 4, sampleRate: 44_100, channels: 1)
        stream.group(from: 4 * second)
        stream.group(from: 5 * second)
        #expect(stream.codecs.count == 4)
        for number in 6..<10 { stream.group(from: Int64(number) * second, withSound: false) }
        #expect(stream.codecs.count == 5 && stream.codecs.last == "avc1.42003e")
        stream.picture(at: 10 * second, isKey: true)
    }

    @Test("sound alone is a preview too")
    func soundAlone() {
        var stream = Stream()
        stream.give(.program(Program(tablePID: 0x1000, clockPID: 0x101, streams: [])))
        stream.sound(from: 900_000, to: 900_000 + 90_000)
        #expect(stream.codecs == ["mp4a.40.2"])
        let fragments = stream.chunks.dropFirst()
        #expect((3...4).contains(fragments.count) && fragments.allSatisfy { $0.kind == .key && times($0)[1] == nil })
        #expect(times(fragments[1])[2]?.start == 0)
    }

    @Test("however large, many or fine its pictures and sounds are, a chunk is within its bound")
    func bounds() {
        var stream = Stream()
        // A key frame that is too large, one that is large in many pieces, one that just fits.
        stream.picture(at: 0, isKey: true, bytes: WireLimits.previewBytes)
        stream.picture(at: Self.frame, isKey: true, bytes: 1, units: WireLimits.previewBytes / 5)
        stream.picture(at: 2 * Self.frame)
        #expect(stream.chunks.isEmpty)
        stream.picture(at: 3 * Self.frame, isKey: true, bytes: WireLimits.previewBytes - (100 << 10))
        for number in 4..<2000 {
            stream.picture(at: 3 * Self.frame + Int64(number), bytes: number < 30 ? 200 << 10 : 10)
            stream.sound(from: Int64(number) * Self.frame, to: Int64(number + 1) * Self.frame, bytes: 8000)
        }
        #expect(!stream.chunks.isEmpty)
        #expect(stream.chunks.allSatisfy { PreviewChunk(message: $0.bytes) == $0 })
        #expect(stream.chunks.filter { $0.kind == .key }.count == 1)
    }
}
