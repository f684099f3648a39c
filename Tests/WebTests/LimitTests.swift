import Glibc
import HTTP
import Posix
import Testing
import Web

@Suite("Limits and ends", .timeLimit(.minutes(1)))
struct LimitTests {
    private func limits(_ change: (inout ServerLimits) -> Void) -> ServerLimits {
        var limits = ServerLimits()
        change(&limits)
        return limits
    }

    @Test(
        "a head that does not come to its end is answered 408, a silent connection just closes",
        arguments: ["", "GET / HT", "GET / HTTP/1.1\r\nHost"])
    func slowHead(text: String) async throws {
        try await withServer(limits: limits { $0.headTimeout = .milliseconds(100) }) { _ in
            .text("")
        } _: { server in
            let start = Instant.now
            let peer = try RawPeer(server.plain)
            peer.send(text)
            let answer = peer.readAll()
            #expect(text.isEmpty ? answer.isEmpty : answer.hasPrefix("HTTP/1.1 408 "))
            #expect(peer.isEnded && Instant.now - start >= .milliseconds(95))
        }
    }

    @Test("dribbling a byte at a time does not extend the time for a head")
    func dribbledHead() async throws {
        try await withServer(limits: limits { $0.headTimeout = .milliseconds(150) }) { _ in
            .text("")
        } _: { server in
            let peer = try RawPeer(server.plain)
            let start = Instant.now
            var isOpen = true
            for byte in Array(
                "GET / HTTP/1.1\r\nHost: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".utf8)
            where isOpen {
                isOpen = peer.send([byte])
                try await server.loops[0].sleep(for: .milliseconds(5))
                if Instant.now - start > .milliseconds(300) { break }
            }
            #expect(peer.readAll().hasPrefix("HTTP/1.1 408 "))
        }
    }

    @Test("a connection without requests is closed after the idle time, also between requests")
    func idle() async throws {
        try await withServer(limits: limits { $0.idleTimeout = .milliseconds(100) }) { _ in
            .text("")
        } _: { server in
            let peer = try RawPeer(server.plain)
            peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(peer.response().head.hasPrefix("HTTP/1.1 200"))
            #expect(peer.readAll() == "" && peer.isEnded)
        }
    }

    @Test("a body that pauses too long is told to the handler, whose answer is the last")
    func slowBody() async throws {
        try await withServer(limits: limits { $0.bodyTimeout = .milliseconds(100) }) { request in
            do { return .text("\(try await request.body.collect(upTo: 100).count)") } catch {
                return .text("\(error)", status: (error as? BodyFault)?.status ?? .internalError)
            }
        } _: { server in
            let peer = try RawPeer(server.plain)
            peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
            #expect(peer.readAll().hasPrefix("HTTP/1.1 408 ") && peer.isEnded)
        }
    }

    @Test("a body that dribbles below the least rate is ended, though it never pauses")
    func dribbledBody() async throws {
        let slow = limits {
            $0.bodyTimeout = .milliseconds(100)
            $0.bodyRate = 1000
        }
        try await withServer(limits: slow) { request in
            do { return .text("\(try await request.body.collect(upTo: 1 << 20).count)") } catch {
                return .text("\(error)", status: (error as? BodyFault)?.status ?? .internalError)
            }
        } _: { server in
            let peer = try RawPeer(server.plain)
            peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
            for _ in 0..<40 {
                peer.send("x")
                try await server.loops[0].sleep(for: .milliseconds(5))
            }
            #expect(peer.readAll().hasPrefix("HTTP/1.1 408 ") && peer.isEnded)
        }
    }

    @Test("a peer that takes nothing of its response is dropped after its time")
    func slowReader() async throws {
        try await withServer(limits: limits { $0.writeTimeout = .milliseconds(150) }) { _ in
            Response(.ok, body: .bytes([UInt8](repeating: 0, count: 20_000_000)))
        } _: { server in
            let peer = try RawPeer(server.plain, receiveBuffer: 8192)
            peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            while server.server.connectionCount == 0 { await Task.yield() }
            let start = Instant.now
            while server.server.connectionCount > 0, Instant.now - start < .seconds(5) {
                try await server.loops[0].sleep(for: .milliseconds(10))
            }
            #expect(server.server.connectionCount == 0)
        }
    }

    @Test("connections over the caps are closed at once, and there is room again when others go")
    func caps() async throws {
        for capped in [limits { $0.connections = 3 }, limits { $0.connectionsPerAddress = 3 }] {
            try await withServer(limits: capped) { _ in
                .text("ok")
            } _: { server in
                var peers = try (0..<3).map { _ in try RawPeer(server.plain) }
                for peer in peers {
                    peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                    #expect(peer.response().body == "ok")
                }
                let refused = try RawPeer(server.plain)
                #expect(refused.readAll() == "" && refused.isEnded)
                peers.removeLast()
                while server.server.connectionCount > 2 { await Task.yield() }
                let next = try RawPeer(server.plain)
                next.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(next.response().body == "ok")
            }
        }
    }

    @Test("a trusted proxy may have more connections than an address")
    func proxyCap() async throws {
        try await withServer(limits: limits { $0.connectionsPerAddress = 1 }, proxies: ["127.0.0.1"]) { _ in
            .text("ok")
        } _: { server in
            let peers = try (0..<3).map { _ in try RawPeer(server.plain) }
            for peer in peers {
                peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(peer.response().body == "ok")
            }
        }
    }

    @Test("pipelined requests beyond the mark wait at the peer")
    func pipeline() async throws {
        let gate = AsyncStream<Void>.makeStream()
        try await withServer { request in
            if request.path == "/first" { for await _ in gate.stream { break } }
            return .text(request.path)
        } _: { server in
            let peer = try RawPeer(server.plain)
            peer.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n")
            for number in 0..<2000 { peer.send("GET /\(number) HTTP/1.1\r\nHost: a\r\n\r\n") }
            gate.continuation.finish()
            #expect(peer.response().body == "/first")
            for number in 0..<2000 { #expect(peer.response().body == "/\(number)") }
        }
    }

    @Test("shutdown refuses new connections, finishes answers, closes idle ones and tells WebSockets 1001")
    func shutdown() async throws {
        try await onThread {
            let gate = AsyncStream<Void>.makeStream()
            let begun = AsyncStream<Void>.makeStream()
            let server = try await TestServer { request in
                if request.path == "/ws" {
                    return .upgrade { socket in while (try? await socket.receive()) != nil {} }
                }
                if request.path == "/slow" {
                    begun.continuation.yield()
                    for await _ in gate.stream { break }
                }
                return .text("answer")
            }
            let idle = try RawPeer(server.plain)
            idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(idle.response().body == "answer")
            let busy = try RawPeer(server.plain)
            busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            for await _ in begun.stream { break }
            let loop = try Loop(name: "client")
            var options = ClientOptions()
            options.trust = .pinnedCA(sha256: try server.certificates.authority.fingerprint)
            let socket = try await Client(loop: loop, options: options).webSocket("wss://\(server.secure)/ws")
            let shutdown = Task { await server.server.shutdown(grace: .seconds(10)) }
            #expect(try await socket.receive() == nil)
            #expect(socket.closeCode == .goingAway)
            #expect(idle.readAll() == "" && idle.isEnded)
            #expect(throws: SystemError.self) { _ = try RawPeer(server.plain) }
            gate.continuation.finish()
            let last = busy.response()
            #expect(last.body == "answer" && last.head.contains("Connection: close"))
            #expect(busy.readAll() == "" && busy.isEnded)
            await shutdown.value
            #expect(server.server.connectionCount == 0)
            for loop in server.loops + [loop] { loop.stop() }
        }
    }

    @Test("what does not end by itself is cut after the grace")
    func cut() async throws {
        try await onThread {
            let server = try await TestServer { request in
                if request.path == "/ws" { return .upgrade { socket in while (try? await socket.receive()) != nil {} } }
                try? await request.waitForCancellation()
                return .text("late")
            }
            let busy = try RawPeer(server.plain)
            busy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            let socket = try RawPeer(server.plain)
            socket.send(RawFrames.handshake)
            _ = socket.read(to: "\r\n\r\n")
            let start = Instant.now
            await server.server.shutdown(grace: .milliseconds(100))
            #expect(Instant.now - start < .seconds(2))
            #expect(busy.readAll() == "" && busy.isEnded)
            for loop in server.loops { loop.stop() }
        }
    }

    @Test("a flood of connections that say nothing does not keep others from being answered")
    func flood() async throws {
        try await withServer(loops: 2, limits: limits { $0.connectionsPerAddress = 1000 }) { _ in
            .text("ok")
        } _: { server in
            let silent = try (0..<300).map { _ in try RawPeer(server.secure) }
            let response = try await server.client().request(.get, server.https + "/")
            #expect(response.status == .ok)
            #expect(silent.count == 300)
        }
    }
}
