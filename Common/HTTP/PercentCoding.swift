/// Percent-encoding (RFC 3986 section 2.1) and the form encoding of queries.
package enum PercentCoding {
    /// Escapes every byte that is not unreserved: safe as one segment, one name or one value.
    package static func encode(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if Grammar.isUnreserved(byte) {
                bytes.append(byte)
            } else {
                bytes.append(UInt8(ascii: "%"))
                bytes.append(digits[Int(byte >> 4)])
                bytes.append(digits[Int(byte & 15)])
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// nil where a `%` lacks its two digits or the result is not UTF-8.
    package static func decode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
        let bytes = Array(text.utf8)
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "%"):
                guard index + 2 < bytes.count, let high = Grammar.hexValue(bytes[index + 1]), let low = Grammar.hexValue(bytes[index + 2])
                else { return nil }
                decoded.append(high << 4 | low)
                index += 3
            case UInt8(ascii: "+") where plusIsSpace:
                decoded.append(Grammar.space)
                index += 1
            case let byte:
                decoded.append(byte)
                index += 1
            }
        }
        return String(validatingUTF8Bytes: decoded)
    }

    /// The names and values of `a=1&b=2`, decoded, `+` as space; what does not decode is kept as it was sent.
    package static func form(_ text: some StringProtocol) -> [(String, String)] {
        text.split(separator: "&").map { pair in
            let mark = pair.firstIndex(of: "=") ?? pair.endIndex
            let value = mark == pair.endIndex ? pair[mark...] : pair[pair.index(after: mark)...]
            return (decodeOrKeep(pair[..<mark]), decodeOrKeep(value))
        }
    }

    private static func decodeOrKeep(_ text: some StringProtocol) -> String { decode(text, plusIsSpace: true) ?? String(text) }

    private static let digits = Array("0123456789ABCDEF".utf8)
}
