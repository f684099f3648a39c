import Auth
import Crypto
import HTTP
import Releases
import SelfUpdate
import Store
import Units
import Web
import Wire

/// This server's own version: what it is offered, what it was asked for, and the way back; for the owner of the organisation that it was set
/// up with. What is asked for here is judged and done by the updater, which is another program and believes nothing of it.
struct ServerUpdateRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    private static let path = "/api/v1/server/updates"

    var routes: [Route] {
        [
            Route(
                method: .get, path: Self.path, access: .user(.manageServer),
                summary:
                    "The server's version, the release it is offered, and its updates; in the organisation that the server was set up with",
                success: .one("ServerUpdates"), problems: [.notFound],
                run: { call in
                    try await parts.demandHouse(call)
                    return try await shown()
                }),
            Route(
                method: .post, path: Self.path, access: .user(.manageServer),
                summary:
                    "Look for releases, install the one that is offered, go back, or restore a copy of the database; in the organisation that the server was set up with",
                body: "ServerUpdateRequest", success: .one("ServerUpdates"), problems: [.notFound, .conflict], run: ask),
        ]
    }

    /// What a person has to have typed stands in `confirm`: the version that is gone back to, or the server's name.
    private struct ServerUpdateRequest: Decodable {
        let move: ServerMove
        let version: String?
        let copy: String?
        let confirm: String?
    }

    @Sendable private func ask(_ call: Call) async throws -> Response {
        try await parts.demandHouse(call)
        let request = try call.body(ServerUpdateRequest.self)
        // What is asked for is written down before: the updater stops control at once, and nobody restores a database unseen.
        do {
            switch request.move {
            case .check:
                try parts.healthChecks.take(try call.scope().organization.text, at: parts.store.now)
                await parts.updates.check()
            case .install:
                let version = try version(request)
                try await parts.store.operations.noteServerUpdate("install \(version)", in: call.scope())
                try await parts.updates.install(version)
            case .back:
                let version = try version(request)
                guard request.confirm == "\(version)" else { throw Self.unconfirmed("\(version)") }
                try await parts.store.operations.noteServerUpdate("back to \(version)", in: call.scope())
                try await parts.updates.goBack(to: version)
            case .restore:
                guard let copy = request.copy, try parts.copies().contains(where: { $0.name == copy }) else {
                    throw Problem(.invalid, faults: [.init(field: "copy", expected: "the name of a copy that there is")])
                }
                guard request.confirm == parts.serverName else { throw Self.unconfirmed(parts.serverName) }
                try await parts.store.operations.noteServerUpdate("restore \(copy)", in: call.scope())
                try await parts.updates.restore(copy)
            }
        } catch let refusal as UpdateDesk.Refusal {
            throw Problem(.conflict, refusal.description)
        }
        return try await shown()
    }

    private func version(_ request: ServerUpdateRequest) throws -> ReleaseVersion {
        guard let version = request.version.flatMap({ ReleaseVersion($0) }) else {
            throw Problem(.invalid, faults: [.init(field: "version", expected: "a version such as 1.5.0")])
        }
        return version
    }

    private static func unconfirmed(_ word: String) -> Problem {
        Problem(.invalid, faults: [.init(field: "confirm", expected: "'\(word)', typed by whoever wants it")])
    }

    private func shown() async throws -> Response {
        .value(ServerUpdatesView(await parts.updates.sight(), parts.settings.version, try parts.copies(), parts.serverName))
    }
}

/// What may be asked for.
enum ServerMove: String, Codable, Sendable, CaseIterable {
    case check, install, back, restore
}

extension Gateway.Parts {
    /// Copies of the database, the newest first.
    fileprivate func copies() throws -> [SafetyCopies.Copy] { try SafetyCopies(of: settings.stateFolder.database).all() }

    /// What whoever restores a copy has to type: the host of the first origin.
    fileprivate var serverName: String {
        // try?: origins were read as such at the start.
        (try? URLParts(settings.origins[0], schemes: [.https, .http]).host) ?? settings.origins[0]
    }
}

struct ServerUpdatesView: Codable, Sendable {
    enum State: String, Codable, Sendable, CaseIterable {
        case idle
        /// What is installed next is being fetched.
        case fetching
        /// The updater was asked, and has not begun.
        case asked
        case working, returning
    }

    struct Offer: Codable, Sendable {
        var version: String
        var channel: String
        var releasedAt: String
        var expiresAt: String
        var notes: [String]
        var breaking: [String]
        var migrations: [Int]
        var bytes: Int
        var refusal: String?
    }

    struct Copy: Codable, Sendable {
        var name: String
        var madeAt: String
    }

    /// Whether releases are taken at all.
    var enabled: Bool
    /// What has to be typed before a copy is restored.
    var serverName: String
    var installed: String
    var previous: String?
    var state: State
    var target: String?
    var place: ServerUpdateReport.Place?
    var fetchedBytes: Int?
    var totalBytes: Int?
    /// Why the last wish was not fulfilled, or the last download not.
    var refusal: String?
    var checkedAt: String?
    var checkFault: String?
    var offer: Offer?
    var history: [ServerUpdateReport.Entry]
    var copies: [Copy]

    init(_ sight: UpdateDesk.Sight, _ version: String, _ copies: [SafetyCopies.Copy], _ serverName: String) {
        enabled = sight.isOn
        self.serverName = serverName
        let report = sight.report
        installed = report?.installed ?? version
        previous = report?.previous
        state =
            switch report?.phase {
            case .working?: .working
            case .returning?: .returning
            case .idle?, nil: sight.download != nil ? .fetching : sight.wish != nil ? .asked : .idle
            }
        target = sight.download.map { "\($0.version)" } ?? report?.target ?? sight.wish.map(Self.target(of:))
        place = report?.place
        fetchedBytes = sight.download?.fetched
        totalBytes = sight.download?.total
        refusal = sight.downloadFault ?? report?.refusal
        checkedAt = sight.look.map { Timestamp(unixMs: $0.at).text }
        checkFault = sight.look?.fault
        offer = sight.offer.map(Offer.init)
        history = report?.history ?? []
        self.copies = copies.map { Copy(name: $0.name, madeAt: $0.madeAt.text) }
    }

    private static func target(of wish: ServerOrder.Move) -> String {
        switch wish {
        case .install(let version, _), .back(let version): "\(version)"
        case .restore(let copy): copy
        }
    }
}

extension ServerUpdatesView.Offer {
    init(_ offer: UpdateDesk.Offer) {
        let manifest = offer.manifest
        self.init(
            version: manifest.version.description, channel: manifest.channel.rawValue,
            releasedAt: Timestamp(unixMs: manifest.released * 1000).text, expiresAt: Timestamp(unixMs: manifest.expires * 1000).text,
            notes: manifest.notes, breaking: manifest.breaking, migrations: manifest.migrations, bytes: offer.bytes,
            refusal: offer.refusal)
    }
}
