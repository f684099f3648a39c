import Fragments
import MPEGTS
import Outputs
import Posix
import Units
import Wire

/// What the media thread does: takes what the transport delivered, takes it apart, and offers it to every output, or the slate
/// where nothing comes.
///
/// `receive` is for the transport's thread; the media loop owns the rest.
final class MediaPath: @unchecked Sendable {
    // Sendable: `splicer`, `outputs`, `events`, `pace`, `preview`, `recording` and what belongs to the timer are touched on the media loop
    // only; `seen` has its lock.

    /// The stream as it was seen, totals since the start.
    struct Figures: Sendable, Hashable {
        var bytes = 0
        var keyFrames = 0
        var lastMedia: Instant?
        var coding: VideoCoding?
        var size: PictureSize?
        var continuityErrors = 0
        /// How often the sender began anew.
        var restarts = 0
        /// Since when the slate is shown; nil while it is not.
        var slateSince: Instant?
    }

    private let loop: Loop
    private let ring = MediaRing()
    private let origin = Instant.now
    private let seen = Guarded(Figures())
    private var splicer = Splicer()
    private var outputs: [Output] = []
    private var events: [StreamReader.Event] = []
    private var wanted: SlateFormat?
    private let wants: @Sendable (SlateFormat) -> Void
    private let shows: @Sendable (KeyFrame) -> Void
    private var pace = ThumbnailPace()
    private var preview: (writer: FragmentWriter, give: @Sendable (PreviewChunk) -> Void)?
    private var recording: (writer: RecordingWriter, give: @Sendable (RecordingWriter.Piece) -> Void)?
    /// When the next look is due.
    private var timer: LoopTimer?
    private var isFinished = false

    /// Packets are collected for this long before the media thread looks at them: a batch costs what a packet would.
    private static let batch: Duration = .milliseconds(20)

    /// - Parameters:
    ///   - wants: told on `loop` what a slate is to be like, and again when that has changed.
    ///   - shows: given on `loop`, where it must not wait, a key frame of the sender's to make a picture of; `thumbnailMade` follows.
    init(
        loop: Loop, wants: @escaping @Sendable (SlateFormat) -> Void, shows: @escaping @Sendable (KeyFrame) -> Void
    ) {
        self.loop = loop
        self.wants = wants
        self.shows = shows
    }

    var figures: Figures { seen.withLock { $0 } }
    var droppedBytes: Int { ring.droppedBytes }

    /// Any thread, one at a time: copies and does not wait.
    func receive(_ bytes: UnsafeRawBufferPointer) {
        guard ring.put(bytes) else { return }
        loop.submit { [self] in
            _ = loop.timer(after: MediaPath.batch) { [self] in drain() }
        }
    }

    /// Any thread: from the next batch on these are served.
    func serve(_ outputs: [Output]) {
        loop.submit { [self] in
            self.outputs = outputs
            splicer.makesGroups = outputs.contains { $0.takesGroups }
            // The tables were announced before it came.
            if let program = splicer.reader.program { for output in outputs { output.offer([.program(program)]) } }
        }
    }

    /// Any thread: from the next batch on a preview is made of what the outputs are offered, from its next key frame on.
    /// - Parameter give: called on `loop`, where it must not wait; nil for no preview.
    func preview(_ give: (@Sendable (PreviewChunk) -> Void)?) {
        loop.submit { [self] in
            preview = give.map { (FragmentWriter(), $0) }
            // The tables were announced before it came.
            if let program = splicer.reader.program { preview?.writer.take(.program(program)) { _ in } }
        }
    }

    /// Any thread: from the next batch on what the outputs are offered is recorded, from its next key frame on.
    ///
    /// - Parameters:
    ///   - origin: what the recording goes on with.
    ///   - give: called on `loop`, where it must not wait.
    func record(_ origin: RecordingWriter.Origin, _ give: @escaping @Sendable (RecordingWriter.Piece) -> Void) {
        loop.submit { [self] in
            recording = (writer: RecordingWriter(origin), give: give)
            // The tables were announced before it came.
            if let program = splicer.reader.program { recording?.writer.take(.program(program), atMs: unixMilliseconds()) { _ in } }
        }
    }

    /// Any thread: shown when it is dark, if it is like the stream then.
    func use(_ slate: Slate) {
        loop.submit { [self] in
            splicer.slate = slate
            lookLater()
        }
    }

    /// Any thread: the next key frame may be given.
    func thumbnailMade(cost: Duration) {
        loop.submit { [self] in pace.finished(cost: cost) }
    }

    /// Any thread: silence is the end from here on, and no reason for a slate.
    func expectEnd() {
        loop.submit { [self] in
            isFinished = true
            timer?.cancel()
            timer = nil
        }
    }

    /// The last of the stream, once the transport gives nothing more; returns when the outputs have it.
    func finish() async {
        await withCheckedContinuation { continuation in
            loop.submit { [self] in
                drain()
                events.removeAll(keepingCapacity: true)
                splicer.finish { events.append($0) }
                offer()
                if let give = recording?.give { recording?.writer.finish(give) }
                continuation.resume()
            }
        }
    }

    private func drain() {
        let now = Instant.now
        let bytes = ring.take()
        seen.withLock { seen in
            seen.bytes += bytes.count
            seen.lastMedia = now
        }
        advance { splicer.feed(bytes, at: now - origin) { events.append($0) } }
    }

    /// What is due without media.
    private func look() {
        timer = nil
        let now = Instant.now
        advance { splicer.tick(at: now - origin) { events.append($0) } }
    }

    /// Has the splicer do something, and offers what comes of it.
    private func advance(_ body: () -> Void) {
        let wasSlate = splicer.darkness.slateSince != nil
        events.removeAll(keepingCapacity: true)
        body()
        let isSlate = splicer.darkness.slateSince != nil
        note(isSlate: wasSlate && isSlate)
        // Where one goes over into the other, some of it is the slate's.
        if !wasSlate, !isSlate { showKeyFrame() }
        if !events.isEmpty { offer() }
        if let format = splicer.wanted, format != wanted {
            wanted = format
            wants(format)
        }
        lookLater()
    }

    private func offer() {
        for output in outputs { output.offer(events) }
        if let give = preview?.give {
            for event in events { preview?.writer.take(event, give) }
        }
        if let give = recording?.give {
            let nowMs = unixMilliseconds()
            for event in events { recording?.writer.take(event, atMs: nowMs, give) }
        }
    }

    private func showKeyFrame() {
        for case .video(let unit) in events where unit.isKey {
            let now = Instant.now
            guard let key = KeyFrame(unit, at: now), pace.take(at: now - origin) else { continue }
            shows(key)
        }
    }

    /// One timer at most: where pictures come, it finds that there is nothing to do and goes on.
    private func lookLater() {
        guard !isFinished, timer == nil else { return }
        let now = Instant.now - origin
        guard let next = splicer.nextTick(after: now) else { return }
        timer = loop.timer(after: max(.zero, next - now)) { [self] in look() }
    }

    /// - Parameter isSlate: nothing of what is offered is the sender's.
    private func note(isSlate: Bool) {
        seen.withLock { seen in
            seen.continuityErrors = splicer.reader.continuityErrors
            seen.restarts = splicer.reader.restarts
            seen.slateSince = splicer.darkness.slateSince.map { origin + $0 }
            guard !isSlate else { return }
            for case .video(let unit) in events {
                if unit.isKey { seen.keyFrames += 1 }
                guard let format = unit.format else { continue }
                seen.coding = format.coding
                seen.size = format.size
            }
        }
    }
}
