import FoundationEssentials

/// JSON Web Tokens with one fixed algorithm, HMAC with SHA-256. Source: RFC 7515, RFC 7519.
///
/// The header is not parsed but compared: it must be, byte for byte, the one that `sign` writes for the same type. So a
/// token can choose neither its algorithm nor another purpose. Expiry is the reader's to check, with its own clock.
package enum JWT {
    /// A token longer than this is refused unread.
    package static let maximumBytes = 4096

    /// - Parameters:
    ///   - type: the `typ` of the header, e.g. `at+jwt` (RFC 9068): a token of one type never passes for another.
    ///   - key: at least 32 bytes (RFC 7518, 3.2).
    package static func sign(_ claims: some Encodable, type: StaticString, key: [UInt8]) throws -> String {
        precondition(key.count >= 32, "an HS256 key has at least 32 bytes (RFC 7518, 3.2)")
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body = "\(header(type)).\(Base64URL.encode([UInt8](try encoder.encode(claims))))"
        return "\(body).\(Base64URL.encode(HMAC256.authenticate(Array(body.utf8), key: key)))"
    }

    /// The claims of a token that was signed with the same key and type.
    ///
    /// - Throws: `CryptoError.malformed` or `.notAuthentic`; nothing of the claims is read before the signature is right.
    package static func verify<Claims: Decodable>(
        _ token: String, as claims: Claims.Type, type: StaticString, key: [UInt8]
    ) throws(CryptoError) -> Claims {
        guard token.utf8.count <= maximumBytes else { throw .malformed("a token of \(token.utf8.count) bytes") }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .malformed("a token has three parts") }
        guard parts[0] == header(type) else { throw .malformed("a token of another type or algorithm") }
        guard let payload = Base64URL.decode(parts[1]), let signature = Base64URL.decode(parts[2]) else {
            throw .malformed("a token's parts are base64url")
        }
        guard HMAC256.isAuthentic(signature, for: Array("\(parts[0]).\(parts[1])".utf8), key: key) else { throw .notAuthentic }
        do {
            return try JSONDecoder().decode(Claims.self, from: Data(payload))
        } catch {
            throw .malformed("a token without the claims of its type")
        }
    }

    private static func header(_ type: StaticString) -> String {
        Base64URL.encode(Array(#"{"alg":"HS256","typ":"\#(type)"}"#.utf8))
    }
}
