package import BondWire
import COpenSSL

/// AES-128-GCM over packets, under one key and in one direction: the context keeps the key, so that a packet costs no key schedule and
/// no allocation. Source: NIST SP 800-38D.
package final class PacketGCM {
    package enum Direction: CInt, Sendable {
        case opening = 0
        case sealing = 1
    }

    package static let tagBytes = AESGCM.tagBytes

    private let context: OpaquePointer
    private let direction: Direction

    /// - Parameter key: 16 bytes.
    package init(key: [UInt8], _ direction: Direction) {
        precondition(key.count == 16, "an AES-128 key has 16 bytes")
        // These fail only where there is no memory, or where a provider without AES-GCM was configured.
        guard let context = EVP_CIPHER_CTX_new(),
            EVP_CipherInit_ex(context, EVP_aes_128_gcm(), nil, key, nil, direction.rawValue) == 1
        else { preconditionFailure("OpenSSL has no AES-128-GCM") }
        self.context = context
        self.direction = direction
    }

    deinit { EVP_CIPHER_CTX_free(context) }

    /// Encrypts `text` to `target`, and puts the tag of 16 bytes behind it.
    ///
    /// - Parameters:
    ///   - clear: authenticated, not encrypted; not empty.
    ///   - word: authenticated behind `clear`, big endian, where there is one.
    ///   - nonce: never twice under one key.
    ///   - target: has room for the text and the tag; it may be the text's own place.
    package func seal(
        _ text: UnsafeRawBufferPointer, clear: UnsafeRawBufferPointer, word: UInt32? = nil, nonce: PacketNonce,
        to target: UnsafeMutableRawPointer
    ) {
        precondition(direction == .sealing, "this context opens")
        let target = target.assumingMemoryBound(to: UInt8.self)
        var written: CInt = 0
        let isSealed =
            begin(clear, word, nonce) && update(text, to: target)
            && EVP_CipherFinal_ex(context, target + text.count, &written) == 1
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, CInt(Self.tagBytes), target + text.count) == 1
        precondition(isSealed, "AES-GCM over memory does not fail")
    }

    /// Decrypts, where it lies, what `seal` made: the text, with the tag of 16 bytes behind it.
    /// - Returns: false where anything was changed; the bytes are worthless then.
    package func open(
        _ sealed: UnsafeMutableRawBufferPointer, clear: UnsafeRawBufferPointer, word: UInt32? = nil, nonce: PacketNonce
    ) -> Bool {
        precondition(direction == .opening, "this context seals")
        let count = sealed.count - Self.tagBytes
        guard count >= 0, let target = sealed.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return false }
        var written: CInt = 0
        return begin(clear, word, nonce) && update(UnsafeRawBufferPointer(rebasing: sealed[..<count]), to: target)
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, CInt(Self.tagBytes), target + count) == 1
            && EVP_CipherFinal_ex(context, target + count, &written) == 1
    }

    private func begin(_ clear: UnsafeRawBufferPointer, _ word: UInt32?, _ nonce: PacketNonce) -> Bool {
        let low = nonce.low.bigEndian
        var bytes = (nonce.high.bigEndian, UInt32(truncatingIfNeeded: low), UInt32(truncatingIfNeeded: low >> 32))
        let isBegun = withUnsafeBytes(of: &bytes) {
            EVP_CipherInit_ex(context, nil, nil, nil, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), direction.rawValue) == 1
        }
        guard isBegun, update(clear, to: nil) else { return false }
        guard let word else { return true }
        return withUnsafeBytes(of: word.bigEndian) { update($0, to: nil) }
    }

    /// Without a target, the source is authenticated only.
    private func update(_ source: UnsafeRawBufferPointer, to target: UnsafeMutablePointer<UInt8>?) -> Bool {
        guard !source.isEmpty else { return true }
        var written: CInt = 0
        let start = source.baseAddress?.assumingMemoryBound(to: UInt8.self)
        return EVP_CipherUpdate(context, target, &written, start, CInt(source.count)) == 1
    }
}
