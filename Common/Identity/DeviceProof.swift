package import Crypto
package import Wire

/// What a signature of a device is for: a signature for one purpose proves nothing for another.
package enum ProofLabel: String, Sendable {
    case connect = "strata device connect 1"
}

/// The exact bytes that a device signs: five lines of UTF-8, each ended by a newline (0x0A).
///
///     strata device connect 1            the label
///     https://live.example.org           the origin, as `ServerOrigin.text`
///     <43 characters>                    the server's nonce, 32 bytes, base64url
///     <43 characters>                    the device's nonce, 32 bytes, base64url
///     <43 characters> or `origin`        the TLS exporter (RFC 9266), 32 bytes, base64url; or the word
///
/// No field can hold a newline, so no two sets of fields have the same text. **Source**: THREATS 3; RFC 9266, section 2.
package func proofText(
    label: ProofLabel, origin: ServerOrigin, serverNonce: [UInt8], deviceNonce: [UInt8], exporter: [UInt8]?
) -> [UInt8] {
    let fields = [
        label.rawValue, origin.text, Base64URL.encode(serverNonce), Base64URL.encode(deviceNonce),
        exporter.map(Base64URL.encode) ?? "origin",
    ]
    return Array(fields.map { $0 + "\n" }.joined().utf8)
}

extension Challenge {
    /// A fresh one, with the nonce that `Proof.isValid` needs again. For control.
    package static func make(origin: ServerOrigin, binding: ChannelBinding) -> (challenge: Challenge, nonce: [UInt8]) {
        let nonce = randomBytes(Proof.nonceBytes)
        let text = Base64URL.encode(nonce)
        return (Challenge(version: WireLimits.version, nonce: text, origin: origin.text, binding: binding), nonce)
    }
}

extension Proof {
    package static let nonceBytes = 32

    /// The answer of a device to a challenge.
    ///
    /// - Parameters:
    ///   - origin: the one that was dialled; the challenge's own word for it is not used.
    ///   - exporter: of the connection; nil without TLS.
    /// - Throws: `CryptoError`; `.malformed` where the challenge's nonce is not 32 bytes.
    package static func answering(
        _ challenge: Challenge, identity: DeviceIdentity, exporter: [UInt8]?, nonce: [UInt8] = randomBytes(Proof.nonceBytes)
    ) throws(CryptoError) -> Proof {
        guard let serverNonce = Base64URL.decode(challenge.nonce), serverNonce.count == nonceBytes else {
            throw .malformed("a nonce of 32 bytes, base64url")
        }
        let bound = challenge.binding == .exporter ? exporter : nil
        let text = proofText(
            label: .connect, origin: identity.server, serverNonce: serverNonce, deviceNonce: nonce, exporter: bound)
        return Proof(
            version: WireLimits.version, device: identity.device, kind: identity.kind, nonce: Base64URL.encode(nonce),
            signature: Base64URL.encode(try identity.key.sign(text)))
    }

    /// Whether the device that owns `publicKey` signed this connection. For control.
    ///
    /// - Parameters:
    ///   - origins: those that this server is known by.
    ///   - serverNonce: of the challenge that was sent on this connection.
    ///   - exporter: of this connection; nil where a configured proxy ends TLS, or to loopback without TLS.
    package func isValid(publicKey: [UInt8], origins: [ServerOrigin], serverNonce: [UInt8], exporter: [UInt8]?) -> Bool {
        guard let deviceNonce = Base64URL.decode(nonce), deviceNonce.count == Proof.nonceBytes else { return false }
        guard let signature = Base64URL.decode(signature) else { return false }
        return origins.contains { origin in
            let text = proofText(
                label: .connect, origin: origin, serverNonce: serverNonce, deviceNonce: deviceNonce, exporter: exporter)
            return Ed25519.verify(signature, of: text, publicKey: publicKey)
        }
    }
}
