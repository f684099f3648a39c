import DBus
import Names
import Posix
import Testing

private func address(_ text: String, port: Int = 0) -> SocketAddress { SocketAddress(text, port: port)! }

@Suite("What was heard of names") struct NameBookTests {
    private let truth = address("198.51.100.1"), lie = address("203.0.113.66")

    @Test("the last good answers stay for when nobody answers, and fresh ones come first")
    func stale() {
        var book = NameBook()
        book.heard("control.test", .link("modem0"), [truth])
        let mark = book.number
        #expect(book.addresses(of: "control.test", since: mark) == [truth])
        book.heard("control.test", .link("modem1"), [lie, address("203.0.113.67")])
        #expect(book.addresses(of: "control.test", since: mark) == [lie, truth, address("203.0.113.67")])
        book.heard("control.test", .link("modem0"), [])
        #expect(book.addresses(of: "control.test", since: mark).contains(truth), "no answer takes nothing away")
        #expect(book.addresses(of: "other.test", since: 0) == [])
    }

    @Test("every link's first address comes before any link's second: many lies crowd out no truth")
    func inTurn() {
        var book = NameBook()
        book.heard("control.test", .link("modem0"), (0..<100).map { address("203.0.113.\($0)") })
        book.heard("control.test", .link("modem1"), [truth])
        let addresses = book.addresses(of: "control.test", since: 0)
        #expect(addresses[1] == truth && addresses.count == 9)
    }

    @Test("a link that lied comes last, for all it says; the truth is never left out, whatever it has failed at")
    func lies() {
        var book = NameBook()
        book.heard("control.test", .link("modem0"), [lie])
        book.heard("control.test", .link("modem1"), [truth])
        book.judged(address("203.0.113.66", port: 443), isRight: false)
        #expect(book.addresses(of: "control.test", since: 0) == [truth, lie])
        // Another lie by the same link comes no sooner.
        book.heard("control.test", .link("modem0"), [address("203.0.113.67")])
        #expect(book.addresses(of: "control.test", since: 0) == [truth, address("203.0.113.67")])
        // The truth fails for its own reasons, and a way that nobody came far enough with to judge it, as a portal that is gone, does not.
        let never = address("10.1.2.3")
        book.heard("control.test", .link("eth0"), [never])
        for _ in 0..<3 { book.judged(truth, isRight: false) }
        #expect(book.addresses(of: "control.test", since: book.number) == [never, address("203.0.113.67"), truth])
        book.judged(truth, isRight: true)
        #expect(book.addresses(of: "control.test", since: 0).first == truth)
    }

    @Test("hosts, ways and addresses are bounded: the oldest go")
    func bounds() {
        var book = NameBook()
        for host in 0..<100 { book.heard("h\(host)", .system, [truth]) }
        #expect(book.addresses(of: "h0", since: 0).isEmpty && book.addresses(of: "h99", since: 0) == [truth])
        for way in 0..<1000 { book.heard("h99", .link("l\(way)"), [address("10.0.\(way / 256).\(way % 256)")]) }
        #expect(book.addresses(of: "h99", since: 0).count == 16)
        #expect(!book.addresses(of: "h99", since: 0).contains(truth))
    }
}

@Suite("Whose name servers are whose") struct LinkServersTests {
    @Test("NetworkManager names each link's, and what is none is left out")
    func networkManager() {
        func entry(_ link: String?, _ servers: [String]) -> BusValue {
            var table: [BusValue: BusValue] = [.text("nameservers"): .list(servers.map(BusValue.text)), .text("priority"): .integer(100)]
            if let link { table[.text("interface")] = .text(link) }
            return .table(table)
        }
        let servers = LinkServers.ofNetworkManager(
            .list([
                entry("wwan0", ["192.0.2.1", "fe80::1%wwan0", "dns+tls://192.0.2.9#x", "192.0.2.1", "127.0.0.53", ""]),
                entry(nil, ["192.0.2.2"]), entry("eth0", ["2001:db8::1"]), entry("a name of too many", ["192.0.2.3"]), .integer(1),
            ]))
        #expect(servers["wwan0"] == [address("192.0.2.1", port: 53), address("fe80::1", port: 53)])
        #expect(servers["eth0"] == [address("2001:db8::1", port: 53)] && servers.count == 2)
        #expect(LinkServers.ofNetworkManager(nil).isEmpty && LinkServers.ofNetworkManager(.text("x")).isEmpty)
        let flood = LinkServers.ofNetworkManager(.list((0..<1000).map { entry("l\($0)", (0..<100).map { "192.0.2.\($0)" }) }))
        #expect(flood.count == 64 && flood["l0"]?.count == 4)
    }

    @Test("systemd-resolved has them by the link's number")
    func resolved() {
        func entry(_ index: Int, _ bytes: [UInt8]) -> BusValue { .list([.integer(index), .integer(2), .bytes(bytes)]) }
        let servers = LinkServers.ofResolved(
            .list([
                entry(0, [192, 0, 2, 9]), entry(3, [192, 0, 2, 1]), entry(3, Array(repeating: 0, count: 3)), entry(4, [192, 0, 2, 4]),
                entry(3, [0x20, 1, 0x0D, 0xB8] + Array(repeating: 0, count: 11) + [1]), .list([]), .list([.integer(3)]), .boolean(true),
            ])
        ) { $0 == 3 ? "wwan0" : nil }
        #expect(servers == ["wwan0": [address("192.0.2.1", port: 53), address("2001:db8::1", port: 53)]])
    }
}
