import FoundationEssentials
package import Identity
package import Posix
import Units
package import Web
package import Wire

/// Why an upload was not measured.
package struct SpeedUploadFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// For a person.
    package let description: String
}

/// Uploads over one link alone, so that control can measure what it carries: a connection of its own with the device's proof.
package struct SpeedUpload: Sendable {
    private let identity: DeviceIdentity
    private let loop: Loop
    private let proxy: ClientOptions.Proxy?
    private let names: NameLookup

    /// To the end of the TLS handshake, and of all of it: less than control waits for the outcome.
    private static let connectTime = Duration.milliseconds(2500)
    private static let wholeTime = Duration.seconds(9)
    private static let chunk = 16 * 1024
    private static let longest = 10
    private static let most = 64 << 20

    package init(identity: DeviceIdentity, loop: Loop, proxy: ClientOptions.Proxy?, names: NameLookup) {
        self.identity = identity
        self.loop = loop
        self.proxy = proxy
        self.names = names
    }

    /// Returns once control has heard enough. Ends at once where its task is cancelled.
    package func run(_ order: SpeedTestOrder) async throws(SpeedUploadFault) {
        do {
            let end = Instant.now + Self.wholeTime
            let socket = try await open(order.link)
            let limit = Task { [loop] in
                // Cancelled at its end, or by the caller: what is on its way is dropped.
                try? await loop.sleep(for: max(.zero, end - .now))
                socket.abort()
            }
            defer { limit.cancel() }
            try await withTaskCancellationHandler {
                try await prove(socket, order)
                let go = try await decode(SpeedTestGo.self, socket)
                // Both are what somebody else says.
                let seconds = min(max(1, min(order.seconds, go.seconds)), Self.longest)
                try await upload(over: socket, bytes: min(order.bytes, go.bytes, Self.most), seconds: seconds)
            } onCancel: {
                limit.cancel()
            }
        } catch let fault as SpeedUploadFault {
            throw fault
        } catch {
            throw SpeedUploadFault(description: Task.isCancelled ? "a broadcast begins" : "\(error)")
        }
        if Task.isCancelled { throw SpeedUploadFault(description: "a broadcast begins") }
    }

    private func open(_ link: String) async throws -> WebSocket {
        var options = ClientOptions()
        options.trust = identity.trust
        options.timeFloor = identity.timeFloor
        options.proxy = proxy
        options.bindToDevice = link
        options.names = names
        options.connectTimeout = Self.connectTime
        options.responseTimeout = Self.connectTime
        // What waits here is uploaded for nothing when the test ends.
        options.webSocket.highMark = 4 * Self.chunk
        options.webSocket.pingInterval = nil
        return try await Client(loop: loop, options: options).webSocket(identity.server.speedTestURL)
    }

    private func prove(_ socket: WebSocket, _ order: SpeedTestOrder) async throws {
        let challenge = try await decode(Challenge.self, socket)
        guard challenge.version == WireLimits.version else { throw SpeedUploadFault(description: "control speaks another version") }
        let proof = try Proof.answering(challenge, identity: identity, exporter: socket.tlsExporter)
        try await socket.send(String(decoding: JSONEncoder().encode(proof), as: UTF8.self))
        try await socket.send(String(decoding: JSONEncoder().encode(SpeedTestHello(ticket: order.ticket)), as: UTF8.self))
    }

    /// Until control closes: it holds the watch.
    private func upload(over socket: WebSocket, bytes: Int, seconds: Int) async throws {
        // Random, so that no network compresses it.
        let chunk = SystemRandom.bytes(Self.chunk)
        let end = Instant.now + .seconds(seconds) + .seconds(1)
        var left = bytes
        do {
            while left >= Self.chunk, Instant.now < end, socket.closeCode == nil, !Task.isCancelled {
                try await socket.send(chunk)
                left -= Self.chunk
            }
        } catch is WebSocketError {
            // It has closed, as it does when it has heard enough.
        }
        guard !Task.isCancelled else { return }
        while case .binary? = try await receiveToEnd(socket) {}
        guard socket.closeCode == .normal else {
            throw SpeedUploadFault(description: "control ended it: \((socket.closeReason ?? "").bounded(to: 200))")
        }
    }

    private func receiveToEnd(_ socket: WebSocket) async throws -> WebSocketMessage? {
        do { return try await socket.receive() } catch is WebSocketError { return nil }
    }

    private func decode<Body: Decodable>(_: Body.Type, _ socket: WebSocket) async throws -> Body {
        guard case .text(let text)? = try await socket.receive() else {
            let reason = (socket.closeReason ?? "").bounded(to: 200)
            throw SpeedUploadFault(description: reason.isEmpty ? "control closed the connection" : "control refuses: \(reason)")
        }
        return try JSONDecoder().decode(Body.self, from: Data(text.utf8))
    }
}
