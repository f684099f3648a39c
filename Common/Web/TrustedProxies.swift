import HTTP
package import Posix

/// The proxies in front of a server, by address or prefix. What they say of a client is believed; what others say is not.
package struct TrustedProxies: Sendable {
    private struct Network: Sendable {
        let address: SocketAddress
        let bits: Int
    }

    private var networks: [Network] = []

    package init() {}

    /// - Parameter entries: `192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`. Nil where one is none of these.
    package init?(_ entries: [String]) {
        for entry in entries {
            let parts = entry.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count <= 2, let address = SocketAddress(String(parts[0]), port: 0) else { return nil }
            let width = address.family == .ipv4 ? 32 : 128
            guard let bits = parts.count == 1 ? width : Int(parts[1]), (0...width).contains(bits) else { return nil }
            networks.append(Network(address: address, bits: bits))
        }
    }

    package var isEmpty: Bool { networks.isEmpty }

    package func contains(_ address: SocketAddress) -> Bool {
        let address = address.unmapped
        return networks.contains { address.shares(prefix: $0.bits, with: $0.address) }
    }

    /// The client's address: the peer's own, or, where the peer is trusted, the rightmost hop of X-Forwarded-For that is not
    /// (THREATS 15). A hop that cannot be read ends the walk: what stands left of it is nobody's word.
    func client(of headers: Headers, peer: SocketAddress) -> SocketAddress {
        guard !networks.isEmpty, contains(peer) else { return peer }
        var client = peer
        for value in headers.all("X-Forwarded-For").reversed() {
            for hop in value.split(separator: ",").reversed() {
                guard let address = TrustedProxies.hop(hop) else { return client }
                client = address
                if !contains(address) { return client }
            }
        }
        return client
    }

    /// An address as proxies write it: bare, with a port, or in brackets.
    private static func hop(_ text: Substring) -> SocketAddress? {
        let bare = text.drop { $0 == " " || $0 == "\t" }
        let trimmed = String(bare.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
        if let address = SocketAddress(trimmed, port: 0) { return address.unmapped }
        guard let colon = trimmed.lastIndex(of: ":"), let port = Int(trimmed[trimmed.index(after: colon)...]) else { return nil }
        return SocketAddress(String(trimmed[..<colon]), port: port)?.unmapped
    }
}
