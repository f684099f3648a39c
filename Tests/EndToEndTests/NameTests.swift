import Foundation
import Lab
import Posix
import Support
import Testing
import Units
import Wire

/// Control and the receiver are known by a name, which the name servers of the board's links tell, or do not.
@Suite(.serialized, .unlessStolen) struct NameTests {
    private static let name = "strata.test"
    private static let links = [Studio.link(4000, delayMs: 20), Studio.link(4000, delayMs: 40)]

    private static var settings: Installation.Settings {
        var settings = Installation.Settings()
        settings.hostName = name
        return settings
    }

    /// The second link's name server tells the truth. The board's own file names it too, until it has enrolled.
    private func inField(_ body: (Studio, NameServer) async throws -> Void) async throws {
        let good = Guarded<NameServer?>(nil)
        try await inStudio(links: Self.links, Self.settings) { stage, network in
            let server = try await NameServer(on: stage, at: network.cloudAddress(1), port: 53, names: [Self.name: [network.cloudAddress]])
            good.withLock { $0 = server }
            try network.setResolvers([network.cloudAddress(1)])
        } _: { studio in
            try await studio.installation.program("sender").stop()
            try await body(studio, try #require(good.withLock { $0 }))
        }
    }

    /// The board starts with a modem on each of its links, whose networks name their name servers; its own file names the first one's.
    /// - Returns: it, and the seconds from its start to control.
    private func start(_ studio: Studio, modems: [Int]) async throws -> (RunningProgram, Double) {
        let network = studio.network
        try network.setResolvers([network.cloudAddress(0)])
        let path = studio.stage.folder["sender.conf"]
        let plain = try String(contentsOfFile: path, encoding: .utf8)
        if !plain.contains("[modems]") {
            try (plain + "\n[modems]\napn = \"internet\"\n").write(toFile: path, atomically: true, encoding: .utf8)
        }
        let bus = try await MessageBus(on: studio.stage, name: "bus\(UInt32.random(in: 0...UInt32.max))")
        let standIn = try await bus.standIn()
        for link in modems {
            let ip = """
                {'address': '\(network.fieldAddress(link))', 'prefix': 24, 'gateway': '\(network.cloudAddress(link))', \
                'dns1': '\(network.cloudAddress(link))', 'mtu': 1430}
                """
            try await standIn.run("Modem(\(link), net='modem\(link)').ip4 = \(ip)")
        }
        let began = Instant.now
        let agent = try await studio.installation.startSender(
            inside: studio.field + ["env", "DBUS_SYSTEM_BUS_ADDRESS=\(bus.address)"])
        let took = Instant.now - began
        return (agent, Double(took.milliseconds) / 1000)
    }

    @Test(
        "a board whose own resolver is a blackhole finds control by the name server of a modem that it has connected, and a broadcast outlives all of them"
    )
    func blackhole() async throws {
        try await inField { studio, good in
            let dead = try BadNameServer(.silent, at: studio.network.cloudAddress(0), port: 53)
            defer { dead.end() }
            let (agent, seconds) = try await start(studio, modems: [1])
            measured("from the agent's start to control, its modem connected on the way", "\(seconds) s")
            let bearer = try await agent.line(containing: "\"stage\":\"address\"")
            let connected = try await agent.line(containing: "connected to control")
            let took = try Self.time(connected) - Self.time(bearer)
            measured("from the modem's addresses to control", "\(took) s")
            #expect(took < 2, "found within 2 s")
            #expect(dead.questions > 0)

            let sender = try await studio.sender(links: 2)
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let id = try await studio.start(StartRequest(sender: sender.id, destinations: [platform], encoder: Studio.small))
            let live = try await studio.owner.wait(id, for: ["live"])
            #expect(live.state == "live")

            // Nobody knows the name any more, and control comes back from a restart: nothing of it reaches the broadcast.
            try await good.end()
            let witness = Witness(studio.owner, id)
            defer { witness.end() }
            let lines = agent.lines.count
            try await studio.installation.program("control").stop()
            try await studio.installation.startControl()
            try await agent.line(containing: "connected to control", from: lines, within: .seconds(15))
            try await studio.record(.seconds(2), of: "show", by: studio.nginx)
            #expect(!witness.seen.contains { $0.state == "interrupted" || $0.state == "ended" })
            try await studio.stop(id)
        }
    }

    @Test(
        "a link whose name server lies keeps no board off the air while another's tells the truth",
        arguments: [Lie.nothing, .somebodyElse, .somebodySilent])
    func lies(lie: Lie) async throws {
        try await inField { studio, _ in
            let network = studio.network
            let names = lie == .nothing ? ["else.test": ["192.0.2.1"]] : [Self.name: [network.cloudAddress(0)]]
            _ = try await NameServer(on: studio.stage, at: network.cloudAddress(0), port: 53, names: names)
            // Where the lie leads: TLS with a certificate of another authority, or nothing that is ever said.
            let port = studio.installation.boardPort
            let certificate = try await PlatformCertificate()
            switch lie {
            case .nothing: break
            case .somebodyElse:
                try studio.stage.start(
                    "openssl",
                    [
                        "s_server", "-accept", "\(network.cloudAddress(0)):\(port)", "-cert", certificate.chain, "-key", certificate.key,
                        "-quiet",
                    ])
            case .somebodySilent:
                try studio.stage.start("socat", ["TCP-LISTEN:\(port),bind=\(network.cloudAddress(0)),fork,reuseaddr", "EXEC:sleep 60"])
            }
            let (agent, seconds) = try await start(studio, modems: [0, 1])
            measured("from the agent's start to control, \(lie)", "\(seconds) s")
            #expect(seconds < (lie == .somebodySilent ? 12 : 6))
            _ = try await studio.sender(links: 2)
            _ = agent
        }
    }

    enum Lie: Sendable { case nothing, somebodyElse, somebodySilent }

    /// When a line was said, in seconds of its day.
    private static func time(_ line: String) throws -> Double {
        struct Stamp: Decodable { let time: String }
        let text = try JSONDecoder().decode(Stamp.self, from: Data(line.utf8)).time
        let parts = try #require(text.split(separator: "T").last).dropLast().split(separator: ":").compactMap { Double($0) }
        try #require(parts.count == 3)
        return parts[0] * 3600 + parts[1] * 60 + parts[2]
    }
}
