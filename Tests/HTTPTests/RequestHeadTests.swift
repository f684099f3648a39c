import Testing

@testable import HTTP

/// Parses a whole head given at once.
func request(_ text: String, limits: HeadLimits = .standard) throws -> RequestHead {
    var parser = RequestHeadParser(limits: limits)
    guard case .head(let head, _) = try parser.parse(Array(text.utf8)) else { throw Incomplete() }
    return head
}

struct Incomplete: Error {}

func status(_ text: String, limits: HeadLimits = .standard) -> Int? {
    do {
        _ = try request(text, limits: limits)
        return nil
    } catch {
        return (error as? HTTPFault)?.status.code ?? -1
    }
}

@Suite struct RequestHeadTests {
    @Test("a browser's request is read whole")
    func browser() throws {
        let head = try request(
            "GET /a%20b/c?x=1&y=%C3%A4+z&x=2 HTTP/1.1\r\nHost: Example.org:8443\r\nAccept: */*\r\ncookie: a=b; c=\"d\"\r\nX-Empty:\r\n\r\n")
        #expect(head.method == .get)
        #expect(head.target == "/a%20b/c?x=1&y=%C3%A4+z&x=2")
        #expect(head.path == "/a b/c")
        #expect(head.query.map { "\($0.0)=\($0.1)" } == ["x=1", "y=ä z", "x=2"])
        #expect(head.host == "Example.org:8443")
        #expect(head.framing == .none)
        #expect(head.keepAlive)
        #expect(head.headers["ACCEPT"] == "*/*")
        #expect(head.headers["x-empty"] == "")
        #expect(head.headers.count == 4)
        #expect(Cookies.value("c", head.headers) == "d")
    }

    @Test("a head that arrives byte by byte is the same as one that arrives at once, and what follows is left")
    func byteByByte() throws {
        let text = Array("\r\nPOST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /".utf8)
        var parser = RequestHeadParser()
        for end in 0..<text.count {
            guard case .head(let head, let consumed) = try parser.parse(text, 0..<end) else { continue }
            #expect(end == text.count - 8)
            #expect(consumed == text.count - 8)
            #expect(head.framing == .length(3))
            return
        }
        Issue.record("never complete")
    }

    @Test("one parser reads the requests of a connection one after the other")
    func pipelined() throws {
        let one = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
        let bytes = Array((one + one.replacing("1 ", with: "2 ")).utf8)
        var parser = RequestHeadParser()
        guard case .head(let first, let consumed) = try parser.parse(bytes) else { throw Incomplete() }
        guard case .head(let second, _) = try parser.parse(bytes, consumed..<bytes.count) else { throw Incomplete() }
        #expect(first.path == "/1")
        #expect(second.path == "/2")
    }

    @Test(
        "a shape that another parser could read in a second way is refused",
        arguments: [
            // Two lengths (RFC 9112 section 6.3).
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
            // Lengths that are not digits.
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3 3\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551619\r\n\r\n",
            // Lines (sections 2.2 and 5).
            "GET / HTTP/1.1\nHost: a\n\n",
            "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n X: y\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\tX: y\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX(: y\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX: \u{7f}\r\n\r\n",
            "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
            "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            // The request line (section 3).
            "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
            "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /\r\nHost: a\r\n\r\n",
            " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "get / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / http/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1x\r\nHost: a\r\n\r\n",
            // Host (section 3.2).
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost:\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a:0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
            // Targets.
            "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET a HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /\u{1}x HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /ä HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /../x HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a/.. HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /./x HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /%2e%2e/x HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /.%2E HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a%2fb HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a%5Cb HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a%0d%0ab HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a%ffb HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a%4 HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a%zz HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /?a=%4 HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /?a#b HTTP/1.1\r\nHost: a\r\n\r\n",
        ])
    func refused(_ text: String) {
        #expect(status(text) == 400)
    }

    @Test("what is understood but not done says so by its status")
    func statuses() {
        #expect(status("GET / HTTP/2.0\r\nHost: a\r\n\r\n") == 505)
        #expect(status("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n") == 501)
        #expect(status("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n") == 501)
        #expect(status("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n") == 501)
        #expect(status("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \u{b}chunked\r\n\r\n") == 400)
        #expect(status("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked,\r\n\r\n") == 501)
    }

    @Test("what the RFC allows is read")
    func allowed() throws {
        #expect(try request("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").path == "*")
        #expect(try request("GET http://A:80/x?y HTTP/1.1\r\nHost: a:80\r\n\r\n").target == "/x?y")
        #expect(try request("GET /...;a=b/%7Euser//x HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n").path == "/...;a=b/~user//x")
        #expect(try request("POST / HTTP/1.1\r\nHost:a\r\nTransfer-Encoding:\tChunked \r\n\r\n").framing == .chunked)
        #expect(try request("GET / HTTP/1.0\r\n\r\n").keepAlive == false)
        #expect(try request("GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n").keepAlive)
        #expect(try request("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade,CLOSE\r\n\r\n").keepAlive == false)
        #expect(try request("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\n").expectsContinue)
        #expect(try request("GET /?a=[1]|{2} HTTP/1.1\r\nHost: a\r\n\r\n").query("a") == "[1]|{2}")
    }

    @Test("a head over a bound is refused, also before it is complete")
    func bounds() {
        let limits = HeadLimits(bytes: 200, fields: 3, targetBytes: 50)
        func padded(_ count: Int) -> String { String(repeating: "a", count: count) }
        #expect(status("GET /\(padded(60)) HTTP/1.1\r\nHost: a\r\n\r\n", limits: limits) == 414)
        #expect(status("GET /\(padded(300))", limits: limits) == 414)
        #expect(status("GET / HTTP/1.1\r\nHost: a\r\nX: \(padded(300))", limits: limits) == 431)
        #expect(status("GET / HTTP/1.1\r\nHost: a\r\nX:\r\nX:\r\n\r\n", limits: limits) == nil)
        #expect(status("GET / HTTP/1.1\r\nHost: a\r\nX:\r\nX:\r\nX:\r\n\r\n", limits: limits) == 431)
    }
}
