/// A whole message.
package enum WebSocketMessage: Hashable, Sendable {
    case text(String)
    case binary([UInt8])

    /// What it counts while it waits: its bytes and a little for the rest.
    var cost: Int {
        switch self {
        case .text(let text): text.utf8.count + 64
        case .binary(let bytes): bytes.count + 64
        }
    }
}

/// Why a WebSocket broke.
package enum WebSocketError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The peer broke the protocol; it was told so.
    case protocolViolation(String)
    /// The connection ended without a close frame.
    case disconnected(String)
    /// Nothing came for so long that the peer counts as gone.
    case silent
    /// The server answered the handshake with another status.
    case refused(status: Int)
    /// Sending after the close.
    case closed

    package var description: String {
        switch self {
        case .protocolViolation(let what): "the peer broke the protocol: \(what)"
        case .disconnected(let why): "disconnected: \(why)"
        case .silent: "the peer does not answer pings"
        case .refused(let status): "the server answered \(status)"
        case .closed: "the socket is closed"
        }
    }
}

/// What a WebSocket may cost, and how it is kept alive.
package struct WebSocketOptions: Sendable, Hashable {
    /// Bytes of a message from the peer; a longer one ends the connection with 1009.
    package var messageLimit = 256 * 1024
    /// Bytes that wait to be sent: above it `send` waits and `trySend` drops.
    package var highMark = 256 * 1024
    /// Silence of the peer after which it is asked for a sign of life; nil for never.
    package var pingInterval: Duration? = .seconds(20)
    /// Further silence after which the connection is given up.
    package var pongTimeout = Duration.seconds(10)
    /// The same where the peer's system acknowledges what was sent before the question, so that the way is slow and not cut.
    package var slowPongTimeout = Duration.seconds(10)
    /// How long the peer may take to answer a close.
    package var closeTimeout = Duration.seconds(5)
    /// Shorter messages are not worth compressing, in bytes.
    package var deflateFrom = 256

    package init() {}
}
