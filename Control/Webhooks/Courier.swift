import HTTP
package import Logging
package import Posix
package import Store
package import Tracing
import Units
package import Web

/// Carries events to webhooks, each as a job: signed, in their order, tried again until they are taken or their time is over.
package final class Courier: Sendable {
    private let store: ControlStore
    private let lookups: Lookups
    private let outbound: OutboundGuard
    private let loop: Loop
    private let options: ClientOptions
    private let program: String
    private let tracer: Tracer?
    private let log: Log

    /// Deliveries that are under way at once. As an organisation has few webhooks, and one has one delivery under way, it takes many
    /// organisations whose webhooks are all slow to hold up others, and then by the length of an attempt.
    static let capacity = 256

    /// - Parameters:
    ///   - lookups: of the same guard as `outbound`; it counts what an organisation's names take.
    ///   - loop: where the connections live; the caller's to stop, after them.
    ///   - options: whom the connections believe; the rest of it is set here.
    ///   - limit: how long an answer may take.
    ///   - version: of the program, for the header that names it.
    ///   - tracer: follows some deliveries; nil: none.
    package init(
        _ store: ControlStore, lookups: Lookups, outbound: OutboundGuard, loop: Loop, options: ClientOptions = ClientOptions(),
        limit: Duration = .seconds(10), version: String, tracer: Tracer? = nil, log: Log
    ) {
        self.store = store
        self.lookups = lookups
        self.outbound = outbound
        self.loop = loop
        var options = options
        options.connectTimeout = .seconds(5)
        options.responseTimeout = limit
        // What it says is not read; a small answer is taken so that nobody's last write fails.
        options.bodyLimit = 64 << 10
        self.options = options
        program = "Strata/\(version)"
        self.tracer = tracer
        self.log = log.part("webhooks")
    }

    /// Runs until its task is cancelled.
    ///
    /// - Parameter holder: a name that no other run of a program has.
    package func run(holder: String) async {
        let log = self.log
        do {
            try await store.eventOutbox.resume()
        } catch {
            // What has its job is delivered all the same; with it, what comes after it.
            log.error("not every webhook could be taken up", ["error": "\(error)"])
        }
        let queue = JobQueue(
            store, holder: holder, capacity: Self.capacity, taking: .only(EventOutbox.kind),
            work: [EventOutbox.kind: { try await self.follow($0) }], sleep: { try await Task.sleep(for: $0) },
            trouble: { log.error("the queue of webhooks failed", ["error": "\($0)"]) })
        await queue.run()
    }

    private func follow(_ job: Job) async throws -> String? {
        guard let tracer else { return try await deliver(job) }
        return try await tracer.follow("job \(EventOutbox.kind)") { try await deliver(job) }
    }

    /// It was not taken: for the job.
    private struct NotTaken: Error, CustomStringConvertible {
        let description: String
    }

    /// A job of the kind `EventOutbox.kind`.
    package func deliver(_ job: Job) async throws -> String? {
        guard let attempt = try await store.eventOutbox.begin(job) else { return "there is nothing to deliver any more" }
        let began = Instant.now
        let (status, fault) = try await send(attempt)
        let isTaken = status.map { (200..<300).contains($0) } ?? false
        let reason: String? = isTaken ? nil : fault ?? "it answered \(status ?? 0)"
        let report = EventOutbox.Report(duration: Instant.now - began, status: status, error: reason)
        let end: EventOutbox.End = isTaken ? .processed : status == 410 ? .gone : attempt.isLast ? .exhausted : .failed
        try await store.eventOutbox.ended(attempt, end, report)
        guard let reason else { return nil }
        if case .failed = end {
            log.info(
                "an event was not taken; it is told again",
                ["webhook": "\(attempt.webhook)", "delivery": "\(attempt.delivery)", "attempt": "\(job.attempts)", "error": "\(reason)"])
            throw NotTaken(description: reason)
        }
        log.warning(
            "an event was given up",
            ["webhook": "\(attempt.webhook)", "delivery": "\(attempt.delivery)", "attempt": "\(job.attempts)", "error": "\(reason)"])
        return "given up: \(reason)"
    }

    /// Why nothing is sent to an address.
    private struct PlainText: Error, CustomStringConvertible {
        let host: String
        var description: String { "https: \(host) is told nothing in the clear, unless the operator allows its address in outbound.allow" }
    }

    /// - Returns: what it answered; or why it did not.
    /// - Throws: `CancellationError`.
    private func send(_ attempt: EventOutbox.Attempt) async throws -> (status: Int?, fault: String?) {
        let span = Tracer.current?.child("POST", .client)
        defer { span?.end() }
        do {
            let url = try URLParts(attempt.url, schemes: [.http, .https])
            span?.set("server.address", .text(url.host))
            let address = try await lookups.admit(host: url.host, port: url.port, for: attempt.organization.text)
            guard url.scheme.isTLS || outbound.opens(address) else { throw PlainText(host: url.host) }
            var options = self.options
            options.addresses = [address]
            var headers = Headers(
                WebhookSignature.headers(
                    id: attempt.event.text, unixSeconds: store.now.unixSeconds, body: attempt.body, secrets: attempt.secrets))
            headers["Content-Type"] = "application/json"
            headers["User-Agent"] = program
            let answer = try await Client(loop: loop, options: options).request(
                .post, url.description, headers: headers, body: Array(attempt.body.utf8))
            span?.set("http.response.status_code", .integer(answer.status.code))
            return (answer.status.code, nil)
        } catch ClientError.bodyTooLarge(_, let status) {
            return (status.code, nil)
        } catch let error as CancellationError {
            // The program ends: it was no attempt of the receiver's.
            throw error
        } catch {
            span?.fail()
            return (nil, "\(error)")
        }
    }
}
