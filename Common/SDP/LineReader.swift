/// The lines of a description. Ends of lines are CRLF or LF (RFC 8866 section 5 has parsers take both); by bytes, because CRLF is one
/// `Character`.
struct LineReader {
    struct Line {
        /// From 1.
        let number: Int
        /// The letter before the `=`.
        let type: UInt8
        var value: Words
    }

    private let bytes: [UInt8]
    private let limits: SDPLimits
    private var index = 0
    private(set) var number = 0

    init(_ bytes: [UInt8], _ limits: SDPLimits) throws(SDPFault) {
        guard bytes.count <= limits.bytes else { throw SDPFault(line: 0, .tooManyBytes, "text") }
        guard String(validating: bytes, as: UTF8.self) != nil else { throw SDPFault(line: 0, .character, "text") }
        self.bytes = bytes
        self.limits = limits
    }

    /// nil at the end; empty lines at the end are passed over.
    mutating func next() throws(SDPFault) -> Line? {
        guard index < bytes.count else { return nil }
        number += 1
        guard number <= limits.lines else { throw SDPFault(line: number, .tooManyLines, "line") }
        let start = index
        while index < bytes.count, bytes[index] != 0x0a { index += 1 }
        var end = index
        index += 1
        if end > start, bytes[end - 1] == 0x0d { end -= 1 }
        guard end - start <= limits.lineBytes else { throw SDPFault(line: number, .longLine, "line") }
        if end == start {
            let isLast = bytes[min(index, bytes.count)...].allSatisfy { $0 == 0x0a || $0 == 0x0d }
            guard isLast else { throw SDPFault(line: number, .syntax, "line") }
            index = bytes.count
            return nil
        }
        for place in start..<end where bytes[place] < 0x20 && bytes[place] != 0x09 || bytes[place] == 0x7f {
            throw SDPFault(line: number, .character, "line")
        }
        guard end - start >= 2, bytes[start + 1] == UInt8(ascii: "="), 0x61...0x7a ~= bytes[start] else {
            throw SDPFault(line: number, .syntax, "line")
        }
        return Line(number: number, type: bytes[start], value: Words(bytes, start + 2..<end))
    }
}

/// Reads the words of one line off its front.
struct Words {
    private let bytes: [UInt8]
    private var index: Int
    private let end: Int

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        index = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { index >= end }

    /// Up to the next space, with which the spaces go; nil at the end.
    mutating func word() -> String? {
        guard let text = take(until: 0x20) else { return nil }
        while index < end, bytes[index] == 0x20 { index += 1 }
        return text.isEmpty ? nil : text
    }

    /// Up to `separator`, which goes; to the end where there is none. nil at the end.
    mutating func take(until separator: UInt8) -> String? {
        guard index < end else { return nil }
        let start = index
        while index < end, bytes[index] != separator { index += 1 }
        defer { index = min(index + 1, end) }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    /// All that is left.
    mutating func rest() -> String {
        defer { index = end }
        return String(decoding: bytes[index..<end], as: UTF8.self)
    }

    mutating func words() -> [String] {
        var words: [String] = []
        while let word = word() { words.append(word) }
        return words
    }

    /// A word of decimal digits alone, within `range`.
    mutating func number<Value: FixedWidthInteger>(_ range: ClosedRange<Value>) -> Value? { word().flatMap { decimal($0, range) } }
}

/// Digits alone: no sign, no spaces.
func decimal<Value: FixedWidthInteger>(_ text: some StringProtocol, _ range: ClosedRange<Value>) -> Value? {
    guard !text.isEmpty, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let value = Value(text), range.contains(value) else { return nil }
    return value
}

/// `text` at each `separator`, empty parts too; by bytes.
func parts(_ text: some StringProtocol, _ separator: Unicode.Scalar) -> [String] {
    text.utf8.split(separator: UInt8(ascii: separator), omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
}

/// The first part before `separator`, and what is behind it; nil for that where there is no separator.
func cut(_ text: String, _ separator: Unicode.Scalar) -> (first: String, rest: String?) {
    let bytes = text.utf8
    guard let place = bytes.firstIndex(of: UInt8(ascii: separator)) else { return (text, nil) }
    return (String(text[..<place]), String(text[bytes.index(after: place)...]))
}
