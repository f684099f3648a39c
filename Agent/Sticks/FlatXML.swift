package import XML

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
    package typealias Fault = XMLFault

    package let root: String
    /// Of a root without elements; without the blanks around it.
    package private(set) var text = ""
    /// By name; of several with one name the first. Without the blanks around them.
    package private(set) var values: [String: String] = [:]

    package static let byteLimit = 16 << 10
    static let elementLimit = 256

    package init(_ bytes: [UInt8]) throws(Fault) {
        guard bytes.count <= Self.byteLimit else { throw Fault("more than \(Self.byteLimit) bytes") }
        var reader = XMLScanner(bytes)
        try reader.skipProlog()
        let opened = try reader.openTag()
        root = opened.name
        if !opened.isEmpty { try readContent(&reader) }
        reader.skipBlanks()
        guard reader.isAtEnd else { throw Fault("something behind the root") }
    }

    private mutating func readContent(_ reader: inout XMLScanner) throws(Fault) {
        var count = 0
        text = try reader.text()
        while !reader.isAtClosingTag {
            count += 1
            guard count <= Self.elementLimit else { throw Fault("more than \(Self.elementLimit) elements") }
            let opened = try reader.openTag()
            let value = opened.isEmpty ? "" : try reader.text()
            if !opened.isEmpty { try reader.closeTag(opened.name) }
            if values[opened.name] == nil { values[opened.name] = value }
            // Where there are elements, nothing but blanks is between them.
            guard text.isEmpty, try reader.text().isEmpty else { throw Fault("text beside elements") }
        }
        try reader.closeTag(root)
    }
}
