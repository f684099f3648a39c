import Auth
import Broadcasts
import Fleet
import HTTP
import Units
import Web
import Wire

/// The live preview of a broadcast: on one side who watches, on the other the host of its receiver.
struct PreviewRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/preview", access: .open,
                summary: "The WebSocket of a running broadcast's live preview, fMP4 for MediaSource: ?broadcast=ID&ticket=T",
                success: .socket, problems: [.unauthorized, .forbidden, .notFound, .gone, .busy, .quota], run: preview),
            Route(
                method: .get, path: "/api/v1/devices/preview", access: .open,
                summary: "The WebSocket over which a receiver's host brings a preview", success: .socket,
                run: { _ in .upgrade(options: DeviceDoor.previewSocket) { socket in await parts.devices.servePreview(socket) } }),
        ]
    }

    /// Bytes for one who watches that wait at most, and little from them, who have nothing to say.
    private static var socket: WebSocketOptions {
        var options = WebSocketOptions()
        options.messageLimit = 1024
        options.highMark = WireLimits.previewMark
        return options
    }

    @Sendable private func preview(_ call: Call) async throws -> Response {
        let principal = try await parts.watcher(of: call)
        guard let id = call.request.head.query("broadcast").flatMap({ BroadcastID($0) }) else {
            throw Problem(.notFound, "?broadcast= names the broadcast")
        }
        guard let place = try await parts.broadcasts.previewPlace(of: id, in: principal.user.organization) else {
            throw Problem(.busy, "the broadcast has no receiver yet")
        }
        return .upgrade(options: Self.socket) { socket in
            await parts.serve(socket, principal) { await show(to: socket, principal, place) }
        }
    }

    /// Until whoever watches leaves, or there is no more.
    private func show(to socket: WebSocket, _ principal: Principal, _ place: PreviewDesk.Place) async {
        let (endings, ending) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(1))
        let watcher = PreviewDesk.Watcher(
            user: principal.user.id, give: { socket.trySend($0) },
            end: {
                ending.yield($0)
                ending.finish()
            })
        do throws(PreviewDesk.Refusal) {
            let seat = try parts.fleet.previews.enter(watcher, at: place) { await parts.askForPreview(at: place, $0) }
            defer { parts.fleet.previews.leave(seat) }
            for await reason in endings { return await socket.close(.goingAway, reason) }
        } catch {
            await socket.close(.tryAgainLater, error.text)
        }
    }

}

extension Gateway.Parts {
    /// Asks a broadcast's host for its preview.
    ///
    /// - Returns: why there is none.
    func askForPreview(at place: PreviewDesk.Place, _ ticket: String) async -> String? {
        let order = PreviewOrder(lease: place.lease, ticket: SecretOnWire(Secret(ticket)))
        switch await fleet.order(PoolOrder.preview(order), to: place.host) {
        case .outcome(let outcome) where outcome.result == .done: return nil
        case .outcome(let outcome):
            let isOld = outcome.reason?.hasPrefix("this pool does not know") == true
            return isOld ? "the receiver's host is of a version that makes no preview" : outcome.reason ?? "the receiver's host makes none"
        case .unknown: return "the receiver's host does not answer"
        }
    }
}

extension PreviewDesk.Refusal {
    /// For whoever wanted to watch.
    var text: String {
        switch self {
        case .user(let limit): "you watch \(limit) previews already"
        case .broadcast(let limit): "\(limit) people watch this broadcast already"
        case .organization(let limit): "your organisation watches \(limit) previews already"
        case .server(let limit): "\(limit) previews are watched already, as many as this server has"
        }
    }
}
