import COpenSSL

/// A certificate that nobody vouches for: its peer knows it by its digest. EC P-256, as RFC 8827 section 6.5 asks of WebRTC.
package struct SelfSignedCertificate: Sendable {
    package let certificatePEM: String
    /// PKCS #8, secret.
    package let privateKeyPEM: String

    /// A new key, and its certificate with a random serial number.
    ///
    /// - Parameters:
    ///   - name: at most 64 characters (X.520); everybody who connects reads it.
    ///   - from: Unix seconds, as `until`.
    package static func make(name: String, from: Int64, until: Int64) throws(CryptoError) -> SelfSignedCertificate {
        let key = try KeyHandle("EVP_PKEY_Q_keygen", strata_p256_generate())
        let certificate = try CertificateHandle()
        try CertificateDraft(name: name, from: from, until: until).fill(certificate, key: key)
        try check("X509_set_issuer_name", X509_set_issuer_name(certificate.raw, X509_get_subject_name(certificate.raw)))
        guard X509_sign(certificate.raw, key.raw, EVP_sha256()) > 0 else { throw .last("X509_sign") }
        return try SelfSignedCertificate(certificatePEM: certificate.pem(), privateKeyPEM: key.pem())
    }
}
