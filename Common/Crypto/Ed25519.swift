import COpenSSL

/// A signing key of Ed25519, held as its seed. Source: RFC 8032.
package struct Ed25519PrivateKey: Sendable, CustomStringConvertible, CustomReflectable {
    /// 32 bytes, secret: what is stored.
    package let seed: [UInt8]
    /// 32 bytes, public.
    package let publicKey: [UInt8]

    /// A new key.
    package static func generate() throws(CryptoError) -> Ed25519PrivateKey {
        try Ed25519PrivateKey(seed: randomBytes(32))
    }

    /// The key of a stored seed.
    package init(seed: [UInt8]) throws(CryptoError) {
        guard seed.count == 32 else { throw .malformed("an Ed25519 seed has 32 bytes, not \(seed.count)") }
        let key = try KeyHandle("EVP_PKEY_new_raw_private_key", EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count))
        var bytes = [UInt8](repeating: 0, count: 32)
        var count = bytes.count
        try check("EVP_PKEY_get_raw_public_key", EVP_PKEY_get_raw_public_key(key.raw, &bytes, &count))
        self.seed = seed
        publicKey = bytes
    }

    /// The signature over `message`, 64 bytes.
    package func sign(_ message: [UInt8]) throws(CryptoError) -> [UInt8] {
        let key = try KeyHandle("EVP_PKEY_new_raw_private_key", EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count))
        let context = try DigestContext()
        try check("EVP_DigestSignInit", EVP_DigestSignInit(context.raw, nil, nil, nil, key.raw))
        var signature = [UInt8](repeating: 0, count: 64)
        var count = signature.count
        try check("EVP_DigestSign", EVP_DigestSign(context.raw, &signature, &count, message, message.count))
        return signature
    }

    package var description: String { "Ed25519 key \(Hex.encode(Array(publicKey.prefix(8))))…" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

package enum Ed25519 {
    /// Whether bytes can be somebody's public key: 32 of them, a canonical coordinate (RFC 8032, 5.1.3), and no point of small order, for
    /// which a signature is made without a key. What is no point of the curve at all verifies nothing.
    package static func isPublicKey(_ bytes: [UInt8]) -> Bool {
        guard bytes.count == 32 else { return false }
        var coordinate = bytes
        coordinate[31] &= 0x7F
        // p = 2^255 - 19, little endian; p - 1 is the point of order 2.
        let isNearlyPrime = coordinate[31] == 0x7F && coordinate[1..<31].allSatisfy { $0 == 0xFF }
        if isNearlyPrime, coordinate[0] >= 0xEC { return false }
        // The identity, and the two points of order 4.
        if coordinate[0] <= 1, coordinate[1...].allSatisfy({ $0 == 0 }) { return false }
        return !orderEight.contains(coordinate)
    }

    /// The four points of order 8 have two coordinates.
    private static let orderEight: [[UInt8]] = [
        [
            0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98, 0xF0,
            0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05,
        ],
        [
            0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F,
            0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A,
        ],
    ]

    /// Whether `signature` is the holder's of `publicKey` over `message`; no for any malformed key or signature.
    package static func verify(_ signature: [UInt8], of message: [UInt8], publicKey: [UInt8]) -> Bool {
        guard signature.count == 64, isPublicKey(publicKey),
            let raw = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, publicKey, publicKey.count)
        else { return false }
        let key = KeyHandle(adopting: raw)
        // Only a lack of memory makes no context: the signature was not verified then.
        guard let context = try? DigestContext() else { return false }
        defer { ERR_clear_error() }
        return EVP_DigestVerifyInit(context.raw, nil, nil, nil, key.raw) == 1
            && EVP_DigestVerify(context.raw, signature, signature.count, message, message.count) == 1
    }
}

/// Owns one EVP_PKEY.
struct KeyHandle: ~Copyable {
    let raw: OpaquePointer

    init(adopting raw: OpaquePointer) { self.raw = raw }

    init(_ function: String, _ pointer: OpaquePointer?) throws(CryptoError) {
        raw = try made(function, pointer)
    }

    deinit { EVP_PKEY_free(raw) }
}

/// Owns one EVP_MD_CTX.
private struct DigestContext: ~Copyable {
    let raw: OpaquePointer

    init() throws(CryptoError) { raw = try made("EVP_MD_CTX_new", EVP_MD_CTX_new()) }

    deinit { EVP_MD_CTX_free(raw) }
}
