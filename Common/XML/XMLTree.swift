/// An XML document as the elements it has: each with a text, or with elements of its own. Attributes are passed over.
///
/// For answers of foreign machines: its bytes, its elements and how deep they lie in each other are bounded by whoever reads it.
package struct XMLTree: Equatable, Sendable {
    package struct Limits: Sendable {
        package let bytes, elements, depth: Int

        package init(bytes: Int, elements: Int, depth: Int) {
            self.bytes = bytes
            self.elements = elements
            self.depth = depth
        }
    }

    package let name: String
    /// Of an element without elements; without the blanks around it.
    package private(set) var text = ""
    package private(set) var children: [XMLTree] = []

    package init(_ bytes: [UInt8], within limits: Limits) throws(XMLFault) {
        guard bytes.count <= limits.bytes else { throw XMLFault("more than \(limits.bytes) bytes") }
        var scanner = XMLScanner(bytes)
        try scanner.skipProlog()
        var left = limits.elements
        try self.init(&scanner, depth: limits.depth, &left)
        scanner.skipBlanks()
        guard scanner.isAtEnd else { throw XMLFault("something behind the root") }
    }

    private init(_ scanner: inout XMLScanner, depth: Int, _ left: inout Int) throws(XMLFault) {
        guard depth > 0 else { throw XMLFault("elements too deep in each other") }
        guard left > 0 else { throw XMLFault("too many elements") }
        left -= 1
        let opened = try scanner.openTag(.skipped)
        name = opened.name
        if opened.isEmpty { return }
        text = try scanner.text()
        while !scanner.isAtClosingTag {
            children.append(try XMLTree(&scanner, depth: depth - 1, &left))
            // Where there are elements, nothing but blanks is between them.
            guard text.isEmpty, try scanner.text().isEmpty else { throw XMLFault("text beside elements") }
        }
        try scanner.closeTag(opened.name)
    }

    /// The text of the first element of this name right below; nil where there is none.
    package subscript(_ name: String) -> String? { children.first { $0.name == name }?.text }
}
