// Where text turns from bytes into strings, the document was found to be UTF-8, and a slice ends only at ASCII bytes.
extension Cursor {
    /// Any of the four kinds; nil where none begins here.
    mutating func string() throws(TOMLFault) -> String? {
        if startsWith("\"\"\"") { return try multilineBasicString() }
        if startsWith("'''") { return try multilineLiteralString() }
        switch peek {
        case UInt8(ascii: "\""): return try basicString()
        case UInt8(ascii: "'"): return try literalString()
        default: return nil
        }
    }

    mutating func basicString() throws(TOMLFault) -> String {
        advance()
        var text: [UInt8] = []
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                advance()
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &text)
            default:
                try checkCharacter(byte)
                text.append(byte)
                advance()
            }
        }
        throw fault("a string without its end")
    }

    mutating func literalString() throws(TOMLFault) -> String {
        advance()
        let start = index
        while let byte = peek {
            if byte == UInt8(ascii: "'") {
                let text = String(decoding: bytes[start..<index], as: UTF8.self)
                advance()
                return text
            }
            try checkCharacter(byte)
            advance()
        }
        throw fault("a string without its end")
    }

    private mutating func multilineBasicString() throws(TOMLFault) -> String {
        advance(3)
        _ = try skipNewline()
        var text: [UInt8] = []
        while let byte = peek {
            if byte == UInt8(ascii: "\""), closes(byte, &text) { return String(decoding: text, as: UTF8.self) }
            if byte == UInt8(ascii: "\\") {
                if try !skipLineEnding() { try escape(into: &text) }
            } else if byte != UInt8(ascii: "\"") {
                try multilineCharacter(byte, into: &text)
            }
        }
        throw fault("a string without its end")
    }

    private mutating func multilineLiteralString() throws(TOMLFault) -> String {
        advance(3)
        _ = try skipNewline()
        var text: [UInt8] = []
        while let byte = peek {
            if byte == UInt8(ascii: "'") {
                if closes(byte, &text) { return String(decoding: text, as: UTF8.self) }
            } else {
                try multilineCharacter(byte, into: &text)
            }
        }
        throw fault("a string without its end")
    }

    /// Takes a run of quotes: three end the string, one or two before them belong to it.
    /// - Returns: whether the string ended; the quotes that belong to it are in `text`.
    private mutating func closes(_ quote: UInt8, _ text: inout [UInt8]) -> Bool {
        var count = 0
        while count < 5, peek(ahead: count) == quote { count += 1 }
        advance(count)
        text.append(contentsOf: repeatElement(quote, count: count >= 3 ? count - 3 : count))
        return count >= 3
    }

    private mutating func multilineCharacter(_ byte: UInt8, into text: inout [UInt8]) throws(TOMLFault) {
        let start = index
        if try skipNewline() {
            text.append(contentsOf: bytes[start..<index])
        } else {
            try checkCharacter(byte)
            text.append(byte)
            advance()
        }
    }

    /// A backslash at the end of a line: it, the newline and all blank space behind are no part of the string.
    private mutating func skipLineEnding() throws(TOMLFault) -> Bool {
        var ahead = 1
        while let byte = peek(ahead: ahead), byte == 0x20 || byte == 0x09 { ahead += 1 }
        guard let byte = peek(ahead: ahead), byte == 0x0a || byte == 0x0d else { return false }
        advance(ahead)
        repeat { skipBlanks() } while try skipNewline()
        return true
    }

    private mutating func escape(into text: inout [UInt8]) throws(TOMLFault) {
        let digits: Int
        switch peek(ahead: 1) {
        case UInt8(ascii: "b"): return simpleEscape(0x08, into: &text)
        case UInt8(ascii: "t"): return simpleEscape(0x09, into: &text)
        case UInt8(ascii: "n"): return simpleEscape(0x0a, into: &text)
        case UInt8(ascii: "f"): return simpleEscape(0x0c, into: &text)
        case UInt8(ascii: "r"): return simpleEscape(0x0d, into: &text)
        case UInt8(ascii: "\""): return simpleEscape(0x22, into: &text)
        case UInt8(ascii: "\\"): return simpleEscape(0x5c, into: &text)
        case UInt8(ascii: "u"): digits = 4
        case UInt8(ascii: "U"): digits = 8
        default: throw fault("an escape that TOML does not have")
        }
        var value: UInt32 = 0
        for ahead in 2..<(2 + digits) {
            guard let byte = peek(ahead: ahead), let digit = Self.hexValue(byte) else {
                throw fault("an escape without \(digits) hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
        }
        guard let scalar = Unicode.Scalar(value) else { throw fault("an escape that is no Unicode scalar value") }
        text.append(contentsOf: String(Character(scalar)).utf8)
        advance(2 + digits)
    }

    private mutating func simpleEscape(_ byte: UInt8, into text: inout [UInt8]) {
        text.append(byte)
        advance(2)
    }

    private func checkCharacter(_ byte: UInt8) throws(TOMLFault) {
        guard byte >= 0x20 && byte != 0x7f || byte == 0x09 else { throw fault("a control character or a newline in a string") }
    }

    static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
