package import Crypto

/// What a DTLS handshake came to: how media are protected, and from which keys. It prints without them.
package struct DTLSConnection: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    package let profile: SRTPProfile
    /// The client's key, the server's, the client's salt, the server's (RFC 5764 section 4.2).
    package let keyingMaterial: [UInt8]

    package var description: String { "\(profile) •••" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// What a DTLS session asks of its owner, or tells it.
package enum DTLSEvent: Hashable, Sendable {
    /// Send this datagram.
    case send([UInt8])
    /// The handshake is done, and the peer is the one that was waited for. Once.
    case connected(DTLSConnection)
    /// What one record of the peer holds.
    case received([UInt8])
    /// The peer has ended the session. The last one.
    case closed
    /// The session is over. The last one.
    case failed(DTLSFault)
}

/// Why a DTLS session is over without the peer having ended it.
package enum DTLSFault: Error, Hashable, Sendable {
    /// Another certificate than signalling promised, or none.
    case untrusted
    /// The peer has no profile of ours to protect media with.
    case withoutProfile
    case timedOut
    /// What OpenSSL says.
    case refused(reason: String)
}
