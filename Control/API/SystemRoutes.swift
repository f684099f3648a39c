import Auth
import Fleet
import HTTP
import Store
import Units
import Web
import Wire

/// Liveness, and the WebSocket that browsers watch.
struct SystemRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            // Browsers ask for it by themselves.
            Route(
                method: .get, path: "/favicon.ico", access: .open, summary: "No picture", success: .empty,
                run: { _ in Response(.noContent, headers: ["Cache-Control": "max-age=86400"]) }),
            Route(
                method: .get, path: "/health", access: .open, summary: "Whether the server answers: for load balancers, no details",
                success: .one("Health"), run: { _ in .value(["status": "ok"]) }),
            Route(
                method: .get, path: "/api/v1/live", access: .open,
                summary: "The WebSocket that browsers watch: ?ticket=T, and &since=SEQ to resume",
                success: .socket, problems: [.unauthorized, .forbidden, .quota], run: live),
        ]
    }

    @Sendable private func live(_ call: Call) async throws -> Response {
        let principal = try await parts.watcher(of: call)
        let since = call.request.head.query("since").flatMap { Int($0) }
        return .upgrade(deflate: true) { socket in
            await parts.serve(socket, principal) {
                // Ends with the other.
                async let _: Void = keepAlive(socket)
                await show(to: socket, of: principal.user.organization, since)
            }
        }
    }

    /// A page cannot see pings: by this it knows that what it shows is how it is. Nothing waits for a slow one.
    private func keepAlive(_ socket: WebSocket) async {
        // try?: cancelled with the connection.
        while (try? await Task.sleep(for: .seconds(1))) != nil { _ = socket.trySend(Feed.text(nil, "alive", nil)) }
    }

    /// Between two looks for what is new: at hundreds of changes a second several go out together, and one that comes alone goes at once.
    private static let pace = Duration.milliseconds(40)

    /// Sends an organisation's changes, the whole picture first where they are not enough, until the connection ends.
    private func show(to socket: WebSocket, of organization: OrganizationID, _ since: Int?) async {
        var last = since
        do {
            for await _ in await parts.feed.subscribe(organization) {
                while let next = await parts.feed.next(of: organization, after: last) {
                    switch next {
                    case .changes(let texts, let number):
                        try await socket.send(texts)
                        last = number
                    case .picture(let number):
                        let picture = try await parts.pictures.picture(of: organization, from: number) {
                            try await parts.picture(of: organization)
                        }
                        try await socket.send(picture.texts)
                        last = picture.number
                    }
                    try await Task.sleep(for: Self.pace)
                }
            }
        } catch is CancellationError {
            // The session ended.
        } catch is WebSocketError {
            // The browser has left.
        } catch {
            parts.log.error("the whole picture could not be read", ["organization": "\(organization)", "error": "\(error)"])
            await socket.close(.internalError, "the whole picture could not be read")
        }
    }
}

extension Gateway.Parts {
    /// The messages that a browser of an organisation begins with: an end of all that it knew, then everything there is, and that this was all.
    fileprivate func picture(of organization: OrganizationID) async throws -> [String] {
        let scope = OrganizationScope(organization, by: .system)
        let samples = await fleet.latestTelemetry
        var texts = [Feed.text(nil, "all", nil)]
        // The list has the newest only: one that runs may be older.
        var views = try await broadcasts.list(in: organization)
        for device in try await store.devices(in: scope).all() where !device.isRevoked {
            texts.append(Feed.text(nil, "sender/\(device.id)", Feed.json(try await fleet.view(of: device, in: scope))))
            if let sample = samples[device.id] { texts.append(Feed.text(nil, "telemetry/\(device.id)", Feed.json(sample))) }
            if let id = await broadcasts.current(of: device.id), !views.contains(where: { $0.id == id }) {
                views.append(try await broadcasts.view(of: id, in: organization))
            }
        }
        let rehearsals = try await broadcasts.rehearsals(in: organization)
        return texts + views.map { Feed.text(nil, "broadcast/\($0.id)", Feed.json($0)) }
            + rehearsals.map { Feed.text(nil, "rehearsal/\($0.id)", Feed.json($0)) } + [Feed.text(nil, "whole", nil)]
    }
}

/// `GET /setup`.
struct SetupView: Codable, Sendable {
    var ownerExists: Bool
    /// Where not, whoever forgot a password gets a link from an admin.
    var sendsMail: Bool
}
