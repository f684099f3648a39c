import COpenSSL
import Posix

/// A PEM file as it lies on disk.
enum CertificateFile {
    /// A chain has some kilobytes.
    private static let limit = 1 << 20

    static func read(_ path: String) throws(TLSError) -> [UInt8] {
        do throws(RegularFile.Fault) {
            return try RegularFile(path, upTo: limit).bytes
        } catch {
            throw TLSError("read", "\(path): \(error.reason)")
        }
    }

    /// The leaf first, and what follows it.
    static func useChain(_ path: String, for context: OpaquePointer) throws(TLSError) { try useChain(pem: read(path), path, for: context) }

    static func useKey(_ path: String, for context: OpaquePointer) throws(TLSError) { try useKey(pem: read(path), path, for: context) }

    /// - Parameter name: what errors call it by.
    static func useChain(pem: [UInt8], _ name: String, for context: OpaquePointer) throws(TLSError) {
        let text = try Text(pem, name)
        // A certificate with a passphrase would ask for it on the terminal: the callback answers that there is none.
        guard let leaf = PEM_read_bio_X509_AUX(text.raw, nil, noPassphrase, nil) else { throw .last("PEM_read_bio_X509_AUX", on: name) }
        defer { X509_free(leaf) }
        guard SSL_CTX_use_certificate(context, leaf) == 1 else { throw .last("SSL_CTX_use_certificate", on: name) }
        while let next = PEM_read_bio_X509(text.raw, nil, noPassphrase, nil) {
            guard strata_tls_add_to_chain(context, next) == 1 else {
                X509_free(next)
                throw .last("SSL_CTX_add0_chain_cert", on: name)
            }
        }
        // The end of the text is the one error that belongs here (PEM_read_bio_X509(3)).
        guard strata_tls_is_end_of_pem(ERR_peek_last_error()) == 1 else { throw .last("PEM_read_bio_X509", on: name) }
        ERR_clear_error()
    }

    static func useKey(pem: [UInt8], _ name: String, for context: OpaquePointer) throws(TLSError) {
        let text = try Text(pem, name)
        guard let key = PEM_read_bio_PrivateKey(text.raw, nil, noPassphrase, nil) else { throw .last("PEM_read_bio_PrivateKey", on: name) }
        defer { EVP_PKEY_free(key) }
        guard SSL_CTX_use_PrivateKey(context, key) == 1 else { throw .last("SSL_CTX_use_PrivateKey", on: name) }
    }

    private static let noPassphrase: @convention(c) (UnsafeMutablePointer<CChar>?, CInt, CInt, UnsafeMutableRawPointer?) -> CInt = {
        _, _, _, _ in 0
    }

    /// Owns a BIO and the bytes it reads.
    private final class Text {
        let raw: OpaquePointer
        private let bytes: UnsafeMutableRawBufferPointer

        init(_ content: [UInt8], _ path: String) throws(TLSError) {
            bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: max(content.count, 1), alignment: 1)
            bytes.copyBytes(from: content)
            ERR_clear_error()
            guard let bio = BIO_new_mem_buf(bytes.baseAddress, CInt(content.count)) else {
                bytes.deallocate()
                throw .last("BIO_new_mem_buf", on: path)
            }
            raw = bio
        }

        deinit {
            BIO_free(raw)
            // It may have been the key.
            OPENSSL_cleanse(bytes.baseAddress, bytes.count)
            bytes.deallocate()
        }
    }
}
