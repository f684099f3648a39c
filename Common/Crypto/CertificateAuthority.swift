import COpenSSL
import Glibc

/// A certificate authority of one's own: it vouches for a server whose name no public authority knows.
///
/// EC P-256 and SHA-256 throughout. The root may sign leaves only (path length 0), a leaf serves TLS only.
package struct CertificateAuthority: Sendable {
    /// The root's certificate: what clients trust, and whose `fingerprint` enrollment tokens pin.
    package let certificatePEM: String
    /// PKCS #8, secret: belongs into a file 0600.
    package let privateKeyPEM: String

    /// What a server presents.
    package struct Leaf: Sendable {
        /// The leaf and the root after it.
        package let chainPEM: String
        /// PKCS #8, secret.
        package let privateKeyPEM: String
        /// Unix seconds.
        package let notAfter: Int64
    }

    /// A new root.
    ///
    /// - Parameters:
    ///   - name: for people, at most 64 characters (X.520).
    ///   - unixSeconds: now; the root is valid from an hour before it (clocks differ) for `days`.
    package static func make(name: String, at unixSeconds: Int64, days: Int = 3650) throws(CryptoError) -> CertificateAuthority {
        let key = try KeyHandle("EVP_PKEY_Q_keygen", strata_p256_generate())
        let certificate = try CertificateHandle()
        let draft = CertificateDraft(name: name, from: unixSeconds - 3600, until: unixSeconds + Int64(days) * 86_400)
        try draft.fill(certificate, key: key)
        try check("X509_set_issuer_name", X509_set_issuer_name(certificate.raw, X509_get_subject_name(certificate.raw)))
        try add(NID_basic_constraints, "critical,CA:TRUE,pathlen:0", to: certificate, issuer: certificate)
        try add(NID_key_usage, "critical,keyCertSign,cRLSign", to: certificate, issuer: certificate)
        try add(NID_subject_key_identifier, "hash", to: certificate, issuer: certificate)
        guard X509_sign(certificate.raw, key.raw, EVP_sha256()) > 0 else { throw .last("X509_sign") }
        return try CertificateAuthority(certificatePEM: certificate.pem(), privateKeyPEM: key.pem())
    }

    /// A stored root. Throws where key and certificate are not each other's.
    package init(certificatePEM: String, privateKeyPEM: String) throws(CryptoError) {
        let certificate = try CertificateHandle(pem: certificatePEM)
        let key = try KeyHandle(pem: privateKeyPEM)
        try check("X509_check_private_key", X509_check_private_key(certificate.raw, key.raw))
        self.certificatePEM = certificatePEM
        self.privateKeyPEM = privateKeyPEM
    }

    package var fingerprint: [UInt8] {
        get throws(CryptoError) { try Certificate(pem: certificatePEM).fingerprint }
    }

    /// A leaf for a server, from an hour ago for `days`; calling it again renews.
    ///
    /// - Parameters:
    ///   - names: DNS names and IP addresses in text form, at least one; each is checked.
    ///   - key: the private key to keep, as PEM; nil makes a new one.
    package func issue(
        for names: [String], at unixSeconds: Int64, days: Int = 90, keeping key: String? = nil
    ) throws(CryptoError) -> Leaf {
        guard let first = names.first else { throw .malformed("a leaf without a name") }
        let alternatives = try names.map { name throws(CryptoError) in try Self.alternative(name) }
        let root = try CertificateHandle(pem: certificatePEM)
        let rootKey = try KeyHandle(pem: privateKeyPEM)
        let leafKey = try Self.leafKey(key)
        let leaf = try CertificateHandle()
        let until = min(unixSeconds + Int64(days) * 86_400, try Certificate(pem: certificatePEM).notAfter)
        try CertificateDraft(name: String(first.prefix(64)), from: unixSeconds - 3600, until: until).fill(leaf, key: leafKey)
        try check("X509_set_issuer_name", X509_set_issuer_name(leaf.raw, X509_get_subject_name(root.raw)))
        try Self.add(NID_basic_constraints, "critical,CA:FALSE", to: leaf, issuer: root)
        try Self.add(NID_key_usage, "critical,digitalSignature", to: leaf, issuer: root)
        try Self.add(NID_ext_key_usage, "serverAuth", to: leaf, issuer: root)
        try Self.add(NID_subject_key_identifier, "hash", to: leaf, issuer: root)
        try Self.add(NID_authority_key_identifier, "keyid", to: leaf, issuer: root)
        try Self.add(NID_subject_alt_name, alternatives.joined(separator: ","), to: leaf, issuer: root)
        guard X509_sign(leaf.raw, rootKey.raw, EVP_sha256()) > 0 else { throw .last("X509_sign") }
        return try Leaf(chainPEM: leaf.pem() + certificatePEM, privateKeyPEM: leafKey.pem(), notAfter: until)
    }

    private static func leafKey(_ pem: String?) throws(CryptoError) -> KeyHandle {
        if let pem { return try KeyHandle(pem: pem) }
        return try KeyHandle("EVP_PKEY_Q_keygen", strata_p256_generate())
    }

    /// The name as OpenSSL's text for subjectAltName; nothing but the characters of a name or an address gets into it.
    private static func alternative(_ name: String) throws(CryptoError) -> String {
        var address = in6_addr()
        if inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1 { return "IP:\(name)" }
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let fits = labels.enumerated().allSatisfy { index, label in
            (1...63).contains(label.count) && (label.allSatisfy(isNameCharacter) || (index == 0 && label.elementsEqual("*".utf8)))
        }
        guard fits, name.utf8.count <= 253 else { throw .malformed("neither a DNS name nor an IP address: '\(name.prefix(80))'") }
        return "DNS:\(name)"
    }

    private static func isNameCharacter(_ character: UInt8) -> Bool {
        switch character {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private static func add(
        _ extensionID: CInt, _ text: String, to subject: borrowing CertificateHandle, issuer: borrowing CertificateHandle
    ) throws(CryptoError) {
        var context = X509V3_CTX()
        strata_x509v3_context(&context, issuer.raw, subject.raw)
        let extended = try made("X509V3_EXT_conf_nid", X509V3_EXT_conf_nid(nil, &context, extensionID, text))
        defer { X509_EXTENSION_free(extended) }
        try check("X509_add_ext", X509_add_ext(subject.raw, extended, -1))
    }
}

/// The fields that all certificates of ours fill alike.
struct CertificateDraft {
    let name: String
    /// Unix seconds.
    let from: Int64
    let until: Int64

    func fill(_ certificate: borrowing CertificateHandle, key: borrowing KeyHandle) throws(CryptoError) {
        // Version 3 counts from zero (RFC 5280, section 4.1).
        try check("X509_set_version", X509_set_version(certificate.raw, 2))
        // 127 random bits: positive, and far over the 64 that the CA/Browser Forum asks for.
        var serial = randomBytes(16)
        serial[0] &= 0x7F
        let number = try made("BN_bin2bn", BN_bin2bn(serial, CInt(serial.count), nil))
        defer { BN_free(number) }
        _ = try made("BN_to_ASN1_INTEGER", BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate.raw)))
        _ = try made("ASN1_TIME_set", ASN1_TIME_set(X509_getm_notBefore(certificate.raw), time_t(from)))
        _ = try made("ASN1_TIME_set", ASN1_TIME_set(X509_getm_notAfter(certificate.raw), time_t(until)))
        let subject = X509_get_subject_name(certificate.raw)
        try check(
            "X509_NAME_add_entry_by_NID",
            X509_NAME_add_entry_by_NID(
                subject, NID_commonName, MBSTRING_UTF8, Array(name.utf8), CInt(name.utf8.count), -1, 0))
        try check("X509_set_pubkey", X509_set_pubkey(certificate.raw, key.raw))
    }
}
