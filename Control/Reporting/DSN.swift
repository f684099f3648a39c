package import HTTP
package import Units

/// Where an error tracker takes events, as Sentry and GlitchTip name it: `https://KEY@host/PROJECT`. The key lets anybody send: it is kept
/// as a secret.
///
/// Source: develop.sentry.dev, "Envelopes" and "Authentication".
package struct DSN: Sendable, Hashable, CustomStringConvertible {
    /// Where envelopes are posted.
    package let envelopes: URLParts
    let key: Secret
    private let project: String
    /// As it was given.
    package let text: Secret

    /// What one looks like, for people.
    package static let expected = "a DSN such as https://KEY@errors.example.org/4"

    /// nil for what is not `expected`; the second half of an older key is taken and not used.
    package init?(_ text: String) {
        guard text.utf8.count <= 500, let mark = text.firstRange(of: "://"), let at = text.lastIndex(of: "@"), mark.upperBound < at else {
            return nil
        }
        let key = text[mark.upperBound..<at].prefix { $0 != ":" }
        guard (1...128).contains(key.utf8.count),
            text[mark.upperBound..<at].utf8.allSatisfy({ Self.isWord($0) || $0 == UInt8(ascii: ":") }),
            // try?: whatever is wrong with it, `expected` says what one looks like.
            let place = try? URLParts("\(text[..<mark.upperBound])\(text[text.index(after: at)...])", schemes: [.https, .http]),
            place.query == nil
        else { return nil }
        let path = place.path.split(separator: "/").map(String.init)
        guard let project = path.last, (1...64).contains(project.utf8.count), project.utf8.allSatisfy(Self.isWord),
            // try?: as above.
            let envelopes = try? URLParts(
                place.origin + path.dropLast().map { "/\($0)" }.joined() + "/api/\(project)/envelope/", schemes: [.https, .http])
        else { return nil }
        self.envelopes = envelopes
        self.key = Secret(String(key))
        self.project = project
        self.text = Secret(text)
    }

    /// Where it is, without the key: for people.
    package var description: String { "\(envelopes.authority), project \(project)" }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_")
    }
}
