/// An XML document of the one shape that HiLink sticks speak: a root with a text, or with elements that hold nothing but text.
///
/// ```
/// <?xml version="1.0" encoding="UTF-8"?>
/// <response><DeviceName>E3372h-320</DeviceName><Iccid></Iccid></response>
/// ```
///
/// Bytes of a foreign device: bounded, and everything else that XML knows is refused (attributes, comments, CDATA, document types,
/// entities of one's own). Numbered characters are read: firmware 11.0 of the E3372h-320 writes `(` as `&#40;`.
package struct FlatXML: Equatable, Sendable {
    package struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
        package let description: String
    }

    package let root: String
    /// Of a root without elements; without the blanks around it.
    package private(set) var text = ""
    /// By name; of several with one name the first. Without the blanks around them.
    package private(set) var values: [String: String] = [:]

    package static let byteLimit = 16 << 10
    static let elementLimit = 256
    static let nameLimit = 64
    static let valueLimit = 1024

    package init(_ bytes: [UInt8]) throws(Fault) {
        guard bytes.count <= Self.byteLimit else { throw Fault(description: "more than \(Self.byteLimit) bytes") }
        var reader = Reader(bytes)
        try reader.skipProlog()
        let opened = try reader.openTag()
        root = opened.name
        if !opened.isEmpty { try readContent(&reader) }
        reader.skipBlanks()
        guard reader.isAtEnd else { throw Fault(description: "something behind the root") }
    }

    private mutating func readContent(_ reader: inout Reader) throws(Fault) {
        var count = 0
        text = try reader.text().trimmed
        while !reader.isAtClosingTag {
            count += 1
            guard count <= Self.elementLimit else { throw Fault(description: "more than \(Self.elementLimit) elements") }
            let opened = try reader.openTag()
            let value = opened.isEmpty ? "" : try reader.text().trimmed
            if !opened.isEmpty { try reader.closeTag(opened.name) }
            if values[opened.name] == nil { values[opened.name] = value }
            // Where there are elements, nothing but blanks is between them.
            guard text.isEmpty, try reader.text().trimmed.isEmpty else { throw Fault(description: "text beside elements") }
        }
        try reader.closeTag(root)
    }
}

extension String {
    /// Without the blanks of XML at its ends.
    fileprivate var trimmed: String {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.isBlank }), let last = scalars.lastIndex(where: { !$0.isBlank }) else {
            return ""
        }
        return String(scalars[first...last])
    }
}

extension Unicode.Scalar {
    /// XML 1.0 section 2.3.
    fileprivate var isBlank: Bool { value == 0x20 || value == 0x09 || value == 0x0A || value == 0x0D }
    /// Of C0 and C1, but for blanks.
    fileprivate var isControl: Bool { value < 0x20 && !isBlank || (0x7F...0x9F).contains(value) }
}

/// Reads the parts; knows nothing of the shape.
private struct Reader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }
    var isAtClosingTag: Bool { starts(with: "</") }

    private func starts(with text: String) -> Bool {
        let wanted = text.utf8
        return bytes.count - position >= wanted.count && bytes[position..<position + wanted.count].elementsEqual(wanted)
    }

    private mutating func take(_ text: String) -> Bool {
        guard starts(with: text) else { return false }
        position += text.utf8.count
        return true
    }

    mutating func skipBlanks() {
        while position < bytes.count, Unicode.Scalar(bytes[position]).isBlank { position += 1 }
    }

    /// A byte order mark and the declaration, whose words are not believed: it is UTF-8 or nothing.
    mutating func skipProlog() throws(FlatXML.Fault) {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        skipBlanks()
        if take("<?xml ") {
            guard let end = bytes[position...].prefix(128).firstIndex(of: UInt8(ascii: "?")), end + 1 < bytes.count,
                bytes[end + 1] == UInt8(ascii: ">"), !bytes[position..<end].contains(UInt8(ascii: "<"))
            else { throw FlatXML.Fault(description: "a declaration without its end") }
            position = end + 2
        }
        skipBlanks()
    }

    /// `<name>` or `<name/>`.
    mutating func openTag() throws(FlatXML.Fault) -> (name: String, isEmpty: Bool) {
        guard take("<") else { throw FlatXML.Fault(description: "no element where one should be") }
        let name = try name()
        skipBlanks()
        let isEmpty = take("/")
        guard take(">") else { throw FlatXML.Fault(description: "an element that is no plain one") }
        return (name, isEmpty)
    }

    mutating func closeTag(_ wanted: String) throws(FlatXML.Fault) {
        guard take("</"), try name() == wanted else { throw FlatXML.Fault(description: "an element that is not closed") }
        skipBlanks()
        guard take(">") else { throw FlatXML.Fault(description: "an element that is not closed") }
    }

    private mutating func name() throws(FlatXML.Fault) -> String {
        let name = bytes[position...].prefix { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard let first = name.first, first >= UInt8(ascii: "A"), name.count <= FlatXML.nameLimit else {
            throw FlatXML.Fault(description: "an element without a plain name")
        }
        position += name.count
        return String(decoding: name, as: UTF8.self)
    }

    /// Up to the next tag, with its references as what they stand for.
    mutating func text() throws(FlatXML.Fault) -> String {
        var text = String.UnicodeScalarView()
        let end = bytes[position...].firstIndex(of: UInt8(ascii: "<")) ?? bytes.count
        guard let raw = String(validating: bytes[position..<end]) else { throw FlatXML.Fault(description: "a text that is not UTF-8") }
        position = end
        var rest = raw.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            let meant = scalar == "&" ? try reference(&rest) : scalar
            guard !meant.isControl else { throw FlatXML.Fault(description: "a control character") }
            text.append(meant)
        }
        guard text.count <= FlatXML.valueLimit else { throw FlatXML.Fault(description: "a text that is too long") }
        return String(text)
    }

    /// Behind the `&`. XML 1.0 sections 4.1 and 4.6.
    private func reference(_ rest: inout Substring.UnicodeScalarView) throws(FlatXML.Fault) -> Unicode.Scalar {
        guard let end = rest.prefix(10).firstIndex(of: ";") else { throw FlatXML.Fault(description: "a reference without its end") }
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
        else { throw FlatXML.Fault(description: "an entity of its own") }
        return scalar
    }
}

extension String {
    /// nil for what is not UTF-8.
    fileprivate init?(validating bytes: ArraySlice<UInt8>) {
        let text = String(decoding: bytes, as: UTF8.self)
        // A repaired text has other bytes.
        guard text.utf8.elementsEqual(bytes) else { return nil }
        self = text
    }
}
