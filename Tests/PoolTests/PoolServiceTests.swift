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

@testable import Pool

@Suite("Pool service", .unlessStolen, .timeLimit(.minutes(1)))
struct PoolServiceTests {
    private func json(_ value: some Encodable) throws -> String { String(decoding: try JSONEncoder().encode(value), as: UTF8.self) }

    private func receive(_ socket: WebSocket) async throws -> String {
        guard case .text(let text) = try await socket.receive() else { throw WebSocketError.closed }
        return text
    }

    private func message(_ socket: WebSocket) async throws -> PoolMessage {
        try JSONDecoder().decode(PoolMessage.self, from: Data(await receive(socket).utf8))
    }

    /// Challenge, proof and hello; the proof itself is ControlLinkTests'.
    private func greet(_ socket: WebSocket, _ origin: ServerOrigin) async throws -> PoolHello {
        try await socket.send(json(Challenge.make(origin: origin, binding: .exporter).challenge))
        _ = try await receive(socket)
        guard case .hello(let hello) = try await message(socket) else { throw WebSocketError.closed }
        return hello
    }

    @Test("control leases a stream, hears of it, and finds it again after the pool's restart")
    func conversation() async throws {
        let loop = try Loop(name: "control")
        let (sockets, continuation) = AsyncStream<WebSocket>.makeStream()
        let server = Server(
            configuration: ServerConfiguration(listeners: [Listener(.loopback(port: 0))]), loops: [loop],
            handler: { _ in
                .upgrade { socket in
                    continuation.yield(socket)
                    while socket.closeCode == nil { try? await loop.sleep(for: .milliseconds(10)) }
                }
            })
        let origin = try ServerOrigin("http://\(try await server.start()[0])")
        var arrivals = sockets.makeAsyncIterator()
        let identity = DeviceIdentity(
            key: try Ed25519PrivateKey.generate(), device: DeviceID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!, organization: nil, name: "host",
            kind: .pool, server: origin, authority: .system)
        let host = try Host()
        let log = Log("test", threshold: .error)

        var pool = try await PoolService(settings: host.settings, identity: identity, loop: host.loop, log: log)
        let first = try #require(await arrivals.next())
        let empty = try await greet(first, origin)
        #expect(empty.leases.isEmpty && empty.capacity == 3 && empty.addresses == ["192.0.2.1"])
        let lease = CommandID("01ARZ3NDEKTSV4RRFFQ69G0001")!
        try await first.send(json(Command(id: lease, order: PoolOrder.lease(LeaseRequest(spec: .sample(1))))))
        var done = false
        var reported = false
        while !done || !reported {
            switch try await message(first) {
            case .outcome(let outcome): done = outcome.id == lease && outcome.result == .done
            case .report(let report): reported = report.port == host.settings.ports.first
            default: break
            }
        }
        await pool.stop()

        pool = try await PoolService(settings: host.settings, identity: identity, loop: host.loop, log: log)
        let second = try #require(await arrivals.next())
        let hello = try await greet(second, origin)
        #expect(hello.leases.map(\.port) == [host.settings.ports.first] && hello.leases.allSatisfy { $0.pid != nil })
        let release = CommandID("01ARZ3NDEKTSV4RRFFQ69G0002")!
        try await second.send(
            json(Command(id: release, order: PoolOrder.release(LeaseReference(lease: StreamSpec.sample(1).lease)))))
        while true {
            if case .outcome(let outcome) = try await message(second), outcome.id == release { break }
        }
        #expect(host.files() == ["lock"])
        await pool.stop()
        await server.shutdown(grace: .zero)
        loop.stop()
    }
}
