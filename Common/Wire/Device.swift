package import Units

/// What has an identity and dials control.
package enum DeviceKind: String, Codable, Sendable {
    case sender, pool
}

/// Control's first message on a device's connection.
package struct Challenge: Codable, Sendable, Hashable {
    package var version: Int
    /// 32 random bytes, base64url.
    package var nonce: String
    /// The origin control is known by, e.g. `https://live.example.org`; the device signs the origin it dialled, not this one.
    package var origin: String
    package var binding: ChannelBinding

    package init(version: Int, nonce: String, origin: String, binding: ChannelBinding = .exporter) {
        self.version = version
        self.nonce = nonce
        self.origin = origin
        self.binding = binding
    }
}

/// What ties a proof to the connection it is sent over. Control verifies what it asked for and nothing else, so that
/// nobody between gains by asking for less.
package enum ChannelBinding: String, Codable, Sendable {
    /// The TLS exporter (RFC 9266) where the connection has one; a connection without TLS is to loopback.
    case exporter
    /// The origin alone: a proxy that control's configuration names ends TLS.
    case origin
}

/// The device's answer: who it is, and a signature over what THREATS 3 names.
package struct Proof: Codable, Sendable, Hashable {
    package var version: Int
    package var device: DeviceID
    package var kind: DeviceKind
    /// 32 random bytes, base64url.
    package var nonce: String
    /// Ed25519 over `Identity.proofText`, base64url.
    package var signature: String

    package init(version: Int, device: DeviceID, kind: DeviceKind, nonce: String, signature: String) {
        self.version = version
        self.device = device
        self.kind = kind
        self.nonce = nonce
        self.signature = signature
    }
}

/// Body of `POST /api/v1/enroll`: a token redeemed for an identity.
package struct EnrollRequest: Codable, Sendable {
    package var token: SecretOnWire
    /// Raw Ed25519 public key, base64url.
    package var publicKey: String
    package var name: String
    package var kind: DeviceKind

    package init(token: SecretOnWire, publicKey: String, name: String, kind: DeviceKind) {
        self.token = token
        self.publicKey = publicKey
        self.name = name
        self.kind = kind
    }
}

package struct EnrollResponse: Codable, Sendable {
    package var device: DeviceID
    /// nil for a pool host: it belongs to the operator.
    package var organization: OrganizationID?
    package var name: String

    package init(device: DeviceID, organization: OrganizationID?, name: String) {
        self.device = device
        self.organization = organization
        self.name = name
    }
}
