import Testing
import Units

@testable import MPEGTS
@testable import Outputs

struct FLVWriterTests {
    private static let sets: [[UInt8]] = [[0x67, 0x42, 0x00, 0x1E, 0xAA], [0x68, 0xCE]]

    private func picture(_ ms: Int64, key: Bool = false, sets: [[UInt8]] = sets) -> UnitQueue.Unit {
        .video(videoUnit(at: MediaTime(ticks: ms * 90), key: key, sets: sets))
    }

    /// Shown 40 ms after it is decoded.
    private func videoUnit(at time: MediaTime, key: Bool = false, sets: [[UInt8]] = sets) -> VideoUnit {
        let bytes: [UInt8] = [0, 0, 0, 1, key ? 0x65 : 0x41, 0x11, 0x22]
        let format = VideoFormat(coding: .h264, parameterSets: sets, size: nil)
        return VideoUnit(
            bytes: bytes, units: [4..<7], presentation: MediaTime(ticks: time.ticks + 3600), decode: time, isKey: key, isDamaged: false,
            format: format)
    }

    private func sound(_ ms: Int64) -> UnitQueue.Unit { .audio(audioUnit(at: MediaTime(ticks: ms * 90))) }

    private func audioUnit(at time: MediaTime) -> AudioUnit {
        let format = AudioFormat(objectType: 2, rateIndex: 3, sampleRate: 48_000, channels: 2)
        return AudioUnit(bytes: [0x21, 0x10], presentation: time, format: format)
    }

    /// Source: Adobe Flash Video File Format Specification 10.1, E.4.1: type, size, timestamp, its upper byte, stream, body, and
    /// the size of all of it.
    private func take(_ tag: [UInt8]) throws -> (type: UInt8, ms: Int, body: [UInt8]) {
        let size = Int(tag[1]) << 16 | Int(tag[2]) << 8 | Int(tag[3])
        let ms = Int(tag[7]) << 24 | Int(tag[4]) << 16 | Int(tag[5]) << 8 | Int(tag[6])
        try #require(tag.count == 11 + size + 4)
        let trailer = tag.suffix(4).reduce(0) { $0 << 8 | Int($1) }
        #expect(trailer == 11 + size)
        return (tag[0], ms, Array(tag[11..<(11 + size)]))
    }

    @Test("a session begins at zero, with what a decoder must know before its first picture and its first sound")
    func begins() throws {
        var writer = FLVWriter()
        let first = try writer.tags(picture(5000, key: true)).map(take)
        #expect(first.map(\.type) == [18, 9, 9])
        #expect(first.map(\.ms) == [0, 0, 0])
        // AVCDecoderConfigurationRecord: ISO/IEC 14496-15, 5.2.4.1.
        let configuration: [UInt8] = [0x17, 0, 0, 0, 0, 1, 0x42, 0x00, 0x1E, 0xFF, 0xE1, 0, 5] + Self.sets[0] + [1, 0, 2] + Self.sets[1]
        #expect(first[1].body == configuration)
        // A key frame, shown 40 ms later; lengths in place of start codes.
        #expect(first[2].body == [0x17, 1, 0, 0, 40, 0, 0, 0, 3, 0x65, 0x11, 0x22])
        let heard = try writer.tags(sound(5010)).map(take)
        #expect(heard.map(\.body) == [[0xAF, 0, 0x11, 0x90], [0xAF, 1, 0x21, 0x10]])
        #expect(heard.map(\.ms) == [10, 10])
    }

    @Test("parameter sets are told once, and again where they change; never before a picture that is no key frame")
    func changes() throws {
        var writer = FLVWriter()
        _ = writer.tags(picture(0, key: true))
        #expect(writer.tags(picture(40)).count == 1)
        #expect(writer.tags(picture(80, key: true)).count == 1)
        let other: [[UInt8]] = [[0x67, 0x64, 0x00, 0x28, 0xBB], [0x68, 0xEE]]
        #expect(writer.tags(picture(120, sets: other)).count == 1)
        let tags = try writer.tags(picture(160, key: true, sets: other)).map(take)
        #expect(tags.count == 2 && tags[0].body.contains(0x64))
    }

    @Test("sound from before the first picture has no place, and sound alone begins by itself")
    func soundFirst() {
        var writer = FLVWriter()
        _ = writer.tags(picture(1000, key: true))
        #expect(writer.tags(sound(990)).isEmpty)
        var alone = FLVWriter()
        #expect(alone.tags(sound(990)).count == 2)
    }

    @Test(
        "a day of a clock that drifts adds up to nothing: each time is its own, and sound has that of its picture",
        arguments: [-200, 0, 200])
    func drift(_ ppm: Int64) throws {
        var writer = FLVWriter()
        _ = writer.tags(picture(0, key: true))
        _ = writer.tags(sound(0))
        for step in 1...8640 as ClosedRange<Int64> {
            // Ten seconds of pictures at 29.97 a second, by the source's clock.
            let ticks = step * 300 * 3003 + step * 300 * 3003 * ppm / 1_000_000
            let time = MediaTime(ticks: ticks)
            let seen = try take(#require(writer.tags(.video(videoUnit(at: time))).last))
            let heard = try take(#require(writer.tags(.audio(audioUnit(at: time))).last))
            #expect(Int64(seen.ms) == ticks / 90 && heard.ms == seen.ms)
        }
    }

    @Test("times go on past 24 bits, which take 4.7 hours, and over the wrap of the sender's 33 bits")
    func longSessions() throws {
        var writer = FLVWriter()
        let wrap = Timestamp.modulus / 90
        _ = writer.tags(picture(wrap - 30_000, key: true))
        for later: Int64 in [29_960, 30_040, 16_777_200, 16_777_240, 100_000_000] {
            let tag = try take(#require(writer.tags(picture(wrap - 30_000 + later)).last))
            #expect(abs(Int64(tag.ms) - later) <= 1)
        }
    }
}
