import Testing

@testable import HTTP

private func response(_ text: String, to method: HTTP.Method = .get) throws -> ResponseHead {
    var parser = ResponseHeadParser()
    guard case .head(let head, _) = try parser.parse(Array(text.utf8), to: method) else { throw Incomplete() }
    return head
}

@Suite struct ResponseHeadTests {
    @Test("the framing follows the request, the status and the fields")
    func framing() throws {
        #expect(try response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").framing == .length(5))
        #expect(try response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", to: .head).framing == .none)
        #expect(try response("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n").framing == .chunked)
        #expect(try response("HTTP/1.1 204 No Content\r\n\r\n").framing == .none)
        #expect(try response("HTTP/1.1 304 \r\nContent-Length: 5\r\n\r\n").framing == .none)
        #expect(try response("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n").framing == .none)
        #expect(try response("HTTP/1.0 200 Connection established\r\n\r\n", to: .connect).framing == .none)
        let open = try response("HTTP/1.1 200 OK\r\n\r\n")
        #expect(open.framing == .untilClose)
        #expect(!open.keepAlive)
    }

    @Test(
        "a malformed response is refused as a bad gateway",
        arguments: [
            "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 x\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\nX: y\n\n", "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        ])
    func refused(_ text: String) {
        #expect { try response(text) } throws: { ($0 as? HTTPFault)?.status == .badGateway }
    }

    @Test("what the writer writes, the parser reads back")
    func roundTrip() throws {
        var headers = Headers([("Content-Type", "text/plain"), ("Content-Length", "2"), ("X", "ä \t b")])
        headers["content-length"] = "3"
        let bytes = try HeadWriter.response(.created, headers)
        var parser = ResponseHeadParser()
        guard case .head(let head, let consumed) = try parser.parse(bytes, to: .post) else { throw Incomplete() }
        #expect(consumed == bytes.count)
        #expect(head.headers == headers)
        #expect(head.status == .created)
        #expect(head.framing == .length(3))
    }

    @Test("no value, name or target injects a line")
    func injection() {
        for bad in ["a\r\nX: y", "a\nb", "a\rb", "a\0b", "\u{7f}"] {
            #expect(throws: HTTPFault.self) { try HeadWriter.response(.ok, Headers([("X", bad)])) }
            #expect(throws: HTTPFault.self) { try HeadWriter.response(.ok, Headers([(bad, "x")])) }
            #expect(throws: HTTPFault.self) { try HeadWriter.request(.get, target: bad, Headers()) }
            #expect(throws: HTTPFault.self) { try SetCookie(name: "a", value: bad).field() }
        }
        #expect(throws: HTTPFault.self) { try HeadWriter.request(.get, target: "/a b", Headers()) }
        #expect(throws: HTTPFault.self) { try HeadWriter.response(.ok, Headers([("a b", "x")])) }
    }
}
