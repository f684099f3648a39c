/// What STUN needs of a cryptographic library; the module `ICE` has it as `STUNCrypto.openSSL`.
package struct STUNCrypto: Sendable {
    /// Bytes that nobody can foretell.
    package let random: @Sendable (_ count: Int) -> [UInt8]
    /// HMAC-SHA1 under one key, for one thread.
    package let makeCode: @Sendable (_ key: [UInt8]) -> IntegrityCode

    package init(
        random: @escaping @Sendable (_ count: Int) -> [UInt8], makeCode: @escaping @Sendable (_ key: [UInt8]) -> IntegrityCode
    ) {
        self.random = random
        self.makeCode = makeCode
    }
}

/// The HMAC-SHA1 of a message, 20 bytes. Source: RFC 8489 section 14.5.
package typealias IntegrityCode = (_ message: [UInt8]) -> [UInt8]

/// Whether the bytes from `start` on are `code`, in a time that does not depend on where they differ.
func isEqual(_ code: [UInt8], _ bytes: Span<UInt8>, at start: Int) -> Bool {
    guard start + code.count <= bytes.count else { return false }
    var difference: UInt8 = 0
    for offset in code.indices { difference |= code[offset] ^ bytes[start + offset] }
    return difference == 0
}
