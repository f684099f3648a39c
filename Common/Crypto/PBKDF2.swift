import COpenSSL

/// PBKDF2 with HMAC-SHA-256. Source: RFC 8018 section 5.2.
package enum PBKDF2 {
    package static func derive(_ passphrase: [UInt8], salt: [UInt8], iterations: Int, bytes: Int) -> [UInt8] {
        var key = [UInt8](repeating: 0, count: bytes)
        let isDone = passphrase.withUnsafeBytes { text in
            PKCS5_PBKDF2_HMAC(
                text.bindMemory(to: CChar.self).baseAddress, CInt(passphrase.count), salt, CInt(salt.count), CInt(iterations), EVP_sha256(),
                CInt(bytes), &key) == 1
        }
        precondition(isDone, "PBKDF2 over memory does not fail")
        return key
    }
}
