import Foundation
import Lab
import Logging
import Names
import Posix
import Support
import Testing

/// Names are asked for in a field of two links, each with a name server of its own at its far end.
@Suite("Names over all links", .serialized, .unlessStolen, .enabled(if: NetworkNamespace.areAllowed, "namespaces are not allowed here"))
struct LinkNamesTests {
    private struct Place {
        let stage: Stage
        let network: FieldNetwork
        let names: LinkNames

        func server(_ link: Int, _ addresses: [String]) async throws -> NameServer {
            try await NameServer(on: stage, at: network.cloudAddress(link), port: 53, names: ["control.strata.test": addresses])
        }

        func bad(_ link: Int, _ conduct: BadNameServer.Conduct) throws -> BadNameServer {
            try BadNameServer(conduct, at: network.cloudAddress(link), port: 53)
        }

        func find() async throws -> [String] { try await names.lookup.find("control.strata.test", 443).map { "\($0)" } }
    }

    /// - Parameter bearers: whether the links are modems that the agent has connected.
    private func inField(bearers: Bool = true, _ body: (Place) async throws -> Void) async throws {
        let link = LinkShape(LinkProfile(rateKbit: 4000, delayMs: 20))
        try await unlessVoid { run in
            let network = try FieldNetwork(links: [link, link], number: 13)
            defer { network.remove() }
            run.judge { network.lateness }
            try await onStage { stage in
                let loop = try network.field.run { try Loop(name: "names") }
                defer { loop.stop() }
                let names = LinkNames(bus: "unix:path=\(stage.folder["bus"])", loop: loop, log: Log("test", threshold: .error))
                names.update(links: ["modem0", "modem1"])
                for link in 0..<2 where bearers { names.update(bearer: "modem\(link)", servers: [network.cloudAddress(link)]) }
                try await body(Place(stage: stage, network: network, names: names))
                await names.close()
            }
        }
    }

    @Test("one link's name server never answers, the other's does: found as quickly as by that one alone")
    func blackhole() async throws {
        try await inField { place in
            let dead = try place.bad(0, .silent)
            let server = try await place.server(1, ["198.51.100.7", "2001:db8::7"])
            let began = Instant.now
            #expect(try await place.find() == ["[2001:db8::7]:443", "198.51.100.7:443"])
            let took = Instant.now - began
            print("LinkNamesTests: found in \(took) beside a blackhole")
            try need(took < .milliseconds(600), "\(took)")
            #expect(dead.questions > 0, "both are asked at once")

            // Nobody answers any more: what was found before is used, and no later than after a second or so.
            try await server.end()
            place.network.setBlackout(1, isDark: true)
            let again = Instant.now
            #expect(try await place.find() == ["[2001:db8::7]:443", "198.51.100.7:443"])
            try need(Instant.now - again < .milliseconds(1900))
            await #expect(throws: ResolveError.self) { try await place.names.lookup.find("other.strata.test", 443) }
        }
    }

    @Test("what one link says is never all: junk and NXDOMAIN are no answers, and a lie stands beside the truth until it is found out")
    func lies() async throws {
        try await inField { place in
            let junk = try place.bad(0, .noise)
            let truth = try await place.server(1, ["198.51.100.7"])
            #expect(try await place.find() == ["198.51.100.7:443"])
            #expect(junk.questions > 0)
            junk.end()
            try await truth.end()
        }
        try await inField { place in
            _ = try await NameServer(on: place.stage, at: place.network.cloudAddress(0), port: 53, names: ["else.test": ["192.0.2.1"]])
            _ = try await place.server(1, ["198.51.100.7"])
            #expect(try await place.find() == ["198.51.100.7:443"])
        }
        try await inField { place in
            // Loopback and link-local addresses are lies that need no trying.
            _ = try await place.server(0, ["203.0.113.66", "127.0.0.1", "169.254.1.1"])
            _ = try await place.server(1, ["198.51.100.7"])
            #expect(Set(try await place.find()) == ["203.0.113.66:443", "198.51.100.7:443"])
            place.names.lookup.judged(SocketAddress("203.0.113.66", port: 443)!, false)
            #expect(try await place.find() == ["198.51.100.7:443", "203.0.113.66:443"])
        }
    }

    @Test("of one link's name servers the first is dead or talks nonsense: the second is asked at once", arguments: [false, true])
    func second(isDeaf: Bool) async throws {
        try await inField { place in
            let bad = try place.bad(0, isDeaf ? .silent : .loops)
            _ = try await place.server(1, ["198.51.100.7"])
            place.names.update(links: ["modem0"])
            place.names.update(bearer: "modem0", servers: [place.network.cloudAddress(0), place.network.cloudAddress(1)])
            let began = Instant.now
            #expect(try await place.find() == ["198.51.100.7:443"])
            try need(Instant.now - began < .milliseconds(600))
            #expect(bad.questions > 0)
        }
    }

    @Test("what NetworkManager and systemd-resolved say of a link's name servers is asked for at each look-up", arguments: [false, true])
    func directories(isResolved: Bool) async throws {
        try await inField(bearers: false) { place in
            let server = try await place.server(1, ["198.51.100.7"])
            await #expect(throws: ResolveError.self, "nobody says whose it is") { try await place.find() }
            let standIn = try await MessageBus(on: place.stage).standIn()
            if isResolved {
                let index = try place.network.field.run { Int(if_nametoindex("modem1")) }
                try await standIn.run("resolved_servers({\(index): '\(place.network.cloudAddress(1))'})")
            } else {
                try await standIn.run("link_servers({'modem1': ['\(place.network.cloudAddress(1))']})")
            }
            let began = Instant.now
            #expect(try await place.find() == ["198.51.100.7:443"])
            try need(Instant.now - began < .milliseconds(900))
            try await server.end()
        }
    }

    @Test("each question leaves by its own link, and literal addresses ask nobody")
    func pinned() async throws {
        try await inField { place in
            let quiet = [try place.bad(0, .silent), try place.bad(1, .silent)]
            #expect(try await place.names.lookup.find("192.0.2.7", 1) == [SocketAddress("192.0.2.7", port: 1)!])
            #expect(try await place.names.lookup.find("2001:db8::7", 1) == [SocketAddress("2001:db8::7", port: 1)!])
            #expect(quiet.map(\.questions) == [0, 0])
            // The other's name server is asked by way of a link as well, where that is whose it is.
            place.names.update(bearer: "modem1", servers: [place.network.cloudAddress(0)])
            let before = [0, 1].map { place.network.count($0, .up).enteredPackets }
            await #expect(throws: ResolveError.self) { try await place.find() }
            let after = [0, 1].map { place.network.count($0, .up).enteredPackets }
            #expect(after[0] > before[0] && after[1] > before[1])
            #expect(quiet[1].questions == 0)
        }
    }
}
