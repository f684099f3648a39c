import Foundation
import Lab
import Logging
import Posix
import Support
import TLS
import Testing
import Wire

@testable import Portals

/// The network with a sign-in page is a stand-in (`Fixtures/networks/portal.py`) behind one link of a field network; so is the server, with the right
/// certificate.
@Suite("A watcher of portals", .serialized, .unlessStolen, .enabled(if: NetworkNamespace.areAllowed, "namespaces are not allowed here"))
struct PortalWatcherTests {
    private final class Field: Sendable {
        let network: FieldNetwork
        let loop: Loop
        let watcher: PortalWatcher
        let server: PortalStandIn
        let page: PortalStandIn
        private let latest = Guarded<[String: Obstacle]>([:])
        private let reader: Task<Void, Never>

        init(on stage: Stage, number: Int) async throws {
            network = try FieldNetwork(
                links: (0..<2).map { _ in LinkShape(LinkProfile(rateKbit: 8000, delayMs: 5, queueMs: 300)) }, number: number)
            let certificate = try await PlatformCertificate(address: network.cloudAddress)
            server = try await PortalStandIn(on: stage, at: network.cloudAddress, certificate: certificate)
            page = try await PortalStandIn(on: stage, at: network.cloudAddress)
            try server.answer(status: 404)
            try page.answer(status: 301, location: "https://\(network.cloudAddress)/")
            // Born in the namespace, and with it every socket.
            loop = try network.field.run { try Loop(name: "portals") }
            let authority = Array(try Data(contentsOf: URL(fileURLWithPath: certificate.authority)))
            let watcher = PortalWatcher(
                server: .init(
                    host: network.cloudAddress, port: server.port, trust: .anchors([authority]), timeFloor: 0, pagePort: page.port),
                loop: loop, log: Log("portals", threshold: .error), pace: 10)
            self.watcher = watcher
            reader = Task { [latest] in for await obstacles in watcher.snapshots { latest.withLock { $0 = obstacles } } }
        }

        func update(_ names: [String] = ["modem0", "modem1"], proven: Set<String> = [], control: String? = nil) async {
            let links = names.map { Link(name: $0, kind: .wifi, state: .up, addresses: ["10.0.0.2"], mtu: 1500) }
            await watcher.update(links: links, proven: proven, control: control)
        }

        var obstacles: [String: Obstacle] { latest.withLock { $0 } }

        func obstacles(_ what: String, within seconds: Double = 20, _ condition: ([String: Obstacle]) -> Bool) async throws {
            try await eventually(within: .seconds(seconds), what) { condition(obstacles) }
        }

        func clear() async {
            await watcher.end()
            reader.cancel()
            loop.stop()
            network.remove()
        }
    }

    private func inField(_ number: Int, _ body: (Field, Stage) async throws -> Void) async throws {
        try await onStage { stage in
            let field = try await Field(on: stage, number: number)
            do { try await body(field, stage) } catch {
                await field.clear()
                throw error
            }
            await field.clear()
        }
    }

    /// Runs a body while modem1's network has a sign-in page.
    private func whileIntercepted(_ field: Field, _ ports: [(from: Int, to: Int)], _ body: () async throws -> Void) async throws {
        let interception = try await PortalInterception(on: field.network.cloudInterface(1), ports)
        do { try await body() } catch {
            await interception.end()
            throw error
        }
        await interception.end()
    }

    @Test("a sign-in page is named on the link that it is on; its redirect is not followed, and nothing is told to it")
    func portal() async throws {
        try await inField(81) { field, stage in
            let portal = try await PortalStandIn(on: stage)
            let impostor = try await PortalStandIn(on: stage, certificate: PlatformCertificate())
            try portal.answer(
                status: 302, location: "http://portal.hotel.example:\(portal.port)/login?u=http://\(field.network.cloudAddress)/")
            try await whileIntercepted(field, [(field.page.port, portal.port), (field.server.port, impostor.port)]) {
                await field.update()
                try await field.obstacles("it is named") { $0 == ["modem1": .portal(host: "portal.hotel.example")] }
                #expect(
                    field.server.questions.count >= 2 && field.page.questions.count >= 1,
                    "modem0 reaches the server, and is asked once more for the comparison")
                // TLS ended before anything was said.
                #expect(impostor.questions.isEmpty && portal.questions.count == 1)
                let question = try #require(portal.questions.first)
                #expect(question.hasPrefix("GET /strata-link-check-"))
                let fields = try #require(question.split(separator: " ", maxSplits: 2).last)
                let told = try JSONDecoder().decode([String: String].self, from: Data(fields.utf8))
                #expect(Set(told.keys) == ["Host", "Connection"])
                try portal.answer(status: 302, location: "http://evil\u{202E}elpmaxe.hotel/")
                try await field.obstacles("a name that cannot be shown is not", within: 40) { $0 == ["modem1": .portal(host: nil)] }
            }
            try await field.obstacles("it is gone once somebody has signed in", within: 75) { $0.isEmpty }
        }
    }

    @Test("whoever answers with another certificate is named, also where port 80 is silent")
    func impostor() async throws {
        try await inField(82) { field, stage in
            let impostor = try await PortalStandIn(on: stage, certificate: PlatformCertificate())
            try await whileIntercepted(field, [(field.server.port, impostor.port)]) {
                await field.update()
                try await field.obstacles("it is named") { obstacles in
                    guard case .impostor(let reason)? = obstacles["modem1"] else { return false }
                    return obstacles.count == 1 && reason.contains("certificate")
                }
            }
        }
    }

    @Test("a server that is away, and whose own port 80 is unusual, is no sign-in page")
    func falseAlarms() async throws {
        try await inField(83) { field, stage in
            let closed = try await PortalStandIn(on: stage)
            try closed.answer(status: 503)
            // TLS to the server ends nowhere over modem1; what its host says on port 80 is the host's own.
            try await whileIntercepted(field, [(field.server.port, closed.port), (field.page.port, field.page.port)]) {
                await field.update()
                try await eventually(within: .seconds(20), "modem1 was looked at") { !field.page.questions.isEmpty }
                try await Task.sleep(for: .seconds(1))
                #expect(field.obstacles.isEmpty, "it leads to the same host over TLS")
                for answer in [(302, "https://www.elsewhere.example/"), (200, nil)] as [(Int, String?)] {
                    try field.page.answer(status: answer.0, location: answer.1)
                    let before = field.page.questions.count
                    await field.update(["modem0"], proven: ["modem0"], control: "modem0")
                    await field.update(proven: ["modem0"], control: "modem0")
                    try await eventually(within: .seconds(20), "both links were looked at") { field.page.questions.count == before + 2 }
                    try await Task.sleep(for: .seconds(1))
                    #expect(field.obstacles.isEmpty, "it says the same over the link that reaches the server")
                }
            }
        }
    }
}
