import Foundation
import HTTP
import Posix
import Testing
import Units
import Web

@testable import S3

/// What a store answers, and what it was asked.
private final class StoreStandIn: Sendable {
    struct Asked: Sendable {
        let method: HTTP.Method
        let target: String
        let headers: Headers
        let body: [UInt8]
    }

    struct Answer: Sendable {
        var status = Status.ok
        var headers: Headers = [:]
        var body = ""
    }

    let asked: Guarded<[Asked]>
    private let server: Server
    private let loop: Loop
    let port: Int

    /// - Parameter answers: one after the other; the last one again and again.
    init(_ answers: [Answer]) async throws {
        let (asked, waiting) = (Guarded<[Asked]>([]), Guarded(answers))
        self.asked = asked
        loop = try Loop(name: "store")
        server = Server(configuration: ServerConfiguration(listeners: [Listener(.loopback(port: 0))]), loops: [loop]) { request in
            // try?: a body that does not come whole is seen by what is missing.
            let body = (try? await request.body.collect(upTo: 1 << 20)) ?? []
            asked.withLock {
                $0.append(Asked(method: request.method, target: request.head.target, headers: request.headers, body: body))
            }
            let answer = waiting.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
            return Response(answer.status, headers: answer.headers, body: .bytes(Array(answer.body.utf8)))
        }
        port = try await server.start()[0].port
    }

    func stop() async {
        await server.shutdown(grace: .zero)
        loop.stop()
    }
}

@Suite("A client of a store", .timeLimit(.minutes(1)))
struct S3ClientTests {
    private func settings(_ port: Int, isInside: Bool = true) throws -> S3Settings {
        S3Settings(
            endpoint: try URLParts("http://127.0.0.1:\(port)"), bucket: "strata", region: "us-east-1", accessKey: "key",
            secret: Secret("secret"), isInside: isInside)
    }

    private func talking(
        to answers: [StoreStandIn.Answer], isInside: Bool = true, allowing: [AddressRange] = [],
        _ body: (S3Client, StoreStandIn, Guarded<[Duration]>) async throws -> Void
    ) async throws {
        let store = try await StoreStandIn(answers)
        let loop = try Loop(name: "client")
        let waits = Guarded<[Duration]>([])
        let client = S3Client(
            try settings(store.port, isInside: isInside), outbound: OutboundGuard(allowing: allowing), loop: loop, now: { 1_369_353_600 },
            sleep: { wait in waits.withLock { $0.append(wait) } })
        do { try await body(client, store, waits) } catch {
            await store.stop()
            loop.stop()
            throw error
        }
        await store.stop()
        loop.stop()
    }

    private static func refusal(_ status: Int, _ code: String, _ headers: Headers = [:]) -> StoreStandIn.Answer {
        .init(status: Status(code: status), headers: headers, body: "<Error><Code>\(code)</Code><Message>m</Message></Error>")
    }

    @Test("asks with the path, the query and the headers that it has signed")
    func asking() async throws {
        try await talking(to: [.init(body: "fine")]) { client, store, waits in
            let answer = try await client.send(
                S3Request(
                    .put, "org/a/b c", query: [("partNumber", "1"), ("a", "")], headers: [("Content-Type", "video/webm")], body: [1, 2]))
            #expect(String(decoding: answer.body, as: UTF8.self) == "fine")
            let asked = try #require(store.asked.withLock { $0.first })
            #expect(asked.method == .put && asked.target == "/strata/org/a/b%20c?a=&partNumber=1" && asked.body == [1, 2])
            #expect(asked.headers["Host"] == "127.0.0.1:\(store.port)" && asked.headers["x-amz-date"] == "20130524T000000Z")
            let names = "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date"
            #expect(asked.headers["Authorization"]?.contains("Credential=key/20130524/us-east-1/s3/aws4_request,\(names),") == true)
            #expect(waits.withLock { $0.isEmpty })
        }
    }

    @Test("asks again where the store is busy, as late as it was told, and says so in the end")
    func again() async throws {
        let busy = Self.refusal(503, "SlowDown", ["Retry-After": "7"])
        try await talking(to: [busy, Self.refusal(500, "InternalError"), .init(body: "fine")]) { client, store, waits in
            _ = try await client.send(S3Request(.get, "a"))
            #expect(store.asked.withLock { $0.count } == 3)
            let slept = waits.withLock { $0 }
            #expect(slept.count == 2 && slept.first == .seconds(7), "\(slept)")
        }
        try await talking(to: [busy]) { client, store, _ in
            let fault = await #expect(throws: S3Fault.self) { try await client.send(S3Request(.get, "a")) }
            #expect(fault?.kind == .away && store.asked.withLock { $0.count } == S3Retry.attempts)
        }
    }

    @Test("asks once where it would be refused again, and follows no redirect")
    func once() async throws {
        for answer in [
            Self.refusal(403, "InvalidAccessKeyId"), Self.refusal(404, "NoSuchBucket"),
            .init(status: Status(code: 307), headers: ["Location": "http://127.0.0.1:1/"]),
        ] {
            try await talking(to: [answer]) { client, store, _ in
                let fault = await #expect(throws: S3Fault.self) { try await client.send(S3Request(.get, "a")) }
                #expect(fault?.kind == .refused && store.asked.withLock { $0.count } == 1, "\(answer)")
            }
        }
    }

    @Test("believes no 200 whose body says otherwise, and takes no answer that is too long")
    func inside() async throws {
        let error = "<Error><Code>InternalError</Code></Error>"
        try await talking(to: [.init(body: error), .init(body: "<CompleteMultipartUploadResult/>")]) { client, store, _ in
            _ = try await client.send(S3Request(.post, "a", query: [("uploadId", "1")]))
            #expect(store.asked.withLock { $0.count } == 2)
        }
        try await talking(to: [.init(body: String(repeating: "x", count: 100_000))]) { client, _, _ in
            let fault = await #expect(throws: S3Fault.self) { try await client.send(S3Request(.get, "a", mostAnswer: 1000)) }
            #expect(fault?.kind == .tooLarge)
        }
    }

    @Test("goes nowhere that the guard forbids, nor in the clear, unless the operator says that the store is inside")
    func guarded() async throws {
        try await talking(to: [.init()], isInside: false) { client, store, _ in
            let fault = await #expect(throws: S3Fault.self) { try await client.send(S3Request(.get, "a")) }
            #expect(fault?.kind == .refused && fault?.description.contains("loopback") == true, "\(fault?.description ?? "")")
            #expect(store.asked.withLock { $0.isEmpty })
        }
        let loopback = try #require(AddressRange("127.0.0.0/8"))
        try await talking(to: [.init()], isInside: false, allowing: [loopback]) { client, store, _ in
            _ = try await client.send(S3Request(.get, "a"))
            #expect(store.asked.withLock { $0.count } == 1)
        }
    }

    @Test("says that a store is away that is not there")
    func away() async throws {
        let loop = try Loop(name: "client")
        let client = S3Client(try settings(1), outbound: OutboundGuard(), loop: loop, sleep: { _ in })
        let fault = await #expect(throws: S3Fault.self) { try await client.send(S3Request(.get, "a")) }
        #expect(fault?.kind == .away && fault?.description.hasPrefix("the store is not there: unreachable") == true)
        loop.stop()
    }

    @Test("calls a bucket by its path or by its host")
    func addressing() throws {
        let path = try settings(9000)
        #expect(path.path(of: "org/a") == "/strata/org/a" && path.path(of: "") == "/strata" && path.authorityOfBucket == "127.0.0.1:9000")
        let host = S3Settings(
            endpoint: try URLParts("https://s3.example.org/base/"), bucket: "strata", region: "r", addressing: .host, accessKey: "k",
            secret: Secret("s"))
        #expect(host.path(of: "org/ä") == "/base/org/%C3%A4" && host.path(of: "") == "/base/")
        #expect(host.authorityOfBucket == "strata.s3.example.org" && host.host == "strata.s3.example.org")
        #expect("\(host)" == "strata at https://s3.example.org" && !"\(host.secret)".contains("s3"))
    }
}
