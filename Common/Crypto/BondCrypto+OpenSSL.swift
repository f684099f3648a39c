package import BondWire
import COpenSSL

extension BondCrypto {
    /// The bonded link's cryptography by OpenSSL.
    package static let openSSL = BondCrypto(
        random: { randomBytes($0) },
        hmac: { HMAC256.authenticate($1, key: $0) },
        makeCipher: { GCMCipher(key: $0) }
    )
}

/// AES-128-GCM over two contexts that keep the key, so that a packet costs no key schedule and no allocation.
private final class GCMCipher: PacketCipher {
    private let sealing: OpaquePointer
    private let opening: OpaquePointer

    init(key: [UInt8]) {
        precondition(key.count == 16, "an AES-128 key has 16 bytes")
        // These fail only where there is no memory, or where a provider without AES-GCM was configured.
        guard let sealing = EVP_CIPHER_CTX_new(), let opening = EVP_CIPHER_CTX_new(),
            EVP_CipherInit_ex(sealing, EVP_aes_128_gcm(), nil, key, nil, 1) == 1,
            EVP_CipherInit_ex(opening, EVP_aes_128_gcm(), nil, key, nil, 0) == 1
        else { preconditionFailure("OpenSSL has no AES-128-GCM") }
        self.sealing = sealing
        self.opening = opening
    }

    deinit {
        EVP_CIPHER_CTX_free(sealing)
        EVP_CIPHER_CTX_free(opening)
    }

    func seal(_ bytes: inout [UInt8], clear: Int, nonce: PacketNonce) {
        let end = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: AESGCM.tagBytes))
        let isSealed = bytes.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return false }
            var written: CInt = 0
            return begin(sealing, nonce, encrypting: 1)
                && EVP_CipherUpdate(sealing, nil, &written, start, CInt(clear)) == 1
                && EVP_CipherUpdate(sealing, start + clear, &written, start + clear, CInt(end - clear)) == 1
                && EVP_CipherFinal_ex(sealing, start + end, &written) == 1
                && EVP_CIPHER_CTX_ctrl(sealing, EVP_CTRL_AEAD_GET_TAG, CInt(AESGCM.tagBytes), start + end) == 1
        }
        precondition(isSealed, "AES-GCM over memory does not fail")
    }

    func open(_ bytes: inout [UInt8], clear: Int, nonce: PacketNonce) -> Bool {
        let end = bytes.count - AESGCM.tagBytes
        guard end >= clear else { return false }
        let isAuthentic = bytes.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return false }
            var written: CInt = 0
            return begin(opening, nonce, encrypting: 0)
                && EVP_CipherUpdate(opening, nil, &written, start, CInt(clear)) == 1
                && EVP_CipherUpdate(opening, start + clear, &written, start + clear, CInt(end - clear)) == 1
                && EVP_CIPHER_CTX_ctrl(opening, EVP_CTRL_AEAD_SET_TAG, CInt(AESGCM.tagBytes), start + end) == 1
                && EVP_CipherFinal_ex(opening, start + end, &written) == 1
        }
        bytes.removeLast(AESGCM.tagBytes)
        return isAuthentic
    }

    private func begin(_ context: OpaquePointer, _ nonce: PacketNonce, encrypting: CInt) -> Bool {
        let low = nonce.low.bigEndian
        var bytes = (nonce.high.bigEndian, UInt32(truncatingIfNeeded: low), UInt32(truncatingIfNeeded: low >> 32))
        return withUnsafeBytes(of: &bytes) {
            EVP_CipherInit_ex(context, nil, nil, nil, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), encrypting) == 1
        }
    }
}
