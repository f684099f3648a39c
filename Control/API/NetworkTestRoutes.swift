import Auth
import HTTP
import Rooms
import Web

/// For whoever wants to know before a meeting what the network around them lets through; they have no account and no pass.
struct NetworkTestRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/network-test", access: .open,
                summary: "The WebSocket of a page that tries what the network around it lets through: TURN servers, and a worker of rooms",
                success: .socket, problems: [.forbidden], run: test)
        ]
    }

    /// A page of ours alone.
    @Sendable private func test(_ call: Call) async throws -> Response {
        try parts.checkOrigin(of: call.request)
        let place = call.origin.subscriber
        try parts.networkTests.take(place, at: parts.store.now)
        return .upgrade(options: NetworkTestDoor.webSocket) { [parts] socket in
            await parts.networkTestDoor.serve(socket, from: place)
        }
    }
}
