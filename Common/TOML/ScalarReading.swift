extension Cursor {
    /// A string, a number, a boolean or a date.
    mutating func scalar() throws(TOMLFault) -> TOMLValue {
        if let text = try string() { return .string(text) }
        let start = self
        let text = word()
        guard !text.isEmpty else { throw start.fault("expected a value") }
        switch text {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "inf", "+inf": return .float(.infinity)
        case "-inf": return .float(-.infinity)
        case "nan", "+nan", "-nan": return .float(.nan)
        default: break
        }
        if DateText.isValid(text) { return .date(text) }
        if let value = try number(text, start) { return value }
        throw start.fault("'\(text.prefix(40))' is not a value")
    }

    /// What stands up to the next delimiter, with the one space that a date and a time may have between them.
    private mutating func word() -> String {
        let start = index
        while let byte = peek, Self.isWord(byte) { advance() }
        // `1979-05-27 07:32:00`
        if index - start == 10, bytes[start + 4] == UInt8(ascii: "-"), peek == 0x20, let next = peek(ahead: 1), (0x30...0x39).contains(next)
        {
            advance()
            while let byte = peek, Self.isWord(byte) { advance() }
        }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        isBare(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":")
    }

    private func number(_ text: String, _ start: Cursor) throws(TOMLFault) -> TOMLValue? {
        let bytes = Array(text.utf8)
        if bytes.count > 2, bytes[0] == UInt8(ascii: "0"), let radix = Self.radix(bytes[1]) {
            guard let digits = Self.digits(bytes[2...], radix: radix) else { return nil }
            guard let value = Int(digits, radix: radix) else { throw start.fault("an integer that does not fit in 64 bits") }
            return .integer(value)
        }
        let isNegative = bytes[0] == UInt8(ascii: "-")
        let unsigned = isNegative || bytes[0] == UInt8(ascii: "+") ? bytes[1...] : bytes[...]
        if let digits = Self.digits(unsigned, radix: 10) {
            guard digits.utf8.count == 1 || !digits.hasPrefix("0") else { throw start.fault("a number with a leading zero") }
            guard let value = Int(isNegative ? "-\(digits)" : digits) else { throw start.fault("an integer that does not fit in 64 bits") }
            return .integer(value)
        }
        return Self.float(unsigned).map { .float(isNegative ? -$0 : $0) }
    }

    private static func radix(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "x"): 16
        case UInt8(ascii: "o"): 8
        case UInt8(ascii: "b"): 2
        default: nil
        }
    }

    /// The digits without their underscores, each of which stands between two digits; nil for anything else.
    private static func digits(_ bytes: ArraySlice<UInt8>, radix: Int) -> String? {
        var digits: [UInt8] = []
        var afterDigit = false
        for byte in bytes {
            if byte == UInt8(ascii: "_") {
                guard afterDigit else { return nil }
                afterDigit = false
            } else {
                guard let value = hexValue(byte), value < radix else { return nil }
                digits.append(byte)
                afterDigit = true
            }
        }
        return afterDigit ? String(decoding: digits, as: UTF8.self) : nil
    }

    /// `1.5`, `1e6`, `1.5e-3`: digits before and behind the point.
    private static func float(_ bytes: ArraySlice<UInt8>) -> Double? {
        let mark = bytes.firstIndex { $0 | 0x20 == UInt8(ascii: "e") } ?? bytes.endIndex
        var text = ""
        let mantissa = bytes[..<mark].split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = digits(mantissa[0], radix: 10), whole.utf8.count == 1 || !whole.hasPrefix("0") else { return nil }
        text = whole
        if mantissa.count == 2 {
            guard let fraction = digits(mantissa[1], radix: 10) else { return nil }
            text += ".\(fraction)"
        }
        if mark < bytes.endIndex {
            var exponent = bytes[(mark + 1)...]
            var sign = ""
            if let first = exponent.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
                sign = first == UInt8(ascii: "-") ? "-" : ""
                exponent = exponent.dropFirst()
            }
            guard let power = digits(exponent, radix: 10) else { return nil }
            text += "e\(sign)\(power)"
        }
        return Double(text)
    }
}

/// The four forms of RFC 3339 that TOML has: with and without offset, date alone, time alone.
enum DateText {
    static func isValid(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        if bytes.count == 10 { return isDate(bytes[...]) }
        if bytes.count > 2, bytes[2] == UInt8(ascii: ":") { return timeEnd(bytes, 0) == bytes.count }
        guard bytes.count > 11, isDate(bytes[..<10]), [UInt8(ascii: "T"), UInt8(ascii: "t"), 0x20].contains(bytes[10]),
            let end = timeEnd(bytes, 11)
        else { return false }
        return end == bytes.count || isOffset(bytes[end...])
    }

    private static func isDate(_ bytes: ArraySlice<UInt8>) -> Bool {
        let start = bytes.startIndex
        guard bytes[start + 4] == UInt8(ascii: "-"), bytes[start + 7] == UInt8(ascii: "-"), let year = number(bytes[start..<(start + 4)]),
            let month = number(bytes[(start + 5)..<(start + 7)]), let day = number(bytes[(start + 8)..<(start + 10)])
        else { return false }
        let isLeap = year % 4 == 0 && year % 100 != 0 || year % 400 == 0
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return (1...12).contains(month) && day >= 1 && day <= lengths[month - 1]
    }

    /// Where `HH:MM:SS[.fraction]` ends; nil where it is not one.
    private static func timeEnd(_ bytes: [UInt8], _ start: Int) -> Int? {
        guard bytes.count >= start + 8, bytes[start + 2] == UInt8(ascii: ":"), bytes[start + 5] == UInt8(ascii: ":"),
            let hour = number(bytes[start..<(start + 2)]), let minute = number(bytes[(start + 3)..<(start + 5)]),
            let second = number(bytes[(start + 6)..<(start + 8)]), hour < 24, minute < 60, second <= 60
        else { return nil }
        var end = start + 8
        guard end < bytes.count, bytes[end] == UInt8(ascii: ".") else { return end }
        end += 1
        let digits = end
        while end < bytes.count, (0x30...0x39).contains(bytes[end]) { end += 1 }
        return end > digits ? end : nil
    }

    private static func isOffset(_ bytes: ArraySlice<UInt8>) -> Bool {
        let start = bytes.startIndex
        if bytes.count == 1 { return bytes[start] | 0x20 == UInt8(ascii: "z") }
        guard bytes.count == 6, bytes[start] == UInt8(ascii: "+") || bytes[start] == UInt8(ascii: "-"),
            bytes[start + 3] == UInt8(ascii: ":"),
            let hour = number(bytes[(start + 1)..<(start + 3)]), let minute = number(bytes[(start + 4)..<(start + 6)])
        else { return false }
        return hour < 24 && minute < 60
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int? {
        var value = 0
        for byte in bytes {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }
}
