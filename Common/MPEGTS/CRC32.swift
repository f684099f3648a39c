/// CRC-32/MPEG-2 over a section: polynomial 0x04C11DB7, initial value all ones, not reflected, no final xor.
///
/// Source: ISO/IEC 13818-1, annex A.
package enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        var value = UInt32(index) << 24
        for _ in 0..<8 {
            value = value & 0x8000_0000 != 0 ? value << 1 ^ 0x04C1_1DB7 : value << 1
        }
        return value
    }

    /// Zero over a section with its CRC at the end means that it is intact.
    package static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var value: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            value = value << 8 ^ table[Int(UInt8(truncatingIfNeeded: value >> 24) ^ byte)]
        }
        return value
    }
}
