package import Configuration
package import Posix

extension ConfigurationSection {
    /// An IP address and a port; no name, which would have to be resolved.
    package func socketAddress(_ key: String) -> SocketAddress {
        let expected = "an IP address and a port, as in 127.0.0.1:5000"
        return Self.parse(string(key, expected) { Self.parse($0) != nil }) ?? .loopback(port: 0)
    }

    package func socketAddresses(_ key: String) -> [SocketAddress] {
        strings(key, "a list of IP addresses with ports, as in 0.0.0.0:7000") { Self.parse($0) != nil }.compactMap(Self.parse)
    }

    private static func parse(_ text: String) -> SocketAddress? {
        HostPort(text).flatMap { SocketAddress($0.host, port: $0.port) }
    }
}
