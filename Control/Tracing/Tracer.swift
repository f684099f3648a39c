import Posix

/// Follows a share of what the server does through its parts (DIA-06): what is not followed costs a look at a task's local.
package final class Tracer: Sendable {
    /// What the running task is a part of; nil where that is not followed.
    @TaskLocal package static var current: Span?

    private struct Kept {
        var spans: [Span.Finished] = []
        var dropped = 0
    }

    /// Spans that wait to be exported.
    package static let capacity = 4096

    private let threshold: UInt64
    private let random: @Sendable () -> UInt64
    private let kept = Guarded(Kept())
    private let bell: AsyncStream<Void>.Continuation
    /// Says that there are spans; for one reader.
    package let rings: AsyncStream<Void>

    /// - Parameters:
    ///   - share: of those that nobody before us has decided about, 0 to 1.
    ///   - random: the source of ids.
    package init(
        share: Double,
        random: @escaping @Sendable () -> UInt64 = {
            var generator = SystemRandomNumberGenerator()
            return generator.next()
        }
    ) {
        threshold = UInt64(min(max(share, 0), 1) * 0x1p63)
        self.random = random
        (rings, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Something that begins now and is no part of anything here.
    ///
    /// - Parameter parent: what it is a part of elsewhere, by the word of somebody who is believed: they have decided whether it is followed.
    /// - Returns: nil where it is not.
    package func root(_ name: String, _ kind: Span.Kind, from parent: TraceContext? = nil) -> Span? {
        let (high, low) = parent.map { ($0.high, $0.low) } ?? (freshID(), freshID())
        // By the trace's id, as others who use a share do (OpenTelemetry's TraceIdRatioBased), so that a trace is whole or not there.
        guard parent?.isSampled ?? (low >> 1 < threshold) else { return nil }
        let trace = Span.Trace(self, at: .now, unixMs: unixMilliseconds())
        _ = trace.take()
        let context = TraceContext(high: high, low: low, span: freshID(), isSampled: true)
        return Span(trace, context, parent: parent?.span, isRoot: true, name, kind, at: trace.began)
    }

    /// Runs a body as a root of its own, whose failure is the span's.
    package func follow<Value: Sendable>(
        _ name: String, _ kind: Span.Kind = .internal, _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        guard let span = root(name, kind) else { return try await body() }
        defer { span.end() }
        do {
            return try await Self.$current.withValue(span) { try await body() }
        } catch {
            span.fail()
            throw error
        }
    }

    /// The oldest that have ended.
    package func take(upTo limit: Int) -> [Span.Finished] {
        kept.withLock { kept in
            let taken = Array(kept.spans.prefix(limit))
            kept.spans.removeFirst(taken.count)
            return taken
        }
    }

    /// Spans that there was no room for.
    package var dropped: Int { kept.withLock { $0.dropped } }

    func keep(_ span: Span.Finished) {
        kept.withLock { kept in
            if kept.spans.count < Self.capacity { kept.spans.append(span) } else { kept.dropped += 1 }
        }
        bell.yield()
    }

    /// Never 0, which stands for none.
    func freshID() -> UInt64 { max(random(), 1) }
}
