package import HTTP
package import Logging
package import Posix
package import Tracing
package import Web

/// Sends spans to the collector that the operator names, in batches, beside everything else (OTLP/HTTP, JSON).
///
/// The address is the operator's own word, in the configuration file alone: the outbound guard has nothing to add. No redirect is followed.
package final class SpanExporter: Sendable {
    /// What became of spans since the start.
    package struct Account: Sendable, Hashable {
        package var exported = 0
        /// The collector did not take them, or was away for too long.
        package var lost = 0
    }

    private enum Outcome {
        case taken
        case refused
        case away
    }

    /// Spans in one request: some 200 KB.
    static let batch = 500
    private static let attempts = 3

    private let tracer: Tracer
    private let url: String
    private let deployment: Deployment
    private let client: Client
    private let gathering: Duration
    private let log: Log
    private let state = Guarded(Account())
    private let isAway = Guarded(false)

    /// - Parameters:
    ///   - endpoint: of the collector; spans go to `/v1/traces` below it.
    ///   - loop: where the connections live; the caller's to stop, after them.
    ///   - gathering: how long a batch is waited for.
    package init(
        _ tracer: Tracer, to endpoint: URLParts, of deployment: Deployment, loop: Loop, options: ClientOptions = ClientOptions(),
        gathering: Duration = .seconds(1), log: Log
    ) {
        self.tracer = tracer
        url = endpoint.origin + (endpoint.path.hasSuffix("/") ? String(endpoint.path.dropLast()) : endpoint.path) + "/v1/traces"
        self.deployment = deployment
        self.gathering = gathering
        var options = options
        options.connectTimeout = .seconds(5)
        options.responseTimeout = .seconds(10)
        options.bodyLimit = 64 << 10
        client = Client(loop: loop, options: options)
        self.log = log.part("traces")
    }

    package var account: Account { state.withLock { $0 } }
    /// Spans that ended while too many waited.
    package var dropped: Int { tracer.dropped }

    /// Runs until its task is cancelled; what waits then is lost.
    package func run() async {
        for await _ in tracer.rings {
            // try?: one that was cancelled ends at the next look.
            try? await Task.sleep(for: gathering)
            while !Task.isCancelled {
                let spans = tracer.take(upTo: Self.batch)
                guard !spans.isEmpty else { break }
                await send(spans)
            }
        }
    }

    private func send(_ spans: [Span.Finished]) async {
        var pause = SendingPause()
        for _ in 0..<Self.attempts {
            switch await attempt(spans, &pause) {
            case .taken: return state.withLock { $0.exported += spans.count }
            case .refused: return state.withLock { $0.lost += spans.count }
            case .away:
                // try?: one that was cancelled has lost them below.
                guard let until = pause.until, (try? await Task.sleep(for: min(until - .now, .seconds(300)))) != nil else { break }
            }
        }
        state.withLock { $0.lost += spans.count }
    }

    /// What may be sent again, and when, is OTLP's word: 429, 502, 503 and 504 are for later, all else is for good.
    private func attempt(_ spans: [Span.Finished], _ pause: inout SendingPause) async -> Outcome {
        do {
            let body = try SpanBatch(spans, of: deployment).bytes()
            let headers: Headers = ["Content-Type": "application/json", "User-Agent": "Strata/\(deployment.version)"]
            let answer = try await client.request(.post, url, headers: headers, body: body)
            tell(answer.status.isSuccess ? nil : "it answered \(answer.status)")
            guard [429, 502, 503, 504].contains(answer.status.code) else { return answer.status.isSuccess ? .taken : .refused }
            pause.answered(answer.status, answer.headers, at: .now, unixSeconds: unixMilliseconds() / 1000)
            if pause.until == nil { pause.failed(at: .now) }
        } catch {
            tell("\(error)")
            pause.failed(at: .now)
        }
        return .away
    }

    /// Once for each stretch in which it does not take spans.
    private func tell(_ trouble: String?) {
        let isNews = isAway.withLock { isAway in
            defer { isAway = trouble != nil }
            return trouble != nil && !isAway
        }
        guard isNews, let trouble else { return }
        log.warning("the collector does not take traces", ["error": "\(trouble)"])
    }
}
