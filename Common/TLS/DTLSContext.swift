import COpenSSL
import Crypto

/// What all DTLS sessions of a worker share: its certificate, which nobody vouches for and whose fingerprint goes through signalling, and
/// the rules of WebRTC (RFC 8827 section 6.5).
///
/// DTLS 1.2, forward secrecy, AES-GCM and ECDSA only; no renegotiation, tickets or cache, so a session is never one of another peer.
/// ChaCha20 is left out: with one cipher's lengths, a record too short to be authentic can be told by its header (`DTLSRecord`).
package final class DTLSContext: @unchecked Sendable {
    // Sendable: SSL_CTX counts its references atomically and is not changed after init.
    let raw: OpaquePointer
    /// SHA-256 of the own certificate.
    package let fingerprint: CertificateFingerprint

    /// A certificate is good for so long; peers do not look, so a worker that lives longer loses nothing.
    private static let life: Int64 = 30 * 86_400
    /// Clocks differ.
    private static let early: Int64 = 86_400
    /// A chain of a peer, which has one certificate and no reason for more.
    private static let chainLimit = 16_384

    /// With a new key and certificate.
    /// - Parameter unixSeconds: now.
    package init(at unixSeconds: Int64) throws {
        // Without a name of anything: everybody who connects reads it.
        let own = try SelfSignedCertificate.make(name: "strata", from: unixSeconds - Self.early, until: unixSeconds + Self.life)
        guard let raw = SSL_CTX_new(DTLS_method()) else { throw TLSError.last("SSL_CTX_new") }
        do {
            try Self.setUp(raw, own)
            guard let leaf = SSL_CTX_get0_certificate(raw), let fingerprint = CertificateFingerprint(.sha256, of: leaf) else {
                throw TLSError.last("X509_digest")
            }
            self.fingerprint = fingerprint
        } catch {
            SSL_CTX_free(raw)
            throw error
        }
        self.raw = raw
    }

    deinit { SSL_CTX_free(raw) }

    private static func setUp(_ raw: OpaquePointer, _ own: SelfSignedCertificate) throws {
        guard strata_dtls_only_1_2(raw) == 1 else { throw TLSError.last("SSL_CTX_set_min_proto_version") }
        SSL_CTX_set_options(raw, strata_dtls_options())
        _ = strata_tls_set_mode(raw, strata_tls_mode())
        _ = strata_tls_cache_off(raw)
        _ = strata_tls_read_ahead(raw)
        _ = strata_tls_chain_limit(raw, chainLimit)
        guard SSL_CTX_set_cipher_list(raw, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384") == 1 else {
            throw TLSError.last("SSL_CTX_set_cipher_list")
        }
        // This one returns 0 where all is well.
        let profiles = SRTPProfile.allCases.map(\.nameInOpenSSL).joined(separator: ":")
        guard SSL_CTX_set_tlsext_use_srtp(raw, profiles) == 0 else { throw TLSError.last("SSL_CTX_set_tlsext_use_srtp") }
        try CertificateFile.useChain(pem: Array(own.certificatePEM.utf8), "own certificate", for: raw)
        try CertificateFile.useKey(pem: Array(own.privateKeyPEM.utf8), "own key", for: raw)
        guard SSL_CTX_check_private_key(raw) == 1 else { throw TLSError.last("SSL_CTX_check_private_key") }
        // Both ends show a certificate; a server that does not insist has authenticated nobody.
        SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        SSL_CTX_set_cert_verify_callback(raw, verifyByFingerprint, nil)
    }
}

extension SRTPProfile {
    fileprivate var nameInOpenSSL: String {
        switch self {
        case .gcm: "SRTP_AEAD_AES_128_GCM"
        case .counter: "SRTP_AES128_CM_SHA1_80"
        }
    }
}

/// Called by OpenSSL as soon as the peer's certificate is there, so before any key is used: the fingerprint is all that counts
/// (RFC 8122 section 6.2). SSL_CTX_set_cert_verify_callback(3).
private func verifyByFingerprint(_ store: OpaquePointer?, _ argument: UnsafeMutableRawPointer?) -> CInt {
    guard let store, let session = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
        let expected = SSL_get_ex_data(OpaquePointer(session), DTLSSession.expectedPeerIndex)
    else { return 0 }
    let peer = Unmanaged<ExpectedPeer>.fromOpaque(expected).takeUnretainedValue()
    if peer.matches(X509_STORE_CTX_get0_cert(store)) { return 1 }
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED)
    return 0
}
