import Glibc
package import Posix

/// Decides whether an address that a person or a peer named may be connected to (THREATS 9).
///
/// The name is resolved once, here; the caller connects to the address that passed and resolves nothing again.
package struct OutboundGuard: Sendable {
    package enum Refusal: Error, Sendable, Hashable, CustomStringConvertible {
        case unresolvable(host: String, reason: String)
        /// Every address of the host is of a kind that is not allowed.
        case forbidden(host: String, address: String, kind: String)

        package var description: String {
            switch self {
            case .unresolvable(let host, let reason): "\(host) cannot be resolved: \(reason)"
            case .forbidden(let host, let address, let kind):
                "\(host) leads to \(address), which is \(kind); the operator can allow it in outbound.allow"
            }
        }
    }

    private let allowed: [AddressRange]

    /// - Parameter allowed: ranges that the operator opened, e.g. the platform in the same house.
    package init(allowing allowed: [AddressRange] = []) { self.allowed = allowed }

    /// The first address of a host that may be connected to.
    package func admit(host: String, port: Int) async throws(Refusal) -> SocketAddress {
        let addresses: [SocketAddress]
        do {
            addresses = try await resolve(host: host, port: port)
        } catch {
            throw .unresolvable(host: host, reason: "\(error)")
        }
        let own = Self.ownAddresses()
        var refusal = Refusal.unresolvable(host: host, reason: "it has no address")
        for address in addresses {
            guard let kind = forbiddenKind(of: address, own: own) else { return address }
            refusal = .forbidden(host: host, address: address.host, kind: kind)
        }
        throw refusal
    }

    /// Why an address is refused; nil where it is allowed.
    package func forbiddenKind(of address: SocketAddress, own: [SocketAddress]) -> String? {
        let plain = address.unmapped
        if allowed.contains(where: { $0.contains(plain) }) { return nil }
        if let kind = Self.special.first(where: { $0.ranges.contains { $0.contains(plain) } })?.kind { return kind }
        if own.contains(where: { $0.bytes == plain.bytes }) { return "an address of this machine" }
        return nil
    }

    /// Sources: IANA's special-purpose address registries for IPv4 and IPv6 (RFC 6890 and its updates).
    private static let special: [(kind: String, ranges: [AddressRange])] = [
        ("unspecified", ["0.0.0.0/8", "::/128"]),
        ("loopback", ["127.0.0.0/8", "::1/128"]),
        ("private", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"]),
        ("shared by a carrier", ["100.64.0.0/10"]),
        ("link-local", ["169.254.0.0/16", "fe80::/10"]),
        ("multicast", ["224.0.0.0/4", "ff00::/8"]),
        (
            "broadcast or reserved",
            ["240.0.0.0/4", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "100::/64", "100:0:0:1::/64", "5f00::/16"]
        ),
        ("for documentation", ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"]),
        // 2001::/23 holds Teredo, benchmarking and the identifiers of ORCHID: protocols, no hosts.
        ("mapped or translated to IPv4", ["::ffff:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/23"]),
    ].map { kind, texts in (kind, texts.compactMap(AddressRange.init)) }

    /// The addresses of this machine's interfaces.
    static func ownAddresses() -> [SocketAddress] {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return [] }
        defer { freeifaddrs(first) }
        var result: [SocketAddress] = []
        var next = first
        while let entry = next {
            if let address = entry.pointee.ifa_addr {
                let family = CInt(address.pointee.sa_family)
                let size = family == AF_INET ? MemoryLayout<sockaddr_in>.size : family == AF_INET6 ? MemoryLayout<sockaddr_in6>.size : 0
                if size > 0, let own = SocketAddress(sockaddr: UnsafeRawBufferPointer(start: address, count: size)) { result.append(own) }
            }
            next = entry.pointee.ifa_next
        }
        return result
    }
}
