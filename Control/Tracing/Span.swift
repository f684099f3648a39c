import Posix

/// Something that takes its time, as a part of a trace: from where it is made to `end`. Any thread.
package final class Span: Sendable {
    /// By OTLP's numbers.
    package enum Kind: Int, Sendable {
        case `internal` = 1
        /// Somebody waits for the answer.
        case server = 2
        /// Somebody else is waited for.
        case client = 3
    }

    package enum Value: Sendable, Hashable {
        case text(String)
        case integer(Int)
    }

    /// One that has ended.
    package struct Finished: Sendable, Hashable {
        package struct Attribute: Sendable, Hashable {
            package let key: String
            package let value: Value
        }

        package let context: TraceContext
        /// nil of one that nothing of ours and no proxy began.
        package let parentID: String?
        package let name: String
        package let kind: Kind
        package let startUnixNs: Int64
        package let endUnixNs: Int64
        package let attributes: [Attribute]
        package let isFailed: Bool
    }

    /// What the spans of one trace share.
    final class Trace: Sendable {
        let tracer: Tracer
        /// One moment by both clocks, so that all spans lie right to each other.
        let began: Instant
        let beganUnixNs: Int64
        private let left = Guarded(Trace.limit)

        /// Spans of one trace: what asks a database in a loop is seen by fewer.
        static let limit = 200

        init(_ tracer: Tracer, at now: Instant, unixMs: Int64) {
            self.tracer = tracer
            began = now
            beganUnixNs = unixMs * 1_000_000
        }

        func take() -> Bool {
            left.withLock { left in
                guard left > 0 else { return false }
                left -= 1
                return true
            }
        }

        /// What is begun in its tasks after its end is no part of it.
        func close() { left.withLock { $0 = 0 } }

        func unixNs(_ instant: Instant) -> Int64 { beganUnixNs + (instant.nanoseconds - began.nanoseconds) }
    }

    private struct State {
        var attributes: [Finished.Attribute] = []
        var isFailed = false
        var isEnded = false
    }

    /// Attributes of one span.
    static let attributeLimit = 16

    package let context: TraceContext
    private let trace: Trace
    private let parent: UInt64?
    private let isRoot: Bool
    private let name: String
    private let kind: Kind
    private let started: Instant
    private let state = Guarded(State())

    init(_ trace: Trace, _ context: TraceContext, parent: UInt64?, isRoot: Bool, _ name: String, _ kind: Kind, at now: Instant) {
        self.trace = trace
        self.context = context
        self.parent = parent
        self.isRoot = isRoot
        self.name = name
        self.kind = kind
        started = now
    }

    /// A part of it that begins now; nil where the trace is over, or has as many as one may have.
    package func child(_ name: String, _ kind: Kind = .internal) -> Span? {
        guard trace.take() else { return nil }
        let inner = TraceContext(high: context.high, low: context.low, span: trace.tracer.freshID(), isSampled: true)
        return Span(trace, inner, parent: context.span, isRoot: false, name, kind, at: .now)
    }

    package func set(_ key: StaticString, _ value: Value) {
        state.withLock { state in
            guard state.attributes.count < Self.attributeLimit else { return }
            state.attributes.append(Finished.Attribute(key: "\(key)", value: value))
        }
    }

    /// How long it has waited for what it is about, e.g. for its turn.
    package func begun(_ key: StaticString) { set(key, .integer(Int((Instant.now.nanoseconds - started.nanoseconds) / 1000))) }

    package func fail() { state.withLock { $0.isFailed = true } }

    /// Once; the first time counts.
    package func end() {
        let end = Instant.now
        let last = state.withLock { state -> State? in
            guard !state.isEnded else { return nil }
            state.isEnded = true
            return state
        }
        guard let last else { return }
        if isRoot { trace.close() }
        trace.tracer.keep(
            Finished(
                context: context, parentID: parent.map(TraceContext.hex), name: name, kind: kind, startUnixNs: trace.unixNs(started),
                endUnixNs: trace.unixNs(end), attributes: last.attributes, isFailed: last.isFailed))
    }
}
