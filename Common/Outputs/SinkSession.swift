import GStreamer
import MPEGTS
import Posix

/// One attempt at a destination: a pipeline from an appsrc to a sink, from its start to its end.
///
/// `push` is for the media thread and never waits; the rest is for the output's loop.
final class SinkSession: Sendable {
    enum Kind: Sendable, Hashable { case rtmp, srtCaller, srtListener, file, room }

    let kind: Kind
    private let pipeline: Pipeline
    private let source: AppSource
    /// What is handed to the pipeline beyond what it takes on; the rest waits in our queue, where it can be dropped by groups.
    private static let ahead = 384 << 10

    /// Of a listener, whose peers come and go.
    private let prologue = Guarded(Prologue())
    private static let transportCaps = Caps("video/mpegts", ["systemstream": .flag(true), "packetsize": .integer(188)])

    /// A file's, or of the way to a room; it outlives the pipeline that writes to it.
    private let descriptor: Descriptor?
    /// What takes the stream into a room.
    private let field: FieldProcess?

    init(
        _ kind: Kind, _ pipeline: Pipeline, keeping descriptor: consuming Descriptor? = nil, field: FieldProcess? = nil
    ) throws(GStreamerError) {
        self.kind = kind
        self.descriptor = descriptor
        self.field = field
        self.pipeline = pipeline
        source = try pipeline.appSource("source")
        source.setCaps(kind == .rtmp ? Caps("video/x-flv") : SinkSession.transportCaps)
    }

    var messages: AsyncStream<PipelineMessage> { pipeline.messages }
    /// What a room says; nil of every other kind.
    var words: AsyncStream<FieldWord>? { field?.words }
    var hasRoom: Bool { source.queuedBytes < SinkSession.ahead }
    var queuedBytes: Int { source.queuedBytes }

    /// Hands over several buffers with one wake-up of the streaming thread.
    func push(_ chunks: [[UInt8]]) {
        guard !chunks.isEmpty else { return }
        source.pushList(expected: chunks.count) { batch in
            for chunk in chunks {
                chunk.withUnsafeBytes { batch.add($0, AppSource.Stamp(pts: nil)) }
            }
        }
    }

    /// Hands over a picture's packets so that a peer that joins before the next ones begins with the tables and the last key frame.
    ///
    /// srtsink puts the header of its caps before a peer's first buffer and leaves out none between them: so each group comes with
    /// caps that hold all before it, at the cost of two references for each packet since the key frame.
    func push(joinable group: TransportGroup) {
        prologue.withLock { prologue in
            prologue.prepare(for: group)
            source.setCaps(SinkSession.transportCaps, header: prologue.header)
            source.push(group.bytes, AppSource.Stamp(pts: nil))
            prologue.add(group)
        }
    }

    func start() async throws(GStreamerError) { try await pipeline.start() }

    /// Says goodbye to the peer where there is one.
    /// `.endOfStream` follows when the sink has done so.
    func endOfStream() {
        // A room is left, and the process ends by that.
        if let field { field.leave() } else { source.endOfStream() }
    }

    /// After the end of the stream: returns when the peer has had the time to take the last of it. What a closed connection still
    /// holds is lost.
    func settle(on loop: Loop) async {
        // Cancelled by nobody.
        switch kind {
        case .file, .room: return
        case .srtCaller, .srtListener: try? await loop.sleep(for: latency + .milliseconds(100))
        case .rtmp:
            // Messages, and the one that ends the stream, are written by a thread of the sink's after it has reported the end.
            for _ in 0..<10 {
                let before = sentBytes
                try? await loop.sleep(for: .milliseconds(100))
                if sentBytes == before { return }
            }
        }
    }

    /// How long a peer holds what it received: it gives up what is younger when the connection ends.
    private var latency: Duration {
        // What the two agreed on, and the way there; a listener's callers are not told apart: what it asks of them counts.
        // A sink that answers neither has no peer.
        let stats = (try? pipeline.getStructure("sink", "stats"))?.fields ?? [:]
        let own = SinkSession.number(try? pipeline.get("sink", "latency"))
        let agreed = max(own, SinkSession.number(stats["negotiated-latency-ms"]))
        return .milliseconds(min(2000, agreed + SinkSession.number(stats["rtt-ms"])))
    }

    private static func number(_ field: Structure.Field?) -> Double {
        switch field {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: 0
        }
    }

    /// Takes the pipeline down. One that does not let go keeps its descriptor: the number must not become somebody else's.
    func stop() async -> Bool {
        // First: a pipeline that writes to one that takes nothing lets go when that is gone.
        field?.kill()
        if await pipeline.stop() { return true }
        _ = Unmanaged.passRetained(self)
        return false
    }

    /// What the peers have taken, by a number for each; empty where nobody counts it: a file's disk, and a listener's callers come and go.
    ///
    /// - Parameter address: of RTMP's server.
    func uptake(at address: SocketAddress?) -> [Int: Uptake.Counts] {
        switch kind {
        case .file, .srtListener, .room: return [:]
        case .rtmp:
            guard let address else { return [:] }
            // Two outputs of one stream to one server are not told apart.
            return PeerSockets.counts(to: address).mapValues { Uptake.Counts(taken: $0.acknowledged, room: $0.room, isOwed: $0.isOwed) }
        case .srtCaller:
            // try?: a sink without statistics has no peer, and nobody to hang.
            let stats = (try? pipeline.getStructure("sink", "stats"))?.fields ?? [:]
            // Each 10 ms all that came is confirmed, and counted is how often: how much it was is not told.
            guard case .integer(let confirmed)? = stats["packet-ack-received"], case .integer(let sent)? = stats["bytes-sent-total"] else {
                return [:]
            }
            return [0: Uptake.Counts(taken: Int(confirmed), room: Int(confirmed), sent: Int(sent))]
        }
    }

    /// Bytes the peer was sent, by the sink's own count; 0 where there is no peer yet or the sink does not count.
    var sentBytes: Int {
        let key =
            switch kind {
            case .rtmp: "out-bytes-total"
            case .srtCaller, .srtListener: "bytes-sent-total"
            case .file, .room: ""
            }
        guard kind != .file, kind != .room else { return 0 }
        // A sink without statistics has no peer: zero says the same.
        guard case .integer(let count)? = (try? pipeline.getStructure("sink", "stats"))?.fields[key] else { return 0 }
        return Int(count)
    }
}
