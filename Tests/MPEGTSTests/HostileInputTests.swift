import MPEGTS
import Testing
import Units

struct HostileInputTests {
    @Test("random damage never stops a reader", arguments: 0..<8)
    func damage(_ seed: Int) {
        var random = Seeded(UInt64(seed))
        let good = DemuxerTests.stream()
        for _ in 0..<40 {
            var bytes = good
            for _ in 0..<Int.random(in: 1..<200, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let collected = Collected.reading(bytes, chunks: [Int.random(in: 1..<3000, using: &random)])
            #expect(collected.videos.count <= 200)
        }
    }

    @Test("noise of packets never stops a reader", arguments: 0..<4)
    func noise(_ seed: Int) {
        var random = Seeded(UInt64(seed) + 100)
        var reader = StreamReader()
        reader.makesGroups = true
        for _ in 0..<3000 {
            var packet = (0..<188).map { _ in UInt8.random(in: 0...255, using: &random) }
            packet[0] = 0x47
            packet[1] &= 0x41
            packet[2] &= 0x01
            reader.feed(packet, arrival: .zero) { _ in }
        }
        reader.finish { _ in }
    }

    @Test("a picture that never ends is cut at its limit")
    func endless() {
        var writer = StreamWriter()
        writer.tables()
        writer.picture(900_000, key: true, size: 6 << 20)
        writer.picture(903_600, key: false)
        let pictures = Collected.reading(writer.bytes, chunks: [1316]).videos
        #expect(pictures.count == 2)
        #expect(pictures.first?.isDamaged == true && (pictures.first?.bytes.count ?? .max) <= 4 << 20)
    }
}
