// Where a pool host brings the live preview of a stream.
import Posix
import Units
package import Web
import Wire

extension DeviceDoor {
    package static var previewSocket: WebSocketOptions {
        var options = WebSocketOptions()
        options.messageLimit = WireLimits.previewBytes + 1
        options.pingInterval = .seconds(2)
        options.pongTimeout = .seconds(4)
        return options
    }

    /// Bits a second that are taken of one: four times what a receiver is made for. What is more waits in the host.
    private static let previewCeiling = 100_000_000.0

    /// Serves one preview: the same proof as a host's connection, the ticket of one that somebody watches, and then its chunks, until they
    /// end or nobody watches.
    package func servePreview(_ socket: WebSocket) async {
        do {
            let connection = try await prove(socket)
            guard let hello: PreviewHello = try await within(Self.proofLimit, { try await self.decode(socket) }) else {
                throw Refusal.refused("no ticket")
            }
            let claimed = connection.kind == .pool ? hello.ticket.secret.revealed : ""
            guard let show = previews.claim(claimed, of: connection.device, cut: { Self.cut(socket, $0) }) else {
                throw Refusal.refused("nobody has asked for this preview")
            }
            do {
                try await checkAgain(connection)
                try await relay(socket, show)
            } catch {
                previews.end(show, "the connection to the receiver's host broke")
                throw error
            }
            let reason = socket.closeReason ?? ""
            previews.end(show, reason.isEmpty ? "the receiver's host has ended it" : reason.bounded(to: 100))
        } catch {
            let (code, reason) = Self.farewell(error)
            log.info("a preview's connection ended", ["reason": "\(reason)", "remote": "\(socket.remote)"])
            await socket.close(code, reason)
        }
    }

    private static func cut(_ socket: WebSocket, _ reason: String) {
        Task { await socket.close(.normal, reason, within: Roster.revocationLimit) }
    }

    /// Passes on what comes. What is no chunk ends it.
    private func relay(_ socket: WebSocket, _ show: PreviewDesk.Show) async throws {
        var pace = MessagePace.preview
        var (began, bytes) = (Instant.now, 0)
        while case .binary(let message)? = try await socket.receive() {
            guard let chunk = PreviewChunk(message: message) else { throw Refusal.refused("what came is no part of a preview") }
            show.pass(chunk)
            if let wait = pace.take(at: .now) { try await Task.sleep(for: wait) }
            bytes += message.count
            let early = began + .seconds(Double(bytes * 8) / Self.previewCeiling) - Instant.now
            if early > .milliseconds(200) { try await Task.sleep(for: early) }
            // Who sent little before may not send more for it.
            if early < .zero { (began, bytes) = (.now, 0) }
        }
    }
}
