/// Where a text stops being JSON (RFC 8259), for whoever wrote it: the decoder of Foundation for Linux refuses it without a place.
package struct JSONPlace: Sendable, Hashable, CustomStringConvertible {
    /// Both from 1; columns are counted in bytes.
    package let line: Int
    package let column: Int

    /// - Returns: nil for what is JSON, as far as its form goes: a number that is too large is.
    package init?(ofFaultIn bytes: [UInt8]) {
        var scan = Scan(bytes: bytes)
        guard !scan.text() else { return nil }
        let before = bytes.prefix(scan.index)
        line = before.filter { $0 == UInt8(ascii: "\n") }.count + 1
        column = scan.index - (before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0) + 1
    }

    package var description: String { "line \(line), column \(column)" }
}

extension [any CodingKey] {
    /// As people write it: `body.links[0].name`.
    package var fieldPath: String {
        reduce("") { text, key in
            if let index = key.intValue { return "\(text)[\(index)]" }
            return text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)"
        }
    }
}

/// A walk through a text, as far as it is JSON.
private struct Scan {
    let bytes: [UInt8]
    /// The byte that is looked at: after a fault the one that cannot be there, or the text's end.
    var index = 0

    /// As deep as the decoder goes.
    private static let depthLimit = 512

    init(bytes: [UInt8]) { self.bytes = bytes }

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    mutating func text() -> Bool {
        guard value(0) else { return false }
        skipSpace()
        return next == nil
    }

    private mutating func value(_ depth: Int) -> Bool {
        skipSpace()
        guard let byte = next else { return false }
        switch byte {
        case UInt8(ascii: "{"): return depth < Self.depthLimit && entries(until: UInt8(ascii: "}"), areNamed: true, depth)
        case UInt8(ascii: "["): return depth < Self.depthLimit && entries(until: UInt8(ascii: "]"), areNamed: false, depth)
        case UInt8(ascii: "\""): return string()
        case UInt8(ascii: "t"): return word("true")
        case UInt8(ascii: "f"): return word("false")
        case UInt8(ascii: "n"): return word("null")
        default: return number()
        }
    }

    private mutating func entries(until end: UInt8, areNamed: Bool, _ depth: Int) -> Bool {
        index += 1
        skipSpace()
        if take(end) { return true }
        repeat {
            if areNamed {
                skipSpace()
                guard string() else { return false }
                skipSpace()
                guard take(UInt8(ascii: ":")) else { return false }
            }
            guard value(depth + 1) else { return false }
            skipSpace()
        } while take(UInt8(ascii: ","))
        return take(end)
    }

    private mutating func string() -> Bool {
        guard take(UInt8(ascii: "\"")) else { return false }
        while let byte = next, byte >= 0x20 {
            if take(UInt8(ascii: "\"")) { return true }
            index += 1
            if byte == UInt8(ascii: "\\") {
                guard let escaped = next, "\"\\/bfnrtu".utf8.contains(escaped) else { return false }
                index += 1
            }
        }
        return false
    }

    private mutating func number() -> Bool {
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) {
            guard digits() else { return false }
        }
        if take(UInt8(ascii: ".")) {
            guard digits() else { return false }
        }
        guard take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) else { return true }
        if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
        return digits()
    }

    private mutating func digits() -> Bool {
        let start = index
        while let byte = next, (0x30...0x39).contains(byte) { index += 1 }
        return index > start
    }

    private mutating func word(_ word: String) -> Bool {
        for byte in word.utf8 {
            guard take(byte) else { return false }
        }
        return true
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        index += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { index += 1 }
    }
}
