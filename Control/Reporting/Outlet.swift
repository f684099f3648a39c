import HTTP
import Logging
import Posix
import Web

/// One tracker: takes events without ever waiting, and sends them one by one beside everything else.
final class Outlet: Sendable {
    /// How a place is reached that somebody has named.
    struct Way: Sendable {
        /// Of the same guard as `outbound`.
        let lookups: Lookups
        let outbound: OutboundGuard
        let loop: Loop
        let options: ClientOptions
    }

    private let way: Way
    private let deployment: Deployment
    private let log: Log
    private let bag = Guarded(Mailbag())
    /// Whether it was said that nothing comes through.
    private let isAway = Guarded(false)
    private let rings: AsyncStream<Void>
    private let bell: AsyncStream<Void>.Continuation

    /// - Parameter log: that nobody makes events of.
    init(_ way: Way, deployment: Deployment, log: Log) {
        self.way = way
        self.deployment = deployment
        self.log = log
        (rings, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    var isOpen: Bool { bag.withLock { $0.isOpen } }
    var account: (waiting: Int, counts: Mailbag.Counts) { bag.withLock { ($0.waitingCount, $0.counts) } }

    func direct(to dsn: DSN?) {
        bag.withLock { $0.direct(to: dsn) }
        isAway.withLock { $0 = false }
        bell.yield()
    }

    func add(_ event: ErrorEvent) {
        if bag.withLock({ $0.add(event, at: .now) }) { bell.yield() }
    }

    /// Runs until its task is cancelled.
    func run() async {
        var rings = self.rings.makeAsyncIterator()
        while !Task.isCancelled {
            switch bag.withLock({ $0.next(at: .now) }) {
            case .rest:
                if await rings.next() == nil { return }
            case .wait(let time):
                let alarm = Task { [bell] in
                    // try?: one that was cancelled has rung already.
                    guard (try? await Task.sleep(for: time)) != nil else { return }
                    bell.yield()
                }
                // Another place may be named meanwhile.
                let isOver = await rings.next() == nil
                alarm.cancel()
                if isOver { return }
            case .send(let event, let dsn): await send(event, to: dsn)
            }
        }
    }

    private func send(_ event: ErrorEvent, to dsn: DSN) async {
        let outcome: Mailbag.Outcome
        do {
            let answer = try await post(try SentryEnvelope(event, of: deployment, sentAt: unixMilliseconds()), to: dsn)
            outcome = .answered(answer.status, answer.headers)
            tell(answer.status.isSuccess ? nil : "it answered \(answer.status)", of: dsn)
        } catch ClientError.bodyTooLarge(_, let status) {
            outcome = .answered(status, [:])
        } catch is CancellationError {
            return
        } catch {
            outcome = .failed
            tell("\(error)", of: dsn)
        }
        bag.withLock { $0.ended(event, for: dsn, outcome, at: .now, unixSeconds: unixMilliseconds() / 1000) }
    }

    /// Why nothing is sent to an address.
    private struct InTheClear: Error, CustomStringConvertible {
        let host: String
        var description: String { "https: \(host) is told nothing in the clear, unless the operator allows its address in outbound.allow" }
    }

    /// The name is resolved and judged anew each time, and the connection goes to the address that passed.
    private func post(_ envelope: SentryEnvelope, to dsn: DSN) async throws -> ClientResponse {
        let url = dsn.envelopes
        let address = try await way.lookups.admit(host: url.host, port: url.port, for: "error tracking")
        guard url.scheme.isTLS || way.outbound.opens(address) else { throw InTheClear(host: url.host) }
        var options = way.options
        options.addresses = [address]
        return try await Client(loop: way.loop, options: options).request(
            .post, url.description, headers: SentryEnvelope.headers(dsn, version: deployment.version), body: envelope.bytes)
    }

    /// Once for each stretch in which it does not take events.
    private func tell(_ trouble: String?, of dsn: DSN) {
        let isNews = isAway.withLock { isAway in
            defer { isAway = trouble != nil }
            return trouble != nil && !isAway
        }
        guard isNews, let trouble else { return }
        log.warning("a tracker does not take errors", ["tracker": "\(dsn)", "error": "\(trouble)"])
    }
}
