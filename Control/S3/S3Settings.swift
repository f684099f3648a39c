package import Configuration
import Crypto
package import HTTP
import Posix
package import Units

/// A bucket of a store that speaks S3, and the key to it: the section `[blobs]`.
package struct S3Settings: Sendable, CustomStringConvertible {
    /// Where the bucket's name stands in an address.
    package enum Addressing: String, Sendable, CaseIterable {
        /// `https://HOST/BUCKET/KEY`: whatever the name is, and what one's own stores expect.
        case path
        /// `https://BUCKET.HOST/KEY`.
        case host
    }

    package let endpoint: URLParts
    package let bucket: String
    package let region: String
    package let addressing: Addressing
    package let accessKey: String
    package let secret: Secret
    /// The operator's word that the store is one of the house: the outbound guard is not asked then, and plain HTTP is taken.
    package let isInside: Bool
    /// PEM; nil: the system's authorities.
    package let authority: [UInt8]?

    package init(
        endpoint: URLParts, bucket: String, region: String, addressing: Addressing = .path, accessKey: String, secret: Secret,
        isInside: Bool = false, authority: [UInt8]? = nil
    ) {
        self.endpoint = endpoint
        self.bucket = bucket
        self.region = region
        self.addressing = addressing
        self.accessKey = accessKey
        self.secret = secret
        self.isInside = isInside
        self.authority = authority
    }

    private static let keys = ["bucket", "region", "addressing", "access_key", "secret_file", "inside", "authority", "access_key_ends"]

    /// nil where no endpoint is given: blobs lie on this machine's disk then. What is wrong is noted with the reader's other faults.
    package init?(_ reader: ConfigurationReader) {
        let section = reader.section("blobs")
        guard section.isGiven("endpoint") else {
            for key in Self.keys where section.isGiven(key) { reader.note("blobs.\(key)", nil, "blobs.endpoint, the store that it is for") }
            return nil
        }
        isInside = section.boolean("inside", default: false)
        let text = section.string("endpoint", "https://HOST[:PORT][/PATH], or http:// with blobs.inside") { Self.endpoint($0) != nil }
        bucket = section.string("bucket", "3 to 63 lower-case letters, digits, dots and hyphens", where: Self.isBucket)
        region = section.string("region", default: "us-east-1", "1 to 64 letters, digits and hyphens") {
            (1...64).contains($0.utf8.count) && $0.utf8.allSatisfy { Self.isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
        }
        addressing = section.choice("addressing", default: Addressing.path, placeholder: .path)
        accessKey = section.string("access_key", "1 to 128 characters without blanks") {
            (1...128).contains($0.utf8.count) && $0.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }
        }
        secret = Self.secret(section, reader)
        authority = Self.authority(section, reader)
        // Its own fault is noted.
        guard let endpoint = Self.endpoint(text) else { return nil }
        self.endpoint = endpoint
        if !endpoint.scheme.isTLS, !isInside {
            reader.note("blobs.endpoint", text, "https://, or blobs.inside = true where the way there is the house's own")
        }
        if addressing == .host, endpoint.scheme.isTLS, bucket.contains(".") {
            reader.note("blobs.addressing", "host", "path: no certificate covers a bucket whose name has a dot")
        }
    }

    /// What a log calls it.
    package var description: String { "\(bucket) at \(endpoint.origin)" }

    /// Where a browser finds its objects.
    package var origin: String { endpoint.scheme.isTLS ? "https://\(authorityOfBucket)" : "http://\(authorityOfBucket)" }

    /// What requests go to: with the bucket in it, where its name belongs into the host.
    package var authorityOfBucket: String { addressing == .host ? "\(bucket).\(endpoint.authority)" : endpoint.authority }

    /// The name that is looked up and that the certificate is for.
    package var host: String { addressing == .host ? "\(bucket).\(endpoint.host)" : endpoint.host }

    /// The path of an object, escaped.
    ///
    /// - Parameter object: its key; empty for the bucket itself.
    package func path(of object: String) -> String {
        let above = endpoint.path.hasSuffix("/") ? String(endpoint.path.dropLast()) : endpoint.path
        let escaped = object.split(separator: "/", omittingEmptySubsequences: false).map { PercentCoding.encode($0) }.joined(separator: "/")
        return addressing == .host ? "\(above)/\(escaped)" : "\(above)/\(bucket)\(object.isEmpty ? "" : "/")\(escaped)"
    }

    private static func endpoint(_ text: String) -> URLParts? {
        // try?: whatever is wrong with it, the fault says what one looks like.
        guard let url = try? URLParts(text, schemes: [.http, .https]), url.query == nil else { return nil }
        // What is escaped in it would be signed as it is and read by some stores as something else.
        return url.path.utf8.allSatisfy({ isLetterOrDigit($0) || "/-._~".utf8.contains($0) }) ? url : nil
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    /// Source: the S3 user guide, "General purpose bucket naming rules".
    private static func isBucket(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard (3...63).contains(bytes.count), !text.contains(".."), let first = bytes.first, let last = bytes.last else { return false }
        let marks = [UInt8(ascii: "-"), UInt8(ascii: ".")]
        let isLowercase = bytes.allSatisfy { isLetterOrDigit($0) && !(0x41...0x5A).contains($0) || marks.contains($0) }
        return isLowercase && !marks.contains(first) && !marks.contains(last)
    }

    private static func secret(_ section: ConfigurationSection, _ reader: ConfigurationReader) -> Secret {
        let path = section.string("secret_file", "the path of a file of mode 0600") { $0.hasPrefix("/") }
        // Its own fault is noted.
        guard !path.isEmpty else { return Secret("") }
        do throws(CryptoError) {
            let text = try KeyFile.read(path)
            if text == nil { reader.note("blobs.secret_file", path, "a file that exists") }
            let line = String((text ?? "-").prefix { !$0.isNewline })
            if line.isEmpty || !line.isPlain { reader.note("blobs.secret_file", path, "a file whose first line is the secret") }
            return Secret(line)
        } catch {
            reader.note("blobs.secret_file", path, "\(error)")
            return Secret("")
        }
    }

    private static func authority(_ section: ConfigurationSection, _ reader: ConfigurationReader) -> [UInt8]? {
        guard let path = section.optionalString("authority", "the path of a PEM file", where: { $0.hasPrefix("/") }), !path.isEmpty else {
            return nil
        }
        do throws(RegularFile.Fault) {
            return try RegularFile(path, upTo: 1 << 20).bytes
        } catch {
            reader.note("blobs.authority", path, "a PEM file: \(error.reason)")
            return nil
        }
    }
}
