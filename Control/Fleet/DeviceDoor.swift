import FoundationEssentials
package import Identity
package import Logging
import Posix
package import Store
import Units
package import Web
package import Wire

/// Where a device's connection becomes a proven one: challenge, proof, hello; then its messages until it ends.
package struct DeviceDoor: Sendable {
    let store: ControlStore
    private let fleet: Roster
    let log: Log
    /// The origins a device may have dialled; the first is the one this server calls itself.
    private let origins: [ServerOrigin]
    /// What proofs are bound to; the origin alone only where a configured proxy ends TLS (THREATS 3).
    private let binding: ChannelBinding

    package init(store: ControlStore, fleet: Roster, origins: [ServerOrigin], binding: ChannelBinding, log: Log) {
        precondition(!origins.isEmpty, "a server is known by at least one origin")
        self.store = store
        self.fleet = fleet
        self.origins = origins
        self.binding = binding
        self.log = log.part("devices")
    }

    var speed: SpeedDesk { fleet.speed }
    var previews: PreviewDesk { fleet.previews }
    var takes: TakeTickets { fleet.takes }

    static let proofLimit = Duration.seconds(10)

    /// A device pings each second. One that is silent for 1 s and then for 2 s more is gone: it is shown offline within 3 s,
    /// also where nothing says that its network went.
    package static var webSocket: WebSocketOptions {
        var options = WebSocketOptions()
        options.pingInterval = .seconds(1)
        options.pongTimeout = .seconds(2)
        return options
    }

    enum Refusal: Error {
        case refused(StaticString)
        case revoked
    }

    /// Serves one connection until it ends.
    package func serve(_ socket: WebSocket) async {
        do {
            let connection = try await prove(socket)
            guard await fleet.admit(connection) else {
                return await socket.close(.policyViolation, "this identity is connected from elsewhere")
            }
            do {
                try await checkAgain(connection)
            } catch {
                await fleet.leave(connection)
                throw error
            }
            await converse(connection)
            await fleet.leave(connection)
        } catch Refusal.revoked {
            log.notice("a revoked device was refused", ["remote": "\(socket.remote)"])
            await socket.close(.revoked, "revoked")
        } catch Refusal.refused(let reason) {
            log.notice("a device was refused", ["reason": "\(reason)", "remote": "\(socket.remote)"])
            await socket.close(.policyViolation, "\(reason)")
        } catch {
            log.info("a device's connection ended before its proof", ["error": "\(error)", "remote": "\(socket.remote)"])
            await socket.close(.protocolError, "expected a proof")
        }
    }

    func prove(_ socket: WebSocket) async throws -> Connection {
        let (challenge, nonce) = Challenge.make(origin: origins[0], binding: binding)
        try await socket.send(Feed.json(challenge))
        guard let proof: Proof = try await within(Self.proofLimit, { try await decode(socket) }) else {
            throw Refusal.refused("no proof")
        }
        guard proof.version == WireLimits.version else { throw Refusal.refused("another version of the protocol") }
        guard let device = try await store.identities.device(proof.device), device.kind == proof.kind else {
            throw Refusal.refused("unknown device")
        }
        let exporter = binding == .exporter ? socket.tlsExporter : nil
        guard proof.isValid(publicKey: device.publicKey, origins: origins, serverNonce: nonce, exporter: exporter) else {
            throw Refusal.refused("wrong signature")
        }
        guard !device.isRevoked else { throw Refusal.revoked }
        return Connection(
            device: device.id, kind: device.kind, organization: device.organization, publicKey: device.publicKey, socket: socket)
    }

    /// Refuses a device that was revoked, or has another key, since its proof was checked: until here only this sees it, from here on
    /// `Roster.revoke` and `Roster.rekeyed` find the connection.
    func checkAgain(_ connection: Connection) async throws {
        guard let device = try await store.identities.device(connection.device), !device.isRevoked else { throw Refusal.revoked }
        guard device.publicKey == connection.publicKey else { throw Refusal.refused("another key") }
    }

    private func converse(_ connection: Connection) async {
        do {
            switch connection.kind {
            case .sender:
                guard case .hello(let hello)? = try await decode(connection.socket) as AgentMessage? else { return }
                await fleet.arrived(connection, hello: hello.bounded())
                // Beside the reading: the outcome is one of the messages.
                let bringing = Task { await fleet.bringConfiguration(to: connection, applied: hello.configuration.version) }
                defer { bringing.cancel() }
                var pace = MessagePace.sender
                while let message: AgentMessage = try await decode(connection.socket) {
                    try await hold(&pace)
                    await fleet.received(message, from: connection)
                }
            case .pool:
                guard case .hello(var hello)? = try await decode(connection.socket) as PoolMessage? else { return }
                for address in hello.dropUnfitAddresses().prefix(4) {
                    log.warning(
                        "a pool host's address is none and is left out",
                        ["device": "\(connection.device)", "address": "\(address.bounded(to: 40))"])
                }
                if let fault = hello.fault {
                    log.warning("a pool host's hello was refused", ["device": "\(connection.device)", "fault": "\(fault)"])
                    return await connection.socket.close(.policyViolation, fault)
                }
                await fleet.arrived(connection, hello: hello.bounded())
                var pace = MessagePace.pool
                while let message: PoolMessage = try await decode(connection.socket) {
                    try await hold(&pace)
                    await fleet.received(message, from: connection)
                }
            }
        } catch let fault as MalformedMessage {
            log.warning("a device sent a malformed message", ["device": "\(connection.device)", "fault": "\(fault)"])
            await connection.socket.close(.unsupportedData, "malformed message: \(fault)")
        } catch {
            log.info("a device's connection broke", ["device": "\(connection.device)", "error": "\(error)"])
        }
    }

    /// Waits where the device sends faster than its pace: what it sends meanwhile stays in its own socket.
    private func hold(_ pace: inout MessagePace) async throws {
        if let wait = pace.take(at: Instant.now) { try await Task.sleep(for: wait) }
    }

    /// The next message; nil at the end of the connection.
    ///
    /// - Throws: `MalformedMessage`, or what ended the connection.
    func decode<Text: Decodable>(_ socket: WebSocket) async throws -> Text? {
        guard case .text(let text)? = try await socket.receive() else { return nil }
        do {
            return try JSONDecoder().decode(Text.self, from: Data(text.utf8))
        } catch let error as DecodingError {
            throw MalformedMessage(text, error)
        }
    }

    func within<Result: Sendable>(_ limit: Duration, _ body: @escaping @Sendable () async throws -> Result?) async throws -> Result? {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }
}

extension CloseCode {
    static let revoked = CloseCode(rawValue: WireLimits.revokedCloseCode)
}
