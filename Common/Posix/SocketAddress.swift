package import Glibc

/// An IPv4 or IPv6 address with a port.
package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    package enum Family: Hashable, Sendable { case ipv4, ipv6 }

    package let family: Family
    /// 0...65535.
    package var port: Int
    /// The address in network order, as two big-endian numbers; an IPv4 address is the low 32 bits of `low`.
    private let high: UInt64
    private let low: UInt64
    /// The interface of a link-local IPv6 address, or 0.
    private let scope: UInt32

    /// An address without name resolution: `192.0.2.1`, `::1`, `[::1]`, `fe80::1%eth0`. Nil where the text or port is none.
    package init?(_ literal: String, port: Int) {
        guard (0...65535).contains(port) else { return nil }
        var v4 = in_addr()
        if inet_pton(AF_INET, literal, &v4) == 1 {
            self.init(family: .ipv4, port: port, high: 0, low: UInt64(UInt32(bigEndian: v4.s_addr)), scope: 0)
            return
        }
        var text = Substring(literal)
        if text.first == "[", text.last == "]" { text = text.dropFirst().dropLast() }
        var scope: UInt32 = 0
        if let percent = text.firstIndex(of: "%") {
            scope = if_nametoindex(String(text[text.index(after: percent)...]))
            guard scope != 0 else { return nil }
            text = text[..<percent]
        }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, String(text), &v6) == 1 else { return nil }
        self.init(v6, port: port, scope: scope)
    }

    package static func loopback(port: Int) -> SocketAddress {
        SocketAddress(family: .ipv4, port: port, high: 0, low: 0x7f00_0001, scope: 0)
    }

    /// The same bytes for the same address and port, and others for others: for who must not know what an address is.
    package var identity: [UInt8] {
        var bytes: [UInt8] = [family == .ipv4 ? 4 : 6]
        for word in [high, low, UInt64(scope) << 16 | UInt64(UInt16(truncatingIfNeeded: port))] {
            withUnsafeBytes(of: word.bigEndian) { bytes += $0 }
        }
        return bytes
    }

    /// The wildcard address, with a port that the kernel chooses.
    package static func any(_ family: Family) -> SocketAddress {
        SocketAddress(family: family, port: 0, high: 0, low: 0, scope: 0)
    }

    private init(family: Family, port: Int, high: UInt64, low: UInt64, scope: UInt32) {
        self.family = family
        self.port = port
        self.high = high
        self.low = low
        self.scope = scope
    }

    private init(_ address: in6_addr, port: Int, scope: UInt32) {
        let (high, low) = withUnsafeBytes(of: address) { bytes in
            (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        self.init(family: .ipv6, port: port, high: UInt64(bigEndian: high), low: UInt64(bigEndian: low), scope: scope)
    }

    /// From what the kernel wrote: a `sockaddr_in` or `sockaddr_in6`; nil for other families.
    package init?(sockaddr bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= MemoryLayout<sockaddr_in>.size else { return nil }
        switch CInt(bytes.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET:
            let address = bytes.loadUnaligned(as: sockaddr_in.self)
            self.init(
                family: .ipv4, port: Int(UInt16(bigEndian: address.sin_port)), high: 0,
                low: UInt64(UInt32(bigEndian: address.sin_addr.s_addr)), scope: 0)
        case AF_INET6 where bytes.count >= MemoryLayout<sockaddr_in6>.size:
            let address = bytes.loadUnaligned(as: sockaddr_in6.self)
            self.init(address.sin6_addr, port: Int(UInt16(bigEndian: address.sin6_port)), scope: address.sin6_scope_id)
        default: return nil
        }
    }

    /// Calls `body` with a `sockaddr_in` or `sockaddr_in6`.
    package func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result) rethrows -> Result {
        func pass<Address>(_ address: Address) throws -> Result {
            try withUnsafePointer(to: address) { pointer in
                try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    try body($0, socklen_t(MemoryLayout<Address>.size))
                }
            }
        }
        if family == .ipv4 {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = UInt16(port).bigEndian
            address.sin_addr.s_addr = UInt32(truncatingIfNeeded: low).bigEndian
            return try pass(address)
        }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = UInt16(port).bigEndian
        address.sin6_addr = in6
        address.sin6_scope_id = scope
        return try pass(address)
    }

    private var in6: in6_addr {
        var address = in6_addr()
        withUnsafeMutableBytes(of: &address) { bytes in
            bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
            bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        return address
    }

    /// The address without the port, as text: `192.0.2.1`, `2001:db8::1`, `fe80::1%eth0`.
    package var host: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        if family == .ipv4 {
            var address = in_addr(s_addr: UInt32(truncatingIfNeeded: low).bigEndian)
            inet_ntop(AF_INET, &address, &text, socklen_t(text.count))
        } else {
            var address = in6
            inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
        }
        let host = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard scope != 0 else { return host }
        var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE) + 1)
        guard if_indextoname(scope, &name) != nil else { return "\(host)%\(scope)" }
        return host + "%" + String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The address in network order: 4 or 16 bytes.
    package var bytes: [UInt8] {
        let wide = [high, low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) } }
        return family == .ipv4 ? Array(wide.suffix(4)) : wide
    }

    /// An IPv4 address that came in the IPv6 form `::ffff:192.0.2.1`, as IPv4; any other as it is.
    package var unmapped: SocketAddress {
        guard family == .ipv6, high == 0, low >> 32 == 0xffff else { return self }
        return SocketAddress(family: .ipv4, port: port, high: 0, low: low & 0xffff_ffff, scope: 0)
    }

    /// What one subscriber has: an IPv4 address, or the /64 of an IPv6 one; without port.
    package var network: SocketAddress {
        SocketAddress(family: family, port: 0, high: high, low: family == .ipv4 ? low : 0, scope: 0)
    }

    /// 127.0.0.0/8 and ::1, mapped ones too.
    package var isLoopback: Bool {
        let address = unmapped
        return address.family == .ipv4 ? address.low >> 24 == 127 : (address.high == 0 && address.low == 1)
    }

    /// Whether the first `bits` bits are those of `other`; false for another family.
    package func shares(prefix bits: Int, with other: SocketAddress) -> Bool {
        guard family == other.family else { return false }
        let width = family == .ipv4 ? 32 : 128
        let bits = min(max(bits, 0), width)
        if family == .ipv4 { return bits == 0 || (low ^ other.low) >> (32 - UInt64(bits)) == 0 }
        if bits <= 64 { return bits == 0 || (high ^ other.high) >> (64 - UInt64(bits)) == 0 }
        return high == other.high && (low ^ other.low) >> (128 - UInt64(bits)) == 0
    }

    /// `192.0.2.1:443` or `[2001:db8::1]:443`.
    package var description: String { family == .ipv4 ? "\(host):\(port)" : "[\(host)]:\(port)" }
}
