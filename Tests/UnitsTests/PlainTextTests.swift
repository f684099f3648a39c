import Testing
import Units

@Suite struct PlainTextTests {
    static let hostile = [
        "a\nb", "a\r\nb", "\u{0}", "\u{1b}[2J", "\u{7f}", "\u{9b}2J", "\u{85}", "a\u{202e}gpj.exe", "\u{2066}x\u{2069}", "\u{2028}",
        "\u{200f}",
        "\u{feff}x", "\u{61c}", "\u{200b}", "pay\u{2060}pal", "\u{3164}",
    ]
    static let plain = [
        "", "Truck 7", "Übertragungswagen", "カメラ", "👩🏽‍🚀", "<script>", "$(reboot) `x` ! filesink", "e\u{301}", "%s%n", "\\u0041",
    ]

    @Test("what steers a terminal, turns a line around or hides in it is hostile, and what people write in is not")
    func judged() {
        for text in Self.hostile { #expect(!text.isPlain, "\(text.unicodeScalars.map(\.value))") }
        for text in Self.plain { #expect(text.isPlain, "\(text)") }
    }

    @Test("escaped, a hostile text is a plain one, and a plain one is itself")
    func escaped() {
        for text in Self.hostile { #expect(text.escaped().isPlain) }
        for text in Self.plain { #expect(text.escaped() == text) }
        #expect("a\u{202e}b\u{1b}\n".escaped() == "a\\u202eb\\u001b\\u000a")
        #expect("a\n\u{9b}".escaped(but: ["\n"]) == "a\n\\u009b")
    }
}
