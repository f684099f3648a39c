import HTTP
import Testing

@testable import Fuzz

/// What nginx made of the bytes we sent: an answer each for the requests it saw.
private struct Seen: Equatable {
    var status: Int
    /// `METHOD target length`, as its back saw it; nil for what nginx answered itself.
    var request: String?
}

@Suite struct NginxDifferentialTests {
    @Test("what we accept is the same single request to nginx: method, target and length of the body")
    func differential() throws {
        let nginx = try Nginx()
        var compared = 0
        for (name, bytes) in try corpus(.requestHead) {
            guard let head = acceptedRequestHead(bytes), let (body, length) = Self.body(head.framing) else { continue }
            var headBytes: [UInt8] = bytes
            var parser = RequestHeadParser()
            guard case .head(_, let consumed) = try parser.parse(bytes) else { continue }
            headBytes = Array(bytes[..<consumed])
            // The marker is the second request exactly where both agree on the end of the first.
            let marker = "GET /marker HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n"
            let answer = try nginx.exchange(headBytes + body + Array(marker.utf8))
            let seen = try Self.read(answer, head.method)
            let first = try #require(seen.first, "\(name): no answer")
            // nginx may refuse what we accept: nothing gets past it then.
            if first.request == nil {
                #expect(first.status >= 400 && seen.count == 1, "\(name): \(seen)")
                continue
            }
            compared += 1
            #expect(first.request == "\(head.method.text) \(head.target)\(length)", "\(name)")
            let rest = seen.dropFirst().map(\.request)
            #expect(rest == (head.keepAlive ? ["GET /marker"] : []), "\(name): \(seen)")
        }
        #expect(compared >= 25)
    }

    /// A body as the head announces it, and the length that a proxy that read it passes on, behind a space; nil for one too long to send.
    private static func body(_ framing: BodyFraming) -> (bytes: [UInt8], length: String)? {
        switch framing {
        case .none, .untilClose: return ([], "")
        case .length(let count): return count <= 65536 ? ([UInt8](repeating: 0x78, count: count), " \(count)") : nil
        case .chunked:
            let chunk = [UInt8](repeating: 0x78, count: 100)
            return (HeadWriter.chunkStart(100) + chunk + HeadWriter.chunkEnd + HeadWriter.lastChunk, " 100")
        }
    }

    /// The answers in a connection's bytes.
    private static func read(_ bytes: [UInt8], _ method: HTTP.Method) throws -> [Seen] {
        var seen: [Seen] = []
        var index = 0
        while index < bytes.count {
            var parser = ResponseHeadParser()
            let asked = seen.isEmpty ? method : .get
            guard case .head(let head, let consumed) = try parser.parse(bytes, index..<bytes.count, to: asked) else { break }
            index += consumed
            switch head.framing {
            case .length(let count): index += count
            case .chunked:
                var decoder = ChunkedDecoder()
                var body: [UInt8] = []
                index += try decoder.decode(bytes, index..<bytes.count, into: &body)
            case .none: break
            case .untilClose: index = bytes.count
            }
            if !head.status.isInformational { seen.append(Seen(status: head.status.code, request: head.headers["X-Saw"])) }
        }
        return seen
    }
}
