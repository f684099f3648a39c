import COpenSSL

/// A certificate's digest, as SDP carries it: all that the two ends of a call know of each other. Source: RFC 8122 section 5.
package struct CertificateFingerprint: Hashable, Sendable, CustomStringConvertible {
    /// By rising strength; weaker ones are not believed.
    package enum Digest: String, CaseIterable, Hashable, Sendable, Comparable {
        case sha256 = "sha-256"
        case sha384 = "sha-384"
        case sha512 = "sha-512"

        package var byteCount: Int {
            switch self {
            case .sha256: 32
            case .sha384: 48
            case .sha512: 64
            }
        }

        package static func < (left: Digest, right: Digest) -> Bool { left.byteCount < right.byteCount }
    }

    package let digest: Digest
    package let bytes: [UInt8]

    /// nil unless there are as many bytes as the digest has.
    package init?(_ digest: Digest, _ bytes: [UInt8]) {
        guard bytes.count == digest.byteCount else { return nil }
        self.digest = digest
        self.bytes = bytes
    }

    /// Reads `sha-256 AB:CD:...`, in either case. Nil for what is not such a text, or of a digest that we do not believe.
    package init?(_ text: String) {
        // The longest has 7 + 1 + 191 characters.
        guard text.utf8.count <= 200 else { return nil }
        let words = text.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 2, let digest = Digest(rawValue: words[0].lowercased()) else { return nil }
        var bytes: [UInt8] = []
        for pair in words[1].utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false) {
            guard pair.count == 2, let high = pair.first.flatMap(Self.digit), let low = pair.last.flatMap(Self.digit) else { return nil }
            bytes.append(high << 4 | low)
        }
        self.init(digest, bytes)
    }

    /// As SDP has it.
    package var description: String {
        let digits = Array("0123456789ABCDEF".utf8)
        let pairs = bytes.map { String(decoding: [digits[Int($0 >> 4)], digits[Int($0 & 15)]], as: UTF8.self) }
        return "\(digest.rawValue) \(pairs.joined(separator: ":"))"
    }

    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Of an X509; nil where there is no memory.
    init?(_ digest: Digest, of certificate: OpaquePointer) {
        let method =
            switch digest {
            case .sha256: EVP_sha256()
            case .sha384: EVP_sha384()
            case .sha512: EVP_sha512()
            }
        var bytes = [UInt8](repeating: 0, count: digest.byteCount)
        var count: UInt32 = 0
        guard X509_digest(certificate, method, &bytes, &count) == 1 else { return nil }
        self.init(digest, bytes)
    }
}

/// Whom a DTLS session waits for: one that has one of these fingerprints.
///
/// A class, because OpenSSL's callback borrows it. Confined to the session's thread.
final class ExpectedPeer {
    /// Those of the strongest digest among them, which alone count (RFC 8122 section 5).
    private let fingerprints: [CertificateFingerprint]
    /// Whether a certificate was held against them, and what came of it.
    private(set) var isKnown: Bool?

    init(_ fingerprints: [CertificateFingerprint]) {
        let strongest = fingerprints.map(\.digest).max()
        self.fingerprints = fingerprints.filter { $0.digest == strongest }
    }

    func matches(_ certificate: OpaquePointer?) -> Bool {
        guard let certificate, let digest = fingerprints.first?.digest, let seen = CertificateFingerprint(digest, of: certificate) else {
            isKnown = false
            return false
        }
        isKnown = fingerprints.contains(seen)
        return isKnown == true
    }
}
