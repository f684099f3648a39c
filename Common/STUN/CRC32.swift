/// The cyclic redundancy check of ISO 3309, as Ethernet and FINGERPRINT have it. Source: RFC 8489 section 14.7.
///
/// No secret goes into it, so that it is nothing to inject.
enum CRC32 {
    /// 0xedb88320 is the polynomial 0x04c11db7 with its bits reversed.
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xedb8_8320 }
    }

    /// Of the first `count` bytes.
    static func of(_ bytes: Span<UInt8>, count: Int) -> UInt32 {
        let table = table
        var value: UInt32 = .max
        for index in 0..<count { value = value >> 8 ^ table[Int(truncatingIfNeeded: (value ^ UInt32(bytes[index])) & 0xff)] }
        return ~value
    }
}
