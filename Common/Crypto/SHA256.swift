import COpenSSL

/// SHA-256. Source: FIPS 180-4.
package enum SHA256 {
    package static let byteCount = 32

    /// The digest of `bytes`, 32 bytes.
    package static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        COpenSSL.SHA256(bytes, bytes.count, &digest)
        return digest
    }

    /// The digest of a text's UTF-8 bytes, 32 bytes.
    package static func hash(_ text: String) -> [UInt8] { hash(Array(text.utf8)) }
}

/// HMAC over SHA-256. Source: RFC 2104.
package enum HMAC256 {
    /// The authentication code of `bytes`, 32 bytes.
    package static func authenticate(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: SHA256.byteCount)
        let result = HMAC(EVP_sha256(), key, CInt(key.count), bytes, bytes.count, &code, nil)
        precondition(result != nil, "HMAC-SHA-256 over memory fails only when there is no memory")
        return code
    }

    /// Whether `code` is the one of `bytes`, in a time that does not depend on where it differs.
    package static func isAuthentic(_ code: [UInt8], for bytes: [UInt8], key: [UInt8]) -> Bool {
        constantTimeEqual(code, authenticate(bytes, key: key))
    }
}

/// HKDF over SHA-256. Source: RFC 5869.
package enum HKDF256 {
    /// Derives `count` bytes from a secret.
    ///
    /// - Parameters:
    ///   - secret: the input keying material, of any length.
    ///   - salt: not secret; may be empty.
    ///   - info: the purpose, so that two purposes never share a key.
    ///   - count: at most 8160 bytes (255 blocks).
    package static func derive(secret: [UInt8], salt: [UInt8] = [], info: [UInt8], count: Int) -> [UInt8] {
        precondition((0...255 * SHA256.byteCount).contains(count), "HKDF gives at most 255 blocks")
        let extracted = HMAC256.authenticate(secret, key: salt)
        var output: [UInt8] = []
        var block: [UInt8] = []
        var counter: UInt8 = 1
        while output.count < count {
            block = HMAC256.authenticate(block + info + [counter], key: extracted)
            output += block
            counter &+= 1
        }
        return Array(output.prefix(count))
    }

    package static func derive(secret: [UInt8], salt: [UInt8] = [], info: String, count: Int) -> [UInt8] {
        derive(secret: secret, salt: salt, info: Array(info.utf8), count: count)
    }
}

/// Whether two byte strings are equal, in a time that depends on their lengths alone.
package func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
}

/// Bytes that nobody can foretell, from the kernel's generator.
package func randomBytes(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 7)
    while bytes.count < count {
        withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) }
    }
    bytes.removeLast(bytes.count - count)
    return bytes
}
