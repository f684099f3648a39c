/// What the wire needs of a cryptographic library; the module `Crypto` has it as `BondCrypto.openSSL`.
package struct BondCrypto: Sendable {
    /// Bytes that nobody can foretell.
    package let random: @Sendable (_ count: Int) -> [UInt8]
    /// HMAC-SHA256, 32 bytes.
    package let hmac: @Sendable (_ key: [UInt8], _ message: [UInt8]) -> [UInt8]
    /// AES-128-GCM under a key of 16 bytes.
    package let makeCipher: @Sendable (_ key: [UInt8]) -> any PacketCipher

    package init(
        random: @escaping @Sendable (_ count: Int) -> [UInt8],
        hmac: @escaping @Sendable (_ key: [UInt8], _ message: [UInt8]) -> [UInt8],
        makeCipher: @escaping @Sendable (_ key: [UInt8]) -> any PacketCipher
    ) {
        self.random = random
        self.hmac = hmac
        self.makeCipher = makeCipher
    }

    /// HKDF-Extract. Source: RFC 5869 section 2.2.
    func extract(salt: [UInt8], secret: [UInt8]) -> [UInt8] { hmac(salt, secret) }

    /// HKDF-Expand to at most 32 bytes: one block. Source: RFC 5869 section 2.3.
    func expand(_ secret: [UInt8], _ label: String, _ context: [UInt8] = [], count: Int) -> [UInt8] {
        Array(hmac(secret, Array("strata bond 1 \(label)".utf8) + context + [1]).prefix(count))
    }
}

/// AES-128-GCM with a tag of 16 bytes, under one key, in one direction, on one thread.
package protocol PacketCipher: AnyObject {
    /// Encrypts `bytes[clear...]` where it lies, authenticates all of `bytes`, and appends the tag.
    func seal(_ bytes: inout [UInt8], clear: Int, nonce: PacketNonce)

    /// The reverse: decrypts what lies between the first `clear` bytes and the tag, and takes the tag away.
    /// - Returns: false where anything was changed; `bytes` is worthless then.
    func open(_ bytes: inout [UInt8], clear: Int, nonce: PacketNonce) -> Bool
}

/// The 12 bytes of a nonce, big endian: without an array for each packet.
package struct PacketNonce: Hashable, Sendable {
    package var high: UInt32
    package var low: UInt64

    package init(high: UInt32, low: UInt64) {
        self.high = high
        self.low = low
    }
}

/// Whether two byte strings are equal, in a time that depends on their lengths alone.
func isEqual(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for (one, other) in zip(left, right) { difference |= one ^ other }
    return difference == 0
}
