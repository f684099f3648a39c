import Testing

@testable import Store

/// What may stand beside a picture and above a seat.
@Suite("Display names")
struct DisplayNameTests {
    @Test(
        "people are called what they are called, in any script",
        arguments: [
            "Al", "Ada Lovelace", "Jean-Luc O\u{2019}Brien", "\u{674E}\u{5C0F}\u{9F99}", "\u{0645}\u{062D}\u{0645}\u{0651}\u{064E}\u{062F}",
            "\u{0928}\u{093F}\u{0924}\u{094D}\u{092F}\u{093E}",
            "Zo\u{00EB} \u{1F3A5}", "Tom & Jerry", "x.y@z", String(repeating: "ab", count: 25), "Hmmmm", "\u{1EC7}\u{0323}\u{0323}a",
        ])
    func good(_ name: String) { #expect(DisplayName.isGood(name)) }

    @Test(
        "what is none is refused: too short or long, markup, an address, hidden or piled up, shouting, without a letter",
        arguments: [
            "", "A", " ", "12", "...", "\u{1F3A5}\u{1F3A5}", String(repeating: "ab", count: 25) + "c", "<b>Ada</b>", "Ada <3", "a > b",
            "Ada https://evil.example", "HTTPS://X", "www.evil.example", "WWW.evil", "javascript:alert", "mailto:ada", "&#60;b", "&LT;b",
            "Ada\nB", "Ada\u{202E}adA",
            "Ad\u{200B}a", "Ada\u{0}", "a\u{0300}\u{0301}\u{0302}\u{0303}\u{0304}\u{0305}b", "Aaaaaa", "Ada!!!!!", "     Ada",
        ])
    func bad(_ name: String) { #expect(!DisplayName.isGood(name)) }
}
