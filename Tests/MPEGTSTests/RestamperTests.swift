import MPEGTS
import Testing
import Units

struct RestamperTests {
    @Test("without a restart not a byte changes")
    func untouched() {
        let bytes = DemuxerTests.stream()
        #expect(restamped([bytes]) == bytes)
    }

    @Test("a restart leaves no hole in times, clocks or counters")
    func restart() {
        let first = DemuxerTests.stream(324_000_000)
        let second = DemuxerTests.stream(324_000_000, fill: 0x66)
        var reader = StreamReader()
        reader.makesGroups = true
        var collected = Collected()
        collected.read(first, with: &reader, arrival: .seconds(10))
        collected.read(second, with: &reader, arrival: .seconds(13))
        reader.finish { collected.take($0) }
        #expect(reader.restarts == 1)
        #expect(reader.continuityErrors == 0)
        #expect(collected.videos.count == 120)
        #expect(collected.order == collected.order.sorted())
        let seam = collected.videos[60].decode - collected.videos[59].decode
        #expect(seam.ticks == 3 * 90_000)
        #expect(collected.sounds.count == 180)

        let joined = collected.groups.flatMap(\.bytes)
        #expect(counterErrors(joined) == 0)
        let again = Collected.reading(joined[...].isEmpty ? [] : collected.groups[0].tables + joined)
        #expect(again.videos.map(\.decode) == collected.videos.map(\.decode))
    }

    @Test("a loss inside an epoch stays visible")
    func loss() {
        var bytes = DemuxerTests.stream()
        bytes.removeSubrange(188 * 20..<188 * 21)
        #expect(counterErrors(restamped([bytes])) == 1)
    }

    @Test("times that wrap after a restart are written with 33 bits")
    func wrapAfterRestart() {
        var reader = StreamReader()
        var collected = Collected()
        collected.read(DemuxerTests.stream(Timestamp.modulus - 90_000), with: &reader, arrival: .seconds(1))
        collected.read(DemuxerTests.stream(500), with: &reader, arrival: .seconds(2))
        collected.read(DemuxerTests.stream(Timestamp.modulus - 40_000), with: &reader, arrival: .seconds(3))
        reader.finish { collected.take($0) }
        #expect(collected.videos.count == 180)
        #expect(collected.order == collected.order.sorted())
    }

    private func restamped(_ streams: [[UInt8]]) -> [UInt8] {
        var restamper = Restamper()
        var result: [UInt8] = []
        for (index, stream) in streams.enumerated() {
            var bytes = stream
            for start in stride(from: 0, to: bytes.count, by: 188) {
                guard let packet = Packet(bytes, at: start) else { continue }
                _ = restamper.restamp(packet, in: &bytes, arrival: .seconds(index))
            }
            result += bytes
        }
        return result
    }

    private func counterErrors(_ bytes: [UInt8]) -> Int {
        var last: [UInt16: UInt8] = [:]
        var errors = 0
        for start in stride(from: 0, to: bytes.count, by: 188) {
            guard let packet = Packet(bytes, at: start) else { continue }
            if let previous = last[packet.pid], packet.counter != (previous + 1) & 0x0F { errors += 1 }
            last[packet.pid] = packet.counter
        }
        return errors
    }
}
