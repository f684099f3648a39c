@testable import MPEGTS
import Testing

@Suite struct SlateTests {
    private static let words = ["h264", "640", "360", "77", "30", "18000"]

    @Test("a format is told by words, and words that tell none are refused")
    func words() throws {
        for words in [Self.words, ["h265", "4096", "2304", "0", "0", "375"]] { #expect(SlateFormat(words: words)?.words == words) }
        let format = try #require(SlateFormat(words: Self.words))
        #expect(format.size.width == 640 && format.size.height == 360 && format.profile == 77 && format.level == 30 && format.pictures == 5)
        for (place, word) in [
            (0, "av1"), (1, "15"), (1, "99999999999999999999"), (1, "-640"), (2, "16384"), (3, "256"), (4, "x"), (5, "0"), (5, "90001"),
        ] {
            var words = Self.words
            words[place] = word
            #expect(SlateFormat(words: words) == nil, "\(words)")
        }
        #expect(SlateFormat(words: Self.words.dropLast()) == nil && SlateFormat(words: Self.words + ["1"]) == nil)
    }

    @Test("what an encoder made is a slate where it is one group of pictures, each behind a delimiter, and nothing else is")
    func coded() throws {
        let format = try #require(SlateFormat(words: Self.words))
        func unit(_ header: UInt8) -> [UInt8] { [0, 0, 0, 1, header, 0x11, 0x22] }
        let key = [9, 0x67, 0x68, 6, 0x65].flatMap(unit), other = [9, 0x41].flatMap(unit)
        let four = [other, other, other, other]
        let slate = try #require(Slate(format: format, coded: key + four.joined()))
        #expect(slate.pictures == [key] + four)
        let none: [[UInt8]] = [
            [], key, key + four.dropLast().joined(), key + four.joined() + other, other + key + four.dropLast().joined(), [0, 0, 1],
            key + key + four.dropLast().joined(), unit(0x41) + key + four.joined(), unit(9) + four.joined(),
            [9, 0x68, 0x65].flatMap(unit) + four.joined(), key + four.dropLast().joined() + unit(9),
            key + four.joined() + [UInt8](repeating: 0xFF, count: Slate.bytes),
        ]
        for bytes in none { #expect(Slate(format: format, coded: bytes) == nil, "\(bytes.prefix(80))") }
    }
}
