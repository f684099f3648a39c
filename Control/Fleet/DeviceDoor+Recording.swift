// Where a pool host brings what it has recorded.
package import Web
import Wire

extension DeviceDoor {
    package static var recordingSocket: WebSocketOptions {
        var options = WebSocketOptions()
        options.messageLimit = WireLimits.recordingPiece + 1024
        options.pingInterval = .seconds(2)
        options.pongTimeout = .seconds(6)
        return options
    }

    /// Serves one take: the same proof as a host's connection, the ticket of one that was asked for, and then the pieces that are asked for.
    package func serveRecording(_ socket: WebSocket) async {
        do {
            let connection = try await prove(socket)
            guard let hello: BringRecordingHello = try await within(Self.proofLimit, { try await self.decode(socket) }) else {
                throw Refusal.refused("no ticket")
            }
            let ticket = connection.kind == .pool ? hello.ticket.secret.revealed : ""
            guard let work = takes.claim(ticket, of: connection.device, cut: { Self.revoked(socket) }) else {
                throw Refusal.refused("nobody has asked for this recording")
            }
            defer { takes.ended(ticket) }
            try await checkAgain(connection)
            await work(socket)
            await socket.close(.normal, "that was all", within: .seconds(1))
        } catch {
            let (code, reason) = Self.farewell(error)
            log.info("a recording's connection ended", ["reason": "\(reason)", "remote": "\(socket.remote)"])
            await socket.close(code, reason)
        }
    }

    private static func revoked(_ socket: WebSocket) {
        Task { await socket.close(.revoked, "revoked", within: Roster.revocationLimit) }
    }
}
