import COpenSSL
import Glibc

/// A file that only the holder of a private key can read: CMS AuthEnvelopedData (RFC 5083) under AES-256-GCM (RFC 5084), as
/// `openssl cms -decrypt -binary -inform DER -in FILE -inkey KEY` opens it.
///
/// Whoever has the certificate can make one: that it is ours must be proven by what lies in it.
package enum Envelope {
    /// Seals a file, and behind its bytes what `trailer` makes of their SHA-256.
    ///
    /// - Parameters:
    ///   - target: is made, mode 0600, and must not be there; on the disk when this returns. On an error it may be there, cut short.
    ///   - recipient: a certificate as PEM; RSA or an elliptic curve.
    package static func seal(
        _ source: String, into target: String, for recipient: String, trailer: ([UInt8]) throws(CryptoError) -> [UInt8]
    ) throws(CryptoError) {
        let certificate = try CertificateHandle(pem: recipient)
        let input = try FileDescriptor(opening: source)
        let output = try FileDescriptor(making: target)
        let end = try made("BIO_new_fd", BIO_new_fd(output.raw, BIO_NOCLOSE))
        defer { BIO_free(end) }
        let cms = try made("CMS_encrypt", strata_cms_for(certificate.raw))
        defer { CMS_ContentInfo_free(cms) }
        let chain = try made("BIO_new_CMS", BIO_new_CMS(end, cms))
        var digest = SHA256Digest()
        do throws(CryptoError) {
            try input.forEachChunk { bytes throws(CryptoError) in
                digest.add(bytes)
                try write(bytes, to: chain, target)
            }
            try write(try trailer(digest.finished()), to: chain, target)
        } catch {
            _ = strata_cms_finish(chain, end)
            throw error
        }
        guard strata_cms_finish(chain, end) == 1 else { throw .last("CMS_final") }
        try output.sync(target)
    }

    /// The most that can be opened: OpenSSL takes such a file apart in one piece of memory (LIMIT_BEFORE_EXPANSION, crypto/buffer/buffer.c).
    package static let mostBytes = 1_500_000_000

    /// Opens what was sealed for a key, into a file that is made, mode 0600, and must not be there. On an error it may be there,
    /// with bytes that nobody has vouched for. The sealed file is held in memory.
    ///
    /// - Parameter key: a private key as PEM, without a passphrase.
    /// - Throws: `.malformed` for what is no such file, `.notAuthentic` for another key or changed bytes.
    package static func open(_ source: String, into target: String, with key: String) throws(CryptoError) {
        let key = try KeyHandle(pem: key)
        let input = try FileDescriptor(opening: source)
        let bio = try made("BIO_new_fd", BIO_new_fd(input.raw, BIO_NOCLOSE))
        defer { BIO_free(bio) }
        // Without an authenticated cipher anybody on the way could have changed it.
        guard let cms = d2i_CMS_bio(bio, nil) else { throw malformed(source) }
        defer { CMS_ContentInfo_free(cms) }
        guard OBJ_obj2nid(CMS_get0_type(cms)) == NID_id_smime_ct_authEnvelopedData else { throw malformed(source) }
        let output = try FileDescriptor(making: target)
        let sink = try made("BIO_new_fd", BIO_new_fd(output.raw, BIO_NOCLOSE))
        defer { BIO_free(sink) }
        errno = 0
        guard CMS_decrypt(cms, key.raw, nil, nil, sink, UInt32(CMS_BINARY)) == 1 else {
            let code = errno
            ERR_clear_error()
            // A full disk is no reason to throw a good file away.
            if [ENOSPC, EDQUOT, EIO, EFBIG].contains(code) {
                throw .file(path: target, reason: "write: \(String(cString: strerror(code))) (\(code))")
            }
            throw .notAuthentic
        }
        try output.sync(target)
    }

    /// Whether a text is a key that `open` takes: asked before anything is begun.
    package static func checkKey(_ pem: String) throws(CryptoError) {
        let key = try KeyHandle(pem: pem)
        _ = key.raw
    }

    private static func malformed(_ path: String) -> CryptoError {
        ERR_clear_error()
        return .malformed("\(path) is no file that was sealed for a key (CMS AuthEnvelopedData, DER)")
    }

    private static func write(_ bytes: [UInt8], to chain: OpaquePointer, _ path: String) throws(CryptoError) {
        guard BIO_write(chain, bytes, CInt(bytes.count)) == CInt(bytes.count) else {
            let code = errno
            ERR_clear_error()
            throw .file(path: path, reason: "write: \(String(cString: strerror(code))) (\(code))")
        }
    }
}

/// SHA-256 over what comes piece by piece.
package struct SHA256Digest: ~Copyable {
    private let context: OpaquePointer

    package init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("a digest's context fails only when there is no memory")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    package mutating func add(_ bytes: [UInt8]) { EVP_DigestUpdate(context, bytes, bytes.count) }

    /// 32 bytes; ends the digest.
    package mutating func finished() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: SHA256.byteCount)
        EVP_DigestFinal_ex(context, &digest, nil)
        return digest
    }
}

/// Owns one open file.
private struct FileDescriptor: ~Copyable {
    let raw: CInt

    init(opening path: String) throws(CryptoError) {
        raw = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard raw >= 0 else { throw Self.failed(path, "open") }
    }

    init(making path: String) throws(CryptoError) {
        raw = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard raw >= 0 else { throw Self.failed(path, "open") }
    }

    deinit { close(raw) }

    func forEachChunk(_ body: ([UInt8]) throws(CryptoError) -> Void) throws(CryptoError) {
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = read(raw, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.failed("what is to be sealed", "read") }
            if count == 0 { return }
            try body(count == chunk.count ? chunk : Array(chunk.prefix(count)))
        }
    }

    func sync(_ path: String) throws(CryptoError) {
        guard fsync(raw) == 0 else { throw Self.failed(path, "fsync") }
    }

    private static func failed(_ path: String, _ function: String) -> CryptoError {
        let code = errno
        return .file(path: path, reason: "\(function): \(String(cString: strerror(code))) (\(code))")
    }
}
