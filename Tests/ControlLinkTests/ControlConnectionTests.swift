import Crypto
import Foundation
import HTTP
import Identity
import Logging
import Posix
import Support
import Testing
import Units
import Web
import Wire

@testable import ControlLink

/// Control's side of the connection, played by the test over a real server.
private final class PlayedControl: Sendable {
    let loop: Loop
    let server: Server
    let port: Int
    let sockets: AsyncStream<WebSocket>

    init(port: Int = 0) async throws {
        loop = try Loop(name: "control")
        let (stream, continuation) = AsyncStream<WebSocket>.makeStream()
        sockets = stream
        server = Server(
            configuration: ServerConfiguration(listeners: [Listener(.loopback(port: port))]), loops: [loop],
            handler: { request in
                guard request.path == "/api/v1/devices/connect" else { return Response(.notFound) }
                return .upgrade { socket in
                    continuation.yield(socket)
                    let ended = AsyncStream<Void>.makeStream()
                    let watcher = Task {
                        while socket.closeCode == nil { try await Task.sleep(for: .milliseconds(5)) }
                        ended.continuation.finish()
                    }
                    for await _ in ended.stream {}
                    watcher.cancel()
                }
            })
        self.port = try await server.start()[0].port
    }

    func next() async throws -> WebSocket {
        var iterator = sockets.makeAsyncIterator()
        return try #require(await iterator.next())
    }

    func stop() async {
        await server.shutdown(grace: .zero)
        loop.stop()
    }
}

@Suite("Control connection", .unlessStolen, .timeLimit(.minutes(1)))
struct ControlConnectionTests {
    private let key: Ed25519PrivateKey

    init() throws { key = try Ed25519PrivateKey.generate() }

    private func origin(_ port: Int) throws -> ServerOrigin { try ServerOrigin("http://127.0.0.1:\(port)") }

    private func device(
        _ port: Int, _ loop: Loop, others: [ServerOrigin] = [], routes: [Route] = [.any], times: ControlLinkTimes = ControlLinkTimes(),
        log: Log = Log("test", threshold: .error)
    ) throws -> ControlConnection<PoolMessage, PoolOrder> {
        let identity = DeviceIdentity(
            key: key, device: DeviceID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!, organization: nil, name: "pool", kind: .pool,
            server: try origin(port), servers: [try origin(port)] + others, authority: .system)
        return ControlConnection(
            identity: identity, loop: loop, log: log, times: times, routes: { routes },
            hello: {
                .hello(
                    PoolHello(poolVersion: "1", addresses: [], portRange: PortRange(first: 1, last: 2), capacity: 1, leases: []))
            }, outcome: { .outcome($0) })
    }

    private func text(_ socket: WebSocket) async throws -> String {
        guard case .text(let text) = try await socket.receive() else { throw WebSocketError.closed }
        return text
    }

    private func message(_ socket: WebSocket) async throws -> PoolMessage {
        try JSONDecoder().decode(PoolMessage.self, from: Data(await text(socket).utf8))
    }

    private func json(_ value: some Encodable) throws -> String { String(decoding: try JSONEncoder().encode(value), as: UTF8.self) }

    /// Challenge, proof, hello, as control does it.
    private func greet(_ socket: WebSocket, _ port: Int) async throws {
        let origin = try origin(port)
        let (challenge, nonce) = Challenge.make(origin: origin, binding: .exporter)
        try await socket.send(json(challenge))
        let proof = try JSONDecoder().decode(Proof.self, from: Data(await text(socket).utf8))
        #expect(proof.kind == .pool && proof.version == WireLimits.version)
        #expect(proof.isValid(publicKey: key.publicKey, origins: [origin], serverNonce: nonce, exporter: socket.tlsExporter))
        guard case .hello = try await message(socket) else {
            throw Unexpected("no hello")
        }
    }

    private func command(_ number: Int, _ lease: String = "01ARZ3NDEKTSV4RRFFQ69G5FAV") -> Command<PoolOrder> {
        Command(id: CommandID("01ARZ3NDEKTSV4RRFFQ69G000\(number)")!, order: .release(LeaseReference(lease: LeaseID(lease)!)))
    }

    @Test("a device proves itself, says hello, gets orders and answers them")
    func conversation() async throws {
        let control = try await PlayedControl()
        let loop = try Loop(name: "device")
        let device = try device(control.port, loop)
        await device.start()
        let socket = try await control.next()
        try await greet(socket, control.port)
        var events = device.events.makeAsyncIterator()
        guard case .connected(via: .any) = await events.next() else { throw Unexpected("not connected") }
        try await socket.send("{")
        try await socket.send("{\"type\":\"brandNew\"}")
        try await socket.send(json(command(1)))
        guard case .order(.unknown("brandNew"), id: nil) = await events.next() else { throw Unexpected("no unknown order") }
        guard case .order(.release, let id?) = await events.next() else { throw Unexpected("no order") }
        device.answer(CommandOutcome(id: id, result: .done))
        guard case .outcome(let outcome) = try await message(socket) else { throw Unexpected("no outcome") }
        #expect(outcome == CommandOutcome(id: id, result: .done))
        // The same command again gets the same answer, and nobody carries it out twice.
        try await socket.send(json(command(1)))
        guard case .outcome(outcome) = try await message(socket) else { throw Unexpected("no second outcome") }
        #expect(await device.counts.malformed == 1)
        await device.stop()
        await control.stop()
        loop.stop()
    }

    @Test("a control that is gone from its first address is found at the next, which is the one that is proven to")
    func restored() async throws {
        let control = try await PlayedControl()
        let loop = try Loop(name: "device")
        // Nobody listens there.
        let device = try device(1, loop, others: [try origin(control.port)])
        await device.start()
        let socket = try await control.next()
        try await greet(socket, control.port)
        await device.stop()
        await control.stop()
        loop.stop()
    }

    @Test("an outcome that came while there was no connection is told after the next hello")
    func keptOutcome() async throws {
        let control = try await PlayedControl()
        let loop = try Loop(name: "device")
        let device = try device(control.port, loop)
        await device.start()
        let first = try await control.next()
        try await greet(first, control.port)
        var events = device.events.makeAsyncIterator()
        _ = await events.next()
        try await first.send(json(command(1)))
        guard case .order(_, let id?) = await events.next() else { throw Unexpected("no order") }
        await first.close(.goingAway)
        guard case .disconnected = await events.next() else { throw Unexpected("not disconnected") }
        device.answer(CommandOutcome(id: id, result: .failed, reason: "late"))
        let second = try await control.next()
        try await greet(second, control.port)
        guard case .outcome(let outcome) = try await message(second) else { throw Unexpected("no outcome") }
        #expect(outcome == CommandOutcome(id: id, result: .failed, reason: "late"))
        await device.stop()
        await control.stop()
        loop.stop()
    }

    @Test("a refusal is told with control's reason, and dialled again only after a wait")
    func refused() async throws {
        let control = try await PlayedControl()
        let loop = try Loop(name: "device")
        let device = try device(control.port, loop)
        await device.start()
        let socket = try await control.next()
        try await greet(socket, control.port)
        await socket.close(.policyViolation, "this device is revoked")
        var events = device.events.makeAsyncIterator()
        _ = await events.next()
        guard case .refused(let reason) = await events.next() else { throw Unexpected("not refused") }
        #expect(reason == "this device is revoked")
        await device.stop()
        await control.stop()
        loop.stop()
    }

    @Test("a revocation is told apart from a refusal")
    func revoked() async throws {
        let control = try await PlayedControl()
        let loop = try Loop(name: "device")
        let device = try device(control.port, loop)
        await device.start()
        let socket = try await control.next()
        try await greet(socket, control.port)
        await socket.close(CloseCode(rawValue: WireLimits.revokedCloseCode), "revoked")
        var events = device.events.makeAsyncIterator()
        _ = await events.next()
        guard case .revoked = await events.next() else { throw Unexpected("not revoked") }
        await device.stop()
        await control.stop()
        loop.stop()
    }

    @Test("another version is refused with both numbers")
    func version() async throws {
        let control = try await PlayedControl()
        let loop = try Loop(name: "device")
        let device = try device(control.port, loop)
        await device.start()
        let socket = try await control.next()
        try await socket.send(json(Challenge(version: 9, nonce: "", origin: "")))
        var events = device.events.makeAsyncIterator()
        guard case .refused(let reason) = await events.next() else { throw Unexpected("not refused") }
        #expect(reason == "control speaks version 9, this program 1")
        await device.stop()
        await control.stop()
        loop.stop()
    }

    @Test("when the interface of one route is missing, the next is dialled at once")
    func nextRoute() async throws {
        let control = try await PlayedControl()
        let loop = try Loop(name: "device")
        let device = try device(control.port, loop, routes: [Route(interface: "no-such-if0"), Route(interface: "lo")])
        await device.start()
        let socket = try await control.next()
        try await greet(socket, control.port)
        var events = device.events.makeAsyncIterator()
        guard case .connected(let route) = await events.next() else { throw Unexpected("not connected") }
        #expect(route == Route(interface: "lo"))
        await device.stop()
        await control.stop()
        loop.stop()
    }

    @Test("where somebody else answers in control's place on one route, the next is dialled all the same")
    func impostor() async throws {
        let certificate = try await PlatformCertificate()
        let serverLoop = try Loop(name: "impostor")
        let files = CertificateFiles(chain: certificate.chain, key: certificate.key)
        let server = Server(
            configuration: ServerConfiguration(listeners: [Listener(.loopback(port: 0), certificate: files)]), loops: [serverLoop],
            handler: { _ in Response(.notFound) })
        let port = try await server.start()[0].port
        let identity = DeviceIdentity(
            key: key, device: DeviceID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!, organization: nil, name: "pool", kind: .pool,
            server: try ServerOrigin("https://127.0.0.1:\(port)"), authority: .system)
        let loop = try Loop(name: "device")
        let said = Guarded<[String]>([])
        let device = ControlConnection<PoolMessage, PoolOrder>(
            identity: identity, loop: loop, log: Log("test", threshold: .notice) { line in said.withLock { $0.append(line) } },
            routes: { [Route(interface: "lo"), .any] },
            hello: {
                .hello(PoolHello(poolVersion: "1", addresses: [], portRange: PortRange(first: 1, last: 2), capacity: 1, leases: []))
            }, outcome: { .outcome($0) })
        await device.start()
        var events = device.events.makeAsyncIterator()
        for _ in 0..<2 { guard case .refused = await events.next() else { throw Unexpected("not refused") } }
        let refusals = said.withLock { $0 }.filter { $0.contains("is not the one this device belongs to") }
        #expect(refusals.count == 2 && refusals[0].contains("\"link\":\"lo\"") && refusals[1].contains("\"link\":\"any\""))
        await device.stop()
        await server.shutdown(grace: .zero)
        loop.stop()
        serverLoop.stop()
    }

    @Test("a connection that ends because the program does is not told as lost")
    func ownEnd() async throws {
        let control = try await PlayedControl()
        let loop = try Loop(name: "device")
        let said = Guarded<[String]>([])
        let log = Log("test", threshold: .notice) { line in said.withLock { $0.append(line) } }
        let device = try device(control.port, loop, log: log)
        await device.start()
        let socket = try await control.next()
        try await greet(socket, control.port)
        var events = device.events.makeAsyncIterator()
        guard case .connected = await events.next() else { throw Unexpected("not connected") }
        await device.stop()
        let lines = said.withLock { $0 }
        #expect(lines.filter { $0.contains("connection to control closed, because this program ends") }.count == 1, "\(lines)")
        #expect(!lines.contains { $0.contains("connection to control lost") || $0.contains("CancellationError") }, "\(lines)")
        await control.stop()
        loop.stop()
    }

    @Test("a silent control is left within its time, and dialled again")
    func silence() async throws {
        // Answers the handshake, then nothing: no pong either, as nobody reads its socket.
        let listener = try SilentServer()
        let loop = try Loop(name: "device")
        var times = ControlLinkTimes()
        times.challenge = .milliseconds(150)
        let device = try device(listener.port, loop, times: times)
        await device.start()
        await listener.accepted(2)
        await device.stop()
        listener.stop()
        loop.stop()
    }

    @Test("figures without a connection are dropped and counted")
    func dropped() async throws {
        let loop = try Loop(name: "device")
        let device = try device(9, loop)
        device.trySend(.released(LeaseReference(lease: LeaseID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!)))
        // Behind the message on the loop.
        try await loop.sleep(for: .zero)
        #expect(await device.counts.dropped == 1)
        await device.stop()
        loop.stop()
    }
}

private struct Unexpected: Error {
    let what: String
    init(_ what: String) { self.what = what }
}

/// Takes connections and reads them, and never answers.
private final class SilentServer: @unchecked Sendable {
    // Sendable: the fields are set in init.
    let port: Int
    private let socket: CInt
    private let connections: AsyncStream<Void>
    private let thread: Thread

    init() throws {
        let socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout.size(ofValue: address))
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && listen(socket, 8) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        try #require(bound)
        port = Int(UInt16(bigEndian: address.sin_port))
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        thread = Thread {
            while accept(socket, nil, nil) >= 0 { continuation.yield() }
        }
        self.socket = socket
        connections = stream
        thread.start()
    }

    func accepted(_ count: Int) async {
        var iterator = connections.makeAsyncIterator()
        for _ in 0..<count { await iterator.next() }
    }

    func stop() { shutdown(socket, CInt(SHUT_RDWR)) }
}
