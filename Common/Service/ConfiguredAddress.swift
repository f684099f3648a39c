package import Configuration
package import Posix

extension ConfigurationSection {
    /// An IP address and a port; no name, which would have to be resolved.
    package func socketAddress(_ key: String) -> SocketAddress {
        let expected = "an IP address and a port, as in 127.0.0.1:5000"
        return Self.parse(string(key, expected) { Self.parse($0) != nil }) ?? .loopback(port: 0)
    }

    /// Where something is sent.
    package func peerAddress(_ key: String) -> SocketAddress {
        func peer(_ text: String) -> SocketAddress? { Self.parse(text).flatMap { $0.port > 0 ? $0 : nil } }
        return peer(string(key, "an IP address and a port of 1 to 65535, as in 127.0.0.1:5000") { peer($0) != nil }) ?? .loopback(port: 0)
    }

    package func socketAddresses(_ key: String) -> [SocketAddress] {
        strings(key, "a list of IP addresses with ports, as in 0.0.0.0:7000") { Self.parse($0) != nil }.compactMap(Self.parse)
    }

    private static func parse(_ text: String) -> SocketAddress? {
        HostPort(text).flatMap { SocketAddress($0.host, port: $0.port) }
    }
}
