// A certificate authority of one's own, for servers without a public certificate.
import Crypto
import Logging
import Posix
import Wire

extension Console {
    /// Makes the authority where the folder has none, and a fresh leaf from it.
    func authority(_ arguments: inout Arguments) throws {
        guard try arguments.word("issue") == "issue" else { throw Arguments.Fault("'authority issue' is the only one; see --help") }
        let names = arguments.all("host")
        let folder = try arguments.required("directory")
        try arguments.finish()
        guard !names.isEmpty else { throw Arguments.Fault("--host is missing") }
        try Folder.make(folder)
        let now = unixMilliseconds() / 1000
        let authority = try Self.authority(in: folder, now: now)
        let leaf = try authority.issue(for: names, at: now)
        let (key, chain) = ("\(folder)/key.pem", "\(folder)/chain.pem")
        // One without the other would be of no use to a server.
        for file in [key, chain] { try KeyFile.check(file) }
        try KeyFile.write(leaf.privateKeyPEM, to: key)
        try KeyFile.write(leaf.chainPEM, to: chain)
        show(
            AuthorityView(
                fingerprint: Hex.encode(try authority.fingerprint), certificate: "\(folder)/ca.pem", hosts: names,
                endsAt: Log.timestamp(unixMs: leaf.notAfter * 1000)))
    }

    /// The folder's authority, or a new one where it has neither a certificate nor a key.
    ///
    /// - Throws: `Arguments.Fault` for one of the two without the other, and for what is none: a new authority in its place would be
    ///   unknown to every board that pins the old one, whose key would be gone.
    static func authority(in folder: String, now: Int64) throws -> CertificateAuthority {
        let (certificateFile, keyFile) = ("\(folder)/ca.pem", "\(folder)/ca.key")
        let (certificate, key) = (try KeyFile.read(certificateFile), try KeyFile.read(keyFile))
        switch (certificate, key) {
        case (let certificate?, let key?): return try stored(certificate, certificateFile, key, keyFile)
        case (_?, nil):
            throw Arguments.Fault(
                "there is \(certificateFile) and no \(keyFile), and nothing was changed: a certificate, also a renewed one, takes "
                    + "the authority's key. Put it back there; for a new authority, which no board knows, name another --directory")
        case (nil, _?):
            throw Arguments.Fault(
                "there is \(keyFile) and no \(certificateFile), and nothing was changed: put the authority's certificate back there. "
                    + "Where nothing was ever issued, because the first run was cut off, remove \(keyFile)")
        case (nil, nil):
            let authority = try CertificateAuthority.make(name: "Strata local CA", at: now)
            try KeyFile.write(authority.privateKeyPEM, to: keyFile)
            try KeyFile.write(authority.certificatePEM, to: certificateFile)
            return authority
        }
    }

    private static func stored(
        _ certificate: String, _ certificateFile: String, _ key: String, _ keyFile: String
    ) throws -> CertificateAuthority {
        try checkCertificate(certificate, certificateFile)
        do {
            return try CertificateAuthority(certificatePEM: certificate, privateKeyPEM: key)
        } catch {
            throw Arguments.Fault("\(keyFile) is not the private key, in PEM form, of \(certificateFile): put that back (\(error))")
        }
    }

    /// - Parameter name: what the text was read from, for people.
    static func checkCertificate(_ pem: String, _ name: String) throws {
        do {
            _ = try Certificate(pem: pem)
        } catch {
            throw Arguments.Fault("\(name) holds no certificate in PEM form: name, or put there, the authority's ca.pem (\(error))")
        }
    }

    private struct AuthorityView: Codable {
        var fingerprint: String
        var certificate: String
        var hosts: [String]
        /// Of the server's certificate.
        var endsAt: String
    }
}
