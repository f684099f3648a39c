import Posix
import Testing

import Web

@Suite("Outbound guard")
struct OutboundGuardTests {
    /// The first and the last address of every range that leads nowhere, or into somebody's house (THREATS 9).
    static let special = [
        "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.255",
        "169.254.0.0", "169.254.169.254", "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.255", "192.0.2.1",
        "192.88.99.1", "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
        "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16",
        "::", "::1", "fc00::1", "fdff::1", "fe80::1", "febf::1", "fec0::1", "ff02::1", "ff0e::1", "100::1", "100:0:0:1::1",
        "2001:db8::1", "3fff::1", "5f00::1", "2001::1", "2001:10::1", "2001:1ff::1", "2002:7f00:1::", "64:ff9b::127.0.0.1",
        "64:ff9b::8.8.8.8", "64:ff9b:1::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::8.8.8.8",
    ]

    @Test("an address that is not of the public net is refused", arguments: special)
    func refused(_ text: String) throws {
        let address = try #require(SocketAddress(text, port: 1935))
        #expect(OutboundRule(allowing: []).forbiddenKind(of: address, own: []) != nil)
    }

    @Test(
        "a public address passes, up to the edges of the special ranges",
        arguments: [
            "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "168.63.129.15",
            "168.63.129.17", "172.15.255.255",
            "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2001:200::1",
            "2606:4700::1111", "2003::1", "2a00::1", "::ffff:1.1.1.1",
        ])
    func passes(_ text: String) throws {
        let address = try #require(SocketAddress(text, port: 1935))
        #expect(OutboundRule(allowing: []).forbiddenKind(of: address, own: []) == nil)
    }

    @Test("this machine's own addresses are refused, also written as IPv6")
    func own() throws {
        let own = try #require(SocketAddress("93.184.216.34", port: 0))
        let mapped = try #require(SocketAddress("::ffff:93.184.216.34", port: 443))
        #expect(OutboundRule(allowing: []).forbiddenKind(of: own, own: [own]) == "an address of this machine")
        #expect(OutboundRule(allowing: []).forbiddenKind(of: mapped, own: [own]) == "an address of this machine")
        #expect(OutboundRule.ownAddresses().contains { $0.isLoopback })
    }

    @Test("what the operator opens passes, and nothing beside it")
    func allowed() throws {
        let outbound = OutboundRule(allowing: [try #require(AddressRange("192.168.7.0/24"))])
        let inside = try #require(SocketAddress("192.168.7.9", port: 1935))
        let mapped = try #require(SocketAddress("::ffff:192.168.7.9", port: 1935))
        let beside = try #require(SocketAddress("192.168.8.9", port: 1935))
        #expect(outbound.forbiddenKind(of: inside, own: [inside]) == nil)
        #expect(outbound.forbiddenKind(of: mapped, own: []) == nil)
        #expect(outbound.forbiddenKind(of: beside, own: []) == "private")
    }

    @Test(
        "a name and the odd ways of writing an address end where they lead",
        arguments: ["localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "[::1]"])
    func names(_ host: String) async throws {
        // getaddrinfo knows the old forms of inet_aton: what they mean is judged, not how they are written.
        await #expect(throws: OutboundGuard.Refusal.self) { try await OutboundGuard().admit(host: host, port: 80) }
    }
}
