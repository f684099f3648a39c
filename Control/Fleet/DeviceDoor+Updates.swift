// Where a board's updater asks which release the board shall have.
import Posix
import Store
import Units
package import Web
import Wire

extension DeviceDoor {
    /// A question and its answer; whoever sends more is not listened to.
    package static var updateSocket: WebSocketOptions {
        var options = WebSocketOptions()
        options.messageLimit = 16 * 1024
        options.pingInterval = .seconds(5)
        options.pongTimeout = .seconds(5)
        return options
    }

    /// Serves one question: the same proof as a board's connection, what the board has, and what it is to do.
    package func serveUpdate(_ socket: WebSocket) async {
        do {
            let connection = try await prove(socket)
            guard connection.kind == .sender, let organization = connection.organization else { throw Refusal.refused("no board") }
            guard let report: UpdateReport = try await within(Self.proofLimit, { try await self.decode(socket) }) else {
                throw Refusal.refused("no report")
            }
            let scope = OrganizationScope(organization, by: .device(connection.device))
            let order = try await store.boardUpdates(in: scope).hear(report.bounded(), from: connection.device)
            try await socket.send(Feed.json(order))
            await socket.close(.normal, "answered", within: .seconds(2))
        } catch {
            let (code, reason) = Self.farewell(error)
            switch code {
            case .internalError:
                log.error("a board cannot be told of updates", ["error": "\(error)", "remote": "\(socket.remote)"])
            case .policyViolation:
                log.notice("a board's updater was refused", ["reason": "\(reason)", "remote": "\(socket.remote)"])
            default:
                log.info("an updater's connection ended", ["reason": "\(reason)", "remote": "\(socket.remote)"])
            }
            await socket.close(code, reason)
        }
    }
}
