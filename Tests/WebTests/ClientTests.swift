import Crypto
import Glibc
import HTTP
import Posix
import Support
import TLS
import Testing
import Web

@Suite("Client", .timeLimit(.minutes(1)))
struct ClientTests {
    private let hello: @Sendable (Request) async -> Response = { request in
        if request.path == "/ws" { return .upgrade { socket in try? await socket.send("hello") } }
        return .text("hello \(request.head.host)")
    }

    /// Does what it is told with one connection, in a thread of its own.
    private func fakeServer(_ answer: @escaping @Sendable (CInt) -> Void) throws -> SocketAddress {
        let listener = try StreamSocket.listen(on: .loopback(port: 0))
        let address = try #require(StreamSocket.localAddress(listener.raw))
        let raw = listener.release()
        _ = fcntl(raw, F_SETFL, 0)
        let thread = try Loop(name: "fake")
        thread.submit {
            let accepted = accept(raw, nil, nil)
            answer(accepted)
            close(accepted)
            close(raw)
            thread.stop()
        }
        return address
    }

    private func answering(_ text: String) throws -> SocketAddress {
        try fakeServer { socket in
            var buffer = [UInt8](repeating: 0, count: 4096)
            _ = read(socket, &buffer, buffer.count)
            _ = Glibc.write(socket, text, text.utf8.count)
            // Until the client has closed.
            Glibc.shutdown(socket, CInt(SHUT_WR))
            while read(socket, &buffer, buffer.count) > 0 {}
        }
    }

    @Test("requests and WebSockets go through a proxy that knows only CONNECT, to the name the URL has")
    func proxy() async throws {
        try await withServer(handler: hello) { server in
            let folder = server.certificates.folder
            let port = try FreePorts.tcp()
            let configuration = "\(folder)/tinyproxy.conf"
            defer { unlink(configuration) }
            try write(
                "Port \(port)\nListen 127.0.0.1\nTimeout 30\nConnectPort \(server.secure.port)\nLogLevel Critical\n", to: configuration)
            let tinyproxy = try ChildProcess.start("/usr/bin/tinyproxy", ["-d", "-c", configuration], output: .null, error: .null)
            defer { tinyproxy.signal(SIGKILL) }
            let client = server.client { $0.proxy = .init(host: "127.0.0.1", port: port) }
            var response: ClientResponse?
            for _ in 0..<100 where response == nil && tinyproxy.exitStatus == nil {
                do { response = try await client.request(.get, "https://localhost:\(server.secure.port)/") } catch ClientError.unreachable {
                    try await server.loops[0].sleep(for: .milliseconds(20))
                }
            }
            #expect(response.map { String(decoding: $0.body, as: UTF8.self) } == "hello localhost:\(server.secure.port)")
            let socket = try await client.webSocket("wss://localhost:\(server.secure.port)/ws")
            #expect(try await socket.receive() == .text("hello"))
            // Another port than the proxy allows.
            do {
                _ = try await client.request(.get, "https://localhost:1/")
                Issue.record("the proxy allowed it")
            } catch ClientError.proxyRefused(let status) { #expect(status == 403) }
        }
    }

    @Test("a connection can be pinned to an interface, and one that is not there is an error")
    func devices() async throws {
        try await withServer(handler: hello) { server in
            let pinned = server.client { $0.bindToDevice = "lo" }
            #expect(try await pinned.request(.get, server.https + "/").status == .ok)
            do {
                _ = try await server.client { $0.bindToDevice = "nosuchdevice" }.request(.get, server.https + "/")
                Issue.record("it connected")
            } catch ClientError.unreachable(let reason) { #expect(reason.contains("nosuchdevice")) }
        }
    }

    @Test("cached addresses are tried in order, dead ones too, and the one that answered is told")
    func addresses() async throws {
        try await withServer(handler: hello) { server in
            // TEST-NET-1 (RFC 5737) answers nothing.
            let silent = try #require(SocketAddress("192.0.2.1", port: 443))
            let closedPort = SocketAddress.loopback(port: 1)
            let client = server.client { $0.addresses = [closedPort, silent, server.secure] }
            let response = try await client.request(.get, "https://localhost/")
            #expect(response.address == server.secure)
            do {
                _ = try await server.client { $0.addresses = [closedPort] }.request(.get, "https://localhost/")
                Issue.record("it connected")
            } catch ClientError.unreachable(let reason) { #expect(reason.contains("127.0.0.1:1")) }
        }
    }

    @Test("connecting and waiting end in time, and by cancellation")
    func timeouts() async throws {
        let loop = try Loop(name: "client")
        let silent = try fakeServer { socket in
            var buffer = [UInt8](repeating: 0, count: 4096)
            while read(socket, &buffer, buffer.count) > 0 {}
        }
        var options = ClientOptions()
        options.connectTimeout = .milliseconds(100)
        options.responseTimeout = .milliseconds(100)
        let client = Client(loop: loop, options: options)
        // The handshake, since nothing answers it.
        do {
            _ = try await client.request(.get, "https://\(silent)/")
            Issue.record("it answered")
        } catch ClientError.timedOut {}
        let other = try fakeServer { socket in
            var buffer = [UInt8](repeating: 0, count: 4096)
            while read(socket, &buffer, buffer.count) > 0 {}
        }
        do {
            _ = try await client.request(.get, "http://\(other)/")
            Issue.record("it answered")
        } catch ClientError.timedOut(let what) { #expect(what.contains("response")) }
        let third = try fakeServer { socket in
            var buffer = [UInt8](repeating: 0, count: 4096)
            while read(socket, &buffer, buffer.count) > 0 {}
        }
        let task = Task { _ = try await Client(loop: loop).request(.get, "http://\(third)/") }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        loop.stop()
    }

    @Test(
        "an answer that is none, or not whole, is an error",
        arguments: [
            "nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            "", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Le",
        ])
    func brokenAnswers(text: String) async throws {
        let loop = try Loop(name: "client")
        let address = try answering(text)
        await #expect(throws: (any Error).self) { _ = try await Client(loop: loop).request(.get, "http://\(address)/") }
        loop.stop()
    }

    @Test("interim answers are passed over, and a body may end with its connection")
    func oddAnswers() async throws {
        let loop = try Loop(name: "client")
        let address = try answering(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.0 200 OK\r\n\r\nto the end")
        let response = try await Client(loop: loop).request(.post, "http://\(address)/", body: [1])
        #expect(String(decoding: response.body, as: UTF8.self) == "to the end")
        loop.stop()
    }

    @Test(
        "a WebSocket answer that does not prove the handshake is refused",
        arguments: [
            "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        ])
    func badHandshakes(text: String) async throws {
        let loop = try Loop(name: "client")
        let address = try answering(text)
        await #expect(throws: WebSocketError.self) { _ = try await Client(loop: loop).webSocket("ws://\(address)/") }
        loop.stop()
    }

    @Test("a URL that is none is refused before anything is dialled", arguments: ["", "ftp://a/", "https://", "https://u:p@a/", "ws://a/"])
    func urls(url: String) async throws {
        let loop = try Loop(name: "client")
        do {
            _ = try await Client(loop: loop).request(.get, url)
            Issue.record("it was taken")
        } catch ClientError.url {}
        loop.stop()
    }

    @Test("a name that cannot be resolved is told as such")
    func names() async throws {
        let loop = try Loop(name: "client")
        await #expect(throws: ResolveError.self) { _ = try await Client(loop: loop).request(.get, "http://no-such-host.invalid/") }
        loop.stop()
    }
}
