import Units

/// The name that others see of a person. Whichever way somebody comes, as a user or only as a guest, it is this judge that they pass (SEC-14).
package enum DisplayName {
    /// In characters.
    package static let length = 2...50
    package static let expected =
        "2 to 50 characters with a letter among them, and without markup, addresses, or more than four of one in a row"

    package static func isGood(_ text: String) -> Bool {
        guard text.isPlain, length.contains(text.count), text.contains(where: \.isLetter) else { return false }
        let small = text.lowercased()
        return !text.contains { "<>".contains($0) } && !addresses.contains { small.contains($0) } && !text.contains(where: isPiledUp)
            && longestRun(in: small) <= 4
    }

    /// What a name leads elsewhere by, where somebody shows it as more than text.
    private static let addresses = ["://", "www.", "javascript:", "mailto:", "&#", "&lt;", "&gt;"]

    /// Marks upon marks cover the lines above and below; no script needs more than three.
    private static func isPiledUp(_ character: Character) -> Bool {
        character.unicodeScalars.count {
            $0.properties.generalCategory == .nonspacingMark || $0.properties.generalCategory == .enclosingMark
        } > 3
    }

    private static func longestRun(in text: String) -> Int {
        var (longest, run, last): (Int, Int, Character?) = (0, 0, nil)
        for character in text {
            run = character == last ? run + 1 : 1
            (longest, last) = (max(longest, run), character)
        }
        return longest
    }

    /// - Throws: `StoreError.invalid`.
    static func checked(_ text: String) throws(StoreError) -> String {
        guard isGood(text) else { throw .invalid(field: "user.display_name", expected: expected) }
        return text
    }
}
