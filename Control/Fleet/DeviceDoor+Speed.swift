// Where a board's upload is measured and thrown away.
import FoundationEssentials
import Posix
import Units
package import Web
import Wire

extension DeviceDoor {
    /// Messages of an upload are small, and one that waits holds the next back in the board's own socket.
    package static var speedSocket: WebSocketOptions {
        var options = WebSocketOptions()
        options.messageLimit = 64 * 1024
        options.pingInterval = .seconds(2)
        options.pongTimeout = .seconds(2)
        return options
    }

    /// Serves one upload: the same proof as a board's connection, the ticket of a test that was asked for, three pings, and then bytes
    /// until their time or their number is over.
    package func serveSpeedTest(_ socket: WebSocket) async {
        do {
            let connection = try await prove(socket)
            guard let hello: SpeedTestHello = try await within(Self.proofLimit, { try await self.decode(socket) }) else {
                throw Refusal.refused("no ticket")
            }
            guard connection.kind == .sender,
                speed.claim(hello.ticket.secret.revealed, of: connection.device, cut: { Self.cut(socket) })
            else {
                throw Refusal.refused("nobody has asked for this test")
            }
            try await measure(connection)
        } catch {
            let (code, reason) = Self.farewell(error)
            switch code {
            case .internalError:
                log.error("a speed test cannot be served", ["error": "\(error)", "remote": "\(socket.remote)"])
            case .policyViolation:
                log.notice("a speed test was refused", ["reason": "\(reason)", "remote": "\(socket.remote)"])
            default:
                log.info("a speed test's connection ended", ["reason": "\(reason)", "remote": "\(socket.remote)"])
            }
            await socket.close(code, reason)
        }
    }

    /// What a board is told whose upload is not measured.
    static func farewell(_ error: any Error) -> (code: CloseCode, reason: String) {
        switch error {
        case Refusal.revoked: (.revoked, "revoked")
        case Refusal.refused(let reason): (.policyViolation, "\(reason)")
        case let fault as MalformedMessage: (.unsupportedData, "malformed message: \(fault)")
        // Nobody may be left to hear it.
        case let error as WebSocketError: (.goingAway, "\(error)")
        case is CancellationError: (.goingAway, "the server ends")
        default: (.internalError, "the server cannot do it now")
        }
    }

    private static func cut(_ socket: WebSocket) {
        Task { await socket.close(.revoked, "revoked", within: Roster.revocationLimit) }
    }

    private func measure(_ connection: Connection) async throws {
        let socket = connection.socket
        var rtt = Duration.seconds(10)
        // The upload needs its time before whoever ordered it gives up: a slow way is asked once.
        for _ in 0..<3 where rtt == .seconds(10) || rtt < .milliseconds(300) { rtt = min(rtt, try await socket.ping(timeout: .seconds(2))) }
        try await socket.send(Feed.json(SpeedTestGo(seconds: SpeedDesk.seconds, bytes: SpeedDesk.bytes)))
        // From now on, not from the first byte: one that sends none is not waited for.
        let limit = Task {
            // try?: a limit that was cancelled has nothing left to do.
            guard (try? await Task.sleep(for: .seconds(SpeedDesk.seconds))) != nil else { return }
            await socket.close(.normal, "measured", within: .milliseconds(500))
        }
        defer { limit.cancel() }
        var meter = UploadMeter()
        let began = Instant.now
        func measured(until end: Instant) {
            guard let rate = meter.rate(until: end) else { return }
            speed.measured(SpeedDesk.Measured(upload: rate, rttMs: Double(rtt.milliseconds)), of: connection.device)
        }
        do {
            while meter.bytes < SpeedDesk.bytes, case .binary(let bytes)? = try await socket.receive() {
                meter.came(bytes.count, at: .now)
                // What waits here waits in the board: others are live over the same line.
                let early = began + .seconds(Double(meter.bytes * 8) / SpeedDesk.ceiling) - Instant.now
                if early > .milliseconds(5) { try await Task.sleep(for: early) }
                measured(until: .now)
            }
        } catch is WebSocketError {
            // What came until then counts; whether the test did is the board's to say.
        }
        if meter.bytes < SpeedDesk.bytes { measured(until: min(.now, began + .seconds(SpeedDesk.seconds))) }
        await socket.close(.normal, "measured", within: .milliseconds(500))
    }
}
