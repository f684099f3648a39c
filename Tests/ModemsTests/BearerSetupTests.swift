import Foundation
import Lab
import Netlink
import Posix
import Support
import Testing

@testable import Modems

@Suite("A connected modem's addresses", .serialized) struct BearerSetupTests {
    private static func family(_ address: String, _ length: Int, _ gateway: String?, mtu: Int? = nil) -> BearerAddresses.Family {
        BearerAddresses.Family(method: .given, address: address, prefixLength: length, gateway: gateway, nameServers: [], mtu: mtu)
    }

    @Test(
        "are set with a way to everywhere, and those of the connection before go",
        .enabled(if: NetworkNamespace.areAllowed, "namespaces are not allowed here"))
    func set() async throws {
        let network = try FieldNetwork(links: [LinkShape(LinkProfile()), LinkShape(LinkProfile())], number: 9)
        defer { network.remove() }
        let setter = BearerSetter()
        func apply(_ addresses: BearerAddresses) throws { try network.field.run { try setter.apply(addresses) } }
        func ip(_ arguments: String...) async throws -> String {
            let line = network.field.command(["ip"] + arguments)
            return try await runTool(line[0], Array(line.dropFirst())).text
        }
        try apply(
            BearerAddresses(
                interface: "modem0", ipv4: Self.family("10.64.1.2", 30, "10.64.1.1", mtu: 1430),
                ipv6: Self.family("2001:db8::2", 64, "fe80::1")))
        let first = try await ip("address", "show", "dev", "modem0")
        #expect(first.contains("inet 10.64.1.2/30") && first.contains("inet6 2001:db8::2/64") && first.contains("mtu 1430"), "\(first)")
        let route = try await ip("route", "show", "default", "dev", "modem0", "proto", "static")
        #expect(route.contains("default via 10.64.1.1 metric 10"), "\(route)")
        #expect(try await ip("-6", "route", "show", "default").contains("via fe80::1 dev modem0"))
        // Twins: the same network on both. Neither takes the other's place, and a gateway beyond the prefix is one all the same.
        try apply(BearerAddresses(interface: "modem1", ipv4: Self.family("10.64.1.2", 32, "10.0.0.1")))
        let both = try await ip("route", "show", "default", "proto", "static")
        #expect(both.contains("via 10.64.1.1 dev modem0") && both.contains("via 10.0.0.1 dev modem1"), "\(both)")
        // Another address after a new connection; the same again changes nothing.
        for _ in 0..<2 { try apply(BearerAddresses(interface: "modem0", ipv4: Self.family("10.64.9.9", 30, nil))) }
        let next = try await ip("address", "show", "dev", "modem0")
        #expect(next.contains("inet 10.64.9.9/30") && !next.contains("10.64.1.2") && !next.contains("2001:db8::2"), "\(next)")
        #expect(try await ip("route", "show", "default", "dev", "modem0", "proto", "static").contains("default scope link"))
    }

    @Test("what cannot be set is refused by a sentence")
    func refused() throws {
        func reason(_ addresses: BearerAddresses, index: Int = 3) -> String {
            do {
                _ = try BearerSetup.changes(addresses, index: index, had: [])
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(reason(BearerAddresses(interface: "w", ipv4: Self.family("10.0.0.x", 30, nil))) == "'10.0.0.x' is no address")
        #expect(reason(BearerAddresses(interface: "w", ipv4: Self.family("10.0.0.1", 30, "::1"))) == "'::1' is no address")
        let ppp = BearerAddresses.Family(method: .ppp, nameServers: [])
        #expect(reason(BearerAddresses(interface: "w", ipv4: ppp)) == "it wants PPP, which this agent does not speak")
        #expect(throws: BearerSetup.Fault.self) { try BearerSetter().apply(BearerAddresses(interface: "nothere0")) }
        // Asked for on the interface: it is switched on, and the rest is the kernel's and the system's.
        let asked = BearerAddresses.Family(method: .asked, nameServers: [])
        #expect(try BearerSetup.changes(BearerAddresses(interface: "w", ipv4: asked), index: 3, had: []) == [.up(index: 3, mtu: nil)])
    }
}
