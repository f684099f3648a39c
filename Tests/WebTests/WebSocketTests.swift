import Glibc
import HTTP
import Posix
import TLS
import Testing
import Web

@Suite("WebSockets", .timeLimit(.minutes(1)))
struct WebSocketTests {
    /// Sends every message back.
    private func echo(deflate: Bool = false, _ options: WebSocketOptions = WebSocketOptions()) -> @Sendable (Request) async -> Response {
        { _ in
            .upgrade(deflate: deflate, options: options) { socket in
                do {
                    while let message = try await socket.receive() {
                        switch message {
                        case .text(let text): try await socket.send(text)
                        case .binary(let bytes): try await socket.send(bytes)
                        }
                    }
                } catch { return }
            }
        }
    }

    private func url(_ address: SocketAddress, _ scheme: String = "ws") -> String { "\(scheme)://\(address)/ws" }

    @Test("messages of every size come back over ws and wss, plain and deflated", arguments: [false, true])
    func echoes(deflate: Bool) async throws {
        try await withServer(handler: echo(deflate: deflate)) { server in
            let client = server.client { $0.deflate = deflate }
            for url in [url(server.plain), url(server.secure, "wss")] {
                let socket = try await client.webSocket(url)
                for size in [0, 1, 125, 126, 127, 1000, 65535, 65536, 200_000] {
                    let text = String(repeating: "aé", count: size).prefix(size / 2)
                    try await socket.send(String(text))
                    #expect(try await socket.receive() == .text(String(text)))
                    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) }
                    try await socket.send(bytes)
                    #expect(try await socket.receive() == .binary(bytes))
                }
                await socket.close(.normal, "done")
                #expect(socket.closeCode == .normal)
                #expect(try await socket.receive() == nil)
                await #expect(throws: WebSocketError.self) { try await socket.send("late") }
                #expect(!socket.trySend("late"))
            }
        }
    }

    @Test("texts that connections share come in their order, whole, to those that compress and those that do not, of any size")
    func shared() async throws {
        let sizes = [0, 1, 255, 256, 5000, 20_000, 70_000]
        let texts = (0..<300).map { SharedText("\($0) " + String(repeating: "aé", count: sizes[$0 % sizes.count])) }
        try await withServer { _ in
            .upgrade(deflate: true) { socket in
                // try?: one of them leaves early.
                try? await socket.send(texts)
            }
        } _: { server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (scheme, address) in [("ws", server.plain), ("wss", server.secure)] {
                    for deflate in [false, true] {
                        group.addTask {
                            let socket = try await server.client { $0.deflate = deflate }.webSocket(url(address, scheme))
                            for text in texts { #expect(try await socket.receive() == .text(text.text)) }
                            #expect(try await socket.receive() == nil)
                        }
                    }
                }
                group.addTask {
                    let socket = try await server.client().webSocket(url(server.plain))
                    _ = try await socket.receive()
                    socket.abort()
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("both ends know the same exporter of their TLS connection, and no other has it")
    func exporters() async throws {
        try await withServer { _ in
            .upgrade { socket in
                let value = socket.tlsExporter ?? []
                _ = try? await socket.send(value)
            }
        } _: { server in
            let client = server.client()
            var seen: Set<[UInt8]> = []
            for _ in 0..<3 {
                let socket = try await client.webSocket(url(server.secure, "wss"))
                let mine = try #require(socket.tlsExporter)
                #expect(mine.count == 32)
                #expect(try await socket.receive() == .binary(mine))
                #expect(try await socket.receive() == nil)
                seen.insert(mine)
            }
            #expect(seen.count == 3)
            let plain = try await client.webSocket(url(server.plain))
            #expect(plain.tlsExporter == nil)
        }
    }

    @Test("a server's close reaches the client with its code and reason")
    func serverCloses() async throws {
        try await withServer { _ in
            .upgrade { socket in await socket.close(CloseCode(rawValue: 4001), "revoked") }
        } _: { server in
            let socket = try await server.client().webSocket(url(server.plain))
            #expect(try await socket.receive() == nil)
            #expect(socket.closeCode == CloseCode(rawValue: 4001) && socket.closeReason == "revoked")
        }
    }

    @Test("a handshake that is none is refused: plain GET 426, wrong version 426, bad key 400")
    func refusedHandshakes() async throws {
        try await withServer(handler: echo()) { server in
            let head = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\n"
            for (text, status) in [
                ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 426),
                (head + "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", 426),
                (head + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n", 400),
                (head + "Sec-WebSocket-Version: 13\r\n\r\n", 400),
            ] {
                let peer = try RawPeer(server.plain)
                peer.send(text)
                #expect(peer.readAll().hasPrefix("HTTP/1.1 \(status) "))
            }
            await #expect(throws: WebSocketError.self) {
                _ = try await server.client().webSocket("ws://\(server.plain)/", headers: ["Sec-WebSocket-Version": "13", "Expect": "x"])
            }
        }
    }

    @Test("a handler that refuses an upgrade is seen as its status")
    func refusedByHandler() async throws {
        try await withServer { _ in
            .text("no", status: .unauthorized)
        } _: { server in
            await #expect(throws: WebSocketError.refused(status: 401)) { _ = try await server.client().webSocket(url(server.plain)) }
        }
    }

    @Test("a peer that reads nothing holds back send, drops trySend and costs no more than the high mark")
    func backPressure() async throws {
        var options = WebSocketOptions()
        options.highMark = 100_000
        let dropped = AsyncStream<Int>.makeStream()
        try await withServer { [options] _ in
            .upgrade(options: options) { socket in
                let message = [UInt8](repeating: 7, count: 50_000)
                var sent = 0
                while socket.trySend(message) { sent += 1 }
                dropped.continuation.yield(socket.pendingBytes)
                // Waits for the peer.
                do { try await socket.send("after") } catch { return }
                dropped.continuation.yield(sent)
            }
        } _: { server in
            let peer = try RawPeer(server.plain, receiveBuffer: 8192)
            peer.send(RawFrames.handshake)
            _ = peer.read(to: "\r\n\r\n")
            var numbers = dropped.stream.makeAsyncIterator()
            let pending = await numbers.next() ?? 0
            #expect(pending > 0 && pending <= 100_000 + 50_100)
            var count = 0
            while let frame = RawFrames.read(peer), frame.opcode == 2 { count += 1 }
            #expect(await numbers.next() == count)
        }
    }

    @Test("messages wait for a slow receiver up to the high mark, then the sender is held back")
    func receiverHoldsBack() async throws {
        var options = WebSocketOptions()
        options.highMark = 100_000
        let gate = AsyncStream<Void>.makeStream()
        let total = AsyncStream<Int>.makeStream()
        try await withServer { [options] _ in
            .upgrade(options: options) { socket in
                for await _ in gate.stream { break }
                var count = 0
                while let message = try? await socket.receive(), message != .text("end") { count += 1 }
                total.continuation.yield(count)
            }
        } _: { server in
            var mine = WebSocketOptions()
            mine.highMark = 50_000
            let client = server.client { $0.webSocket = mine }
            let socket = try await client.webSocket(url(server.plain))
            // More than all buffers of both kernels hold: dropped in the end, since nobody reads.
            var sent = 0
            let message = [UInt8](repeating: 1, count: 20_000)
            while sent < 2000, socket.trySend(message) { sent += 1 }
            #expect(sent < 2000)
            gate.continuation.finish()
            try await socket.send("end")
            var numbers = total.stream.makeAsyncIterator()
            #expect(await numbers.next() == sent)
        }
    }

    @Test("a message over the limit ends the connection with 1009, deflated bombs too")
    func limits() async throws {
        var options = WebSocketOptions()
        options.messageLimit = 10_000
        try await withServer(handler: echo(deflate: true, options)) { server in
            for deflate in [false, true] {
                let client = server.client { $0.deflate = deflate }
                let socket = try await client.webSocket(url(server.plain))
                try await socket.send([UInt8](repeating: 0, count: 10_000))
                #expect(try await socket.receive() == .binary([UInt8](repeating: 0, count: 10_000)))
                try await socket.send([UInt8](repeating: 0, count: 10_001))
                #expect(try await socket.receive() == nil)
                #expect(socket.closeCode == .tooBig)
            }
        }
    }

    @Test("silence is asked for a sign of life, and a peer that gives none is gone")
    func pings() async throws {
        var options = WebSocketOptions()
        options.pingInterval = .milliseconds(50)
        options.pongTimeout = .milliseconds(50)
        var patient = options
        patient.pongTimeout = .seconds(5)
        let ends = AsyncStream<WebSocketError?>.makeStream()
        // One that answers is given time, so that a machine that stands still is not its silence.
        let isPatient = Guarded(true)
        try await withServer { [options, patient] _ in
            .upgrade(options: isPatient.withLock { $0 } ? patient : options) { socket in
                do {
                    while let message = try await socket.receive() { if case .text(let text) = message { try await socket.send(text) } }
                    ends.continuation.yield(nil)
                } catch { ends.continuation.yield(error as? WebSocketError) }
            }
        } _: { server in
            // One that answers lives on.
            let socket = try await server.client().webSocket(url(server.plain))
            try await server.loops[0].sleep(for: .milliseconds(250))
            try await socket.send("still here")
            #expect(try await socket.receive() == .text("still here"))
            #expect(try await socket.ping(timeout: .seconds(1)) < .seconds(1))
            await socket.close()
            // One that does not is given up.
            isPatient.withLock { $0 = false }
            let peer = try RawPeer(server.plain)
            peer.send(RawFrames.handshake)
            _ = peer.read(to: "\r\n\r\n")
            #expect(RawFrames.read(peer)?.opcode == 9)
            #expect(RawFrames.read(peer) == nil)
            var seen = ends.stream.makeAsyncIterator()
            #expect(await seen.next() == .some(nil))
            #expect(await seen.next() == .silent)
        }
    }

    @Test(
        "a peer that still takes what was sent before the question is waited for, to a limit", arguments: [1.5, 30])
    func slowWay(_ limit: Double) async throws {
        var options = WebSocketOptions()
        options.pingInterval = .milliseconds(50)
        options.pongTimeout = .seconds(1)
        options.slowPongTimeout = .seconds(limit)
        let ends = AsyncStream<(WebSocketError?, Instant)>.makeStream()
        try await withServer { [options] _ in
            .upgrade(options: options) { socket in
                do {
                    try await socket.send([UInt8](repeating: 0, count: 200_000))
                    _ = try await socket.receive()
                } catch { ends.continuation.yield((error as? WebSocketError, .now)) }
            }
        } _: { server in
            let peer = try RawPeer(server.plain, receiveBuffer: 4096)
            peer.send(RawFrames.handshake)
            // What lies before the question is taken within about three seconds.
            let begin = Instant.now
            var taken = 0
            while case let part = peer.read(4096), !part.isEmpty {
                taken += part.count
                try await server.loops[0].sleep(for: .milliseconds(60))
            }
            var seen = ends.stream.makeAsyncIterator()
            let (error, at) = try #require(await seen.next())
            #expect(error == .silent)
            // With the answer it would have gone on; without it, it ends soon after the question was there.
            let took = at - begin
            #expect(
                limit < 2 ? took < .milliseconds(2500) : took > .milliseconds(2500) && taken > 200_000, "\(taken) bytes in \(took)")
        }
    }

    @Test("a ping of ours to a peer that is silent ends by its timeout")
    func pingTimeout() async throws {
        let ends = AsyncStream<WebSocketError?>.makeStream()
        try await withServer { _ in
            .upgrade { socket in
                do { _ = try await socket.ping(timeout: .milliseconds(20)) } catch { ends.continuation.yield(error as? WebSocketError) }
            }
        } _: { server in
            let peer = try RawPeer(server.plain)
            peer.send(RawFrames.handshake)
            var seen = ends.stream.makeAsyncIterator()
            #expect(await seen.next() == .silent)
        }
    }

    @Test("a connection that breaks throws at the receiver, and a cancelled receive leaves the socket alive")
    func breaks() async throws {
        try await withServer(handler: echo()) { server in
            let socket = try await server.client().webSocket(url(server.plain))
            let receiver = server.loops[0].spawn {
                await #expect(throws: CancellationError.self) { _ = try await socket.receive() }
            }
            receiver.cancel()
            await receiver.value
            try await socket.send("x")
            #expect(try await socket.receive() == .text("x"))
        }
        let ends = AsyncStream<Bool>.makeStream()
        try await withServer { _ in
            .upgrade { socket in
                do {
                    while try await socket.receive() != nil {}
                    ends.continuation.yield(false)
                } catch { ends.continuation.yield(true) }
            }
        } _: { server in
            do {
                let peer = try RawPeer(server.plain)
                peer.send(RawFrames.handshake)
                _ = peer.read(to: "\r\n\r\n")
            }
            var seen = ends.stream.makeAsyncIterator()
            #expect(await seen.next() == true)
        }
    }

    @Test("many threads may send at once: every message comes whole")
    func manySenders() async throws {
        try await withServer(loops: 2, handler: echo()) { server in
            let socket = try await server.client().webSocket(url(server.plain))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask { try await socket.send(String(repeating: "\(number),", count: number)) }
                }
                try await group.waitForAll()
            }
            var seen: Set<String> = []
            for _ in 0..<200 { if case .text(let text) = try await socket.receive() { seen.insert(text) } }
            #expect(seen == Set((0..<200).map { String(repeating: "\($0),", count: $0) }))
        }
    }
}
