import Crypto
import FoundationEssentials
import Store
package import Units

/// How a message is signed, so that whoever takes it knows who sent it, and when.
///
/// Source: Standard Webhooks 1.0.0 (spec/standard-webhooks.md), "Signature scheme", symmetric.
package enum WebhookSignature {
    /// The headers of one attempt.
    ///
    /// - Parameters:
    ///   - id: the same at each attempt, by which a receiver knows what it has already.
    ///   - unixSeconds: of this attempt.
    ///   - secrets: each signs; with their prefix.
    package static func headers(id: String, unixSeconds: Int64, body: String, secrets: [Secret]) -> [(String, String)] {
        let signed = Array("\(id).\(unixSeconds).\(body)".utf8)
        let signatures = secrets.map { "v1,\(Data(HMAC256.authenticate(signed, key: key($0))).base64EncodedString())" }
        return [
            ("webhook-id", id), ("webhook-timestamp", "\(unixSeconds)"), ("webhook-signature", signatures.joined(separator: " ")),
        ]
    }

    private static func key(_ secret: Secret) -> [UInt8] {
        guard secret.revealed.hasPrefix(Webhook.secretPrefix),
            let key = Data(base64Encoded: String(secret.revealed.dropFirst(Webhook.secretPrefix.count)))
        else { preconditionFailure("the store makes secrets of a prefix and base 64, and opens what it sealed") }
        return [UInt8](key)
    }
}
