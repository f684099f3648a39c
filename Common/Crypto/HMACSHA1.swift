import COpenSSL

/// HMAC over SHA-1 under one key, without an allocation for each code. Source: RFC 2104.
///
/// For the protocols that ask for it (SRTP, STUN): as a code it still holds, though SHA-1 as a digest does not.
package struct HMACSHA1 {
    package static let byteCount = 20
    private static let blockBytes = 64

    /// The states behind the key's inner and its outer block.
    private let inner: SHA_CTX
    private let outer: SHA_CTX

    package init(key: [UInt8]) {
        var block = key
        if key.count > Self.blockBytes {
            block = [UInt8](repeating: 0, count: Self.byteCount)
            SHA1(key, key.count, &block)
        }
        block += [UInt8](repeating: 0, count: Self.blockBytes - block.count)
        inner = Self.state(behind: block.map { $0 ^ 0x36 })
        outer = Self.state(behind: block.map { $0 ^ 0x5c })
    }

    /// The code over the parts, one behind the other: 20 bytes.
    package func tag(over parts: [UInt8]...) -> [UInt8] {
        var state = inner
        for part in parts { _ = strata_sha1_add(&state, part, part.count) }
        var tag = [UInt8](repeating: 0, count: Self.byteCount)
        tag.withUnsafeMutableBytes { finish(&state, $0) }
        return tag
    }

    /// Writes the first bytes of the code over `bytes` and, big endian, `word`: as many as `target` has, at most 20.
    package func write(_ bytes: UnsafeRawBufferPointer, _ word: UInt32, to target: UnsafeMutableRawBufferPointer) {
        withTag(bytes, word) { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<target.count])) }
    }

    /// Whether `tag` is the beginning of the code over `bytes` and `word`, in a time that does not depend on where it differs.
    package func isAuthentic(_ tag: UnsafeRawBufferPointer, _ bytes: UnsafeRawBufferPointer, _ word: UInt32) -> Bool {
        withTag(bytes, word) { CRYPTO_memcmp($0.baseAddress, tag.baseAddress, tag.count) == 0 }
    }

    private func withTag<Result>(_ bytes: UnsafeRawBufferPointer, _ word: UInt32, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        var state = inner
        _ = strata_sha1_add(&state, bytes.baseAddress, bytes.count)
        withUnsafeBytes(of: word.bigEndian) { _ = strata_sha1_add(&state, $0.baseAddress, $0.count) }
        return withUnsafeTemporaryAllocation(byteCount: Self.byteCount, alignment: 1) { tag in
            finish(&state, tag)
            return body(UnsafeRawBufferPointer(tag))
        }
    }

    private func finish(_ state: inout SHA_CTX, _ tag: UnsafeMutableRawBufferPointer) {
        let digest = tag.baseAddress?.assumingMemoryBound(to: UInt8.self)
        _ = strata_sha1_end(&state, digest)
        var around = outer
        _ = strata_sha1_add(&around, digest, Self.byteCount)
        _ = strata_sha1_end(&around, digest)
    }

    private static func state(behind block: [UInt8]) -> SHA_CTX {
        var state = SHA_CTX()
        let isBegun = strata_sha1_begin(&state) == 1 && strata_sha1_add(&state, block, block.count) == 1
        precondition(isBegun, "SHA-1 over memory does not fail")
        return state
    }
}
