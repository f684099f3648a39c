import Posix
import Testing

@testable import Tracing

@Suite("A tracer")
struct TracerTests {
    @Test("follows the share that it is told, by the trace's id, and what a parent has decided")
    func share() {
        let numbers = Guarded<UInt64>(0)
        // SplitMix64: ids all over their range, the same in each run.
        let next: @Sendable () -> UInt64 = {
            numbers.withLock { number in
                number &+= 0x9e37_79b9_7f4a_7c15
                var mixed = number
                mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
                mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
                return mixed ^ (mixed >> 31)
            }
        }
        for (share, range) in [(0.0, 0...0), (1.0, 10_000...10_000), (0.01, 60...140), (0.1, 850...1150)] {
            let tracer = Tracer(share: share, random: next)
            let count = (0..<10_000).filter { _ in tracer.root("x", .server) != nil }.count
            #expect(range.contains(count), "\(share): \(count)")
        }
        let (never, always) = (Tracer(share: 0), Tracer(share: 1))
        let sampled = TraceContext(traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        #expect(never.root("x", .server, from: sampled)?.context.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
        let unsampled = TraceContext(traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")
        #expect(unsampled != nil && always.root("x", .server, from: unsampled) == nil)
    }

    @Test("keeps spans with their parents, in their order, and no more than there is room for")
    func tree() throws {
        let tracer = Tracer(share: 1)
        let parent = try #require(TraceContext(traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
        let root = try #require(tracer.root("GET /x", .server, from: parent))
        let child = try #require(root.child("store", .client))
        child.set("key", .text("value"))
        child.begun("wait_us")
        child.fail()
        child.end()
        child.end()
        root.end()
        #expect(root.child("late") == nil, "what is begun after the end is no part of it")
        let spans = tracer.take(upTo: 10)
        #expect(
            spans.map(\.name) == ["store", "GET /x"] && spans.map(\.isFailed) == [true, false] && spans.map(\.kind) == [.client, .server])
        #expect(spans.map(\.parentID) == [root.context.spanID, "00f067aa0ba902b7"])
        #expect(Set(spans.map(\.context.traceID)) == ["4bf92f3577b34da6a3ce929d0e0e4736"])
        #expect(spans[0].attributes.map(\.key) == ["key", "wait_us"] && spans[0].attributes[0].value == .text("value"))
        #expect(spans[1].startUnixNs <= spans[0].startUnixNs && spans[0].endUnixNs <= spans[1].endUnixNs)
        #expect(tracer.take(upTo: 10).isEmpty)

        let wide = try #require(tracer.root("x", .server))
        #expect((0..<1000).compactMap { _ in wide.child("y") }.count == Span.Trace.limit - 1)
        for _ in 0..<Tracer.capacity + 10 { tracer.root("z", .server)?.end() }
        #expect(tracer.dropped == 10 && tracer.take(upTo: .max).count == Tracer.capacity)
    }

    @Test("gives a body its span, with all that it begins")
    func follow() async throws {
        let tracer = Tracer(share: 1)
        #expect(Tracer.current == nil)
        try await tracer.follow("job") {
            await Task { Tracer.current?.child("one")?.end() }.value
        }
        struct Failure: Error {}
        await #expect(throws: Failure.self) { try await tracer.follow("failing") { throw Failure() } }
        #expect(tracer.take(upTo: 10).map { "\($0.name) \($0.isFailed)" } == ["one false", "job false", "failing true"])
        #expect(Tracer.current == nil)
        try await Tracer(share: 0).follow("unseen") { #expect(Tracer.current == nil) }
    }

    @Test("reads what W3C calls a traceparent, and nothing else")
    func header() {
        let ids = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"
        for (text, isSampled) in [
            ("00-\(ids)-01", true), ("00-\(ids)-00", false), ("00-\(ids)-ff", true), ("cc-\(ids)-01-later", true), ("01-\(ids)-02", false),
        ] {
            let context = TraceContext(traceparent: text)
            #expect(context?.isSampled == isSampled && context?.spanID == "00f067aa0ba902b7", "\(text)")
        }
        for text in [
            "", "00", "ff-\(ids)-01", "00-\(ids)-01-later", "00-\(ids)-1", "00-\(ids)-01x", "00-\(ids.uppercased())-01", "01-\(ids)-01x",
            "0x-\(ids)-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00_\(ids)_01", "00-\(ids)-0é", String(repeating: "0", count: 10_000),
        ] { #expect(TraceContext(traceparent: text) == nil, "\(text.prefix(80))") }
    }
}
