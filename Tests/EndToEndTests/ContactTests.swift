import Foundation
import Lab
import Support
import Testing

/// Whom the programs of an installation speak to by themselves: nobody.
@Suite(.serialized, .unlessStolen)
struct ContactTests {
    @Test("an installation and its board contact each other and nobody else, and ask for no name", .row("DIA-20"))
    func nobody() async throws {
        let cloud = NetworkNamespace("st-\(getpid())-cloud")
        try NetworkNamespace.sweep()
        try await onStage { stage in
            do {
                try await make(cloud, on: stage)
                try await run(cloud, on: stage)
            } catch {
                await stage.clear()
                _ = try? await runTool("ip", ["netns", "delete", cloud.name], mayFail: true)
                throw error
            }
            await stage.clear()
            _ = try await runTool("ip", ["netns", "delete", cloud.name])
        }
        try NetworkNamespace.sweep()
    }

    private func run(_ cloud: NetworkNamespace, on stage: Stage) async throws {
        let (field, address) = try await network(cloud, on: stage)
        for place in [cloud, field] { try await watch(place, on: stage) }
        var settings = Installation.Settings()
        settings.inside = Self.enter(cloud)
        let nginx = try await Nginx(on: stage, inside: Self.enter(cloud))
        let installation = try await Installation(on: stage, cloud: address, settings)
        let sender = try await installation.enrollSender(inside: Self.enter(field))
        try await installation.startSender(inside: Self.enter(field))
        let destination = try await installation.addDestination(nginx.url(), secret: "show")
        try await eventually(within: .seconds(20), "a broadcast is live") {
            // Until the board's links are up a start is refused.
            guard let id = try? await installation.startBroadcast(sender: sender, destinations: [destination]) else { return false }
            try await Task.sleep(for: .seconds(3))
            try await #expect(installation.state(of: id) == "live")
            try await installation.stopBroadcast(id)
            return true
        }
        for role in ["sender", "pool", "control"] { try await installation.program(role).stop() }

        let board = try await contacted(field)
        let server = try await contacted(cloud)
        measured("the board contacted", board.sorted().joined(separator: ", "))
        measured("the server contacted", server.sorted().joined(separator: ", "))
        // The address that it was enrolled at, and the field's addresses.
        #expect(!board.isEmpty && board.allSatisfy { $0.hasPrefix("\(address) ") })
        let own = address.split(separator: ".").prefix(2).joined(separator: ".") + "."
        #expect(!server.isEmpty && server.allSatisfy { $0.hasPrefix(own) && !$0.hasSuffix(" 443") })
        // What contacts a foreign host, or asks for a name, is seen.
        for place in [cloud, field] {
            let before = try await contacted(place)
            try await probe(place)
            let found = try await contacted(place).subtracting(before)
            #expect(
                found == ["198.51.100.7 udp 53", "203.0.113.9 tcp 443", "2001:db8:1::7 udp 9", "name by udp"], "\(place.name): \(found)")
        }
    }

    // MARK: The networks

    private static func enter(_ place: NetworkNamespace) -> [String] { ["nsenter", "--net=\(NetworkNamespace.folder)/\(place.name)"] }

    /// A machine of its own with a way to the whole internet, on which nobody answers.
    private func make(_ cloud: NetworkNamespace, on stage: Stage) async throws {
        _ = try await runTool("ip", ["netns", "add", cloud.name])
        let script = """
            link set lo up
            link add uplink type veth peer name internet
            address add 192.0.2.2/24 dev uplink
            address add 2001:db8::2/64 dev uplink nodad
            link set uplink up
            link set internet up
            route add default via 192.0.2.1
            route add default via 2001:db8::1
            """
        let file = try stage.folder.write(script, to: "cloud.ip")
        _ = try await runTool("ip", ["-n", cloud.name, "-batch", file])
    }

    /// A field behind that machine, made by the lab's program: it keeps it until the stage is cleared.
    private func network(_ cloud: NetworkNamespace, on stage: Stage) async throws -> (field: NetworkNamespace, address: String) {
        let shape = #"{"rateKbit":4000,"delayMs":20}"#
        let words = "sleep infinity | exec \(try Places.program("strata-lab")) network '\(shape)' '\(shape)'"
        let lab = try stage.start("sh", ["-c", words], inside: Self.enter(cloud))
        let line = try await lab.line(containing: "namespace")
        let made = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        let field = NetworkNamespace(try #require(made["namespace"] as? String))
        // What is no neighbour leaves by IPv6 as well.
        let enter = Self.enter(field)
        _ = try await runTool(enter[0], [enter[1], "ip", "-6", "route", "add", "default", "dev", "modem0"])
        return (field, try #require(made["cloud"] as? String))
    }

    /// From now on the kernel notes where packets of this namespace go: their addresses, protocols and ports.
    private func watch(_ place: NetworkNamespace, on stage: Stage) async throws {
        let rules = """
            table inet watch {
                set contacted { type ipv4_addr . inet_proto . inet_service; size 4096; flags dynamic; }
                set contacted6 { type ipv6_addr . inet_proto . inet_service; size 4096; flags dynamic; }
                set names { type inet_proto . inet_service; size 16; flags dynamic; }
                chain out {
                    type filter hook output priority 0;
                    th dport 53 update @names { meta l4proto . th dport }
                    ip daddr != 127.0.0.0/8 meta l4proto { tcp, udp } update @contacted { ip daddr . meta l4proto . th dport }
                    ip daddr != 127.0.0.0/8 meta l4proto != { tcp, udp } update @contacted { ip daddr . meta l4proto . 0 }
                    ip6 daddr != ::1 meta l4proto { tcp, udp } update @contacted6 { ip6 daddr . meta l4proto . th dport }
                }
            }
            """
        let file = try stage.folder.write(rules, to: "\(place.name).nft")
        let enter = Self.enter(place)
        _ = try await runTool(enter[0], [enter[1], "nft", "-f", file])
    }

    /// `10.64.255.1 tcp 443`; `name by udp` where somebody asked for a name, of whomever.
    private func contacted(_ place: NetworkNamespace) async throws -> Set<String> {
        let enter = Self.enter(place)
        let answer = try await runTool(enter[0], [enter[1], "nft", "-j", "list", "table", "inet", "watch"])
        let root = try #require(try JSONSerialization.jsonObject(with: answer.output) as? [String: [[String: Any]]])
        var found: Set<String> = []
        for case let set as [String: Any] in (root["nftables"] ?? []).compactMap({ $0["set"] }) {
            for case let element as [String: Any] in set["elem"] as? [Any] ?? [] {
                let parts = (element["concat"] as? [Any] ?? []).map { "\($0)" }
                found.insert(set["name"] as? String == "names" ? "name by \(parts[0])" : parts.joined(separator: " "))
            }
        }
        return found
    }

    /// What must not happen: packets to three foreign hosts, one of them a question for a name.
    private func probe(_ place: NetworkNamespace) async throws {
        let script = """
            import socket
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("198.51.100.7", 53))
            socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(b"x", ("2001:db8:1::7", 9))
            caller = socket.socket()
            caller.setblocking(False)
            caller.connect_ex(("203.0.113.9", 443))
            """
        let enter = Self.enter(place)
        _ = try await runTool(enter[0], [enter[1], "python3", "-c", script])
    }
}
