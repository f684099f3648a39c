import Units

/// A text as it is meant, whatever it is written with: percent-encoding, escapes of JSON and HTML, wide letters, and characters that
/// nobody sees are undone, so that what is looked for is there as itself.
struct Reading {
    let bytes: [UInt8]

    /// Rounds of decoding: each undoes one more layer.
    private static let layers = 12

    /// nil for a text that is still encoded after so many rounds: nobody writes one by accident.
    init?(_ text: String, upTo limit: Int) {
        var bytes = Self.plain(Self.bounded(text, to: limit))
        for _ in 0..<Self.layers {
            let next = Self.plain(Self.decoded(bytes))
            if next == bytes {
                self.bytes = bytes
                return
            }
            bytes = next
        }
        return nil
    }

    /// What is cut goes as a whole word: half of a token may not look like one.
    private static func bounded(_ text: String, to limit: Int) -> [UInt8] {
        let bytes = Array(text.utf8.prefix(limit + 1))
        guard bytes.count > limit else { return bytes }
        let end = bytes.lastIndex { Byte.isBlank($0) } ?? 0
        return Array(bytes[..<end])
    }

    private static func plain(_ bytes: [UInt8]) -> [UInt8] {
        var result = String.UnicodeScalarView()
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            switch scalar {
            case "\n": result.append(scalar)
            case "\r": result.append("\n")
            case "\t", "\u{a0}", "\u{2000}"..."\u{200a}", "\u{202f}", "\u{205f}", "\u{3000}": result.append(" ")
            case "\u{fe6b}": result.append("@")
            // The wide forms of ASCII.
            case "\u{ff01}"..."\u{ff5e}": result.append(Unicode.Scalar(UInt8(scalar.value - 0xfee0)))
            // A soft hyphen, joiners and variants: in names and emoji they have their place, and here they would part a token.
            case "\u{ad}", "\u{34f}", "\u{200c}", "\u{200d}", "\u{fe00}"..."\u{fe0f}": break
            case _ where scalar.isHostile: break
            default: result.append(scalar)
            }
        }
        return Array(String(result).utf8)
    }

    /// One layer less.
    private static func decoded(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let rest = bytes[index...]
            if let (decoded, count) = percent(rest) ?? escape(rest) ?? entity(rest) {
                result += decoded
                index += count
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return result
    }

    /// `%40`. A blank of a URL ends no word here, and an end of a line is none.
    private static func percent(_ bytes: ArraySlice<UInt8>) -> (decoded: [UInt8], count: Int)? {
        guard bytes.first == UInt8(ascii: "%"), let byte = hex(bytes.dropFirst(), digits: 2) else { return nil }
        switch UInt8(byte) {
        case 0..<0x20: return ([], 3)
        case Byte.space: return ([UInt8(ascii: "+")], 3)
        case let byte: return ([byte], 3)
        }
    }

    /// `\u0040`, `\x40`, `\/`, `\"`, `\n`.
    private static func escape(_ bytes: ArraySlice<UInt8>) -> (decoded: [UInt8], count: Int)? {
        guard bytes.first == UInt8(ascii: "\\"), let kind = bytes.dropFirst().first else { return nil }
        let rest = bytes.dropFirst(2)
        switch kind {
        case UInt8(ascii: "u"): return hex(rest, digits: 4).map { (utf8($0), 6) }
        case UInt8(ascii: "x"): return hex(rest, digits: 2).map { (utf8($0), 4) }
        case UInt8(ascii: "/"), UInt8(ascii: "\""): return ([kind], 2)
        case UInt8(ascii: "n"), UInt8(ascii: "r"): return ([Byte.newline], 2)
        default: return nil
        }
    }

    /// `&#64;`, `&#x40;`, `&amp;`.
    private static func entity(_ bytes: ArraySlice<UInt8>) -> (decoded: [UInt8], count: Int)? {
        guard bytes.first == UInt8(ascii: "&"), let end = bytes.prefix(10).firstIndex(of: UInt8(ascii: ";")) else { return nil }
        let name = String(decoding: bytes[(bytes.startIndex + 1)..<end], as: UTF8.self).lowercased()
        let count = end - bytes.startIndex + 1
        if name == "amp" { return ([UInt8(ascii: "&")], count) }
        guard name.hasPrefix("#") else { return nil }
        let digits = name.dropFirst()
        let number = digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        return number.map { (utf8($0), count) }
    }

    private static func hex(_ bytes: ArraySlice<UInt8>, digits: Int) -> UInt32? {
        guard bytes.count >= digits else { return nil }
        var value: UInt32 = 0
        for byte in bytes.prefix(digits) {
            guard let digit = Byte.hexValue(byte) else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    /// Half of a surrogate pair is no character.
    private static func utf8(_ number: UInt32) -> [UInt8] {
        Unicode.Scalar(number).map { Array(String(Character($0)).utf8) } ?? [UInt8(ascii: "?")]
    }
}

/// Kinds of bytes.
enum Byte {
    static let newline = UInt8(ascii: "\n")
    static let space = UInt8(ascii: " ")

    static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    static func isUpper(_ byte: UInt8) -> Bool { (0x41...0x5a).contains(byte) }
    static func isLower(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte) }
    static func isLetter(_ byte: UInt8) -> Bool { isUpper(byte) || isLower(byte) }
    static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) }
    static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == newline }
    static func isQuote(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") || byte == UInt8(ascii: "`") }

    static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}
