/// A place in a document, and what every part of the grammar reads with.
struct Cursor {
    let bytes: [UInt8]
    private(set) var index = 0
    private var line = 1
    private var lineStart = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { index >= bytes.count }
    /// The byte here; nil at the end.
    var peek: UInt8? { index < bytes.count ? bytes[index] : nil }
    var position: TOMLPosition { TOMLPosition(line: line, column: index - lineStart + 1) }

    func peek(ahead: Int) -> UInt8? { index + ahead < bytes.count ? bytes[index + ahead] : nil }

    func startsWith(_ text: StaticString) -> Bool { bytes[index...].starts(with: "\(text)".utf8) }

    /// Over one byte that is not the end of a line.
    mutating func advance(_ count: Int = 1) { index += count }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    /// Over the byte order mark that Windows editors begin a text with; columns are counted behind it.
    mutating func skipByteOrderMark() {
        guard index == 0, bytes.starts(with: [0xef, 0xbb, 0xbf]) else { return }
        index = 3
        lineStart = 3
    }

    mutating func expect(_ character: Unicode.Scalar, _ place: String) throws(TOMLFault) {
        guard skip(character) else { throw fault("expected '\(character)' \(place)") }
    }

    mutating func skipBlanks() {
        while let byte = peek, byte == 0x20 || byte == 0x09 { index += 1 }
    }

    /// Over LF or CRLF; a bare CR is refused.
    mutating func skipNewline() throws(TOMLFault) -> Bool {
        switch peek {
        case 0x0a: index += 1
        case 0x0d:
            guard peek(ahead: 1) == 0x0a else { throw fault("a CR without its LF") }
            index += 2
        default: return false
        }
        line += 1
        lineStart = index
        return true
    }

    mutating func skipComment() throws(TOMLFault) {
        guard skip("#") else { return }
        while let byte = peek, byte != 0x0a, byte != 0x0d {
            guard byte == 0x09 || byte >= 0x20 && byte != 0x7f else { throw fault("a control character in a comment") }
            index += 1
        }
    }

    /// Over blanks, newlines and comments, as arrays allow them.
    mutating func skipSpace() throws(TOMLFault) {
        repeat {
            skipBlanks()
            try skipComment()
        } while try skipNewline()
    }

    func fault(_ reason: String) -> TOMLFault { TOMLFault(position: position, reason: reason) }
}
