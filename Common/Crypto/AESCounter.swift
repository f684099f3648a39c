import COpenSSL

/// AES in counter mode, with a key of 128 or of 256 bits, which encrypts and decrypts alike. Source: NIST SP 800-38A section 6.5.
///
/// It authenticates nothing: for what others have specified so, never for a format of ours.
package final class AESCounter {
    private let context: OpaquePointer

    /// - Parameter key: 16 or 32 bytes.
    package init(key: [UInt8]) {
        precondition(key.count == 16 || key.count == 32, "a key of AES has 16 or 32 bytes here")
        let cipher = key.count == 16 ? EVP_aes_128_ctr() : EVP_aes_256_ctr()
        // Fails only where there is no memory, or where a provider without AES was configured.
        guard let context = EVP_CIPHER_CTX_new(), EVP_EncryptInit_ex(context, cipher, nil, key, nil) == 1 else {
            preconditionFailure("OpenSSL has no AES in counter mode")
        }
        self.context = context
    }

    deinit { EVP_CIPHER_CTX_free(context) }

    /// - Parameter counter: the first block's, its high and its low half; counts on as one number.
    package func transform(_ bytes: inout [UInt8], counter: (high: UInt64, low: UInt64)) {
        bytes.withUnsafeMutableBytes { buffer in
            guard let start = buffer.baseAddress else { return }
            transform(UnsafeRawBufferPointer(buffer), to: start, counter: counter)
        }
    }

    /// The same without an allocation.
    /// - Parameter target: as many bytes; it may be the source's own place.
    package func transform(_ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer, counter: (high: UInt64, low: UInt64)) {
        guard !source.isEmpty else { return }
        var start = (counter.high.bigEndian, counter.low.bigEndian)
        let isDone = withUnsafeBytes(of: &start) { start in
            var written: CInt = 0
            return EVP_EncryptInit_ex(context, nil, nil, nil, start.baseAddress?.assumingMemoryBound(to: UInt8.self)) == 1
                && EVP_EncryptUpdate(
                    context, target.assumingMemoryBound(to: UInt8.self), &written,
                    source.baseAddress?.assumingMemoryBound(to: UInt8.self), CInt(source.count)) == 1
        }
        precondition(isDone, "AES over memory does not fail")
    }
}
