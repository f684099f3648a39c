import Foundation
import HTTP
import Logging
import Posix
import Support
import Testing
import Tracing
import Web

@testable import Reporting

@Suite("An exporter of spans")
struct SpanExporterTests {
    @Test("sends them as OTLP has them in JSON, and nothing of people in them")
    func shape() async throws {
        try await withExporter { tracer, exporter, got, _ in
            let root = try #require(tracer.root("GET /x", .server))
            let child = try #require(root.child("POST", .client))
            child.set("server.address", .text("192.0.2.1"))
            child.set("http.response.status_code", .integer(502))
            child.fail()
            child.end()
            root.end()
            try await eventually(within: .seconds(10), "they are exported") { exporter.account.exported == 2 }
            let request = try #require(got.withLock { $0.first })
            #expect(request.path == "/otlp/v1/traces" && request.type == "application/json")
            let object = try #require(try JSONSerialization.jsonObject(with: Data(request.body.utf8)) as? [String: Any])
            let resource = try #require((object["resourceSpans"] as? [[String: Any]])?.first)
            let attributes = try #require((resource["resource"] as? [String: Any])?["attributes"] as? [[String: Any]])
            let named = Dictionary(
                uniqueKeysWithValues: attributes.map {
                    ($0["key"] as? String ?? "", ($0["value"] as? [String: String])?["stringValue"] ?? "")
                })
            #expect(
                named == [
                    "service.name": "strata-control", "service.version": "9.9", "service.instance.id": "d1",
                    "deployment.environment.name": "test",
                ])
            let spans = try #require((resource["scopeSpans"] as? [[String: Any]])?.first?["spans"] as? [[String: Any]])
            let (inner, outer) = (try #require(spans.first), try #require(spans.last))
            #expect(
                spans.count == 2 && inner["traceId"] as? String == root.context.traceID
                    && inner["spanId"] as? String == child.context.spanID)
            #expect(inner["parentSpanId"] as? String == root.context.spanID && outer["parentSpanId"] == nil)
            #expect(inner["kind"] as? Int == 3 && outer["kind"] as? Int == 2 && (inner["status"] as? [String: Int])?["code"] == 2)
            #expect(outer["name"] as? String == "GET /x" && outer["status"] == nil)
            let times = [outer, inner, inner, outer].enumerated().compactMap { number, span in
                (span[number < 2 ? "startTimeUnixNano" : "endTimeUnixNano"] as? String).flatMap { Int64($0) }
            }
            #expect(times.count == 4 && times == times.sorted() && abs(times[0] / 1_000_000 - unixMilliseconds()) < 60_000)
            #expect(request.body.contains(#"{"key":"server.address","value":{"stringValue":"[address]"}}"#))
            #expect(request.body.contains(#""value":{"intValue":"502"}"#))
        }
    }

    @Test("sends again what the collector takes later, and gives up what it does not want")
    func again() async throws {
        try await withExporter { tracer, exporter, got, answers in
            answers.withLock { $0 = [Response(.unavailable, headers: ["Retry-After": "0"]), Response(.ok)] }
            tracer.root("a", .server)?.end()
            try await eventually(within: .seconds(20), "it is taken at last") { exporter.account == .init(exported: 1, lost: 0) }
            #expect(got.withLock { $0.count } == 2)
            answers.withLock { $0 = [Response(.badRequest)] }
            tracer.root("b", .server)?.end()
            try await eventually(within: .seconds(10), "it is lost") { exporter.account == .init(exported: 1, lost: 1) }
            for _ in 0..<1200 { tracer.root("c", .server)?.end() }
            try await eventually(within: .seconds(10), "all are taken") { exporter.account.exported == 1201 }
            #expect(got.withLock { $0.count } >= 6, "in batches")
        }
    }
}

/// What came, and a collector of ours that answers as it is told, else with 200. It stands for one of OpenTelemetry, which Debian does not have.
private struct Taken: Sendable {
    let path: String
    let type: String?
    let body: String
}

private func withExporter(
    _ body: (Tracer, SpanExporter, Guarded<[Taken]>, Guarded<[Response]>) async throws -> Void
) async throws {
    let (got, answers) = (Guarded<[Taken]>([]), Guarded<[Response]>([]))
    let loops = try ["collector", "exporter"].map { try Loop(name: $0) }
    let any = try #require(SocketAddress("127.0.0.1", port: 0))
    let server = Server(configuration: ServerConfiguration(listeners: [Listener(any)]), loops: [loops[0]]) { request in
        // try?: what cannot be read is empty, which no test expects.
        let body = (try? await request.body.collect(upTo: 4 << 20)) ?? []
        let taken = Taken(path: request.path, type: request.headers["content-type"], body: String(decoding: body, as: UTF8.self))
        got.withLock { $0.append(taken) }
        return answers.withLock { $0.isEmpty ? Response(.ok) : $0.removeFirst() }
    }
    let port = try await server.start()[0].port
    let tracer = Tracer(share: 1)
    let exporter = SpanExporter(
        tracer, to: try URLParts("http://127.0.0.1:\(port)/otlp/"), of: Deployment(id: "d1", version: "9.9", environment: "test"),
        loop: loops[1], gathering: .milliseconds(100), log: Log("test", threshold: .error))
    let run = Task { await exporter.run() }
    let outcome: Result<Void, any Error>
    do { outcome = .success(try await body(tracer, exporter, got, answers)) } catch { outcome = .failure(error) }
    run.cancel()
    await run.value
    await server.shutdown(grace: .zero)
    for loop in loops { loop.stop() }
    try outcome.get()
}
