import GStreamer
import Inputs
import Posix
import Units
import Wire

/// Names one feed among those of a capture, so that a late frame of an old one is known.
struct FeedID: Hashable, Sendable { let number: Int }

/// A source at work: one pipeline that gives raw picture, raw sound or both to the junction.
final class Feed: Sendable {
    enum Part: Sendable { case picture, sound, both }

    let id: FeedID
    let input: OpenInput
    let part: Part
    let pipeline: Pipeline
    /// The moment at which the pipeline's running time is zero.
    private let base = Guarded(Instant.now)
    /// Opens with the first buffer of each kind, or with the first error.
    private let begun = Gate()
    private let state = Guarded(State())

    private struct State {
        var fault: ElementFault?
        var hasBuffer = false
        /// Running time of the end of what has been played.
        var end: Int64 = 0
    }

    /// Files are given this long to get their first frame decoded, so that it is not late.
    private static let headStart: Duration = .milliseconds(100)
    private static let startLimit: Duration = .seconds(5)

    init(_ id: FeedID, _ input: OpenInput, _ part: Part, picture: EncoderSettings, into junction: Junction) throws(GStreamerError) {
        self.id = id
        self.input = input
        self.part = part
        pipeline = try Pipeline(FeedText.text(input, part))
        try FeedText.configure(pipeline, input, part, picture)
        if part != .sound { try connectPicture(to: junction) }
        if part != .picture { try connectSound(to: junction) }
    }

    /// Opens the input and waits for its first frame.
    ///
    /// - Parameter beginning: when a file's first frame is due; nil takes the present.
    /// - Throws: `CaptureFault` of the step `input`.
    func start(at beginning: Instant? = nil) async throws(CaptureFault) {
        do {
            if case .clip = input { try await startClip(at: beginning) } else { try await startLive() }
        } catch {
            throw CaptureFault(step: .input, element: error.element ?? input.id, reason: error.reason)
        }
    }

    func stop() async -> Bool { await pipeline.stop(within: .seconds(2)) }

    /// The message loop has seen an error.
    func failed(_ fault: ElementFault) {
        state.withLock { state in if state.fault == nil { state.fault = fault } }
        begun.open()
    }

    /// The moment at which what was played so far ends.
    var end: Instant {
        base.withLock { $0 } + .nanoseconds(state.withLock { $0.end })
    }

    // MARK: - Starting

    private func startLive() async throws(GStreamerError) {
        setBase(.now)
        try await pipeline.start()
        try await waitForBuffer()
    }

    /// Decodes the first frame, goes back to the beginning in a way that can be repeated without a gap, and plays.
    private func startClip(at beginning: Instant?) async throws(GStreamerError) {
        try await pipeline.pause()
        try await waitForBuffer()
        try await pipeline.playSegment(flush: true)
        setBase(beginning ?? (.now + Feed.headStart))
        try await pipeline.start()
    }

    private func setBase(_ instant: Instant) {
        base.withLock { $0 = instant }
        pipeline.fixBaseTime(instant)
    }

    private func waitForBuffer() async throws(GStreamerError) {
        let inTime = await begun.wait(atMost: Feed.startLimit)
        let (fault, hasBuffer) = state.withLock { ($0.fault, $0.hasBuffer) }
        if let fault { throw GStreamerError(function: "preflight", element: "\(fault.element) (\(fault.factory))", reason: fault.reason) }
        guard inTime, hasBuffer else {
            throw GStreamerError(function: "preflight", element: input.id, reason: "no frame within \(Feed.startLimit.seconds) s")
        }
    }

    // MARK: - Streaming threads

    private func connectPicture(to junction: Junction) throws(GStreamerError) {
        try pipeline.onBuffer("video", pad: "sink") { [begun, state] _ in Feed.note(state, begun) }
        try pipeline.onSharedSample("video") { [id, base, state] sample in
            Feed.note(sample, state)
            junction.picture(sample, of: id, base: base.withLock { $0 })
        }
    }

    private func connectSound(to junction: Junction) throws(GStreamerError) {
        if part == .sound { try pipeline.onBuffer("audio", pad: "sink") { [begun, state] _ in Feed.note(state, begun) } }
        try pipeline.onSharedSample("audio") { [id, base, state] sample in
            Feed.note(sample, state)
            junction.sound(sample, of: id, base: base.withLock { $0 })
        }
    }

    private static func note(_ state: Guarded<State>, _ begun: Gate) {
        let isFirst = state.withLock { state in
            defer { state.hasBuffer = true }
            return !state.hasBuffer
        }
        if isFirst { begun.open() }
    }

    private static func note(_ sample: Sample, _ state: Guarded<State>) {
        guard let running = sample.runningTime else { return }
        state.withLock { $0.end = max($0.end, running + (sample.duration ?? 0)) }
    }
}
