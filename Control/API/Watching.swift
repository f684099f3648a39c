import Auth
import Store
import Units
import Web
import Wire

// The WebSockets of pages: who opens one, and for how long it is served.
extension Gateway.Parts {
    /// Whoever opens a WebSocket by a ticket, from a page of ours.
    func watcher(of call: Call) async throws -> Principal {
        guard let ticket = call.request.head.query("ticket") else { throw Problem(.unauthorized, "a ticket opens this WebSocket") }
        // Before the origin is looked at: a ticket that a foreign page has shown is used up as well (THREATS 11).
        let principal = try await gate.authenticate(ticket: Secret(ticket))
        try checkOrigin(of: call.request)
        guard principal.may(.viewBroadcasts) else { throw Problem(.forbidden) }
        try store.quotas.admit(.sockets, beside: sockets.count(of: principal.user.id))
        return principal
    }

    /// Runs `body` until it returns, the browser leaves or its session ends, and closes.
    func serve(_ socket: WebSocket, _ principal: Principal, _ body: @escaping @Sendable () async -> Void) async {
        let user = principal.user.id
        guard sockets.enter(user, limit: store.quotas[.sockets]) else {
            return await socket.close(.policyViolation, "too many pages are open")
        }
        defer { sockets.leave(user) }
        // Listening first, so that a session that ends between its ticket and here is not missed.
        let revocations = gate.revocations()
        let session: AuthSession
        do {
            session = try principal.session
            try await gate.confirm(principal)
        } catch {
            return await socket.close(.policyViolation, "the session ended")
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await body() }
            group.addTask {
                for await revocation in revocations where revocation == .session(session.id) { break }
                await socket.close(.policyViolation, "the session ended")
            }
            group.addTask {
                // In steps, as the wall clock may be set. try?: cancelled where something else has ended it.
                while session.isOpen(at: store.now), (try? await Task.sleep(for: .seconds(15))) != nil {}
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
