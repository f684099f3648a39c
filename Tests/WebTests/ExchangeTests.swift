import Crypto
import Glibc
import HTTP
import Posix
import TLS
import Testing
import Web

@Suite("Requests and responses", .timeLimit(.minutes(1)))
struct ExchangeTests {
    private let echo: @Sendable (Request) async -> Response = { request in
        do {
            let body = try await request.body.collect(upTo: 1 << 20)
            return .text("\(request.method) \(request.path) \(body.count)")
        } catch {
            return .text("\(error)", status: (error as? BodyFault)?.status ?? .internalError)
        }
    }

    @Test("a request is answered over HTTP and HTTPS, IPv4 and IPv6", arguments: ["127.0.0.1", "::1"])
    func roundTrips(host: String) async throws {
        try await withServer(host: host, handler: echo) { server in
            let client = server.client()
            for base in [server.http, server.https] {
                let got = try await client.request(.get, base + "/a%20b?c=d")
                #expect(got.status == .ok && String(decoding: got.body, as: UTF8.self) == "GET /a b 0")
                let posted = try await client.request(.post, base + "/x", body: [UInt8](repeating: 1, count: 300_000))
                #expect(String(decoding: posted.body, as: UTF8.self) == "POST /x 300000")
                #expect(posted.headers["Date"] != nil)
            }
        }
    }

    @Test("requests follow each other on a connection, also when they come together")
    func keepAlive() async throws {
        try await withServer(handler: echo) { server in
            let peer = try RawPeer(server.plain)
            for number in 0..<3 {
                peer.send("GET /\(number) HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(peer.response().body == "GET /\(number) 0")
            }
            peer.send(
                "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nHost: a\r\n\r\n"
                    + "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\nabcd\r\n0\r\nT: 1\r\n\r\n"
                    + "GET /d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            for expected in ["POST /a 3", "GET /b 0", "POST /c 7"] { #expect(peer.response().body == expected) }
            let last = peer.response()
            #expect(last.body == "GET /d 0" && last.head.contains("Connection: close\r\n"))
            #expect(peer.readAll() == "" && peer.isEnded)
        }
    }

    @Test("HTTP/1.0 closes unless it is asked to keep the connection")
    func oldVersion() async throws {
        try await withServer(handler: echo) { server in
            let peer = try RawPeer(server.plain)
            peer.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(peer.response().head.contains("Connection: keep-alive"))
            peer.send("GET / HTTP/1.0\r\n\r\n")
            #expect(peer.readAll().hasSuffix("GET / 0") && peer.isEnded)
        }
    }

    @Test(
        "what is no request is refused with its status and the connection closes",
        arguments: [
            ("GET / HTTP/1.1\r\n\r\n", 400), ("BAD\r\n\r\n", 400), ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 20_000) + "\r\n\r\n", 431),
            ("GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", 417), ("GET /../etc HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ])
    func refusals(text: String, status: Int) async throws {
        try await withServer(handler: echo) { server in
            let peer = try RawPeer(server.plain)
            peer.send(text)
            #expect(peer.readAll().hasPrefix("HTTP/1.1 \(status) "))
        }
    }

    @Test("a chunked body that is malformed is told to the handler, and its answer is the last")
    func malformedChunks() async throws {
        try await withServer(handler: echo) { server in
            let peer = try RawPeer(server.plain)
            peer.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")
            #expect(peer.readAll().hasPrefix("HTTP/1.1 400 "))
        }
    }

    @Test("a client that expects 100 is told to go on when the body is read, and not before")
    func expectContinue() async throws {
        try await withServer { request in
            if request.path == "/no" { return .text("no", status: .forbidden) }
            return .text("\((try? await request.body.collect(upTo: 100).count) ?? -1)")
        } _: { server in
            let peer = try RawPeer(server.plain)
            peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
            #expect(peer.read(to: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            peer.send("hello")
            #expect(peer.response().body == "5")
            peer.send("POST /no HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
            let refusal = peer.response()
            #expect(refusal.head.hasPrefix("HTTP/1.1 403") && refusal.head.contains("Connection: close"))
        }
    }

    @Test("HEAD has the head of GET and no body")
    func head() async throws {
        try await withServer { _ in
            .text("hello")
        } _: { server in
            let peer = try RawPeer(server.plain)
            peer.send("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let text = peer.readAll()
            #expect(text.contains("Content-Length: 5\r\n") && text.hasSuffix("\r\n\r\n"))
        }
    }

    @Test("what cannot stand in a field is not sent: no response is split")
    func injection() async throws {
        try await withServer { request in
            var response = Response.text("x")
            response.headers.add("X-Name", "a\r\nSet-Cookie: evil=1")
            return response
        } _: { server in
            let response = try await server.client().request(.get, server.http + "/")
            #expect(response.status == .internalError && response.headers["Set-Cookie"] == nil)
        }
    }
}
