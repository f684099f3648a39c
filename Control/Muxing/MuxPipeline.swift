import Forwarding
import Frames
import GStreamer

/// Puts frames with their times into a file: whatever makes them is never slowed down, whatever writes it is.
struct MuxPipeline: Sendable {
    private let pipeline: Pipeline
    private let pictures: AppSource?
    private let sounds: AppSource?

    /// In bytes of pictures that wait: a push waits where it is more. All pictures of the time by which sound may be behind (`FileLine`)
    /// have room in it, whatever they are. Sound has no bound: it is small, and a muxer that waits for it would wait for ever where its
    /// push did.
    private static let picture: PipelineText = "appsrc name=pictures format=time block=true max-bytes=33554432 !"
    /// Without opusparse: it counts times from zero, whatever its input says.
    private static let soundText: PipelineText = "appsrc name=sound format=time max-bytes=0 max-buffers=0 ! mux.audio_0"
    private static let elements = ["appsrc", "h264parse", "webmmux", "mp4mux", "filesink"]

    /// How large pictures of VP8 are: a file says it before the first one.
    struct Size: Sendable, Hashable {
        let width: Int
        let height: Int

        /// Of a key frame; nil for what is none. Source: RFC 6386, 9.1.
        init?(_ frame: [UInt8]) {
            guard frame.count >= 10, frame[0] & 1 == 0, frame[3] == 0x9d, frame[4] == 0x01, frame[5] == 0x2a else { return nil }
            width = Int(frame[6]) | Int(frame[7] & 0x3f) << 8
            height = Int(frame[8]) | Int(frame[9] & 0x3f) << 8
            guard width > 0, height > 0 else { return nil }
        }
    }

    /// - Parameters:
    ///   - codec: of the pictures; nil without any.
    ///   - size: of VP8.
    /// - Throws: which element is missing, too.
    init(_ container: MuxPlan.Container, _ codec: Codec?, size: Size?, hasSound: Bool, into path: String) throws(GStreamerError) {
        try GStreamerRuntime.start()
        if let missing = Self.elements.first(where: { !GStreamerRuntime.hasElement($0) }) {
            throw GStreamerError(function: "gst_element_factory_find", element: missing, reason: "it is not installed")
        }
        var text: PipelineText =
            container == .mp4 ? "mp4mux name=mux ! filesink name=file" : "webmmux name=mux ! filesink name=file"
        switch codec {
        case .vp8: text += Self.picture + "mux.video_0"
        case .h264: text += Self.picture + "h264parse ! mux.video_0"
        case .opus, .vp9, .av1, nil: break
        }
        if hasSound { text += Self.soundText }
        pipeline = try Pipeline(text)
        try pipeline.set("file", "location", .text(path))
        pictures = try codec == nil ? nil : pipeline.appSource("pictures")
        sounds = try hasSound ? pipeline.appSource("sound") : nil
        switch codec {
        case .vp8:
            // webmmux wants a rate: 0/1 is one that changes.
            var fields: [String: Structure.Field] = ["framerate": .fraction(0, 1)]
            if let size {
                fields["width"] = .integer(Int64(size.width))
                fields["height"] = .integer(Int64(size.height))
            }
            pictures?.setCaps(Caps("video/x-vp8", fields))
        case .h264: pictures?.setCaps(Caps("video/x-h264", ["stream-format": .text("byte-stream"), "alignment": .text("au")]))
        case .opus, .vp9, .av1, nil: break
        }
        sounds?.setCaps(
            Caps(
                "audio/x-opus",
                ["rate": .integer(48_000), "channels": .integer(2), "channel-mapping-family": .integer(0)]))
    }

    func start() async throws(GStreamerError) { try await pipeline.start() }

    /// Microseconds from the file's start. Waits where too much waits already.
    /// - Returns: false where the pipeline takes nothing any more.
    func picture(_ bytes: [UInt8], at time: Int64, isKey: Bool) -> Bool {
        pictures?.push(bytes, AppSource.Stamp(pts: time * 1000, dts: time * 1000, isKeyFrame: isKey)) == .taken
    }

    /// - Parameter bytes: a packet of Opus, whose length is said with it: a file of MP4 ends before its last one otherwise.
    func sound(_ bytes: [UInt8], at time: Int64) -> Bool {
        let duration = OpusPacket.duration(bytes).map { $0 * 1000 }
        return sounds?.push(bytes, AppSource.Stamp(pts: time * 1000, dts: time * 1000, duration: duration)) == .taken
    }

    /// No picture comes any more: the muxer does not wait for one, and does not hold the sound of hours meanwhile.
    func endPictures() { pictures?.endOfStream() }

    func finish() {
        pictures?.endOfStream()
        sounds?.endOfStream()
    }

    /// Until the file is whole.
    /// - Returns: why it is not; nil where it is. Nothing waits in a push any more then.
    func ended() async -> String? {
        var reason: String? = "the pipeline ended without a word"
        follow: for await message in pipeline.messages {
            switch message {
            case .endOfStream:
                reason = nil
                break follow
            case .error(let fault):
                reason = "\(fault)"
                break follow
            case .warning, .segmentDone, .asyncDone, .playing, .element: break
            }
        }
        // Closes the file, and has what waits in a push return.
        let isStopped = await pipeline.stop()
        return reason ?? (isStopped ? nil : "the pipeline did not end")
    }
}
