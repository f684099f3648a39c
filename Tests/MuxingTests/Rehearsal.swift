import Forwarding
import GStreamer
import Logging
import Posix
import RTP
import Support
import TrackLog
import TrackSpool

@testable import Muxing

/// What an encoder makes, thirty pictures in a second of 160 by 120, a key frame each second.
struct Encoded: Sendable {
    let bytes: [UInt8]
    let isKey: Bool

    static func pictures(_ codec: Codec, _ count: Int) async throws -> [Encoded] {
        let source: PipelineText =
            "videotestsrc name=source pattern=ball ! video/x-raw,format=I420,width=160,height=120,framerate=30/1 !"
        let encoder: PipelineText =
            codec == .h264
            ? "x264enc tune=zerolatency bitrate=200 key-int-max=30 ! video/x-h264,stream-format=byte-stream,alignment=au !"
            : "vp8enc deadline=1 keyframe-max-dist=30 !"
        let pipeline = try Pipeline(source + encoder + "appsink name=sink sync=false")
        try pipeline.set("source", "num-buffers", .count(count))
        let frames = Guarded<[Encoded]>([])
        try pipeline.onSample("sink") { bytes, sample in
            let frame = Encoded(bytes: Array(bytes), isKey: sample.isKeyFrame)
            frames.withLock { $0.append(frame) }
        }
        try await Rehearsal.play(pipeline)
        return frames.withLock { $0 }
    }

    /// As payloads of packets, of a thousand bytes or one unit each.
    func payloads(_ codec: Codec) -> [[UInt8]] {
        guard codec == .h264 else {
            return stride(from: 0, to: bytes.count, by: 1000).map { start in
                [start == 0 ? 0x10 : 0x00] + bytes[start..<min(start + 1000, bytes.count)]
            }
        }
        var units: [[UInt8]] = []
        var unit: [UInt8] = []
        var zeros = 0
        for byte in bytes {
            if byte == 1, zeros >= 2 {
                unit.removeLast(min(zeros, unit.count))
                if !unit.isEmpty { units.append(unit) }
                unit = []
            } else {
                unit.append(byte)
            }
            zeros = byte == 0 ? zeros + 1 : 0
        }
        return units + [unit]
    }
}

/// A take as a worker leaves it, and a file as a player finds it.
final class Rehearsal: Sendable {
    let root: TemporaryFolder
    let folder: TakeFolder
    let loop: Loop
    private let writer: TakeWriter

    static let second: Int64 = 1_000_000

    init() throws {
        root = try TemporaryFolder()
        folder = TakeFolder(root: root.path, take: "t")
        loop = try Loop(name: "take")
        writer = TakeWriter(folder, loop: loop, log: Log("test", threshold: .error, write: { _ in }))
    }

    deinit { loop.stop() }

    var muxer: TakeMuxer { TakeMuxer(folder, into: root.path, loop: loop) }

    func begin(_ codec: Codec, publisher: String = "p") -> Int {
        writer.begin(
            TrackHead(
                codec: codec, at: 100 * Self.second, unixMs: 1_795_392_000_000, segment: 0, publisher: publisher, owner: "", name: "0"))
            ?? 0
    }

    /// A packet that was sent at a time and came when it came.
    func append(_ fields: RTPFields, _ payload: [UInt8], at: Int64, to track: Int) {
        payload.withUnsafeBytes { writer.append(fields, layer: 0, $0, at: 100 * Self.second + at, to: track) }
    }

    /// - Parameter taken: by the publisher's wall clock.
    func report(_ source: UInt32, _ timestamp: UInt32, taken: Int64, at: Int64, to track: Int) {
        let time = NTPTime(microseconds: 3_900_000_000 * Self.second + taken)
        writer.append(.report(LoggedReport(at: 100 * Self.second + at, source: source, time: time, timestamp: timestamp)), to: track)
    }

    func end() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in writer.close { continuation.resume() } }
    }

    /// To its end.
    static func play(_ pipeline: Pipeline) async throws {
        try await pipeline.start()
        for await message in pipeline.messages {
            if case .endOfStream = message { break }
            if case .error(let fault) = message {
                await pipeline.stop()
                throw SupportFailure("\(fault)")
            }
        }
        await pipeline.stop()
    }

    /// When pictures, decoded, and sound, as it is, are to be shown, in microseconds.
    static func read(_ path: String, _ container: MuxPlan.Container) async throws -> (pictures: [Int64], sounds: [Int64]) {
        let demuxer: PipelineText =
            container == .mp4 ? "filesrc name=file ! qtdemux name=demux" : "filesrc name=file ! matroskademux name=demux"
        let decoder: PipelineText = container == .mp4 ? "demux.video_0 ! queue ! avdec_h264 !" : "demux.video_0 ! queue ! vp8dec !"
        let pipeline = try Pipeline(
            demuxer + decoder + "appsink name=pictures sync=false" + "demux.audio_0 ! queue ! appsink name=sounds sync=false")
        try pipeline.set("file", "location", .text(path))
        let (pictures, sounds) = (Guarded<[Int64]>([]), Guarded<[Int64]>([]))
        try pipeline.onSharedSample("pictures") { sample in pictures.withLock { $0.append((sample.runningTime ?? -1) / 1000) } }
        try pipeline.onSharedSample("sounds") { sample in sounds.withLock { $0.append((sample.runningTime ?? -1) / 1000) } }
        try await play(pipeline)
        return (pictures.withLock { $0 }, sounds.withLock { $0 })
    }
}
