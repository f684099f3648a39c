import Crypto
import Foundation
import Testing

@Suite struct CertificateTests {
    private static let now: Int64 = 1_800_000_000

    @Test("OpenSSL's own command accepts a leaf for its names, and for no other")
    func verification() throws {
        let folder = try Folder()
        let authority = try CertificateAuthority.make(name: "Strata test", at: Self.now)
        let leaf = try authority.issue(for: ["live.example.org", "*.example.net", "192.0.2.7", "2001:db8::7"], at: Self.now)
        try authority.certificatePEM.write(toFile: folder.path + "/root.pem", atomically: true, encoding: .utf8)
        try leaf.chainPEM.write(toFile: folder.path + "/chain.pem", atomically: true, encoding: .utf8)
        let verify = ["verify", "-x509_strict", "-purpose", "sslserver", "-attime", "\(Self.now)", "-CAfile", folder.path + "/root.pem"]
        let chain = folder.path + "/chain.pem"
        #expect(try openssl(verify + ["-verify_hostname", "live.example.org", chain]) == 0)
        #expect(try openssl(verify + ["-verify_hostname", "a.example.net", chain]) == 0)
        #expect(try openssl(verify + ["-verify_ip", "192.0.2.7", chain]) == 0)
        #expect(try openssl(verify + ["-verify_ip", "2001:db8::7", chain]) == 0)
        #expect(try openssl(verify + ["-verify_hostname", "example.org", chain]) != 0)
        #expect(try openssl(verify + ["-verify_ip", "192.0.2.8", chain]) != 0)
    }

    @Test("a leaf cannot sign, and a certificate of another root is not accepted")
    func limits() throws {
        let folder = try Folder()
        let authority = try CertificateAuthority.make(name: "Strata test", at: Self.now)
        let other = try CertificateAuthority.make(name: "Strata test", at: Self.now)
        let leaf = try authority.issue(for: ["a.example"], at: Self.now)
        try other.certificatePEM.write(toFile: folder.path + "/root.pem", atomically: true, encoding: .utf8)
        try leaf.chainPEM.write(toFile: folder.path + "/chain.pem", atomically: true, encoding: .utf8)
        #expect(try openssl(["verify", "-attime", "\(Self.now)", "-CAfile", folder.path + "/root.pem", folder.path + "/chain.pem"]) != 0)
        #expect(throws: CryptoError.self) {
            try CertificateAuthority(certificatePEM: authority.certificatePEM, privateKeyPEM: other.privateKeyPEM)
        }
    }

    @Test("a renewed leaf keeps its key where that is asked, and never outlives the root")
    func renewal() throws {
        let authority = try CertificateAuthority.make(name: "Strata test", at: Self.now, days: 100)
        let stored = try CertificateAuthority(certificatePEM: authority.certificatePEM, privateKeyPEM: authority.privateKeyPEM)
        let first = try authority.issue(for: ["a.example"], at: Self.now)
        let second = try stored.issue(for: ["a.example"], at: Self.now + 60 * 86_400, keeping: first.privateKeyPEM)
        #expect(first.notAfter == Self.now + 90 * 86_400)
        #expect(second.notAfter == Self.now + 100 * 86_400)
        #expect(second.privateKeyPEM == first.privateKeyPEM)
        #expect(try Certificate(pem: second.chainPEM).notAfter == second.notAfter)
        #expect(try Certificate(pem: first.chainPEM).notBefore == Self.now - 3600)
    }

    @Test("the fingerprint is the SHA-256 of the first certificate's DER")
    func fingerprints() throws {
        let authority = try CertificateAuthority.make(name: "Strata test", at: Self.now)
        let certificate = try Certificate(pem: authority.certificatePEM)
        #expect(try fingerprint(ofPEM: authority.certificatePEM) == SHA256.hash(certificate.der))
        #expect(try authority.fingerprint == certificate.fingerprint)
        let base64 = authority.certificatePEM.split(separator: "\n").dropFirst().dropLast().joined()
        #expect(Data(base64Encoded: base64).map(Array.init) == certificate.der)
    }

    @Test(
        "a name that could say more than a name is refused",
        arguments: ["", "a,DNS:b", "a b", "a..b", "a\n", "a.*.b", "10.0.0.1/8", "[::1]"])
    func names(name: String) throws {
        let authority = try CertificateAuthority.make(name: "Strata test", at: Self.now)
        #expect(throws: CryptoError.self) { try authority.issue(for: [name], at: Self.now) }
    }

    @Test("a text that is no certificate is refused")
    func garbage() {
        #expect(throws: CryptoError.self) { try fingerprint(ofPEM: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") }
        #expect(throws: CryptoError.self) { try Certificate(pem: "") }
    }

    private func openssl(_ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
