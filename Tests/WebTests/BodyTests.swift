import Glibc
import HTTP
import Posix
import Testing
import Web

@Suite("Bodies", .timeLimit(.minutes(1)))
struct BodyTests {
    /// A file of pseudo-random bytes that is gone at the end of the test.
    final class Sample {
        let path = "/tmp/strata-web-body-\(getpid())-\(UInt32.random(in: 0..<UInt32.max))"
        let bytes: [UInt8]

        init(_ count: Int) throws {
            var state: UInt64 = 42
            let block = (0..<min(count, 10_007)).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: state >> 33)
            }
            // A period that fits no buffer.
            bytes = Array(repeatElement(block, count: count / max(1, block.count) + 1).joined().prefix(count))
            try write(bytes, to: path)
        }

        deinit { unlink(path) }
    }

    /// Adler-32, to compare large bodies without keeping them.
    static func sum(_ bytes: [UInt8], _ start: (UInt32, UInt32) = (1, 0)) -> (UInt32, UInt32) {
        var (a, b) = start
        for byte in bytes {
            a = (a &+ UInt32(byte)) % 65521
            b = (b &+ a) % 65521
        }
        return (a, b)
    }

    private func file(_ path: String) -> @Sendable (Request) async -> Response {
        { _ in
            do {
                let file = try FileBody(path: path)
                var response = Response(.ok, headers: ["Content-Type": "video/mp4"], body: .file(file))
                response.headers["ETag"] = file.entityTag()
                response.headers["Last-Modified"] = HTTPDate.format(file.modified)
                return response
            } catch { return .text("\(error)", status: .notFound) }
        }
    }

    @Test("a file arrives whole over HTTP and HTTPS, and by ranges")
    func files() async throws {
        let sample = try Sample(700_001)
        try await withServer(handler: file(sample.path)) { server in
            let client = server.client()
            for base in [server.http, server.https] {
                let whole = try await client.request(.get, base + "/")
                #expect(whole.body == sample.bytes && whole.headers["Accept-Ranges"] == "bytes")
                for (range, expected) in [
                    ("bytes=0-0", 0...0), ("bytes=100-199999", 100...199_999), ("bytes=-5", 699_996...700_000),
                    ("bytes=699999-", 699_999...700_000), ("bytes=0-9999999", 0...700_000),
                ] {
                    let part = try await client.request(.get, base + "/", headers: ["Range": range])
                    #expect(part.status == .partialContent && part.body == Array(sample.bytes[expected]), "\(range)")
                    #expect(part.headers["Content-Range"] == "bytes \(expected.lowerBound)-\(expected.upperBound)/700001")
                }
                let outside = try await client.request(.get, base + "/", headers: ["Range": "bytes=700001-"])
                #expect(outside.status == .rangeNotSatisfiable && outside.headers["Content-Range"] == "bytes */700001")
            }
        }
    }

    @Test("an unchanged file is not sent again, and a changed one ends its ranges")
    func conditions() async throws {
        let sample = try Sample(1000)
        try await withServer(handler: file(sample.path)) { server in
            let client = server.client()
            let first = try await client.request(.get, server.http + "/")
            let tag = try #require(first.headers["ETag"])
            let again = try await client.request(.get, server.http + "/", headers: ["If-None-Match": "\"x\", \(tag)"])
            #expect(again.status == .notModified && again.body.isEmpty && again.headers["ETag"] == tag)
            let since = try await client.request(
                .get, server.http + "/", headers: ["If-Modified-Since": try #require(first.headers["Last-Modified"])])
            #expect(since.status == .notModified)
            let failed = try await client.request(.get, server.http + "/", headers: ["If-Match": "\"other\""])
            #expect(failed.status == .preconditionFailed)
            let part = try await client.request(.get, server.http + "/", headers: ["If-Range": tag, "Range": "bytes=0-9"])
            #expect(part.status == .partialContent)
            let stale = try await client.request(.get, server.http + "/", headers: ["If-Range": "\"other\"", "Range": "bytes=0-9"])
            #expect(stale.status == .ok && stale.body.count == 1000)
        }
    }

    @Test("what is no regular file is not served")
    func noFiles() throws {
        let link = "/tmp/strata-web-link-\(getpid())-\(UInt32.random(in: 0..<UInt32.max))"
        symlink("/etc/hostname", link)
        defer { unlink(link) }
        for path in [link, "/tmp", "/dev/zero", "/nonexistent"] { #expect(throws: SystemError.self) { _ = try FileBody(path: path) } }
    }

    @Test("a file that is cut while it is sent cuts the connection, and nobody takes the part for the whole")
    func cutFile() async throws {
        let sample = try Sample(1)
        truncate(sample.path, 20_000_000)
        try await withServer(handler: file(sample.path)) { server in
            let peer = try RawPeer(server.plain, receiveBuffer: 8192)
            peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = peer.read(to: "\r\n\r\n")
            truncate(sample.path, 1000)
            var count = 0
            while true {
                let part = peer.read()
                if part.isEmpty { break }
                count += part.count
            }
            #expect(peer.isEnded && count < 20_000_000)
        }
    }

    @Test("an upload of any size is read in constant memory, plain and chunked, over HTTP and HTTPS")
    func uploads() async throws {
        let total = 8_000_000
        try await withServer { request in
            var count = 0
            var largest = 0
            do {
                for try await chunk in request.body {
                    count += chunk.count
                    largest = max(largest, chunk.count)
                }
            } catch { return .text("\(error)", status: .badRequest) }
            return .text("\(count) \(largest <= 512 * 1024)")
        } _: { server in
            let sample = try Sample(1)
            truncate(sample.path, off_t(total))
            let trust = ["-sS", "--cacert", server.certificates.caFile]
            for base in [server.http, server.https] {
                for way in [["-T", sample.path], ["-H", "Transfer-Encoding: chunked", "-T", sample.path]] {
                    let result = try await run("/usr/bin/curl", trust + way + [base + "/"], on: server.loops[0])
                    #expect(String(decoding: result.output, as: UTF8.self) == "\(total) true")
                }
            }
        }
    }

    @Test("an upload that nobody reads is held back at the client")
    func heldBack() async throws {
        let gate = AsyncStream<Void>.makeStream()
        try await withServer { request in
            for await _ in gate.stream { break }
            var count = 0
            while let chunk = try? await request.body.next() { count += chunk.count }
            return .text("\(count)")
        } _: { server in
            let peer = try RawPeer(server.plain)
            peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
            var wait = timeval(tv_sec: 0, tv_usec: 200_000)
            setsockopt(peer.socket, SOL_SOCKET, SO_SNDTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
            var sent = 0
            let part = [UInt8](repeating: 1, count: 100_000)
            while sent < 100_000_000, peer.send(part) { sent += part.count }
            // Both kernels' buffers, and our mark.
            #expect(sent < 20_000_000)
            gate.continuation.finish()
        }
    }

    @Test("a body over the handler's limit is refused, announced or not")
    func tooLarge() async throws {
        try await withServer { request in
            do { return .text("\(try await request.body.collect(upTo: 1000).count)") } catch {
                return .text("\(error)", status: (error as? BodyFault)?.status ?? .internalError)
            }
        } _: { server in
            for framing in ["Content-Length: 1001", "Transfer-Encoding: chunked"] {
                let peer = try RawPeer(server.plain)
                peer.send("POST / HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n")
                if framing.hasPrefix("T") { peer.send("3e9\r\n" + String(repeating: "x", count: 1001) + "\r\n") }
                let response = peer.response()
                #expect(response.head.hasPrefix("HTTP/1.1 413") && response.head.contains("Connection: close"), "\(framing)")
            }
        }
    }

    @Test("text is compressed for who takes it, secrets and pictures never")
    func compression() async throws {
        let text = String(repeating: "a line of text that repeats\n", count: 500)
        try await withServer { request in
            var response = Response.text(text)
            response.headers["ETag"] = "\"v1\""
            if request.path == "/secret" { response.isSecret = true }
            if request.path == "/picture" { response.headers["Content-Type"] = "image/png" }
            if request.path == "/small" { response.body = .bytes(Array("small".utf8)) }
            return response
        } _: { server in
            let client = server.client()
            let plain = try await client.request(.get, server.http + "/")
            #expect(plain.headers["Content-Encoding"] == nil && plain.headers["Vary"] == "Accept-Encoding")
            let accepts: Headers = ["Accept-Encoding": "gzip"]
            let packed = try await client.request(.get, server.http + "/", headers: accepts)
            #expect(packed.headers["Content-Encoding"] == "gzip" && packed.body.count < 1000 && packed.headers["ETag"] == "W/\"v1\"")
            let known = try await client.request(
                .get, server.http + "/", headers: ["Accept-Encoding": "gzip", "If-None-Match": "W/\"v1\""])
            #expect(known.status == .notModified)
            for path in ["/secret", "/picture", "/small"] {
                let response = try await client.request(.get, server.http + path, headers: accepts)
                #expect(response.headers["Content-Encoding"] == nil, "\(path)")
                if path == "/secret" { #expect(response.headers["Cache-Control"] == "no-store") }
            }
            let result = try await run("/usr/bin/curl", ["-sS", "--compressed", server.http + "/"], on: server.loops[0])
            #expect(String(decoding: result.output, as: UTF8.self) == text)
        }
    }

    @Test("a streamed body is written as it is read, chunked or with its length")
    func streams() async throws {
        let ends = AsyncStream<Int>.makeStream()
        try await withServer { request in
            let length = request.path == "/known" ? 100 * 5_000 : nil
            return Response(
                .ok,
                body: .stream(length: length) { writer in
                    var state: (UInt32, UInt32) = (1, 0)
                    for number in 0..<100 {
                        let part = [UInt8](repeating: UInt8(number), count: 5_000)
                        state = BodyTests.sum(part, state)
                        try await writer.write(part)
                    }
                    ends.continuation.yield(Int(state.0) << 16 | Int(state.1))
                })
        } _: { server in
            var sums = ends.stream.makeAsyncIterator()
            for base in [server.http, server.https] {
                for path in ["/known", "/unknown"] {
                    let response = try await server.client { $0.bodyLimit = 1_000_000 }.request(.get, base + path)
                    #expect(response.body.count == 500_000)
                    #expect(response.headers["Transfer-Encoding"] == (path == "/known" ? nil : "chunked"))
                    let sum = BodyTests.sum(response.body)
                    #expect(await sums.next() == Int(sum.0) << 16 | Int(sum.1))
                }
            }
            // HTTP/1.0 knows no chunks: the end of the connection is the end of the body.
            let peer = try RawPeer(server.plain)
            peer.send("GET / HTTP/1.0\r\n\r\n")
            let text = peer.readAll()
            #expect(!text.contains("Transfer-Encoding") && text.utf8.count > 500_000)
        }
    }

    @Test("a stream that fails, or ends before its length, is cut")
    func cutStreams() async throws {
        struct Broken: Error {}
        try await withServer { request in
            Response(
                .ok,
                body: .stream(length: request.path == "/short" ? 100 : nil) { writer in
                    try await writer.write("part")
                    if request.path == "/long" { throw Broken() }
                })
        } _: { server in
            for path in ["/short", "/long"] {
                await #expect(throws: ClientError.self) { _ = try await server.client().request(.get, server.http + path) }
                await #expect(throws: ClientError.self) { _ = try await server.client().request(.get, server.https + path) }
            }
        }
    }

    @Test("a writer is told when its reader has gone, and the handler is cancelled")
    func goneReader() async throws {
        let ends = AsyncStream<String>.makeStream()
        try await withServer { request in
            if request.path == "/wait" {
                ends.continuation.yield("begun")
                do { try await request.waitForCancellation() } catch { ends.continuation.yield("cancelled") }
                return .text("")
            }
            return Response(
                .ok,
                body: .stream(length: nil) { writer in
                    do { while true { try await writer.write([UInt8](repeating: 0, count: 100_000)) } } catch {
                        ends.continuation.yield("\(error)")
                        throw error
                    }
                })
        } _: { server in
            var seen = ends.stream.makeAsyncIterator()
            do {
                let peer = try RawPeer(server.plain)
                peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                _ = peer.read(to: "\r\n\r\n")
            }
            #expect(await seen.next() == "disconnected")
            do {
                let peer = try RawPeer(server.plain)
                peer.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(await seen.next() == "begun")
                // A reset, as a process leaves that is killed with data unread.
                var now = linger(l_onoff: 1, l_linger: 0)
                setsockopt(peer.socket, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
            }
            #expect(await seen.next() == "cancelled")
        }
    }

    @Test("a client takes no more of a body than it was told to")
    func clientLimit() async throws {
        try await withServer { request in
            request.path == "/stream"
                ? Response(.ok, body: .stream(length: nil) { try await $0.write([UInt8](repeating: 1, count: 2000)) })
                : Response(.ok, body: .bytes([UInt8](repeating: 1, count: 2000)))
        } _: { server in
            let client = server.client { $0.bodyLimit = 1999 }
            for path in ["/", "/stream"] {
                do {
                    _ = try await client.request(.get, server.http + path)
                    Issue.record("\(path) was taken")
                } catch ClientError.bodyTooLarge(limit: 1999, status: .ok) {}
            }
        }
    }
}

extension Request {
    /// Ends only by the cancellation of its task.
    func waitForCancellation() async throws {
        let never = AsyncStream<Void>.makeStream()
        for await _ in never.stream {}
        try Task.checkCancellation()
    }
}
