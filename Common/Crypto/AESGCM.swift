import COpenSSL

/// AES-256 in Galois/counter mode. Source: NIST SP 800-38D.
package enum AESGCM {
    package static let keyBytes = 32
    package static let nonceBytes = 12
    package static let tagBytes = 16

    /// Encrypts and authenticates.
    ///
    /// - Parameters:
    ///   - key: 32 bytes.
    ///   - nonce: 12 bytes, never twice under one key.
    ///   - additionalData: authenticated, not encrypted, not part of the result.
    /// - Returns: the ciphertext, as long as `plaintext`, and the tag of 16 bytes after it.
    package static func seal(
        _ plaintext: [UInt8], key: [UInt8], nonce: [UInt8], additionalData: [UInt8] = []
    ) throws(CryptoError) -> [UInt8] {
        let context = try CipherContext(key: key, nonce: nonce, encrypting: 1)
        var output = [UInt8](repeating: 0, count: plaintext.count + tagBytes)
        try context.authenticate(additionalData)
        try context.transform(plaintext, into: &output)
        var written: CInt = 0
        var rest = [UInt8](repeating: 0, count: 16)
        try check("EVP_EncryptFinal_ex", EVP_EncryptFinal_ex(context.raw, &rest, &written))
        var tag = [UInt8](repeating: 0, count: tagBytes)
        try check("EVP_CTRL_AEAD_GET_TAG", EVP_CIPHER_CTX_ctrl(context.raw, EVP_CTRL_AEAD_GET_TAG, CInt(tagBytes), &tag))
        output.replaceSubrange(plaintext.count..., with: tag)
        return output
    }

    /// Decrypts what `seal` made.
    ///
    /// - Throws: `.notAuthentic` where anything was changed: key, nonce, additional data, ciphertext or tag.
    package static func open(
        _ sealed: [UInt8], key: [UInt8], nonce: [UInt8], additionalData: [UInt8] = []
    ) throws(CryptoError) -> [UInt8] {
        guard sealed.count >= tagBytes else { throw .malformed("sealed bytes are \(sealed.count) long, at least \(tagBytes) expected") }
        let context = try CipherContext(key: key, nonce: nonce, encrypting: 0)
        let ciphertext = Array(sealed.dropLast(tagBytes))
        var tag = Array(sealed.suffix(tagBytes))
        var output = [UInt8](repeating: 0, count: ciphertext.count)
        try context.authenticate(additionalData)
        try context.transform(ciphertext, into: &output)
        try check("EVP_CTRL_AEAD_SET_TAG", EVP_CIPHER_CTX_ctrl(context.raw, EVP_CTRL_AEAD_SET_TAG, CInt(tagBytes), &tag))
        var written: CInt = 0
        var rest = [UInt8](repeating: 0, count: 16)
        guard EVP_DecryptFinal_ex(context.raw, &rest, &written) == 1 else {
            ERR_clear_error()
            throw .notAuthentic
        }
        return output
    }
}

/// Owns one EVP_CIPHER_CTX, set up for one message.
private struct CipherContext: ~Copyable {
    let raw: OpaquePointer

    /// - Parameter encrypting: 1 to encrypt, 0 to decrypt, as EVP_CipherInit_ex takes it.
    init(key: [UInt8], nonce: [UInt8], encrypting: CInt) throws(CryptoError) {
        guard key.count == AESGCM.keyBytes else { throw .malformed("an AES-256 key has 32 bytes, not \(key.count)") }
        guard nonce.count == AESGCM.nonceBytes else { throw .malformed("a GCM nonce has 12 bytes, not \(nonce.count)") }
        let context = try made("EVP_CIPHER_CTX_new", EVP_CIPHER_CTX_new())
        guard EVP_CipherInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce, encrypting) == 1 else {
            EVP_CIPHER_CTX_free(context)
            throw .last("EVP_CipherInit_ex")
        }
        raw = context
    }

    deinit { EVP_CIPHER_CTX_free(raw) }

    func authenticate(_ additionalData: [UInt8]) throws(CryptoError) {
        guard !additionalData.isEmpty else { return }
        var written: CInt = 0
        try check("EVP_CipherUpdate", EVP_CipherUpdate(raw, nil, &written, additionalData, CInt(additionalData.count)))
    }

    func transform(_ input: [UInt8], into output: inout [UInt8]) throws(CryptoError) {
        guard !input.isEmpty else { return }
        guard let count = CInt(exactly: input.count) else { throw .malformed("a message of \(input.count) bytes is too long") }
        var written: CInt = 0
        try check("EVP_CipherUpdate", EVP_CipherUpdate(raw, &output, &written, input, count))
    }
}
