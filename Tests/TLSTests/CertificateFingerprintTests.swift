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

    private static func text(_ name: String, _ pair: String, _ count: Int, by separator: String = ":") -> String {
        "\(name) \(Array(repeating: pair, count: count).joined(separator: separator))"
    }

    static let wrong: [String] = [
        "", "sha-256", "sha-256 ", "sha-256 AA", text("sha-1", "AB", 20), text("sha-256", "AB", 31), text("sha-256", "AB", 33),
        text("sha-256", "AG", 32), text("sha-256", "ABC", 32), text("sha-256", "A", 32), text("sha-256", "AB", 32, by: " "),
        text("sha-256", "AB", 32) + ":", text("sha-512", "AB", 10_000),
    ]

    @Test("what is no fingerprint, or of a digest that proves nothing, is none", arguments: wrong)
    func refused(text: String) {
        #expect(CertificateFingerprint(text) == nil)
    }

    @Test("the longer digests are read too")
    func longer() {
        for (name, count) in [("sha-384", 48), ("SHA-512", 64)] {
            #expect(CertificateFingerprint(Self.text(name, "0a", count))?.bytes == [UInt8](repeating: 10, count: count))
        }
    }
}
