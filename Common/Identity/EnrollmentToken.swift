import Crypto
package import TLS
package import Units

/// The text that makes a machine a device of an organisation, once: `strata1.<id>.<secret>.<authority>`.
///
/// The id is a ULID; the secret is 256 random bits, base64url; the authority is the SHA-256 of the CA's certificate (DER),
/// base64url, or `system` where the server's certificate is signed by an authority of the operating system. Control
/// keeps `hash` only: the secret has full entropy, so a plain digest cannot be searched.
package struct EnrollmentToken: Sendable, Hashable {
    package let id: EnrollmentTokenID
    package let authority: Authority
    private let secret: [UInt8]

    /// Whose signature on the server's certificate the device believes, now and later.
    package enum Authority: Sendable, Hashable {
        case system
        /// SHA-256 of the DER form.
        case pinned(sha256: [UInt8])
    }

    private static let prefix = "strata1"

    /// A fresh token.
    package static func make(id: EnrollmentTokenID, authority: Authority) -> EnrollmentToken {
        EnrollmentToken(id: id, secret: randomBytes(32), authority: authority)
    }

    private init(id: EnrollmentTokenID, secret: [UInt8], authority: Authority) {
        self.id = id
        self.secret = secret
        self.authority = authority
    }

    /// Accepts exactly the canonical text; nil for anything else, whatever its length.
    package init?(_ text: Secret) {
        let bytes = text.revealed.utf8
        guard bytes.count <= 160 else { return nil }
        let parts = text.revealed.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == Self.prefix, let id = EnrollmentTokenID(String(parts[1])) else { return nil }
        guard let secret = Base64URL.decode(parts[2]), secret.count == 32 else { return nil }
        guard let authority = Authority(text: parts[3]) else { return nil }
        self.init(id: id, secret: secret, authority: authority)
    }

    package var text: Secret { Secret("\(Self.prefix).\(id.text).\(Base64URL.encode(secret)).\(authority.text)") }

    /// What control stores and compares in constant time: SHA-256 over the secret's 32 bytes.
    package var hash: [UInt8] { SHA256.hash(secret) }
}

extension EnrollmentToken.Authority {
    /// `system`, or 43 characters of base64url.
    package init?(text: some StringProtocol) {
        if text == "system" {
            self = .system
        } else if let digest = Base64URL.decode(text), digest.count == SHA256.byteCount {
            self = .pinned(sha256: digest)
        } else {
            return nil
        }
    }

    /// Whom to believe when dialling a server of this authority.
    package var trust: Trust {
        switch self {
        case .system: .system
        case .pinned(let digest): .pinnedCA(sha256: digest)
        }
    }

    package var text: String {
        switch self {
        case .system: "system"
        case .pinned(let digest): Base64URL.encode(digest)
        }
    }
}

extension EnrollmentToken: CustomStringConvertible, CustomReflectable {
    package var description: String { "enrollment token \(id)" }
    package var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}
