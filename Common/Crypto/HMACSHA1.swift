import COpenSSL

/// HMAC over SHA-1 under one key, for protocols that ask for it: STUN (RFC 8489 section 14.5) and SRTP (RFC 3711 section 4.2.1).
/// Source: RFC 2104. One thread at a time; a copy shares the context.
package struct HMACSHA1 {
    package static let byteCount = 20

    private let context: Context

    /// - Parameter key: of any length.
    package init(key: [UInt8]) { context = Context(key) }

    /// The code of what the parts are one behind the other, 20 bytes.
    package func tag(over parts: [UInt8]...) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: Self.byteCount)
        var written = 0
        // Without a key it begins anew with the one it has: measured 0.7 us for 100 bytes, where the function of one call takes 4.6 us.
        let isDone =
            EVP_MAC_init(context.raw, nil, 0, nil) == 1
            && parts.allSatisfy { EVP_MAC_update(context.raw, $0, $0.count) == 1 }
            && EVP_MAC_final(context.raw, &code, &written, code.count) == 1
        precondition(isDone && written == Self.byteCount, "HMAC over memory does not fail")
        return code
    }
}

/// Owns one EVP_MAC_CTX with its key.
private final class Context {
    let raw: OpaquePointer

    init(_ key: [UInt8]) {
        let method = EVP_MAC_fetch(nil, "HMAC", nil)
        defer { EVP_MAC_free(method) }
        // These fail only where there is no memory, or where a provider without SHA-1 was configured.
        guard let context = EVP_MAC_CTX_new(method) else { preconditionFailure("OpenSSL has no HMAC") }
        precondition(strata_hmac_sha1_key(context, key, key.count) == 1, "OpenSSL has no HMAC-SHA-1")
        raw = context
    }

    deinit { EVP_MAC_CTX_free(raw) }
}
