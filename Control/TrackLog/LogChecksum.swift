/// CRC-32C: what tells a record that was written whole from one that was not. Source: RFC 3720, 12.1 and B.4.
///
/// It is against disks, not against people: whoever may write the file may write anything.
enum LogChecksum {
    private static let table: [UInt32] = (0..<256).map { index in
        var value = UInt32(index)
        for _ in 0..<8 { value = value & 1 != 0 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
        return value
    }

    /// Of `bytes` in these ranges, one behind the other; they lie within it.
    static func value(_ bytes: [UInt8], _ first: Range<Int>, _ second: Range<Int>) -> UInt32 {
        var value: UInt32 = 0xffff_ffff
        let table = Self.table
        for range in [first, second] {
            for index in range { value = value >> 8 ^ table[Int(UInt8(truncatingIfNeeded: value) ^ bytes[index])] }
        }
        return ~value
    }
}
