import Foundation
import HTTP
import Lab
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
        for (name, bytes) in try corpus(.requestHead) where try isSame(bytes, to: nginx, name) { compared += 1 }
        #expect(compared >= 25)
    }

    /// `STRATA_DIFFERENTIAL` tells how many for each of the corpus, and begins elsewhere; a finding is printed with its bytes.
    @Test("so it is with heads that were changed at random: no shape is one request to us and another, or two, to nginx")
    func mutated() throws {
        let nginx = try Nginx()
        let more = ProcessInfo.processInfo.environment["STRATA_DIFFERENTIAL"].flatMap { Int($0) }
        var random = SplitMix64(state: more == nil ? 1 : .random(in: 0 ... .max))
        var compared = 0
        for (name, bytes) in try corpus(.requestHead) {
            for number in 0..<(more ?? 40) {
                let changed = Self.changed(bytes, &random)
                if try isSame(
                    changed, to: nginx, "\(name), change \(number): \(String(reflecting: String(decoding: changed, as: UTF8.self)))")
                {
                    compared += 1
                }
            }
        }
        print("measured: heads that both took: \(compared)")
        #expect(compared >= 250)
    }

    /// One to three changes: a piece that parsers disagree on put in, a byte replaced, a piece taken away or doubled.
    private static func changed(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        let pieces = [
            " ", "\t", "\r", "\n", "\r\n", "\0", ":", ",", ";", "\u{b}", "\u{c}", "\u{7f}", "%00", "%2f", "/../", "//", "?", "#",
            "HTTP/1.0",
            "HTTP/1.1", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding : chunked\r\n", "Content-Length: 5\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: 5, 5\r\n", "content-length: 05\r\n", "Host: other\r\n", "Connection: close\r\n", "Connection: keep-alive\r\n",
            "Expect: 100-continue\r\n", " folded\r\n", "X: y\r\n", "\u{e9}",
        ].map { Array($0.utf8) }
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let at = Int.random(in: 0...bytes.count, using: &random)
            let end = min(bytes.count, at + Int.random(in: 1...8, using: &random))
            switch Int.random(in: 0..<5, using: &random) {
            case 0, 1: bytes.insert(contentsOf: pieces[Int.random(in: 0..<pieces.count, using: &random)], at: at)
            case 2 where at < bytes.count: bytes[at] = .random(in: 0 ... .max, using: &random)
            case 3: bytes.removeSubrange(at..<end)
            default: bytes.insert(contentsOf: bytes[at..<end], at: at)
            }
        }
        return bytes
    }

    /// - Returns: whether both took it; what only we take, or take otherwise, is an issue.
    private func isSame(_ bytes: [UInt8], to nginx: Nginx, _ name: String) throws -> Bool {
        guard let head = acceptedRequestHead(bytes), let (body, length) = Self.body(head.framing) else { return false }
        var parser = RequestHeadParser()
        guard case .head(_, let consumed) = try parser.parse(bytes) else { return false }
        // The marker is the second request exactly where both agree on the end of the first.
        let marker = "GET /marker HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n"
        let answer = try nginx.exchange(Array(bytes[..<consumed]) + body + Array(marker.utf8))
        let seen = try Self.read(answer, head.method)
        let first = try #require(seen.first, "\(name): no answer")
        // nginx may refuse what we accept: nothing gets past it then.
        if first.request == nil {
            #expect(first.status >= 400 && seen.count == 1, "\(name): \(seen)")
            return false
        }
        #expect(first.request == "\(head.method.text) \(head.target)\(length)", "\(name)")
        let rest = seen.dropFirst().map(\.request)
        // nginx looks for these words anywhere in the last such field: one of the two may close where the other would go on, with
        // what they took as the request being the same.
        let text = String(decoding: bytes, as: UTF8.self).lowercased()
        let isClear = !text.contains("close") && !text.contains("keep-alive")
        if !isClear, rest.isEmpty || rest == ["GET /marker"] { return true }
        #expect(rest == (head.keepAlive ? ["GET /marker"] : []), "\(name): \(seen)")
        return true
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
