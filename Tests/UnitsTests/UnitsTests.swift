import Foundation
import Testing
import Units

/// The same numbers each time.
private struct Steps: RandomNumberGenerator {
    private var count: UInt64 = 0

    mutating func next() -> UInt64 {
        count += 1
        return count
    }
}

private struct Ones: RandomNumberGenerator {
    mutating func next() -> UInt64 { .max }
}

@Suite struct UnitsTests {
    @Test("ids of a later millisecond sort after those of an earlier one, whatever their random part")
    func order() {
        var random = SystemRandomNumberGenerator()
        let ids = (0..<200).map { ULID(unixMs: 1_800_000_000_000 + Int64($0), random: &random) }
        #expect(ids == ids.sorted())
        #expect(Set(ids).count == 200)
    }

    @Test("an id is 26 characters of Crockford's base 32 and reads back")
    func canonical() {
        var steps = Steps()
        // Source: the specification's example time, 1469918176385 ms, is 01ARYZ6S41.
        let id = ULID(unixMs: 1_469_918_176_385, random: &steps)
        #expect(id.text == "01ARYZ6S41" + "123456789ABCDEFG")
        #expect(ULID(id.text) == id)
    }

    @Test("ids of one maker are in the order in which they were made, those of one millisecond too")
    func sequence() throws {
        var (sequence, random) = (ULIDSequence(), SystemRandomNumberGenerator())
        let ids = (0..<5000).map { sequence.next(unixMs: 1_800_000_000_000 + Int64($0 / 1000), random: &random) }
        #expect(ids == ids.sorted() && Set(ids).count == ids.count)
        // Where no larger one is left the order gives way, not the program.
        var ones = Ones()
        for _ in 0..<2 { #expect(sequence.next(unixMs: 1, random: &ones).text == "0000000001ZZZZZZZZZZZZZZZZ") }
    }

    @Test(
        "nothing else is an id",
        arguments: [
            "", "01ARYZ6S41", "01ARYZ6S41123456789ABCDEFGH", "81ARYZ6S41123456789ABCDEFG",
            "01aryz6s41123456789abcdefg", "01ARYZ6S41123456789ABCDEFI", "01ARYZ6S41123456789ABCDEF;",
        ])
    func refused(text: String) {
        #expect(ULID(text) == nil)
    }

    @Test("a secret does not print, and travels only in the field made for it")
    func secret() throws {
        let secret = Secret("hunter2")
        var dumped = ""
        dump((secret, SecretOnWire(secret)), to: &dumped)
        #expect(!"\(secret) \(String(reflecting: secret)) \(SecretOnWire(secret)) \(dumped)".contains("hunter2"))
        #expect(String(decoding: try JSONEncoder().encode([SecretOnWire(secret)]), as: UTF8.self) == "[\"hunter2\"]")
    }

    @Test("media time and nanoseconds convert without drift over a day", arguments: [0, 1, 3003, 90_000, 7_776_000_000, 8_589_934_591])
    func mediaTime(ticks: Int64) {
        let time = MediaTime(ticks: ticks)
        #expect(abs(MediaTime(nanoseconds: time.nanoseconds).ticks - ticks) <= 1)
    }

    @Test("a rate is bytes over time, and none over no time")
    func bitrate() {
        #expect(Bitrate(bytes: 1250, in: .milliseconds(10)) == .kilobits(1000))
        #expect(Bitrate(bytes: 1, in: .zero) == Bitrate(bitsPerSecond: 0))
    }
}
