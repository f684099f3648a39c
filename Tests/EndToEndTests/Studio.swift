import Foundation
import Lab
import Posix
import Support
import Units
import Wire

/// A whole Strata for one test: an installation, a board in the field behind its links, a platform, and the owner's browser.
final class Studio: Sendable {
    let stage: Stage
    let network: FieldNetwork
    let nginx: Nginx
    let installation: Installation
    let owner: Browser

    /// Links as long as mobile ones; together they carry 9 Mbit/s.
    static let links = [link(4000, delayMs: 25), link(3000, delayMs: 35), link(2000, delayMs: 50)]

    static func link(_ rateKbit: Int, delayMs: Double, jitterMs: Double = 0, loss: Double = 0) -> LinkShape {
        LinkShape(LinkProfile(rateKbit: rateKbit, delayMs: delayMs, jitterMs: jitterMs, queueMs: 300, loss: loss))
    }

    /// - Parameter prepare: what the field needs before anything starts.
    init(
        on stage: Stage, links: [LinkShape], family: SocketAddress.Family, sticks: Bool = false, _ settings: Installation.Settings,
        prepare: (Stage, FieldNetwork) async throws -> Void = { _, _ in }
    ) async throws {
        self.stage = stage
        network = try FieldNetwork(links: links, family: family, sticks: sticks)
        do {
            try await prepare(stage, network)
            nginx = try await Nginx(on: stage)
            installation = try await Installation(on: stage, cloud: network.cloudAddress, settings)
            owner = try Browser(server: "http://127.0.0.1:\(installation.pagePort)")
            try await owner.signIn(email: "owner@example.org", password: installation.ownerPassword)
            owner.watch()
            _ = try await installation.enrollSender(inside: field, media: stage.folder.makeFolder("media"))
            try await startSender()
        } catch {
            network.remove()
            throw error
        }
    }

    func startSender() async throws { try await installation.startSender(inside: field) }

    func clear() async {
        owner.close()
        await stage.clear()
        network.remove()
    }

    /// What comes before a command that runs in the field.
    var field: [String] { network.field.command([]) }

    /// The receivers of this studio that run, by their process ids.
    var receivers: [Int32] {
        stage.survivors.filter { pid in
            // A process that ended meanwhile has no name any more.
            ((try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)) ?? "").hasPrefix("strata-receiver")
        }
    }

    // MARK: Broadcasting

    /// The one sender, once it is online with its links.
    func sender(links: Int = 3) async throws -> SenderView {
        let list: ListView<SenderView> = try await owner.call(.get, "/senders")
        guard let id = list.items.first?.id else { throw SupportFailure("no sender is listed") }
        return try await eventually(within: .seconds(20), "the sender is online with \(links) links") {
            guard let view = try self.owner.sender(id), view.online, view.inventory.links.filter({ $0.state == .up }).count >= links else {
                return nil
            }
            return view
        }
    }

    func destination(_ name: String, url: String, secret: String?) async throws -> DestinationID {
        let request = DestinationRequest(name: name, url: url, secret: secret.map { SecretOnWire(Secret($0)) })
        let made: DestinationView = try await owner.call(.post, "/destinations", request)
        return made.id
    }

    func start(_ request: StartRequest) async throws -> BroadcastID {
        let view: BroadcastView = try await owner.call(.post, "/broadcasts", request)
        return view.id
    }

    func stop(_ id: BroadcastID) async throws {
        let _: BroadcastView = try await owner.call(.post, "/broadcasts/\(id)/stop")
        try await owner.wait(id, for: ["ended"])
    }
}

/// Runs a body in a whole Strata of its own, and clears it whatever happens.
func inStudio<Result>(
    links: [LinkShape] = Studio.links, family: SocketAddress.Family = .ipv4, sticks: Bool = false,
    _ settings: Installation.Settings = .init(),
    prepare: (Stage, FieldNetwork) async throws -> Void = { _, _ in }, _ body: (Studio) async throws -> Result
) async throws -> Result {
    try await onStage { stage in
        let studio = try await Studio(on: stage, links: links, family: family, sticks: sticks, settings, prepare: prepare)
        do {
            let result = try await body(studio)
            await studio.clear()
            return result
        } catch {
            await studio.clear()
            throw error
        }
    }
}
