import FoundationEssentials
import Identity
import Posix
import Web
import Wire

/// One more connection of this host to control, for what must not stand before its orders; a ticket of control's lets it in.
struct TicketDial: Sendable {
    let identity: DeviceIdentity
    let loop: Loop
    let proxy: ClientOptions.Proxy?

    /// Of the whole way to control and back: less than control waits for the outcome.
    private static let dialTime = Duration.seconds(6)

    /// Why there is none.
    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameters:
    ///   - highMark: bytes that may wait before whoever sends does.
    ///   - hello: has the ticket; goes after the proof.
    /// - Returns: proven, on `loop`.
    func open(_ url: String, highMark: Int, hello: some Encodable & Sendable) async throws -> WebSocket {
        var options = ClientOptions()
        options.trust = identity.trust
        options.timeFloor = identity.timeFloor
        options.proxy = proxy
        options.connectTimeout = Self.dialTime / 2
        options.responseTimeout = Self.dialTime / 2
        options.webSocket.highMark = highMark
        options.webSocket.pingInterval = .seconds(2)
        options.webSocket.pongTimeout = .seconds(4)
        let socket = try await Client(loop: loop, options: options).webSocket(url)
        let limit = Task { [loop] in
            // Cancelled where it is in time.
            if (try? await loop.sleep(for: Self.dialTime)) != nil { socket.abort() }
        }
        defer { limit.cancel() }
        guard case .text(let text)? = try await socket.receive() else { throw Fault(description: "control closed the connection") }
        let challenge = try JSONDecoder().decode(Challenge.self, from: Data(text.utf8))
        guard challenge.version == WireLimits.version else { throw Fault(description: "control speaks another version") }
        let proof = try Proof.answering(challenge, identity: identity, exporter: socket.tlsExporter)
        try await socket.send(String(decoding: JSONEncoder().encode(proof), as: UTF8.self))
        try await socket.send(String(decoding: JSONEncoder().encode(hello), as: UTF8.self))
        return socket
    }
}
