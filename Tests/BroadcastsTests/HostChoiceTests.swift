import Posix
import Testing
import Units
import Wire

@testable import Broadcasts

@Suite("The choice of a pool host")
struct HostChoiceTests {
    private static let (a, b, c) = (
        DeviceID("0000000000000000000000000A")!, DeviceID("0000000000000000000000000B")!, DeviceID("0000000000000000000000000C")!
    )

    @Test("the emptiest by share, then by id; one that refused lately comes last, and a full one never")
    func order() {
        func choose(_ offers: [(DeviceID, taken: Int, of: Int, isIll: Bool)]) -> HostChoice.Choice {
            HostChoice.choose(offers.map { HostChoice.Offer(host: $0.0, capacity: $0.of, taken: $0.taken, isIll: $0.isIll) })
        }
        #expect(choose([(Self.a, 2, 4, false), (Self.b, 3, 10, false)]) == .host(Self.b))
        #expect(choose([(Self.b, 0, 4, false), (Self.a, 0, 10, false)]) == .host(Self.a))
        #expect(choose([(Self.a, 0, 4, true), (Self.b, 3, 4, false)]) == .host(Self.b))
        #expect(choose([(Self.a, 0, 4, true), (Self.b, 4, 4, false)]) == .host(Self.a))
        #expect(choose([(Self.c, 4, 4, false)]) == .none(reason: "every pool host is full: 4 of 4 streams are in use"))
        #expect(choose([]) == .none(reason: "no pool host is connected"))
    }

    @Test("a rehearsal leaves a place of the pool for a show")
    func rehearsal() {
        func choose(_ places: [(DeviceID, taken: Int, of: Int)]) -> HostChoice.Choice {
            HostChoice.choose(
                places.map { HostChoice.Offer(host: $0.0, capacity: $0.of, taken: $0.taken) }, keeping: HostChoice.kept)
        }
        let kept = HostChoice.Choice.none(reason: "the last place of the pool is kept for broadcasts")
        #expect(choose([(Self.a, 0, 1)]) == kept && choose([(Self.a, 3, 4), (Self.b, 4, 4)]) == kept)
        #expect(choose([(Self.a, 0, 2)]) == .host(Self.a) && choose([(Self.a, 3, 4), (Self.b, 3, 4)]) == .host(Self.a))
        #expect(choose([(Self.a, 4, 4)]) == .none(reason: "every pool host is full: 4 of 4 streams are in use"))
    }

    @Test("a host whose processors are busy with whatever is as full as they are; one that is drained is not asked")
    func load() {
        func offer(_ host: DeviceID, taken: Int, cpu: Int, isDraining: Bool = false) -> HostChoice.Offer {
            HostChoice.Offer(host: host, capacity: 10, taken: taken, cpuPercent: cpu, isDraining: isDraining)
        }
        #expect(HostChoice.choose([offer(Self.a, taken: 0, cpu: 80), offer(Self.b, taken: 3, cpu: 20)]) == .host(Self.b))
        #expect(HostChoice.choose([offer(Self.a, taken: 0, cpu: 20), offer(Self.b, taken: 3, cpu: 20)]) == .host(Self.a))
        #expect(HostChoice.choose([offer(Self.a, taken: 0, cpu: 0, isDraining: true), offer(Self.b, taken: 9, cpu: 95)]) == .host(Self.b))
        let drained = HostChoice.choose([offer(Self.a, taken: 0, cpu: 0, isDraining: true)])
        #expect(drained == .none(reason: "every pool host that is connected is being drained"))
        let full = HostChoice.choose([offer(Self.a, taken: 0, cpu: 0, isDraining: true), offer(Self.b, taken: 10, cpu: 0)])
        #expect(full == .none(reason: "every pool host is full: 10 of 10 streams are in use"))
    }

    @Test("a host of a kind of address that the sender's links do not have is not offered to it, the other way round neither")
    func families() {
        func hello(_ addresses: [String]) -> PoolHello {
            PoolHello(poolVersion: "1", addresses: addresses, portRange: PortRange(first: 1, last: 9), capacity: 4, leases: [])
        }
        func offer(_ host: DeviceID, _ addresses: [String]) -> HostChoice.Offer {
            HostChoice.Offer(host: host, capacity: 4, taken: 0, families: hello(addresses).families)
        }
        let (old, new) = (offer(Self.a, ["203.0.113.7"]), offer(Self.b, ["2001:db8::7"]))
        let (both, named) = (offer(Self.c, ["203.0.113.9", "2001:db8::9"]), offer(Self.c, ["2001:db8::9", "live.example.org"]))
        #expect(HostChoice.choose([old, new], reachableBy: [.ipv6]) == .host(Self.b))
        #expect(HostChoice.choose([old, new], reachableBy: [.ipv4]) == .host(Self.a))
        #expect(HostChoice.choose([old, new], reachableBy: [.ipv4, .ipv6]) == .host(Self.a))
        #expect(HostChoice.choose([new], reachableBy: nil) == .host(Self.b))
        #expect(HostChoice.choose([new, both], reachableBy: [.ipv4]) == .host(Self.c))
        #expect(HostChoice.choose([new, named], reachableBy: [.ipv4]) == .host(Self.c))
        let reason = "no pool host has an address that the sender reaches: its links have IPv4 only, and the hosts do not"
        #expect(HostChoice.choose([new], reachableBy: [.ipv4]) == .none(reason: reason))
    }

    @Test("what a sender reaches is told by the links that are up and that it may use")
    func reach() {
        func link(_ name: String, _ addresses: [String], _ state: Link.State = .up) -> Link {
            Link(name: name, kind: .other, state: state, addresses: addresses, mtu: 1500)
        }
        let links = [link("a", ["192.0.2.2"]), link("b", ["2001:db8::2", "no address"]), link("c", ["10.0.0.2"], .down)]
        func families(_ links: [Link], _ names: [String]? = nil) -> Set<SocketAddress.Family>? {
            Inventory(links: links).families(over: names)
        }
        #expect(families(links) == [.ipv4, .ipv6])
        #expect(families(links, ["b"]) == [.ipv6] && families(links, ["a", "c"]) == [.ipv4])
        // Links that have none yet may have any in a moment.
        #expect(families(links, ["c"]) == nil && families([]) == nil)
    }
}
