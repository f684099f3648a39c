import Auth
import Fleet
import HTTP
import Store
import Units
import Web
import Wire

/// The page, liveness, diagnosis, and the WebSocket that browsers watch.
struct SystemRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            file("/", PackageResources.index_html, "text/html; charset=utf-8"),
            file("/page.css", PackageResources.page_css, "text/css; charset=utf-8"),
            file("/page.js", PackageResources.page_js, "text/javascript; charset=utf-8"),
            // Browsers ask for it by themselves.
            Route(
                method: .get, path: "/favicon.ico", access: .open, summary: "No picture", success: .empty,
                run: { _ in Response(.noContent, headers: ["Cache-Control": "max-age=86400"]) }),
            Route(
                method: .get, path: "/health", access: .open, summary: "Whether the server answers: for load balancers, no details",
                success: .one("Health"), run: { _ in .value(["status": "ok"]) }),
            Route(
                method: .get, path: "/api/v1/diagnostics/health", access: .user(.viewDiagnostics),
                summary: "Whether the parts the server needs answer", success: .one("Diagnosis"),
                run: { _ in .value(await parts.health.diagnose(parts.fleet)) }),
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
        do {
            try await parts.gate.confirm(principal)
        } catch {
            return await socket.close(.policyViolation, "the session ended")
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await update in await parts.feed.subscribe(principal.user.organization, since: since) {
                    // A browser that is too slow misses this one; the next number tells it, and it resumes.
                    socket.trySend(update.text)
                }
            }
            group.addTask {
                for await revocation in revocations where revocation == .session(principal.session.id) { break }
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
}

/// `GET /setup`.
struct SetupView: Codable, Sendable {
    var ownerExists: Bool
}
