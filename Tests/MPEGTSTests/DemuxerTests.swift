import MPEGTS
import Testing
import Units

struct DemuxerTests {
    /// Two seconds at 30 fps with a key frame each second, and sound.
    static func stream(_ base: Int64 = 900_000, pictures: Int = 60, fill: UInt8 = 0x55) -> [UInt8] {
        var writer = StreamWriter()
        for index in 0..<pictures {
            if index % 10 == 0 { writer.tables() }
            let time = base + Int64(index) * 3000
            writer.picture(time, key: index % 30 == 0, size: 500 + index * 37, fill: fill)
            if index % 2 == 0 { writer.sound(time, frames: 3) }
        }
        return writer.bytes
    }

    @Test("pictures and sound come out whole, in order and with their times")
    func whole() {
        let collected = Collected.reading(Self.stream())
        #expect(collected.videos.count == 60)
        #expect(collected.videos.map(\.decode.ticks) == (0..<60).map { 900_000 + $0 * 3000 })
        #expect(collected.videos.filter(\.isKey).map(\.decode.ticks) == [900_000, 990_000])
        #expect(collected.videos.allSatisfy { !$0.isDamaged })
        #expect(collected.videos[1].bytes.count == 6 + 4 + 537)
        #expect(collected.sounds.count == 90)
        #expect(collected.sounds.allSatisfy { $0.bytes == [UInt8](repeating: 0x33, count: 200) })
        #expect(collected.sounds.prefix(3).map(\.presentation.ticks) == [900_000, 901_920, 903_840])
        #expect(collected.sounds[0].format.sampleRate == 48000)
        #expect(collected.sounds[0].format.specificConfiguration == [0x11, 0x90])
        #expect(collected.order == collected.order.sorted())
    }

    @Test("the size of the picture is read from its parameter set")
    func size() throws {
        let format = try #require(Collected.reading(Self.stream()).videos[0].format)
        #expect(format.size?.width == 640)
        #expect(format.size?.height == 360)
        #expect(format.parameterSets == [StreamWriter.sps, StreamWriter.pps])
    }

    @Test("the chunking makes no difference", arguments: [[1], [187], [188, 189], [1316], [7, 4000, 1], [100_000]])
    func chunking(_ chunks: [Int]) {
        let whole = Collected.reading(Self.stream())
        let cut = Collected.reading(Self.stream(), chunks: chunks)
        #expect(cut.videos == whole.videos)
        #expect(cut.sounds == whole.sounds)
        #expect(cut.groups == whole.groups)
    }

    @Test("garbage between packets is skipped and counted")
    func garbage() {
        let good = Self.stream()
        let half = good.count / 188 / 2 * 188
        let rubbish = [UInt8](repeating: 0x47, count: 50) + [UInt8](repeating: 0, count: 301)
        var reader = StreamReader()
        var collected = Collected()
        collected.read([0, 1, 2] + good[..<half] + rubbish + good[half...], with: &reader, chunks: [1316])
        reader.finish { collected.take($0) }
        #expect(collected.videos.count == 60)
        #expect(reader.skippedBytes == 354)
    }

    @Test("at the end of a stream half a picture is none, and a whole one is there", arguments: [900, 1000, 5000])
    func end(_ size: Int) {
        var writer = StreamWriter()
        writer.tables()
        writer.picture(90_000, key: true)
        let before = writer.bytes.count
        writer.picture(93_600, key: false, size: size)
        for cut in stride(from: 0, through: writer.bytes.count - before, by: 188) {
            var reader = StreamReader()
            var collected = Collected()
            collected.read(Array(writer.bytes.dropLast(cut)), with: &reader)
            reader.finish { collected.take($0) }
            #expect(collected.videos.count == (cut == 0 ? 2 : 1), "without the last \(cut) bytes")
        }
    }

    @Test("a lost packet damages its picture alone, and no sound frame that is passed on")
    func loss() {
        let good = Self.stream()
        let whole = Collected.reading(good)
        for lost in stride(from: 4, to: good.count / 188 - 1, by: 17) {
            var bytes = good
            bytes.removeSubrange(lost * 188..<(lost + 1) * 188)
            var reader = StreamReader()
            var collected = Collected()
            collected.read(bytes, with: &reader)
            reader.finish { collected.take($0) }
            #expect(collected.videos.count >= 59)
            let intact = collected.videos.filter { !$0.isDamaged }
            #expect(intact.count >= 58)
            #expect(intact.allSatisfy { unit in whole.videos.contains { $0.bytes == unit.bytes && $0.decode == unit.decode } })
            #expect(collected.sounds.allSatisfy { unit in whole.sounds.contains(unit) })
        }
    }

    @Test("a table with a wrong checksum is ignored, and one with other streams is taken at once")
    func tables() {
        var writer = StreamWriter()
        writer.tables()
        writer.picture(900_000, key: true)
        writer.picture(903_000, key: false)
        var bytes = writer.bytes
        var broken = StreamWriter()
        broken.videoType = 0x24
        broken.tables()
        var damaged = broken.bytes
        damaged[188 + 20] ^= 0xFF
        bytes += damaged
        #expect(Collected.reading(bytes).programs.count == 1)
        bytes += broken.bytes
        let collected = Collected.reading(bytes)
        #expect(collected.programs.map { $0.video?.coding } == [.h264, .h265])
        #expect(collected.videos.count == 2)
    }

    @Test("times go on over the wrap of 33 bits")
    func wrap() {
        let base = Timestamp.modulus - 30 * 90_000
        let collected = Collected.reading(Self.stream(base, pictures: 1800))
        #expect(collected.videos.map(\.decode.ticks) == (0..<1800).map { base + $0 * 3000 })
        #expect(collected.order == collected.order.sorted())
    }

    @Test("a group holds the packets of one picture and can begin a file")
    func groups() throws {
        let bytes = Self.stream()
        let collected = Collected.reading(bytes)
        #expect(collected.groups.count == 60)
        #expect(collected.groups.flatMap(\.bytes) == Array(bytes.dropFirst(376)))
        #expect(collected.groups.map(\.isKey) == collected.videos.map(\.isKey))
        let again = Collected.reading(collected.groups[30].tables + collected.groups[30...].flatMap(\.bytes))
        #expect(again.videos.map(\.decode) == collected.videos[30...].map(\.decode))
        #expect(again.videos.first?.isKey == true)
    }

    @Test("sound whose pictures have died is not held back")
    func patience() {
        var writer = StreamWriter()
        writer.tables()
        for index in 0..<100 { writer.sound(900_000 + Int64(index) * 1920) }
        var reader = StreamReader()
        var collected = Collected()
        collected.read(writer.bytes, with: &reader)
        #expect(collected.sounds.count > 80)
    }
}
