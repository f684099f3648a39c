package import HTTP
package import Posix
package import TLS

/// How a client reaches its servers, and whom it believes.
package struct ClientOptions: Sendable {
    package var trust = Trust.system
    /// See `TLSContext.client`.
    package var timeFloor = 0
    package var proxy: Proxy?
    /// The interface that connections are pinned to (SO_BINDTODEVICE).
    package var bindToDevice: String?
    /// Addresses to use instead of asking for the host's; the URL's port counts where theirs is 0.
    package var addresses: [SocketAddress]?
    /// How addresses are found otherwise, the proxy's too.
    package var names = NameLookup.system
    /// From the call to the end of the TLS handshake, all addresses together.
    package var connectTimeout = Duration.seconds(10)
    /// From then to the end of the response.
    package var responseTimeout = Duration.seconds(30)
    /// Bytes of a response's body that are taken.
    package var bodyLimit = 4 << 20
    package var webSocket = WebSocketOptions()
    /// Offer permessage-deflate.
    package var deflate = false

    package init() {}

    /// A proxy that is asked for a tunnel by CONNECT.
    package struct Proxy: Sendable, Hashable {
        package var host: String
        package var port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        /// What a text must be, for people.
        package static let expected = "http://HOST:PORT, without a path, a user name or a password"

        /// nil for what is not `expected`.
        package init?(_ text: String) {
            // try?: whatever is wrong with it, `expected` says what one looks like.
            guard let url = try? URLParts(text, schemes: [.http]), url.path == "/", url.query == nil else { return nil }
            self.init(host: url.host, port: url.port)
        }
    }
}

/// A whole response.
package struct ClientResponse: Sendable {
    package let status: Status
    package let headers: Headers
    package let body: [UInt8]
    /// Where it came from: to be kept for the next time.
    package let address: SocketAddress
    /// Of the request and of the response, heads and bodies, without what carries them.
    package let sentBytes: Int
    package let receivedBytes: Int
}

/// Why there is no response.
package enum ClientError: Error, Sendable, CustomStringConvertible {
    case url(String)
    /// Each address with its reason.
    case unreachable(String)
    /// The peer is reached and is not who it should be: trying again does not help.
    case untrusted(String)
    case proxyRefused(status: Int)
    case timedOut(String)
    /// - status: what the server answered before it.
    case bodyTooLarge(limit: Int, status: Status)
    /// The connection broke, or the answer was none.
    case broken(String)

    package var description: String {
        switch self {
        case .url(let reason): "URL: \(reason)"
        case .unreachable(let reason): "unreachable: \(reason)"
        case .untrusted(let reason): "not trusted: \(reason)"
        case .proxyRefused(let status): "the proxy answered \(status)"
        case .timedOut(let what): "timed out: \(what)"
        case .bodyTooLarge(let limit, _): "a response of more than \(limit) bytes"
        case .broken(let reason): "broken: \(reason)"
        }
    }
}
