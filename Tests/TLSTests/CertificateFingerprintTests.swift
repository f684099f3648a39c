import Crypto
import Testing

@testable import TLS

@Suite struct CertificateFingerprintTests {
    @Test("a fingerprint is the digest of the certificate, and reads back from its text in either case")
    func text() throws {
        let context = try DTLSContext(at: today)
        let text = context.fingerprint.description
        #expect(text.count == 8 + 32 * 3 - 1)
        #expect(CertificateFingerprint(text) == context.fingerprint)
        #expect(CertificateFingerprint(text.lowercased()) == context.fingerprint)
        #expect(CertificateFingerprint(text.uppercased()) == context.fingerprint)
        #expect(try DTLSContext(at: today).fingerprint != context.fingerprint)
    }

    @Test(
        "what is no fingerprint, or of a digest that proves nothing, is none",
        arguments: [
            "", "sha-256", "sha-256 ", "sha-256 AA", "sha-1 " + Array(repeating: "AB", count: 20).joined(separator: ":"),
            "sha-256 " + Array(repeating: "AB", count: 31).joined(separator: ":"),
            "sha-256 " + Array(repeating: "AB", count: 33).joined(separator: ":"),
            "sha-256 " + Array(repeating: "AG", count: 32).joined(separator: ":"),
            "sha-256 " + Array(repeating: "ABC", count: 32).joined(separator: ":"),
            "sha-256 " + Array(repeating: "A", count: 32).joined(separator: ":"),
            "sha-256 " + Array(repeating: "AB", count: 32).joined(separator: " "),
            "sha-256 " + Array(repeating: "AB", count: 32).joined(separator: ":") + ":",
            "sha-512 " + Array(repeating: "AB", count: 10_000).joined(separator: ":"),
        ])
    func refused(text: String) {
        #expect(CertificateFingerprint(text) == nil)
    }

    @Test("the longer digests are read too")
    func longer() {
        for (name, count) in [("sha-384", 48), ("SHA-512", 64)] {
            let text = "\(name) " + Array(repeating: "0a", count: count).joined(separator: ":")
            #expect(CertificateFingerprint(text)?.bytes == [UInt8](repeating: 10, count: count))
        }
    }
}
