import Foundation
import HTTP
import Posix
import Support
import Web

/// A collector of ours for what leaves a server about itself: errors in Sentry's envelopes, and traces by OTLP/HTTP in JSON. It stands for Sentry or
/// GlitchTip and for a collector of OpenTelemetry, none of which Debian has: what it takes is what their documentation says, and what does not
/// fit is kept as a fault.
final class Collector: Sendable {
    /// An event that came, with the key that it came by.
    struct Event: Sendable {
        let key: String
        let text: String

        var object: [String: Any] { (try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]) ?? [:] }
        var tags: [String: String] { object["tags"] as? [String: String] ?? [:] }
        /// The kind and the words of the exception.
        var raised: (type: String?, value: String?, frames: [[String: Any]]) {
            let first = ((object["exception"] as? [String: Any])?["values"] as? [[String: Any]])?.first ?? [:]
            let frames = (first["stacktrace"] as? [String: Any])?["frames"] as? [[String: Any]] ?? []
            return (first["type"] as? String, first["value"] as? String, frames)
        }
    }

    /// A span that came.
    struct Span: Sendable {
        let traceID: String
        let spanID: String
        let parentID: String?
        let name: String
        let kind: Int
        let seconds: Double
        let attributes: [String: String]

        /// nil for what is none.
        init?(_ object: [String: Any]) {
            func time(_ key: String) -> Int64? { (object[key] as? String).flatMap { Int64($0) } }
            guard let trace = object["traceId"] as? String, let span = object["spanId"] as? String, let name = object["name"] as? String,
                let kind = object["kind"] as? Int, let start = time("startTimeUnixNano"), let end = time("endTimeUnixNano"),
                trace.count == 32,
                span.count == 16, start <= end
            else { return nil }
            (traceID, spanID, parentID, self.name, self.kind) = (trace, span, object["parentSpanId"] as? String, name, kind)
            seconds = Double(end - start) / 1e9
            attributes = Dictionary(
                (object["attributes"] as? [[String: Any]] ?? []).compactMap { attribute -> (String, String)? in
                    guard let key = attribute["key"] as? String, let value = attribute["value"] as? [String: String] else { return nil }
                    return (key, value.values.first ?? "")
                }, uniquingKeysWith: { $1 })
        }
    }

    private struct State {
        var spans: [Span] = []
        var events: [Event] = []
        var reports: [String] = []
        var faults: [String] = []
        /// What each key is answered: the status, and the limits that go with it.
        var limits: [String: String] = [:]
    }

    let port: Int
    private let loop: Loop
    private let server: Server
    private let state: Guarded<State>

    init() async throws {
        let state = Guarded(State())
        self.state = state
        loop = try Loop(name: "collector")
        guard let any = SocketAddress("127.0.0.1", port: 0) else { throw SupportFailure("no loopback") }
        server = Server(configuration: ServerConfiguration(listeners: [Listener(any)]), loops: [loop]) { request in
            // try?: what cannot be read is empty, which is a fault.
            let body = (try? await request.body.collect(upTo: 1 << 20)) ?? []
            return state.withLock { Self.take(request.path, request.headers, String(decoding: body, as: UTF8.self), &$0) }
        }
        port = try await server.start()[0].port
    }

    func stop() async {
        await server.shutdown(grace: .zero)
        loop.stop()
    }

    var events: [Event] { state.withLock { $0.events } }
    var spans: [Span] { state.withLock { $0.spans } }
    var reports: [String] { state.withLock { $0.reports } }
    var faults: [String] { state.withLock { $0.faults } }
    func events(by key: String) -> [Event] { events.filter { $0.key == key } }

    func dsn(_ key: String, project: Int = 4) -> String { "http://\(key)@127.0.0.1:\(port)/\(project)" }

    /// From now on refuses what comes by a key, with these limits.
    func limit(_ key: String, _ limits: String) { state.withLock { $0.limits[key] = limits } }

    private static func take(_ path: String, _ headers: Headers, _ body: String, _ state: inout State) -> Response {
        switch path {
        case "/v1/traces": takeSpans(headers, body, &state)
        // A receiver of webhooks beside it.
        case "/hook": Response(.ok)
        // Whoever is told how a server is.
        case let place where place.hasPrefix("/home"): takeReport(headers, body, &state)
        default: takeEnvelope(path, headers, body, &state)
        }
    }

    private static func takeReport(_ headers: Headers, _ body: String, _ state: inout State) -> Response {
        guard headers["content-type"] == "application/json", object(body) != nil else { return refuse("no report: \(body)", &state) }
        state.reports.append(body)
        return Response(.noContent)
    }

    private static func takeSpans(_ headers: Headers, _ body: String, _ state: inout State) -> Response {
        guard headers["content-type"] == "application/json", let resources = object(body)?["resourceSpans"] as? [[String: Any]] else {
            return refuse("no spans: \(body.prefix(500))", &state)
        }
        for spans in resources.flatMap({ $0["scopeSpans"] as? [[String: Any]] ?? [] }).compactMap({ $0["spans"] as? [[String: Any]] }) {
            for span in spans {
                guard let span = Span(span) else { return refuse("no span: \(span)", &state) }
                state.spans.append(span)
            }
        }
        return .json(Array("{}".utf8))
    }

    private static func takeEnvelope(_ path: String, _ headers: Headers, _ body: String, _ state: inout State) -> Response {
        guard path.hasPrefix("/api/"), path.hasSuffix("/envelope/"), headers["content-type"] == "application/x-sentry-envelope",
            let key = headers["x-sentry-auth"]?.components(separatedBy: "sentry_key=").last
        else { return refuse("no envelope: \(path)", &state) }
        let lines = body.components(separatedBy: "\n")
        guard lines.count == 3, let item = object(lines[1]), item["type"] as? String == "event",
            item["length"] as? Int == lines[2].utf8.count,
            let head = object(lines[0]), let event = object(lines[2]), head["event_id"] as? String == event["event_id"] as? String
        else { return refuse("no event: \(body.prefix(500))", &state) }
        state.events.append(Event(key: key, text: lines[2]))
        if let limits = state.limits[key] { return Response(.tooManyRequests, headers: ["X-Sentry-Rate-Limits": limits]) }
        return .json(Array(#"{"id":"1"}"#.utf8))
    }

    private static func refuse(_ fault: String, _ state: inout State) -> Response {
        state.faults.append(fault)
        return Response(.badRequest)
    }

    private static func object(_ text: String) -> [String: Any]? {
        // try?: what is no JSON is no object.
        try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    }
}

/// Runs a body with a collector, and clears it whatever happens.
func withCollector<Result>(_ body: (Collector) async throws -> Result) async throws -> Result {
    let collector = try await Collector()
    do {
        let result = try await body(collector)
        await collector.stop()
        return result
    } catch {
        await collector.stop()
        throw error
    }
}
