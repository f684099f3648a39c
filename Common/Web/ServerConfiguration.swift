package import HTTP
package import Posix

/// Where a server listens.
package struct Listener: Sendable, Hashable {
    package var address: SocketAddress
    package var certificate: CertificateFiles?
    /// Of the connections by TLS, those that are another server's.
    package var passage: Passage?
    /// The one interface that connections come over (SO_BINDTODEVICE); nil for any.
    package var device: String?

    /// - Parameters:
    ///   - certificate: for TLS; nil for plain HTTP, which is refused on any address but loopback.
    ///   - device: an interface with nothing behind it but what is plugged in: plain HTTP is served there.
    package init(
        _ address: SocketAddress, certificate: CertificateFiles? = nil, passage: Passage? = nil, device: String? = nil
    ) {
        self.address = address
        self.certificate = certificate
        self.passage = passage
        self.device = device
    }
}

/// PEM files: the chain with the leaf first, and the key.
package struct CertificateFiles: Sendable, Hashable {
    package var chain: String
    package var key: String

    package init(chain: String, key: String) {
        self.chain = chain
        self.key = key
    }
}

/// Everything a server is told.
package struct ServerConfiguration: Sendable {
    package var listeners: [Listener]
    /// Proxies whose X-Forwarded-For and -Proto are believed.
    package var trustedProxies: TrustedProxies
    package var limits = ServerLimits()
    /// Is told, on any loop, each time that the server behind a passage did not take a connection, and why.
    package var passageLost: (@Sendable (any Error) -> Void)?

    package init(listeners: [Listener], trustedProxies: TrustedProxies = TrustedProxies()) {
        self.listeners = listeners
        self.trustedProxies = trustedProxies
    }
}

/// What a server's peers may cost.
package struct ServerLimits: Sendable, Hashable {
    /// Connections in all; further ones are closed at once.
    package var connections = 10_000
    /// Connections of one address (of one /64 for IPv6); trusted proxies are not counted.
    package var connectionsPerAddress = 256
    package var head = HeadLimits.standard
    /// From the connection, or from the first byte of a request, to the end of its head; the TLS handshake too.
    package var headTimeout = Duration.seconds(10)
    /// How long a body may pause.
    package var bodyTimeout = Duration.seconds(30)
    /// Bytes per second that a body must reach on average, once it has taken longer than `bodyTimeout`.
    package var bodyRate = 500
    /// Between two requests.
    package var idleTimeout = Duration.seconds(75)
    /// How long bytes that wait to be sent may wait without the peer taking any.
    package var writeTimeout = Duration.seconds(30)
    /// Connections that are passed on, in all; they are counted among `connections` too.
    package var passed = 2_000
    /// Within which the server behind takes one: it is one of ours, on this machine or beside it.
    package var passedConnectTimeout = Duration.seconds(5)
    /// How long one may be silent in both directions: a little longer than what was asked of TURN lives without being asked for again (RFC 8656
    /// section 3.2, 10 minutes).
    package var passedIdleTimeout = Duration.seconds(660)

    package init() {}
}

/// Why a server does not start.
package enum ServerFault: Error, Hashable, Sendable, CustomStringConvertible {
    case noListeners
    case plainOutsideLoopback(SocketAddress)

    package var description: String {
        switch self {
        case .noListeners: "a server needs an address to listen on"
        case .plainOutsideLoopback(let address):
            "plain HTTP on \(address) is refused: without a certificate only loopback addresses (127.0.0.0/8, ::1) are served"
        }
    }
}
