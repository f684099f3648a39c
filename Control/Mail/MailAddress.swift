/// An address that a mail can be sent to: a dot-string at a host name, in ASCII. Source: RFC 5321 section 4.1.2.
///
/// What is left out, quoted local parts, address literals and UTF-8 (RFC 6531), is what could say more than an address
/// within `<>`, or needs a server that takes it.
package struct MailAddress: Hashable, Sendable, CustomStringConvertible {
    package let text: String
    package var description: String { text }
    package var host: Substring { text[text.index(after: text.lastIndex(of: "@") ?? text.startIndex)...] }

    package static let expected = "a mail address such as name@example.org"

    /// nil for what cannot be one.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count <= 254, let at = bytes.lastIndex(of: UInt8(ascii: "@")), (1...64).contains(at) else { return nil }
        let atoms = bytes[..<at].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard atoms.allSatisfy({ !$0.isEmpty && $0.allSatisfy(Self.isAtomText) }) else { return nil }
        let labels = bytes[(at + 1)...].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.allSatisfy(Self.isLabel) else { return nil }
        self.text = text
    }

    /// atext. Source: RFC 5322 section 3.2.3.
    static func isAtomText(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte) }

    private static func isLabel(_ label: ArraySlice<UInt8>) -> Bool {
        (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
            && label.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}
