/// Which trace something belongs to, and the span that it is a part of.
///
/// Source: W3C Trace Context, Recommendation of 23 November 2021, section 3.2.
package struct TraceContext: Sendable, Hashable {
    /// The 128 bits of the trace's id.
    let high: UInt64
    let low: UInt64
    let span: UInt64
    package let isSampled: Bool

    init(high: UInt64, low: UInt64, span: UInt64, isSampled: Bool) {
        self.high = high
        self.low = low
        self.span = span
        self.isSampled = isSampled
    }

    /// What a header `traceparent` says; nil for what is none. Of a later version what this one has is read.
    package init?(traceparent text: String) {
        let bytes = Array(text.utf8.prefix(512))
        guard bytes.count >= 55, [2, 35, 52].allSatisfy({ bytes[$0] == UInt8(ascii: "-") }), let version = Self.number(bytes[0..<2]),
            version != 0xff, bytes.count == 55 || (version > 0 && bytes[55] == UInt8(ascii: "-")), let high = Self.number(bytes[3..<19]),
            let low = Self.number(bytes[19..<35]), let span = Self.number(bytes[36..<52]), let flags = Self.number(bytes[53..<55]),
            high != 0 || low != 0, span != 0
        else { return nil }
        self.init(high: high, low: low, span: span, isSampled: flags & 1 == 1)
    }

    package var traceID: String { Self.hex(high) + Self.hex(low) }
    package var spanID: String { Self.hex(span) }

    /// Small letters alone: others are invalid.
    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case 0x30...0x39: value = value << 4 | UInt64(digit - 0x30)
            case 0x61...0x66: value = value << 4 | UInt64(digit - 0x57)
            default: return nil
            }
        }
        return value
    }

    static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
