/// The 33-bit timestamps of MPEG-TS: where they lie in bytes, and how they go on after a wrap.
///
/// Source: ISO/IEC 13818-1, 2.4.3.5 (PCR) and 2.4.3.7 (PTS and DTS).
package enum Timestamp {
    /// One more than the largest value: they wrap after 26.5 hours.
    package static let modulus: Int64 = 1 << 33

    /// The value nearest to `reference` that has these 33 bits.
    package static func unwrap(_ value: Int64, near reference: Int64) -> Int64 {
        var difference = (value - reference) & (modulus - 1)
        if difference >= modulus / 2 { difference -= modulus }
        return reference + difference
    }

    /// The lower 33 bits.
    package static func wrap(_ value: Int64) -> Int64 { value & (modulus - 1) }

    /// PTS or DTS: five bytes with three marker bits, which are not checked.
    package static func readStamp(_ bytes: [UInt8], at start: Int) -> Int64 {
        Int64(bytes[start] & 0x0E) << 29
            | Int64(bytes[start + 1]) << 22
            | Int64(bytes[start + 2] & 0xFE) << 14
            | Int64(bytes[start + 3]) << 7
            | Int64(bytes[start + 4] >> 1)
    }

    /// Keeps the four bits of the prefix; sets the marker bits.
    static func writeStamp(_ value: Int64, _ bytes: inout [UInt8], at start: Int) {
        let value = wrap(value)
        bytes[start] = bytes[start] & 0xF0 | UInt8(value >> 29 & 0x0E) | 1
        bytes[start + 1] = UInt8(value >> 22 & 0xFF)
        bytes[start + 2] = UInt8(value >> 14 & 0xFE) | 1
        bytes[start + 3] = UInt8(value >> 7 & 0xFF)
        bytes[start + 4] = UInt8(value << 1 & 0xFE) | 1
    }

    /// The 90 kHz base of a program clock reference; its 27 MHz extension is left out.
    static func readClock(_ bytes: [UInt8], at start: Int) -> Int64 {
        Int64(bytes[start]) << 25
            | Int64(bytes[start + 1]) << 17
            | Int64(bytes[start + 2]) << 9
            | Int64(bytes[start + 3]) << 1
            | Int64(bytes[start + 4] >> 7)
    }

    /// Keeps the extension.
    static func writeClock(_ value: Int64, _ bytes: inout [UInt8], at start: Int) {
        let value = wrap(value)
        bytes[start] = UInt8(value >> 25 & 0xFF)
        bytes[start + 1] = UInt8(value >> 17 & 0xFF)
        bytes[start + 2] = UInt8(value >> 9 & 0xFF)
        bytes[start + 3] = UInt8(value >> 1 & 0xFF)
        bytes[start + 4] = bytes[start + 4] & 0x7F | UInt8(value & 1) << 7
    }
}
