package import Units

/// A passphrase that librist's URL can carry unchanged: 16 to 120 characters of base64url.
///
/// librist copies it into 128 bytes without escaping (`rist_peer_config.secret`), so anything else is refused here.
package struct RISTPassphrase: Sendable {
    let secret: Secret

    /// - Returns: nil for a text that is too short, too long or holds another character.
    package init?(_ secret: Secret) {
        let bytes = secret.revealed.utf8
        guard (16...120).contains(bytes.count), bytes.allSatisfy(Self.isPlain) else { return nil }
        self.secret = secret
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
