import MPEGTS
import Outputs
import Posix
import Units

/// What the media thread does: takes what the transport delivered, takes it apart, and offers it to every output.
///
/// `receive` is for the transport's thread; the media loop owns the rest.
final class MediaPath: @unchecked Sendable {
    // Sendable: `reader`, `outputs` and `events` are touched on the media loop only; `seen` has its lock.

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
    }

    private let loop: Loop
    private let ring = MediaRing()
    private let origin = Instant.now
    private let seen = Guarded(Figures())
    private var reader = StreamReader()
    private var outputs: [Output] = []
    private var events: [StreamReader.Event] = []

    /// Packets are collected for this long before the media thread looks at them: a batch costs what a packet would.
    private static let batch: Duration = .milliseconds(20)

    init(loop: Loop) { self.loop = loop }

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
            reader.makesGroups = outputs.contains { $0.takesGroups }
            // The tables were announced before it came.
            if let program = reader.program { for output in outputs { output.offer([.program(program)]) } }
        }
    }

    /// The last of the stream, once the transport gives nothing more; returns when the outputs have it.
    func finish() async {
        await withCheckedContinuation { continuation in
            loop.submit { [self] in
                drain()
                events.removeAll(keepingCapacity: true)
                reader.finish { events.append($0) }
                for output in outputs { output.offer(events) }
                continuation.resume()
            }
        }
    }

    private func drain() {
        let now = Instant.now
        let bytes = ring.take()
        events.removeAll(keepingCapacity: true)
        reader.feed(bytes, arrival: now - origin) { events.append($0) }
        note(bytes: bytes.count, at: now)
        guard !events.isEmpty else { return }
        for output in outputs { output.offer(events) }
    }

    private func note(bytes: Int, at now: Instant) {
        seen.withLock { seen in
            seen.bytes += bytes
            seen.lastMedia = now
            seen.continuityErrors = reader.continuityErrors
            seen.restarts = reader.restarts
            for case .video(let unit) in events {
                if unit.isKey { seen.keyFrames += 1 }
                guard let format = unit.format else { continue }
                seen.coding = format.coding
                seen.size = format.size
            }
        }
    }
}
