import GStreamer
import Posix
import Testing

@Suite("Pipeline") struct PipelineTests {
    @Test("a test picture reaches the appsink in order and with its times")
    func samples() async throws {
        let pipeline = try Pipeline(
            """
            videotestsrc num-buffers=10 ! video/x-raw,format=I420,width=64,height=32,framerate=10/1 ! \
            appsink name=out sync=false async=false
            """)
        let seen = Guarded<[(Int, Int64?)]>([])
        try pipeline.onSample("out") { bytes, sample in seen.withLock { $0.append((bytes.count, sample.runningTime)) } }
        try await pipeline.start()
        #expect(await pipeline.next { $0 == .endOfStream } != nil)
        #expect(await pipeline.stop())
        let frames = seen.withLock { $0 }
        #expect(frames.map(\.0) == Array(repeating: 64 * 32 * 3 / 2, count: 10))
        #expect(frames.map(\.1) == (0..<10).map { Int64($0) * 100_000_000 })
    }

    @Test("the text names what is wrong with it")
    func badText() {
        #expect(throws: GStreamerError.self) { try Pipeline("nosuchelement ! fakesink") }
        #expect(throws: GStreamerError.self) { try Pipeline("fakesrc ! video/x-raw ! ! fakesink") }
    }

    @Test("an element that cannot open is named with its reason")
    func startFails() async throws {
        let pipeline = try Pipeline("filesrc name=file ! fakesink")
        try pipeline.set("file", "location", .text("/nonexistent/clip"))
        do {
            try await pipeline.start()
            Issue.record("it started")
        } catch {
            #expect(error.element == "file")
            #expect(error.reason.contains("/nonexistent/clip"))
        }
        #expect(await pipeline.stop())
    }

    @Test("an error while it runs is a message that names the element")
    func runningError() async throws {
        let pipeline = try Pipeline("videotestsrc ! identity name=faulty error-after=3 ! fakesink")
        try await pipeline.start()
        let message = await pipeline.next { if case .error = $0 { true } else { false } }
        guard case .error(let fault) = message else { return #expect(Bool(false), "no error came") }
        #expect(fault.element == "faulty")
        #expect(fault.factory == "identity")
        await pipeline.stop()
    }

    @Test("a value stays a value, whatever its text looks like", arguments: ["! filesink location=x", "?mode=listener", "\"' ! fakesink"])
    func hostileValue(text: String) throws {
        let pipeline = try Pipeline("filesrc name=file ! fakesink")
        try pipeline.set("file", "location", .text(text))
        #expect(try pipeline.get("file", "location") == .text(text))
    }

    @Test("a value of the wrong kind or out of range is refused")
    func wrongValues() throws {
        let pipeline = try Pipeline("videotestsrc name=source ! queue name=queue ! fakesink")
        #expect(throws: GStreamerError.self) { try pipeline.set("queue", "max-size-buffers", .integer(-1)) }
        #expect(throws: GStreamerError.self) { try pipeline.set("queue", "max-size-buffers", .integer(1 << 40)) }
        #expect(throws: GStreamerError.self) { try pipeline.set("queue", "max-size-buffers", .text("many")) }
        #expect(throws: GStreamerError.self) { try pipeline.set("source", "pattern", .choice("nosuch")) }
        #expect(throws: GStreamerError.self) { try pipeline.set("source", "nosuch", 1) }
        #expect(throws: GStreamerError.self) { try pipeline.set("nosuch", "pattern", 1) }
        try pipeline.set("source", "pattern", .choice("ball"))
        try pipeline.set("queue", "max-size-buffers", .integer(7))
        #expect(try pipeline.get("queue", "max-size-buffers") == .integer(7))
    }

    @Test("bytes pushed into an appsrc come out unchanged, one by one and as a list")
    func pushing() async throws {
        let pipeline = try Pipeline("appsrc name=in format=time max-bytes=0 ! appsink name=out sync=false async=false buffer-list=true")
        let source = try pipeline.appSource("in")
        let seen = Guarded<[Arrival]>([])
        try pipeline.onSample("out") { bytes, sample in
            seen.withLock { $0.append(Arrival(bytes: Array(bytes), pts: sample.pts, key: sample.isKeyFrame)) }
        }
        source.setCaps(Caps("application/x-test", ["rate": .fraction(30, 1), "name": .text("a, b; c")]))
        try await pipeline.start()
        #expect(source.push([1, 2, 3], .init(pts: 5)) == .taken)
        let outcome = source.pushList(expected: 2) { batch in
            for byte in [UInt8(4), 5] {
                [byte].withUnsafeBytes { batch.add($0, .init(pts: Int64(byte), isKeyFrame: false)) }
            }
        }
        #expect(outcome == .taken)
        source.endOfStream()
        #expect(await pipeline.next { $0 == .endOfStream } != nil)
        await pipeline.stop()
        #expect(
            seen.withLock { $0 } == [
                Arrival(bytes: [1, 2, 3], pts: 5, key: true), Arrival(bytes: [4], pts: 4, key: false),
                Arrival(bytes: [5], pts: 5, key: false),
            ])
        #expect(source.push([1], .init(pts: 9)) == .refused)
    }

    private struct Arrival: Equatable {
        var bytes: [UInt8]
        var pts: Int64?
        var key: Bool
    }

    @Test("what is queued can be asked, so that the caller drops")
    func level() async throws {
        let pipeline = try Pipeline("appsrc name=in format=time max-bytes=0 ! fakesink sync=true")
        let source = try pipeline.appSource("in")
        for _ in 0..<10 { source.push([UInt8](repeating: 0, count: 100), .init(pts: 3_600_000_000_000)) }
        #expect(source.queuedBytes == 1000)
        #expect(source.queuedBuffers == 10)
        await pipeline.stop()
    }

    @Test("a stop is over when it returns, and what comes after it is refused")
    func stopping() async throws {
        let pipeline = try Pipeline("videotestsrc is-live=true ! fakesink name=sink")
        try await pipeline.start()
        #expect(await pipeline.stop())
        #expect(await pipeline.stop())
        await #expect(throws: GStreamerError.self) { try await pipeline.start() }
    }

    @Test("a stopped pipeline frees its elements, also where nobody reads its messages")
    func freeing() async throws {
        weak var witness: Witness?
        do {
            let mark = Witness()
            witness = mark
            let pipeline = try Pipeline("videotestsrc num-buffers=2 ! appsink name=out sync=false")
            // The closure is released with the element that holds it.
            try pipeline.onSample("out") { [mark] _, _ in mark.look() }
            try await pipeline.start()
            #expect(await pipeline.stop())
        }
        // A thread of the library's that goes on with a change of state holds the pipeline until it has seen that this one is over.
        let end = Instant.now + .seconds(2)
        while witness != nil, Instant.now < end { try await Task.sleep(for: .milliseconds(2)) }
        #expect(witness == nil)
    }

    private final class Witness: Sendable {
        func look() {}
    }

    @Test("a probe edits buffers in place and sees running times")
    func probes() async throws {
        let pipeline = try Pipeline(
            """
            videotestsrc num-buffers=3 ! video/x-raw,format=GRAY8,width=8,height=8,framerate=10/1 ! identity name=spot ! \
            appsink name=out sync=false async=false
            """)
        let times = Guarded<[Int64?]>([])
        try pipeline.editBuffers("spot", pad: "src") { bytes, _ in
            for index in bytes.indices { bytes[index] = 7 }
        }
        try pipeline.onBuffer("spot", pad: "sink") { sample in times.withLock { $0.append(sample.runningTime) } }
        let seen = Guarded<[[UInt8]]>([])
        try pipeline.onSample("out") { bytes, _ in seen.withLock { $0.append(Array(bytes)) } }
        try await pipeline.start()
        #expect(await pipeline.next { $0 == .endOfStream } != nil)
        await pipeline.stop()
        #expect(seen.withLock { $0 } == Array(repeating: [UInt8](repeating: 7, count: 64), count: 3))
        #expect(times.withLock { $0 } == [0, 100_000_000, 200_000_000])
    }

    @Test("a timer fires once, and not when it was cancelled")
    func timers() async {
        let fired = Guarded(0)
        let cancelled = MonotonicTimer(after: .milliseconds(5)) { fired.withLock { $0 += 100 } }
        cancelled.cancel()
        await withCheckedContinuation { continuation in
            MonotonicTimer.once(after: .milliseconds(20)) {
                fired.withLock { $0 += 1 }
                continuation.resume()
            }
        }
        #expect(fired.withLock { $0 } == 1)
    }
}

extension Pipeline {
    /// The first message that matches; nil when the pipeline is gone. The element under test fails or ends by itself.
    func next(where matches: (PipelineMessage) -> Bool) async -> PipelineMessage? {
        for await message in messages where matches(message) { return message }
        return nil
    }
}
