import Auth
import Fleet
import HTTP
import Store
import Units
import Web
import Wire

/// The page, liveness, and the WebSocket that browsers watch.
struct SystemRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            file("/", PackageResources.index_html, "text/html; charset=utf-8"),
            file("/page.css", PackageResources.page_css, "text/css; charset=utf-8"),
            file("/graph.js", PackageResources.graph_js, "text/javascript; charset=utf-8"),
            file("/modems.js", PackageResources.modems_js, "text/javascript; charset=utf-8"),
            file("/slate.js", PackageResources.slate_js, "text/javascript; charset=utf-8"),
            file("/thumbnails.js", PackageResources.thumbnails_js, "text/javascript; charset=utf-8"),
            file("/page.js", PackageResources.page_js, "text/javascript; charset=utf-8"),
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

    /// A file of the page: the same for everybody and checked anew each time.
    private func file(_ path: String, _ bytes: [UInt8], _ type: String) -> Route {
        Route(
            method: .get, path: path, access: .open, summary: "The page", success: .text(type),
            run: { _ in Response(.ok, headers: ["Content-Type": type, "Cache-Control": "no-cache"], body: .bytes(bytes)) })
    }

    @Sendable private func live(_ call: Call) async throws -> Response {
        try parts.checkOrigin(of: call.request)
        guard let ticket = call.request.head.query("ticket") else { throw Problem(.unauthorized, "a ticket opens this WebSocket") }
        let principal = try await parts.gate.authenticate(ticket: Secret(ticket))
        guard principal.may(.viewBroadcasts) else { throw Problem(.forbidden) }
        try parts.store.quotas.admit(.sockets, beside: parts.sockets.count(of: principal.user.id))
        let since = call.request.head.query("since").flatMap { Int($0) }
        return .upgrade(deflate: true) { socket in await watch(socket, principal, since) }
    }

    /// Sends changes until the browser leaves or its session ends.
    private func watch(_ socket: WebSocket, _ principal: Principal, _ since: Int?) async {
        let user = principal.user.id
        guard parts.sockets.enter(user, limit: parts.store.quotas[.sockets]) else {
            return await socket.close(.policyViolation, "too many pages are open")
        }
        defer { parts.sockets.leave(user) }
        // Listening first, so that a session that ends between its ticket and here is not missed.
        let revocations = parts.gate.revocations()
        let session: AuthSession
        do {
            session = try principal.session
            try await parts.gate.confirm(principal)
        } catch {
            return await socket.close(.policyViolation, "the session ended")
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await show(to: socket, of: principal.user.organization, since) }
            group.addTask { await keepAlive(socket) }
            group.addTask {
                for await revocation in revocations where revocation == .session(session.id) { break }
                await socket.close(.policyViolation, "the session ended")
            }
            group.addTask {
                // In steps, as the wall clock may be set.
                while session.isOpen(at: parts.store.now), (try? await Task.sleep(for: .seconds(15))) != nil {}
                await socket.close(.policyViolation, "the session ended")
            }
            group.addTask {
                // try?: a connection that breaks has ended. What a browser says here is not read.
                while let message = try? await socket.receive() { _ = message }
            }
            await group.next()
            group.cancelAll()
        }
        await socket.close(.normal)
    }

    /// A page cannot see pings: by this it knows that what it shows is how it is. Nothing waits for a slow one.
    private func keepAlive(_ socket: WebSocket) async {
        // try?: cancelled with the connection.
        while (try? await Task.sleep(for: .seconds(1))) != nil { _ = socket.trySend(Feed.text(nil, "alive", nil)) }
    }

    /// Sends an organisation's changes, the whole picture first where they are not enough, until the connection ends.
    private func show(to socket: WebSocket, of organization: OrganizationID, _ since: Int?) async {
        var last = since
        do {
            for await _ in await parts.feed.subscribe(organization) {
                while let next = await parts.feed.next(of: organization, after: last) {
                    switch next {
                    case .update(let update):
                        try await socket.send(update.text)
                        last = update.sequence
                    case .picture(let number):
                        for text in try await parts.picture(of: organization) { try await socket.send(text) }
                        last = number
                    }
                }
            }
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
        return texts + views.map { Feed.text(nil, "broadcast/\($0.id)", Feed.json($0)) } + [Feed.text(nil, "whole", nil)]
    }
}

/// `GET /setup`.
struct SetupView: Codable, Sendable {
    var ownerExists: Bool
    /// Where not, whoever forgot a password gets a link from an admin.
    var sendsMail: Bool
}
