/// Why a document is not read.
package struct XMLFault: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// Reads the parts of an XML document, one after the other; knows nothing of their shape.
///
/// Bytes of a foreign machine: names and texts are bounded, and of XML only elements, their attributes, texts and references are
/// known: no comments, CDATA, document types or entities of one's own. Whoever uses it bounds the bytes and the elements.
package struct XMLScanner {
    package static let nameLimit = 64
    /// Scalars.
    package static let valueLimit = 1024
    private static let attributeLimit = 8

    /// What becomes of attributes: they are an error, or passed over.
    package enum Attributes { case refused, skipped }

    private let bytes: [UInt8]
    private var position = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package var isAtEnd: Bool { position == bytes.count }
    package var isAtClosingTag: Bool { starts(with: "</") }

    private func starts(with text: String) -> Bool {
        let wanted = text.utf8
        return bytes.count - position >= wanted.count && bytes[position..<position + wanted.count].elementsEqual(wanted)
    }

    private mutating func take(_ text: String) -> Bool {
        guard starts(with: text) else { return false }
        position += text.utf8.count
        return true
    }

    package mutating func skipBlanks() {
        while position < bytes.count, Unicode.Scalar(bytes[position]).isBlank { position += 1 }
    }

    /// A byte order mark and the declaration, whose words are not believed: it is UTF-8 or nothing.
    package mutating func skipProlog() throws(XMLFault) {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        skipBlanks()
        if take("<?xml ") {
            guard let end = bytes[position...].prefix(128).firstIndex(of: UInt8(ascii: "?")), end + 1 < bytes.count,
                bytes[end + 1] == UInt8(ascii: ">"), !bytes[position..<end].contains(UInt8(ascii: "<"))
            else { throw XMLFault("a declaration without its end") }
            position = end + 2
        }
        skipBlanks()
    }

    /// `<name>` or `<name/>`.
    package mutating func openTag(_ attributes: Attributes = .refused) throws(XMLFault) -> (name: String, isEmpty: Bool) {
        guard take("<") else { throw XMLFault("no element where one should be") }
        let name = try name()
        skipBlanks()
        if attributes == .skipped { try skipAttributes() }
        let isEmpty = take("/")
        guard take(">") else { throw XMLFault("an element that is no plain one") }
        return (name, isEmpty)
    }

    package mutating func closeTag(_ wanted: String) throws(XMLFault) {
        guard take("</"), try name() == wanted else { throw XMLFault("an element that is not closed") }
        skipBlanks()
        guard take(">") else { throw XMLFault("an element that is not closed") }
    }

    private mutating func name() throws(XMLFault) -> String {
        let name = bytes[position...].prefix(while: Self.isNameByte)
        guard let first = name.first, first >= UInt8(ascii: "A"), name.count <= Self.nameLimit else {
            throw XMLFault("an element without a plain name")
        }
        position += name.count
        return String(decoding: name, as: UTF8.self)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    /// `name="value"`, some of them; what they say is lost.
    private mutating func skipAttributes() throws(XMLFault) {
        var count = 0
        while position < bytes.count, Self.isNameByte(bytes[position]) {
            count += 1
            let name = bytes[position...].prefix { Self.isNameByte($0) || $0 == UInt8(ascii: ":") }
            position += name.count
            guard count <= Self.attributeLimit, name.count <= Self.nameLimit, take("="), position < bytes.count else {
                throw XMLFault("an attribute that is no plain one")
            }
            let quote = bytes[position]
            guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
                let end = bytes[(position + 1)...].prefix(Self.valueLimit + 1).firstIndex(of: quote),
                !bytes[(position + 1)..<end].contains(UInt8(ascii: "<"))
            else { throw XMLFault("an attribute without its end") }
            position = end + 1
            skipBlanks()
        }
    }

    /// Up to the next tag, with its references as what they stand for, without the blanks around it.
    package mutating func text() throws(XMLFault) -> String {
        var text = String.UnicodeScalarView()
        let end = bytes[position...].firstIndex(of: UInt8(ascii: "<")) ?? bytes.count
        guard let raw = String(whole: bytes[position..<end]) else { throw XMLFault("a text that is not UTF-8") }
        position = end
        var rest = raw.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            let meant = scalar == "&" ? try reference(&rest) : scalar
            guard !meant.isControl else { throw XMLFault("a control character") }
            text.append(meant)
        }
        guard text.count <= Self.valueLimit else { throw XMLFault("a text that is too long") }
        return String(text).trimmed
    }

    /// Behind the `&`. XML 1.0 sections 4.1 and 4.6.
    private func reference(_ rest: inout Substring.UnicodeScalarView) throws(XMLFault) -> Unicode.Scalar {
        guard let end = rest.prefix(10).firstIndex(of: ";") else { throw XMLFault("a reference without its end") }
        let name = String(rest[..<end])
        rest = rest[rest.index(after: end)...]
        switch name {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default: break
        }
        let isHex = name.hasPrefix("#x")
        let digits = name.dropFirst(isHex ? 2 : 1)
        guard name.hasPrefix("#"), digits.first?.isHexDigit == true, let number = UInt32(digits, radix: isHex ? 16 : 10),
            let scalar = Unicode.Scalar(number)
        else { throw XMLFault("an entity of its own") }
        return scalar
    }
}

extension Unicode.Scalar {
    /// XML 1.0 section 2.3.
    fileprivate var isBlank: Bool { value == 0x20 || value == 0x09 || value == 0x0A || value == 0x0D }
    /// Of C0 and C1, but for blanks.
    fileprivate var isControl: Bool { value < 0x20 && !isBlank || (0x7F...0x9F).contains(value) }
}

extension String {
    /// nil for what is not UTF-8.
    fileprivate init?(whole bytes: ArraySlice<UInt8>) {
        let text = String(decoding: bytes, as: UTF8.self)
        // A repaired text has other bytes.
        guard text.utf8.elementsEqual(bytes) else { return nil }
        self = text
    }

    /// Without the blanks of XML at its ends.
    fileprivate var trimmed: String {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.isBlank }), let last = scalars.lastIndex(where: { !$0.isBlank }) else {
            return ""
        }
        return String(scalars[first...last])
    }
}
