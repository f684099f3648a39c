import FoundationEssentials
import Units

/// A text that cannot stand in a header: it has line ends or hidden characters, and could become a header of its own.
struct HeaderFault: Error, Hashable, CustomStringConvertible {
    let field: String
    var description: String { "\(field): one line without hidden characters" }
}

/// Texts of people in headers of mails: what is not ASCII becomes encoded words. Source: RFC 2047.
enum HeaderText {
    /// Bytes of UTF-8 in one encoded word: 52 characters of base 64, 12 around them, and `Subject: ` before them, of the 76 that a line with
    /// one may have (section 2).
    private static let wordBytes = 39
    /// A longer line is folded, which plain text need not allow; encoded words always do.
    private static let plainBytes = 60

    /// Unstructured text, as of a subject.
    static func unstructured(_ text: String, field: String) throws(HeaderFault) -> String {
        try check(text, field)
        let isPlain = text.utf8.allSatisfy { (0x20..<0x7F).contains($0) } && !text.contains("=?")
        let isTrimmed = !text.hasPrefix(" ") && !text.hasSuffix(" ")
        return isPlain && isTrimmed && text.utf8.count <= plainBytes ? text : encoded(text)
    }

    /// A name before an address: a phrase of atoms, or encoded words.
    static func phrase(_ text: String, field: String) throws(HeaderFault) -> String {
        try check(text, field)
        let atoms = text.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        let isPlain = atoms.allSatisfy { !$0.isEmpty && $0.allSatisfy(MailAddress.isAtomText) } && !text.contains("=?")
        return isPlain && text.utf8.count <= plainBytes ? text : encoded(text)
    }

    private static func check(_ text: String, _ field: String) throws(HeaderFault) {
        guard text.isPlain else { throw HeaderFault(field: field) }
    }

    /// Each word on a line of its own, with whole characters.
    private static func encoded(_ text: String) -> String {
        var words: [[UInt8]] = [[]]
        for scalar in text.unicodeScalars {
            let bytes = Array(Unicode.UTF8.encode(scalar) ?? Unicode.UTF8.encodedReplacementCharacter)
            if (words.last?.count ?? 0) + bytes.count > wordBytes { words.append([]) }
            words[words.count - 1] += bytes
        }
        return words.map { "=?UTF-8?B?\(Data($0).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }
}

/// Text of any characters in lines of at most 76 of ASCII. Source: RFC 2045 section 6.7.
enum QuotedPrintable {
    private static let lineBytes = 76
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// - Parameter text: its lines end with `\n`; CR is no line end and is encoded.
    static func encode(_ text: String) -> [UInt8] {
        var result: [UInt8] = []
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            encode(Array(line), to: &result)
            result += [0x0D, 0x0A]
        }
        return result
    }

    private static func encode(_ line: [UInt8], to result: inout [UInt8]) {
        var column = 0
        for (index, byte) in line.enumerated() {
            let isLast = index == line.count - 1
            // A dot that begins a line is SMTP's own (RFC 5321 section 4.5.2); spaces at an end get lost.
            let isSafe =
                byte == 0x20 ? !isLast : (0x21..<0x7F).contains(byte) && byte != UInt8(ascii: "=") && !(byte == 0x2E && column == 0)
            let token = isSafe ? [byte] : [UInt8(ascii: "="), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            // Room for the `=` of a soft line break.
            if column + token.count > lineBytes - 1 {
                result += [UInt8(ascii: "="), 0x0D, 0x0A]
                column = 0
            }
            // A new line began with it after all.
            let isDot = byte == 0x2E && column == 0
            result += isDot ? Array("=2E".utf8) : token
            column += isDot ? 3 : token.count
        }
    }
}
