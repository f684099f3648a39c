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
    /// Opens when a file waits with a first buffer at each of its sinks, or with the first error.
    private let ready = Gate()
    private let state = Guarded(State())

    private struct State {
        var fault: ElementFault?
        var hasBuffer = false
        /// Running time of the end of what has been played.
        var end: Int64 = 0
        /// A file's demuxer gave something since its segment began; true where nobody looks.
        var segmentHasData = true
    }

    /// Files are given this long to get their first frame decoded, so that it is not late.
    private static let headStart: Duration = .milliseconds(100)
    private static let startLimit: Duration = .seconds(5)

    init(_ id: FeedID, _ input: OpenInput, _ part: Part, picture: EncoderSettings, into junction: Junction) throws(GStreamerError) {
        self.id = id
        self.input = input
        self.part = part
        pipeline = try Pipeline(FeedText.text(input, part, picture.choice))
        try FeedText.configure(pipeline, input, part, picture)
        if part != .sound { try connectPicture(to: junction) }
        if part != .picture { try connectSound(to: junction) }
        if isSplit { try watchSegments() }
    }

    enum Start: Sendable {
        case running
        /// The file has no sound that can be played: it is to be taken for its picture alone.
        case withoutSound
    }

    /// Opens the input and waits for its first frame.
    ///
    /// - Parameter beginning: when a file's first frame is due; nil takes the present.
    /// - Throws: `CaptureFault` of the step `input`.
    func start(at beginning: Instant? = nil) async throws(CaptureFault) -> Start {
        do {
            if case .clip(let clip) = input { return try await start(clip, at: beginning) }
            try await startLive()
            return .running
        } catch {
            throw CaptureFault(step: .input, element: error.element ?? input.id, reason: error.reason)
        }
    }

    /// Has a file play from its beginning (again). Throws where its demuxer cannot do that without a gap.
    func playSegment(flush: Bool) async throws(GStreamerError) {
        try await pipeline.playSegment(flush: flush, through: part == .sound ? "audio" : "video")
    }

    /// A segment was played to its end, and the next one may begin.
    /// - Returns: whether there was anything in it.
    func endSegment() -> Bool {
        state.withLock { state in
            defer { state.segmentHasData = !isSplit }
            return state.segmentHasData
        }
    }

    /// Whether its demuxer's pads are watched: a file of sound alone has none.
    private var isSplit: Bool {
        guard case .clip(let clip) = input else { return false }
        return clip.container != .mp3 && clip.container != .wav
    }

    func stop() async -> Bool { await pipeline.stop(within: .seconds(2)) }

    /// The message loop has seen an error.
    func failed(_ fault: ElementFault) {
        state.withLock { state in if state.fault == nil { state.fault = fault } }
        begun.open()
        ready.open()
    }

    /// The message loop has seen that all sinks have a buffer.
    func isReady() { ready.open() }

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
    private func start(_ clip: Clip, at beginning: Instant?) async throws(GStreamerError) -> Start {
        try await pipeline.pause()
        try await waitForBuffer()
        // A demuxer has shown all its tracks when the first of them has data.
        if part == .both, try !pipeline.isLinked("audiotrack", pad: "sink") { return .withoutSound }
        guard await ready.wait(atMost: Feed.startLimit) else { throw fault("the file's sound does not come") }
        if let fault = state.withLock({ $0.fault }) { throw reason(fault) }
        if clip.container.playsSegments { try await playSegment(flush: true) }
        setBase(beginning ?? (.now + Feed.headStart))
        try await pipeline.start()
        return .running
    }

    private func setBase(_ instant: Instant) {
        base.withLock { $0 = instant }
        pipeline.fixBaseTime(instant)
    }

    private func waitForBuffer() async throws(GStreamerError) {
        let inTime = await begun.wait(atMost: Feed.startLimit)
        let (fault, hasBuffer) = state.withLock { ($0.fault, $0.hasBuffer) }
        if let fault { throw reason(fault) }
        guard inTime, hasBuffer else { throw self.fault("no frame within \(Feed.startLimit.seconds) s") }
    }

    private func reason(_ fault: ElementFault) -> GStreamerError {
        GStreamerError(function: "preflight", element: "\(fault.element) (\(fault.factory))", reason: fault.reason)
    }

    private func fault(_ text: String) -> GStreamerError { GStreamerError(function: "preflight", element: input.id, reason: text) }

    // MARK: - Streaming threads

    private func connectPicture(to junction: Junction) throws(GStreamerError) {
        try pipeline.onBuffer("video", pad: "sink") { [begun, state] _ in Feed.note(state, begun) }
        try pipeline.onBuffer(FeedText.ownPictures(input), pad: "sink") { [id] _ in junction.input(of: id) }
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

    private func watchSegments() throws(GStreamerError) {
        try pipeline.onBuffer(part == .sound ? "audiotrack" : "videotrack", pad: "src") { [state] _ in
            state.withLock { $0.segmentHasData = true }
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

extension Clip.Container {
    /// Whether the demuxer can be sent back to the beginning without emptying the pipeline. tsdemux of 1.22 cannot, and leaves the
    /// pipeline flushing when asked: the end of its stream starts another pipeline instead.
    fileprivate var playsSegments: Bool { self != .ts }
}
