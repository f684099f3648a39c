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
        try KeyFile.write(leaf.privateKeyPEM, to: "\(folder)/key.pem")
        try KeyFile.write(leaf.chainPEM, to: "\(folder)/chain.pem")
        show(
            AuthorityView(
                fingerprint: Hex.encode(try authority.fingerprint), certificate: "\(folder)/ca.pem", hosts: names,
                endsAt: Log.timestamp(unixMs: leaf.notAfter * 1000)))
    }

    private static func authority(in folder: String, now: Int64) throws -> CertificateAuthority {
        if let certificate = try KeyFile.read("\(folder)/ca.pem"), let key = try KeyFile.read("\(folder)/ca.key") {
            return try CertificateAuthority(certificatePEM: certificate, privateKeyPEM: key)
        }
        let authority = try CertificateAuthority.make(name: "Strata local CA", at: now)
        try KeyFile.write(authority.privateKeyPEM, to: "\(folder)/ca.key")
        try KeyFile.write(authority.certificatePEM, to: "\(folder)/ca.pem")
        return authority
    }

    private struct AuthorityView: Codable {
        var fingerprint: String
        var certificate: String
        var hosts: [String]
        /// Of the server's certificate.
        var endsAt: String
    }
}
