/// A mid or a rid as it stands in packets: 1...16 bytes of letters, digits and the other characters of an SDP token, held inline.
///
/// Source: RFC 8866 section 9 (token), RFC 8852 section 3.1 (rid: letters and digits; a one-byte extension holds 16 bytes),
/// RFC 9143 section 15.2 (mid, at most 3 bytes recommended).
package struct Label: Hashable, Sendable, CustomStringConvertible {
    package static let byteLimit = 16

    private let high: UInt64
    private let low: UInt64
    package let count: Int

    /// nil unless the range of `bytes` holds 1...16 bytes of a token.
    package init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        guard 1...Self.byteLimit ~= range.count, range.lowerBound >= 0, range.upperBound <= bytes.count else { return nil }
        for index in range {
            guard Self.isTokenByte(bytes[index]) else { return nil }
            high = high << 8 | low >> 56
            low = low << 8 | UInt64(bytes[index])
        }
        self.high = high
        self.low = low
        count = range.count
    }

    /// nil unless `text` is a token of 1...16 bytes.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        self.init(bytes.span, 0..<bytes.count)
    }

    /// The byte at `index`, which is in `0..<count`.
    package subscript(_ index: Int) -> UInt8 {
        let shift = 8 * (count - 1 - index)
        return UInt8(truncatingIfNeeded: shift >= 64 ? high >> UInt64(shift - 64) : low >> UInt64(shift))
    }

    package var description: String { String(decoding: (0..<count).map { self[$0] }, as: UTF8.self) }

    /// token-char of RFC 8866 section 9.
    package static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x21, 0x23...0x27, 0x2a...0x2b, 0x2d...0x2e, 0x30...0x39, 0x41...0x5a, 0x5e...0x7e: true
        default: false
        }
    }
}
