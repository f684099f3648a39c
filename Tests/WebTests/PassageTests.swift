import Glibc
import HTTP
import Posix
import TLS
import Testing
import Web

/// A TLS port that two servers share: by their first message, connections are ours or are passed on as they are.
@Suite("A passage through a TLS port", .timeLimit(.minutes(1)))
struct PassageTests {
    /// The server behind it, which opens nothing and has a certificate of nobody's.
    private final class Upstream: Sendable {
        private let socket: Descriptor
        let address: SocketAddress

        init() throws {
            socket = try StreamSocket.listen(on: .loopback(port: 0))
            // Blocking, as what it accepts is.
            _ = fcntl(socket.raw, F_SETFL, 0)
            RawPeer.bound(socket.raw)
            guard let address = StreamSocket.localAddress(socket.raw) else { throw SystemError("getsockname") }
            self.address = address
        }

        /// The next connection; nil where none comes within five seconds.
        func accept() -> RawPeer? {
            let accepted = Glibc.accept(socket.raw, nil, nil)
            return accepted < 0 ? nil : RawPeer(adopting: accepted)
        }
    }

    private func passage(to upstream: Upstream) -> Passage {
        Passage(names: ["turn.example.org"], protocols: ["stun.turn"], upstream: upstream.address)
    }

    /// A hello of one record, as a TURN client's: of this name, and with these protocols.
    private static func hello(_ name: String, _ protocols: [String] = []) -> [UInt8] {
        func vector(_ size: Int, _ bytes: [UInt8]) -> [UInt8] {
            (0..<size).reversed().map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) } + bytes
        }
        func list(_ kind: UInt8, _ entries: [UInt8]) -> [UInt8] { [0, kind] + vector(2, vector(2, entries)) }
        var extensions = list(0, [0] + vector(2, Array(name.utf8)))
        if !protocols.isEmpty { extensions += list(16, protocols.flatMap { vector(1, Array($0.utf8)) }) }
        // Version and random, no session, one cipher suite, no compression.
        var body: [UInt8] = [3, 3]
        body += [UInt8](repeating: 7, count: 32)
        body += [0, 0, 2, 0x13, 0x01, 1, 0]
        body += vector(2, extensions)
        return [22, 3, 1] + vector(2, [1] + vector(3, body))
    }

    private func within(
        _ upstream: Upstream, _ change: (inout ServerLimits) -> Void = { _ in }, _ body: (TestServer) async throws -> Void
    ) async throws {
        var limits = ServerLimits()
        change(&limits)
        try await withServer(limits: limits, passage: passage(to: upstream)) { _ in
            .text("ours")
        } _: { server in
            try await body(server)
        }
    }

    @Test("whoever asks for its name and speaks no HTTP gets to the server behind it, byte for byte; everybody else is answered here")
    func both() async throws {
        let upstream = try Upstream()
        try await within(upstream) { server in
            let hello = Self.hello("TURN.example.org")
            let peer = try RawPeer(server.secure)
            peer.send(hello)
            let behind = try #require(upstream.accept())
            #expect(behind.read(count: hello.count) == hello)
            behind.send("a server's own answer")
            #expect(peer.read(to: "answer") == "a server's own answer")
            #expect(server.server.passedCount == 1)
            let answer = try await server.client().request(.get, server.https + "/")
            #expect(String(decoding: answer.body, as: UTF8.self) == "ours")
            // What the client has said last still arrives, and then its end.
            peer.send("the end")
            peer.endSending()
            #expect(behind.readAll() == "the end")
            #expect(peer.readAll() == "" && peer.isEnded)
        }
    }

    @Test("what TURN's label says is passed on under any name; HTTP is answered here under every name")
    func rules() {
        let passage = Passage(names: ["turn.example.org"], protocols: ["stun.turn"], upstream: .loopback(port: 1))
        for (name, protocols, isTheirs) in [
            ("turn.example.org", [], true), ("live.example.org", [], false), ("turn.example.org", ["http/1.1"], false),
            ("turn.example.org", ["h2", "http/1.1"], false), ("live.example.org", ["stun.turn"], true), (nil, ["stun.turn"], true),
            (nil, [], false), ("turn.example.org", ["imap"], false),
        ] as [(String?, [String], Bool)] {
            #expect(passage.takes(ClientHello(serverName: name, protocols: protocols)) == isTheirs, "\(name ?? "") \(protocols)")
        }
        var nameless = passage
        nameless.takesNameless = true
        #expect(nameless.takes(ClientHello(serverName: nil, protocols: [])))
        #expect(!nameless.takes(ClientHello(serverName: nil, protocols: ["http/1.1"])))
    }

    @Test("a hello that comes byte for byte is passed on whole, and one that never ends costs no more than a head's time")
    func dribbled() async throws {
        let upstream = try Upstream()
        try await within(upstream, { $0.headTimeout = .milliseconds(1500) }) { server in
            let hello = Self.hello("turn.example.org")
            let peer = try RawPeer(server.secure)
            for byte in hello {
                peer.send([byte])
                try await server.loops[0].sleep(for: .milliseconds(2))
            }
            let behind = try #require(upstream.accept())
            #expect(behind.read(count: hello.count) == hello)
            let slow = try RawPeer(server.secure)
            slow.send(Array(hello.dropLast()))
            #expect(slow.readAll() == "" && slow.isEnded)
            // Who ends in the middle is told by TLS.
            let ended = try RawPeer(server.secure)
            ended.send(Array(hello.dropLast()))
            ended.endSending()
            _ = ended.readAll()
            #expect(ended.isEnded)
        }
    }

    @Test("what is no hello of TLS is refused here, and gets nowhere")
    func junk() async throws {
        let upstream = try Upstream()
        try await within(upstream) { server in
            let peer = try RawPeer(server.secure)
            peer.send("GET / HTTP/1.1\r\nHost: turn.example.org\r\n\r\n")
            _ = peer.readAll()
            #expect(peer.isEnded && server.server.passedCount == 0)
        }
    }

    @Test("a server behind that does not read holds its client back, and loses nothing of what it was sent")
    func pressed() async throws {
        let upstream = try Upstream()
        try await within(upstream) { server in
            let hello = Self.hello("turn.example.org")
            let peer = try RawPeer(server.secure)
            peer.send(hello)
            let behind = try #require(upstream.accept())
            #expect(behind.read(count: hello.count) == hello)
            let sender = try Loop(name: "sender")
            defer { sender.stop() }
            // More than the buffers of three systems' sockets hold.
            let megabytes = 48
            let size = 1 << 20
            let block: [UInt8] = (0..<size).map { place in UInt8(truncatingIfNeeded: place * 31 + place / 256) }
            let (socket, address) = (peer.socket, server.secure)
            let sent = Task(executorPreference: sender) {
                for _ in 0..<megabytes {
                    var start = 0
                    while start < block.count {
                        let count = block[start...].withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
                        guard count > 0 else { throw SystemError("send", on: "\(address)") }
                        start += count
                    }
                }
            }
            try await server.loops[0].sleep(for: .milliseconds(500))
            for number in 0..<megabytes { try #require(behind.read(count: block.count) == block, "megabyte \(number)") }
            try await sent.value
            #expect(!peer.isEnded)
        }
    }

    @Test("no more are passed on than may be, none that is silent for too long, and none to a server that is away")
    func bounds() async throws {
        let upstream = try Upstream()
        let hello = Self.hello("turn.example.org")
        try await within(
            upstream,
            {
                $0.passed = 1
                $0.passedIdleTimeout = .milliseconds(300)
            }
        ) { server in
            let first = try RawPeer(server.secure)
            first.send(hello)
            let behind = try #require(upstream.accept())
            #expect(behind.read(count: hello.count) == hello)
            let second = try RawPeer(server.secure)
            second.send(hello)
            #expect(second.readAll() == "" && second.isEnded && !first.isEnded)
            #expect(first.readAll() == "" && behind.readAll() == "")
        }
        let away = Passage(names: ["turn.example.org"], protocols: [], upstream: try closedPort())
        let lost = Guarded(0)
        try await withServer(passage: away, passageLost: { _ in lost.withLock { $0 += 1 } }) { _ in
            .text("ours")
        } _: { server in
            let peer = try RawPeer(server.secure)
            peer.send(hello)
            #expect(peer.readAll() == "" && peer.isEnded)
            #expect(lost.withLock { $0 } == 1)
        }
    }

    @Test("a server that does not answer is told of as one that is away, and its client waits no longer than it may")
    func mute() async throws {
        // Its queue is full, and nobody takes anything out of it: what comes then has no answer (listen(2)).
        let listening = try StreamSocket.listen(on: .loopback(port: 0), backlog: 0).release()
        defer { close(listening) }
        let address = try #require(StreamSocket.localAddress(listening))
        let waiting = try (0..<4).map { _ in try StreamSocket.connect(to: address).release() }
        defer { for socket in waiting { close(socket) } }
        let mute = Passage(names: ["turn.example.org"], protocols: [], upstream: address)
        let lost = Guarded<SystemError?>(nil)
        var limits = ServerLimits()
        limits.passedConnectTimeout = .milliseconds(300)
        try await withServer(limits: limits, passage: mute, passageLost: { error in lost.withLock { $0 = error as? SystemError } }) { _ in
            .text("ours")
        } _: { server in
            let peer = try RawPeer(server.secure)
            peer.send(Self.hello("turn.example.org"))
            #expect(peer.readAll() == "" && peer.isEnded)
            #expect(lost.withLock { $0 } == SystemError("connect", ETIMEDOUT, on: "\(address)"))
        }
    }

    /// Where nobody listens any more.
    private func closedPort() throws -> SocketAddress {
        let socket = try StreamSocket.listen(on: .loopback(port: 0))
        return try #require(StreamSocket.localAddress(socket.raw))
    }
}
