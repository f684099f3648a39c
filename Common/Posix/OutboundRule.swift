import Glibc

/// Which addresses nobody may be sent to (THREATS 9): whatever is not of the public net, and this machine itself, unless its operator
/// has opened it. Control judges by it what people name, and a receiver once more what it is told.
package struct OutboundRule: Sendable {
    private let allowed: [AddressRange]

    package init(allowing allowed: [AddressRange]) { self.allowed = allowed }

    /// Whether the operator has opened an address.
    package func opens(_ address: SocketAddress) -> Bool { allowed.contains { $0.contains(address.unmapped) } }

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
        // Azure's wire server has an address of the public net.
        ("a cloud's own service", ["168.63.129.16/32"]),
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
    package static func ownAddresses() -> [SocketAddress] {
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
