import COpenSSL
import Glibc

/// Whom a client believes.
package enum Trust: Sendable, Hashable {
    /// The authorities of the operating system.
    case system
    /// These certificates only, each in PEM or DER; an intermediate one may be an anchor too.
    case anchors([[UInt8]])
    /// An authority that the server presents in its chain, known by the SHA-256 of its DER form only.
    case pinnedCA(sha256: [UInt8])
}

/// What all sessions of a listener or a client share: certificates, trust, and the rules of the house.
///
/// TLS 1.2 and 1.3, forward secrecy and AEAD only; no renegotiation, no compression; no session tickets and no cache, for
/// the sake of memory (15 kB less for each idle connection with buffers released).
package final class TLSContext: @unchecked Sendable {
    // Sendable: SSL_CTX counts its references atomically and is not changed after init.
    let raw: OpaquePointer
    let isServer: Bool
    /// Unix seconds that have passed for certain: where the wall clock shows less, it is wrong.
    let timeFloor: Int
    /// Unix seconds at which a server's own certificate ends; nil of a client.
    package let notAfter: Int?
    /// Borrowed by the verify callback of `raw`, as long as any session of it lives: sessions hold this context.
    private let pin: Pin?

    /// For a server: the chain (the leaf first) and the private key, as PEM files.
    /// - Throws: `TLSError` that names the file.
    package static func server(certificateFile: String, keyFile: String) throws -> TLSContext {
        let raw = try make(TLS_server_method())
        do {
            try CertificateFile.useChain(certificateFile, for: raw)
            try CertificateFile.useKey(keyFile, for: raw)
            guard SSL_CTX_check_private_key(raw) == 1 else { throw TLSError.last("SSL_CTX_check_private_key", on: keyFile) }
            SSL_CTX_set_alpn_select_cb(raw, selectProtocol, nil)
            return TLSContext(raw, isServer: true, timeFloor: 0, notAfter: try end(of: raw, certificateFile), pin: nil)
        } catch {
            SSL_CTX_free(raw)
            throw error
        }
    }

    /// When the leaf that was loaded ends: its file may be another one by now.
    private static func end(of raw: OpaquePointer, _ file: String) throws -> Int {
        var parts = tm()
        guard let leaf = SSL_CTX_get0_certificate(raw), ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &parts) == 1 else {
            throw TLSError.last("ASN1_TIME_to_tm", on: file)
        }
        return timegm(&parts)
    }

    /// For a client, which always checks the chain and the name.
    ///
    /// - Parameter timeFloor: Unix seconds that have passed for certain. A machine whose wall clock shows less (a board without a
    ///   battery boots in 1970) holds certificates against this moment: one that was over by then is refused, one that begins later
    ///   is not, because nobody knows what the time is.
    package static func client(trust: Trust, timeFloor: Int = 0) throws -> TLSContext {
        let raw = try make(TLS_client_method())
        do {
            let pin = try apply(trust, to: raw)
            SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nil)
            return TLSContext(raw, isServer: false, timeFloor: timeFloor, notAfter: nil, pin: pin)
        } catch {
            SSL_CTX_free(raw)
            throw error
        }
    }

    private init(_ raw: OpaquePointer, isServer: Bool, timeFloor: Int, notAfter: Int?, pin: Pin?) {
        self.raw = raw
        self.isServer = isServer
        self.timeFloor = timeFloor
        self.notAfter = notAfter
        self.pin = pin
    }

    deinit { SSL_CTX_free(raw) }

    private static func make(_ method: OpaquePointer) throws -> OpaquePointer {
        guard let raw = SSL_CTX_new(method) else { throw TLSError.last("SSL_CTX_new") }
        _ = strata_tls_min_version(raw, TLS1_2_VERSION)
        SSL_CTX_set_options(raw, strata_tls_options())
        _ = strata_tls_set_mode(raw, strata_tls_mode())
        _ = strata_tls_cache_off(raw)
        // One read for each record and its header together: 19.8 -> 12.8 us per request.
        _ = strata_tls_read_ahead(raw)
        SSL_CTX_set_num_tickets(raw, 0)
        guard SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 else {
            SSL_CTX_free(raw)
            throw TLSError.last("SSL_CTX_set_cipher_list")
        }
        return raw
    }

    private static func apply(_ trust: Trust, to raw: OpaquePointer) throws -> Pin? {
        switch trust {
        case .system:
            guard SSL_CTX_set_default_verify_paths(raw) == 1 else { throw TLSError.last("SSL_CTX_set_default_verify_paths") }
            return nil
        case .anchors(let anchors):
            guard let store = SSL_CTX_get_cert_store(raw) else { throw TLSError.last("SSL_CTX_get_cert_store") }
            guard !anchors.isEmpty else { throw TLSError("trust", "no anchors") }
            for anchor in anchors { try add(anchor, to: store) }
            X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
            return nil
        case .pinnedCA(let sha256):
            guard sha256.count == Int(SHA256_DIGEST_LENGTH) else { throw TLSError("trust", "a pin has 32 bytes, not \(sha256.count)") }
            let pin = Pin(sha256)
            SSL_CTX_set_cert_verify_callback(raw, verifyByPin, Unmanaged.passUnretained(pin).toOpaque())
            return pin
        }
    }

    /// All certificates of a PEM text, or the one of a DER form.
    private static func add(_ anchor: [UInt8], to store: OpaquePointer) throws {
        guard let input = BIO_new_mem_buf(anchor, CInt(anchor.count)) else { throw TLSError.last("BIO_new_mem_buf") }
        defer { BIO_free(input) }
        ERR_clear_error()
        var found = 0
        if anchor.first == 0x30 {
            if let certificate = d2i_X509_bio(input, nil) {
                found += Int(X509_STORE_add_cert(store, certificate))
                X509_free(certificate)
            }
        } else {
            while let certificate = PEM_read_bio_X509(input, nil, nil, nil) {
                found += Int(X509_STORE_add_cert(store, certificate))
                X509_free(certificate)
            }
        }
        guard found > 0 else { throw TLSError.last("trust", on: "an anchor that is no certificate") }
        // Reading PEM to its end leaves "no start line" in the queue.
        ERR_clear_error()
    }
}

/// The digest that a pinned authority must have.
final class Pin: Sendable {
    let sha256: [UInt8]
    init(_ sha256: [UInt8]) { self.sha256 = sha256 }

    func matches(_ certificate: OpaquePointer) -> Bool {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        var length: UInt32 = 0
        return X509_digest(certificate, EVP_sha256(), &digest, &length) == 1 && digest == sha256
    }
}

/// Called by OpenSSL in the handshake: the one certificate of the peer's chain that has the pin becomes the only anchor, then
/// the usual check runs, names, dates and purposes included (SSL_CTX_set_cert_verify_callback(3)).
private func verifyByPin(_ store: OpaquePointer?, _ argument: UnsafeMutableRawPointer?) -> CInt {
    guard let store, let argument else { return 0 }
    return verify(store, by: Unmanaged<Pin>.fromOpaque(argument).takeUnretainedValue()) ? 1 : 0
}

func verify(_ store: OpaquePointer, by pin: Pin) -> Bool {
    let chain = X509_STORE_CTX_get0_untrusted(store)
    for index in 0..<strata_x509_count(chain) {
        guard let certificate = strata_x509_at(chain, index), pin.matches(certificate) else { continue }
        guard let anchors = strata_x509_stack(certificate) else { break }
        // Read by X509_verify_cert only, which is over before the stack goes.
        X509_STORE_CTX_set0_trusted_stack(store, anchors)
        X509_STORE_CTX_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        let result = X509_verify_cert(store)
        strata_x509_stack_free(anchors)
        return result == 1
    }
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED)
    return false
}

/// Passes a certificate that begins later than the moment it is held against; every other verdict stays (SSL_set_verify(3)).
func passLaterBeginning(_ isGood: CInt, _ store: OpaquePointer?) -> CInt {
    guard isGood == 0, let store, X509_STORE_CTX_get_error(store) == X509_V_ERR_CERT_NOT_YET_VALID else { return isGood }
    X509_STORE_CTX_set_error(store, X509_V_OK)
    return 1
}

/// ALPN: we speak HTTP/1.1; a client that offers only other protocols is told nothing and may try (RFC 7301 section 3.2).
private func selectProtocol(
    _ session: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ length: UnsafeMutablePointer<UInt8>?,
    _ offered: UnsafePointer<UInt8>?, _ count: UInt32, _ argument: UnsafeMutableRawPointer?
) -> CInt {
    guard let offered, let chosen, let length else { return SSL_TLSEXT_ERR_NOACK }
    var index = 0
    while index < Int(count) {
        let size = Int(offered[index])
        guard index + 1 + size <= Int(count) else { break }
        if UnsafeBufferPointer(start: offered + index + 1, count: size).elementsEqual("http/1.1".utf8) {
            chosen.pointee = offered + index + 1
            length.pointee = UInt8(size)
            return SSL_TLSEXT_ERR_OK
        }
        index += 1 + size
    }
    return SSL_TLSEXT_ERR_NOACK
}
