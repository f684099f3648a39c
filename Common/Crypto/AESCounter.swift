import COpenSSL

/// AES-256 in counter mode, which encrypts and decrypts alike. Source: NIST SP 800-38A section 6.5.
///
/// It authenticates nothing: for what others have encrypted so, never for a format of ours.
package final class AESCounter {
    private let context: OpaquePointer

    /// - Parameter key: 32 bytes.
    package init(key: [UInt8]) {
        precondition(key.count == 32, "a key of AES-256 has 32 bytes")
        // Fails only where there is no memory, or where a provider without AES was configured.
        guard let context = EVP_CIPHER_CTX_new(), EVP_EncryptInit_ex(context, EVP_aes_256_ctr(), nil, key, nil) == 1 else {
            preconditionFailure("OpenSSL has no AES-256-CTR")
        }
        self.context = context
    }

    deinit { EVP_CIPHER_CTX_free(context) }

    /// - Parameter counter: the first block's, its high and its low half; counts on as one number.
    package func transform(_ bytes: inout [UInt8], counter: (high: UInt64, low: UInt64)) {
        guard !bytes.isEmpty else { return }
        var start = (counter.high.bigEndian, counter.low.bigEndian)
        let isDone = withUnsafeBytes(of: &start) { start in
            bytes.withUnsafeMutableBufferPointer { buffer in
                var written: CInt = 0
                return EVP_EncryptInit_ex(context, nil, nil, nil, start.baseAddress?.assumingMemoryBound(to: UInt8.self)) == 1
                    && EVP_EncryptUpdate(context, buffer.baseAddress, &written, buffer.baseAddress, CInt(buffer.count)) == 1
            }
        }
        precondition(isDone, "AES over memory does not fail")
    }
}
