import Auth
import Broadcasts
import Fleet
import HTTP
import Store
import Units
import Web
import Wire

/// Links by which players outside the dashboard take a running broadcast, and the HLS that they get (RFC 8216).
struct PlayerRoutes: Sendable {
    private let parts: Gateway.Parts

    /// Where nobody says how long.
    static let lifetimeSeconds = 43_200
    static let types = ["application/vnd.apple.mpegurl", "video/mp4", "video/iso.segment"]

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/broadcasts/{id}/players", access: .user(.runBroadcasts),
                summary: "The links of a running broadcast for players outside the dashboard, the newest first",
                success: .page("PlayerLink"), run: list),
            Route(
                method: .post, path: "/api/v1/broadcasts/{id}/players", access: .user(.runBroadcasts),
                summary: "Make a link by which players outside take a running broadcast as HLS; it is in this answer and in no other",
                body: "CreatePlayerLinkRequest", success: .one("PlayerLink", .created), problems: [.gone, .quota, .busy], run: create),
            Route(
                method: .delete, path: "/api/v1/broadcasts/{id}/players/{player}", access: .user(.runBroadcasts),
                summary: "Revoke such a link: whoever plays by it gets nothing more", success: .empty, run: revoke),
            Route(
                method: .get, path: "/api/v1/players/{token}/{file}", access: .open,
                summary: "What a player takes by a link: index.m3u8 and what it names", success: .file(Self.types), problems: [.busy],
                // Counted by itself: players of one place take nothing from its pages and boards.
                isUrgent: true, run: play),
        ]
    }

    // MARK: Links

    @Sendable private func list(_ call: Call) async throws -> Response {
        let (id, organization): (BroadcastID, OrganizationID) = (try call.id(), try call.caller().user.organization)
        // Of the caller's organisation, or not there.
        _ = try await parts.broadcasts.view(of: id, in: organization)
        return .list(parts.fleet.players.links(of: id, in: organization).map { PlayerLinkView($0.link, players: $0.players) })
    }

    @Sendable private func create(_ call: Call) async throws -> Response {
        let request = try call.body(CreatePlayerLinkRequest.self)
        let (id, scope): (BroadcastID, OrganizationScope) = (try call.id(), try call.scope())
        // It runs; where its pictures are does not matter yet.
        _ = try await parts.broadcasts.previewPlace(of: id, in: scope.organization)
        let made: (link: PlayerDesk.Link, token: Secret)
        do throws(PlayerDesk.Refusal) {
            made = try parts.fleet.players.make(
                for: id, of: scope.organization, lasting: .seconds(request.expiresInSeconds ?? Self.lifetimeSeconds), at: parts.store.now)
        } catch {
            throw Problem(.quota, error.text)
        }
        do {
            try await parts.store.broadcasts(in: scope).note(.playerLinkCreated, id, detail: made.link.id.text)
        } catch {
            // Nobody gets one that is in no audit log.
            _ = parts.fleet.players.revoke(made.link.id, of: id, in: scope.organization)
            throw error
        }
        return .secret(PlayerLinkView(made.link, players: 0, url: parts.links.playlist(made.token)), .created)
    }

    @Sendable private func revoke(_ call: Call) async throws -> Response {
        let (id, link, scope): (BroadcastID, PlayerLinkID, OrganizationScope) = (try call.id(), try call.id("player"), try call.scope())
        _ = try await parts.broadcasts.view(of: id, in: scope.organization)
        guard parts.fleet.players.revoke(link, of: id, in: scope.organization) else { throw Problem(.notFound, "there is no such link") }
        do {
            try await parts.store.broadcasts(in: scope).note(.playerLinkRevoked, id, detail: link.text)
        } catch {
            // It is done by then: the program's log has what the audit log lacks.
            parts.log.error(
                "what was done could not be written into the audit log",
                ["action": "\(AuditAction.playerLinkRevoked)", "broadcast": "\(id)", "author": "\(scope.author)", "error": "\(error)"])
        }
        return .empty
    }

    // MARK: Playing

    /// For pages of any origin: nothing here is opened by a cookie.
    @Sendable private func play(_ call: Call) async throws -> Response {
        var response: Response
        do {
            response = try await file(call)
        } catch let problem as Problem {
            response = Gateway.response(to: problem)
            if problem.status == Status.unavailable.code { response.headers.add("Retry-After", "2") }
        }
        response.headers.add("Access-Control-Allow-Origin", "*")
        response.headers.add("Cross-Origin-Resource-Policy", "cross-origin")
        return response
    }

    private func file(_ call: Call) async throws -> Response {
        guard let token = call.parameters["token"], let name = call.parameters["file"], let link = parts.fleet.players.link(token) else {
            throw Problem(.notFound, "there is no such link, or not any more")
        }
        let player = PlayerDesk.Player(link: link.id, address: call.origin.address, agent: call.origin.userAgent ?? "")
        do {
            return try await name == "index.m3u8" ? playlist(link, player) : part(name, link, player)
        } catch let refusal as PlayerDesk.Refusal {
            throw Problem(.busy, refusal.text)
        }
    }

    private func playlist(_ link: PlayerDesk.Link, _ player: PlayerDesk.Player) async throws -> Response {
        let place: PreviewDesk.Place?
        do {
            place = try await parts.broadcasts.previewPlace(of: link.broadcast, in: link.organization)
        } catch BroadcastDirector.Failure.isOver {
            // Its end may still be read.
            place = nil
        }
        let text = try await parts.fleet.players.playlist(of: link, for: player, at: place) { ticket in
            guard let place else { return "the broadcast is over" }
            return await parts.askForPreview(at: place, ticket)
        }
        guard let text else { throw Problem(.notFound, "the broadcast is over") }
        return Self.response(Array(text.utf8), Self.types[0], keeping: "no-store")
    }

    private func part(_ name: String, _ link: PlayerDesk.Link, _ player: PlayerDesk.Player) throws -> Response {
        guard let bytes = try parts.fleet.players.file(name, of: link, for: player) else {
            throw Problem(.notFound, "there is no \(name) any more, or not yet")
        }
        try parts.playerFiles.take(player.text, at: parts.store.now)
        // Its name is its content's for good; a cache that others share would give it when the link is revoked.
        return Self.response(bytes, Self.types[name.hasSuffix(".mp4") ? 1 : 2], keeping: "private, max-age=60, immutable")
    }

    private static func response(_ bytes: [UInt8], _ type: String, keeping: String) -> Response {
        Response(.ok, headers: ["Content-Type": type, "Cache-Control": keeping], body: .bytes(bytes))
    }
}

extension PlayerLinkView {
    /// - Parameter url: for whoever has just made it.
    init(_ link: PlayerDesk.Link, players: Int, url: Secret? = nil) {
        self.init(
            id: link.id, createdAt: link.createdAt.text, expiresAt: link.expiresAt.text, players: players, url: url.map(SecretOnWire.init))
    }
}

extension PlayerDesk.Refusal {
    /// For whoever wanted a link, or to play.
    fileprivate var text: String {
        switch self {
        case .links(let limit): "the broadcast has \(limit) links already: revoke one"
        case .organization(let limit): "your organisation has \(limit) links already: revoke one"
        case .server(let limit): "there are \(limit) links already, as many as this server has"
        case .players(let limit): "\(limit) players have this broadcast already"
        case .broadcasts(let limit): "\(limit) broadcasts are played already, as many as this server has at a time"
        case .preview(let refusal): refusal.text
        case .noPicture(let reason): reason ?? "no picture has come yet"
        }
    }
}

extension Schemas {
    static let players: [String: Schema] = [
        "CreatePlayerLinkRequest": .object([.optional("expiresInSeconds", .integer(60...86_400))]),
        "PlayerLink": .object([
            .required("id", id), .required("createdAt", time), .required("expiresAt", time), .required("players", count),
            .optional("url", .text(.init(length: 1...2100, expectation: "an address"))),
        ]),
    ]
}
