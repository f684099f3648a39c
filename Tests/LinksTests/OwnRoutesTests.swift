import Foundation
import Lab
import Logging
import Posix
import Support
import Testing

@testable import Links
@testable import Netlink

@Suite("Routes of the links' own") struct OwnRoutesTests {
    private func entry(_ destination: String?, _ length: Int, _ index: Int, via gateway: String? = nil, table: Int = 254, maker: Int = 4)
        -> RouteEntry
    {
        RouteEntry(
            family: .ipv4, table: table, index: index, destination: destination.flatMap { SocketAddress($0, port: 0) },
            prefixLength: length,
            gateway: gateway.flatMap { SocketAddress($0, port: 0) }, maker: maker, metric: 100)
    }

    /// The kernel's own, to its main table.
    private func mainRule(_ family: SocketAddress.Family) -> RouteMessage {
        .rule(RoutingRule(family: family, outgoing: nil, table: RouteEntry.mainTable, priority: 32766, maker: 2))
    }

    @Test("each link's table has its routes of the main table; what others made is neither copied nor touched")
    func wanted() {
        let (near, far, other) = (
            entry("192.168.8.0", 24, 4), entry(nil, 0, 4, via: "192.168.8.1"), entry("10.0.0.0", 8, 9, table: 1000)
        )
        let messages = [mainRule(.ipv4)] + [near, far, entry(nil, 0, 7, via: "10.1.1.1"), other].map(RouteMessage.route)
        let wanted = OwnRoutes(links: [4: "wwan0"], from: messages)
        let table = OwnRoutes.firstTable + 4
        #expect(wanted.routes.map(\.table) == [table, table] && wanted.rules.map(\.outgoing) == ["wwan0"])
        let changes = wanted.changes(from: OwnRoutes(of: messages))
        guard changes.count == 3, case .route(let first) = changes[0], case .route(let second) = changes[1], case .rule = changes[2] else {
            Issue.record("\(changes)")
            return
        }
        #expect(first.gateway == nil && second.gateway?.host == "192.168.8.1")
        let there = OwnRoutes(of: messages + wanted.routes.map(RouteMessage.route) + wanted.rules.map(RouteMessage.rule))
        #expect(there == wanted && wanted.changes(from: there).isEmpty)
        // The rule goes before what it looks into.
        let gone = OwnRoutes().changes(from: there)
        guard gone.count == 3, case .noRule = gone[0] else {
            Issue.record("\(gone)")
            return
        }
    }

    @Test("where two routers of a link offer the same way, which one it is stays the kernel's choice; its other family has its table")
    func contested() {
        var wide = entry(nil, 0, 4)
        (wide.family, wide.gateway) = (.ipv6, SocketAddress("fe80::1", port: 0))
        let routes = [entry(nil, 0, 4, via: "192.168.8.1"), entry("192.168.8.0", 24, 4), entry(nil, 0, 5, via: "10.0.0.1"), wide]
        let messages = [mainRule(.ipv4), mainRule(.ipv6)] + routes.map(RouteMessage.route)
        let before = OwnRoutes(links: [4: "wwan0", 5: "wwan1"], from: messages)
        #expect(before.rules.count == 3)
        let after = OwnRoutes(links: [4: "wwan0", 5: "wwan1"], from: messages + [.route(entry(nil, 0, 4, via: "192.168.8.77"))])
        #expect(after.rules.map(\.outgoing).sorted { $0 ?? "" < $1 ?? "" } == ["wwan0", "wwan1"])
        #expect(!after.routes.contains { $0.index == 4 && $0.family == .ipv4 } && after.routes.contains { $0.family == .ipv6 })
        // The same one by another maker is no other router; one of another metric is a second choice that is copied too.
        var (same, second) = (entry(nil, 0, 4, via: "192.168.8.1", maker: 16), entry(nil, 0, 4, via: "192.168.8.77"))
        second.metric = 700
        same.source = SocketAddress("192.168.8.100", port: 0)
        #expect(OwnRoutes(links: [4: "wwan0", 5: "wwan1"], from: messages + [.route(same), .route(second)]).rules == before.rules)
    }

    @Test("a family without any rule has no policy routing: nothing is made for it, as it would be made in the main table")
    func noPolicy() {
        var wide = entry(nil, 0, 4)
        wide.family = .ipv6
        let routes = [entry(nil, 0, 4, via: "192.168.8.1"), wide].map(RouteMessage.route)
        #expect(OwnRoutes(links: [4: "wwan0"], from: routes) == OwnRoutes())
        let own = OwnRoutes(links: [4: "wwan0"], from: routes + [mainRule(.ipv6)])
        #expect(own.routes.map(\.family) == [.ipv6] && own.rules.map(\.family) == [.ipv6])
    }

    @Test(
        "bound sockets find their own gateway between twins and past a VPN that takes everything; what a crash leaves is removed",
        .enabled(if: NetworkNamespace.areAllowed, "namespaces are not allowed here"))
    func kernel() async throws {
        let network = try FieldNetwork(links: [LinkShape(LinkProfile()), LinkShape(LinkProfile())], number: 11)
        defer { network.remove() }
        // Its thread is born in the namespace, and with it every socket.
        let loop = try network.field.run { try Loop(name: "routes") }
        defer { loop.stop() }
        func ip(_ line: String, mayFail: Bool = false) async throws -> String {
            let words = network.field.command(["ip"] + line.split(separator: " ").map(String.init))
            let answer = try await runTool(words[0], Array(words.dropFirst()), mayFail: mayFail)
            return answer.text + answer.errors
        }
        func keeper() throws -> RouteKeeper {
            let keeper = try network.field.run { try RouteKeeper(loop: loop, log: Log("routes", threshold: .error)) }
            return keeper
        }
        for link in ["modem0", "modem1"] {
            _ = try await ip("address flush dev \(link)")
            _ = try await ip("address add 192.168.8.100/24 dev \(link)")
        }
        _ = try await ip("route add default via 192.168.8.1 dev modem0 metric 100")
        _ = try await ip("route add default via 192.168.8.1 dev modem1 metric 101")
        _ = try await ip("rule add priority 5210 lookup 999 protocol 4")
        _ = try await ip("route add unreachable default table 999")
        let indices = try network.field.run { ["modem0": Int(if_nametoindex("modem0")), "modem1": Int(if_nametoindex("modem1"))] }
        // Without a table of its own the kernel takes everybody for a neighbour on the link.
        #expect(try await !ip("route get 198.51.100.1 oif modem1").contains("via"))

        var first: RouteKeeper? = try keeper()
        first?.begin()
        first?.update(indices)
        for link in ["modem0", "modem1"] {
            try await eventually(within: .seconds(5), "\(link) has its own") {
                try await ip("route get 198.51.100.1 oif \(link)", mayFail: true).contains("via 192.168.8.1 dev \(link) table")
            }
        }
        // What is bound to no link goes by the VPN.
        #expect(try await ip("route get 198.51.100.1", mayFail: true).contains("No route to host"))
        // Another gateway, and none.
        _ = try await ip("route replace default via 192.168.8.254 dev modem1 metric 101")
        try await eventually(within: .seconds(5), "the new gateway is taken over") {
            try await ip("route get 198.51.100.1 oif modem1", mayFail: true).contains("via 192.168.8.254 dev modem1 table")
        }
        _ = try await ip("route delete default dev modem1 metric 101")
        try await eventually(within: .seconds(5), "the old gateway is forgotten") {
            try await !ip("route get 198.51.100.1 oif modem1").contains("via")
        }
        _ = try await ip("rule delete oif modem0 priority 5000")
        try await eventually(within: .seconds(5), "a rule that somebody removes comes back") {
            try await ip("rule show").contains("oif modem0 lookup")
        }
        first = nil
        try await saysWhatIsLeft(network, loop, indices)
        #expect(try await ip("rule show").contains("oif modem0 lookup"))
        // The next one after a crash, on a board whose second modem is gone; then it ends.
        let second = try keeper()
        second.begin()
        second.update(["modem0": indices["modem0"] ?? 0])
        try await eventually(within: .seconds(5), "what was modem1's is gone") {
            let rules = try await ip("rule show")
            return rules.contains("oif modem0 lookup") && !rules.contains("oif modem1")
        }
        second.end()
        try await eventually(within: .seconds(5), "nothing is left") {
            let (rules, routes) = (try await ip("rule show"), try await ip("route show table all"))
            return !rules.contains("proto 83") && !routes.contains("proto 83")
        }
        #expect(try await ip("rule show").contains("lookup 999"), "what is others' stays")
        // The words of the one that may not are a remedy.
        _ = try await ip("rule add oif modem0 lookup \(OwnRoutes.firstTable + 4) protocol 83 priority 5000")
        _ = try await ip("route add 198.51.100.0/24 dev modem0 table \(OwnRoutes.firstTable + 4) protocol 83")
        for command in OwnRoutes.remedy.split(separator: ";") {
            guard let start = command.firstRange(of: "ip ")?.upperBound else { continue }
            _ = try await ip(String(command[start...]))
        }
        let (rules, routes) = (try await ip("rule show"), try await ip("route show table all"))
        #expect(!rules.contains("proto 83") && !routes.contains("proto 83") && rules.contains("lookup 999"))
        _ = first
    }

    /// One that may change nothing says once what is left, and what a person does about it.
    private func saysWhatIsLeft(_ network: FieldNetwork, _ loop: Loop, _ indices: [String: Int]) async throws {
        let said = Guarded<[String]>([])
        let powerless = try network.field.run {
            let log = Log("routes", threshold: .notice) { line in said.withLock { $0.append(line) } }
            return try RouteKeeper(loop: loop, log: log) { _ in throw SystemError("RTM_NEWROUTE", EPERM) }
        }
        func told() -> [String] { said.withLock { $0.filter { $0.contains("an earlier run left") } } }
        powerless.begin()
        powerless.update([:])
        try await eventually(within: .seconds(5), "it says what is left") { !told().isEmpty }
        powerless.update(indices)
        powerless.end()
        await withCheckedContinuation { done in loop.run { done.resume() } }
        #expect(told().count == 1 && told()[0].contains(" rules, ") && told()[0].contains("ip rule flush protocol 83"), "\(told())")
    }
}
