@testable import MPEGTS
import Testing

@Suite struct KeyPacketsTests {
    /// Of each packet of the stream, fed in runs of `count`, whether it is in a run that has some.
    private func marks(_ bytes: [UInt8], runs count: Int = 1) -> [Bool] {
        var keys = KeyPackets()
        return stride(from: 0, to: bytes.count, by: count * Packet.size).map { start in
            keys.areAmong(Array(bytes[start..<min(bytes.count, start + count * Packet.size)]))
        }
    }

    @Test("tables, sound and pictures that decoding can begin with are worth most, other pictures are not")
    func worth() {
        var writer = StreamWriter()
        writer.tables()
        writer.picture(9000, key: true)
        let key = writer.bytes.count / Packet.size
        writer.picture(12_600, key: false)
        let plain = writer.bytes.count / Packet.size
        writer.sound(9000)
        let sound = writer.bytes.count / Packet.size
        writer.picture(16_200, key: false)
        let marks = marks(writer.bytes)
        #expect(marks[..<key].allSatisfy { $0 })
        #expect(marks[key..<plain].allSatisfy { !$0 })
        #expect(marks[plain..<sound].allSatisfy { $0 })
        #expect(marks[sound...].allSatisfy { !$0 })
    }

    @Test("a run has some if one packet is; empty packets, unknown ones and nonsense are none")
    func others() {
        var writer = StreamWriter()
        writer.tables()
        writer.picture(12_600, key: false)
        #expect(marks(writer.bytes, runs: 7).first == true)
        let blank: [UInt8] = [0x47, 0x1F, 0xFF, 0x10] + [UInt8](repeating: 0xFF, count: 184)
        #expect(marks(blank + blank) == [false, false])
        #expect(marks([UInt8](repeating: 0, count: 376)) == [false, false])
        #expect(marks([0x47]) == [false])
        // A picture of a program that no table has named.
        var nameless = StreamWriter()
        nameless.picture(9000, key: true)
        #expect(marks(nameless.bytes).allSatisfy { !$0 })
    }
}
