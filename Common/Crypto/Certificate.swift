import COpenSSL

/// What a certificate says, read from PEM.
package struct Certificate: Sendable, Hashable {
    /// The certificate alone, as DER.
    package let der: [UInt8]
    /// Unix seconds.
    package let notBefore: Int64
    package let notAfter: Int64

    /// Reads the first certificate of a PEM text.
    package init(pem: String) throws(CryptoError) {
        let handle = try CertificateHandle(pem: pem)
        der = try handle.der()
        notBefore = try handle.seconds(X509_get0_notBefore(handle.raw))
        notAfter = try handle.seconds(X509_get0_notAfter(handle.raw))
    }

    /// SHA-256 of the DER bytes, 32 bytes: what a token pins.
    package var fingerprint: [UInt8] { SHA256.hash(der) }
}

/// SHA-256 over the DER of the first certificate in a PEM text, 32 bytes.
package func fingerprint(ofPEM pem: String) throws(CryptoError) -> [UInt8] {
    try Certificate(pem: pem).fingerprint
}

/// Owns one X509.
struct CertificateHandle: ~Copyable {
    let raw: OpaquePointer

    init() throws(CryptoError) { raw = try made("X509_new", X509_new()) }

    init(pem: String) throws(CryptoError) {
        let text = try MemoryBIO(Array(pem.utf8))
        raw = try made("PEM_read_bio_X509", PEM_read_bio_X509(text.raw, nil, nil, nil))
    }

    deinit { X509_free(raw) }

    func pem() throws(CryptoError) -> String {
        let text = try MemoryBIO([])
        try check("PEM_write_bio_X509", PEM_write_bio_X509(text.raw, raw))
        return String(decoding: text.bytes(), as: UTF8.self)
    }

    func der() throws(CryptoError) -> [UInt8] {
        let output = try MemoryBIO([])
        try check("i2d_X509_bio", i2d_X509_bio(output.raw, raw))
        return output.bytes()
    }

    func seconds(_ time: UnsafePointer<ASN1_TIME>?) throws(CryptoError) -> Int64 {
        let epoch = try made("ASN1_TIME_set", ASN1_TIME_set(nil, 0))
        defer { ASN1_STRING_free(epoch) }
        var days: CInt = 0
        var seconds: CInt = 0
        try check("ASN1_TIME_diff", ASN1_TIME_diff(&days, &seconds, epoch, time))
        return Int64(days) * 86_400 + Int64(seconds)
    }
}

extension KeyHandle {
    init(pem: String) throws(CryptoError) {
        let text = try MemoryBIO(Array(pem.utf8))
        // A key with a passphrase would ask for it on the terminal: the callback answers that there is none.
        raw = try made("PEM_read_bio_PrivateKey", PEM_read_bio_PrivateKey(text.raw, nil, { _, _, _, _ in 0 }, nil))
    }

    func pem() throws(CryptoError) -> String {
        let text = try MemoryBIO([])
        try check("PEM_write_bio_PKCS8PrivateKey", PEM_write_bio_PKCS8PrivateKey(text.raw, raw, nil, nil, 0, nil, nil))
        return String(decoding: text.bytes(), as: UTF8.self)
    }
}

/// Owns one BIO over memory.
private struct MemoryBIO: ~Copyable {
    let raw: OpaquePointer

    init(_ bytes: [UInt8]) throws(CryptoError) {
        let bio = try made("BIO_new", BIO_new(BIO_s_mem()))
        guard bytes.isEmpty || BIO_write(bio, bytes, CInt(bytes.count)) == CInt(bytes.count) else {
            BIO_free(bio)
            throw .last("BIO_write")
        }
        raw = bio
    }

    deinit { BIO_free(raw) }

    func bytes() -> [UInt8] {
        var start: UnsafeMutablePointer<CChar>?
        let count = strata_bio_bytes(raw, &start)
        guard let start, count > 0 else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: count))
    }
}
