/// A part of a key and where it stands.
struct KeyPart {
    let name: String
    let position: TOMLPosition

    func fault(_ reason: String) -> TOMLFault { TOMLFault(position: position, reason: reason) }
}

extension Cursor {
    /// A bare, quoted or dotted key: at least one part.
    mutating func key() throws(TOMLFault) -> [KeyPart] {
        var parts = [try simpleKey()]
        while true {
            skipBlanks()
            guard skip(".") else { return parts }
            skipBlanks()
            parts.append(try simpleKey())
        }
    }

    private mutating func simpleKey() throws(TOMLFault) -> KeyPart {
        let position = self.position
        switch peek {
        case UInt8(ascii: "\""):
            guard !startsWith("\"\"\"") else { throw fault("a key cannot be a multi-line string") }
            return KeyPart(name: try basicString(), position: position)
        case UInt8(ascii: "'"):
            guard !startsWith("'''") else { throw fault("a key cannot be a multi-line string") }
            return KeyPart(name: try literalString(), position: position)
        default:
            let start = index
            while let byte = peek, Self.isBare(byte) { advance() }
            guard index > start else { throw fault("expected a key") }
            return KeyPart(name: String(decoding: bytes[start..<index], as: UTF8.self), position: position)
        }
    }

    static func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
