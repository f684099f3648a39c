import Crypto
package import Units

/// What a signed address lets somebody do with one blob, and until when (SEC-18, THREATS 13).
///
/// The blob's key names its organisation and the digest of its bytes, so that all of them are signed.
package struct BlobPermit: Sendable, Hashable {
    package enum Use: Sendable, Hashable {
        case read
        /// By this session alone, of so many bytes.
        case write(SessionID, bytes: Int)
    }

    package let use: Use
    package let key: BlobKey
    /// Unix seconds; not good from then on.
    package let expires: Int64

    package init(_ use: Use, _ key: BlobKey, until expires: Int64) {
        self.use = use
        self.key = key
        self.expires = expires
    }

    /// Each part on a line of its own; none of them has a line break in it.
    fileprivate var text: String {
        let use =
            switch self.use {
            case .read: "GET"
            case .write(let session, let bytes): "PUT\n\(session)\n\(bytes)"
            }
        return "strata-blob 1\n\(key.path)\n\(expires)\n\(use)"
    }
}

/// Signs permits, and knows its own.
package struct BlobSigner: Sendable {
    private let key: [UInt8]

    /// - Parameter key: 32 bytes that nobody else has.
    package init(key: [UInt8]) { self.key = key }

    /// Source: decisions 'token lifetimes', upload URL 10 min.
    private static let longestSeconds: Int64 = 600
    /// An address to read is the same for so long, so that a browser that has the picture does not ask for it again.
    private static let slotSeconds: Int64 = 300
    /// How far a wall clock may be set back before a permit is not believed.
    private static let setBackSeconds: Int64 = 60

    /// When an address to write ends that is made now.
    package static func writeEnd(_ unixSeconds: Int64) -> Int64 { unixSeconds + longestSeconds }

    /// When an address to read ends that is made now: within five to ten minutes.
    package static func readEnd(_ unixSeconds: Int64) -> Int64 { (unixSeconds / slotSeconds + 2) * slotSeconds }

    /// 43 characters of base64url.
    package func signature(of permit: BlobPermit) -> String {
        Base64URL.encode(HMAC256.authenticate(Array(permit.text.utf8), key: key))
    }

    /// Whether a signature is this permit's and the permit is good now; what is good for longer than any of ours is not.
    package func accepts(_ signature: String, for permit: BlobPermit, at unixSeconds: Int64) -> Bool {
        guard unixSeconds < permit.expires, permit.expires <= unixSeconds + Self.longestSeconds + Self.setBackSeconds,
            let code = Base64URL.decode(signature)
        else { return false }
        return HMAC256.isAuthentic(code, for: Array(permit.text.utf8), key: key)
    }
}
