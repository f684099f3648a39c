import GStreamer
import MPEGTS
package import Posix
import Units
package import Wire

/// Encodes a slate once, on threads of GStreamer's that are gone afterwards.
package enum SlateEncoder {
    /// 2 s are usual for 1080p on a busy core; who waits longer goes without.
    private static let limit: Duration = .seconds(30)
    /// A group of one second, and no more pictures than that of a camera at 120 a second.
    private static let count = 2...120

    /// - Parameters:
    ///   - picture: nil: one of ours.
    ///   - loop: where the end is waited for.
    /// - Throws: what is missing or does not fit; an organisation's picture that cannot be read is a fault too.
    package static func encode(_ format: SlateFormat, _ picture: OwnPicture?, on loop: Loop) async throws -> Slate {
        let count = min(max(Int(MediaTime.ticksPerSecond / format.frame), count.lowerBound), count.upperBound)
        let pipeline = try pipeline(format, picture, count: count)
        let coded = Guarded<[[UInt8]]>([])
        try pipeline.onSample("coded") { bytes, sample in
            if !sample.isHeader { coded.withLock { $0.append(Array(bytes)) } }
        }
        let source = try pipeline.appSource("source")
        let (caps, bytes) = try input(format, picture)
        source.setCaps(caps)
        try await pipeline.start()
        source.push(bytes, AppSource.Stamp(pts: 0))
        source.endOfStream()
        let fault = await end(of: pipeline, on: loop)
        await pipeline.stop()
        if let fault { throw fault }
        let pictures = coded.withLock { $0 }
        guard pictures.count == count, isKey(pictures[0], format.coding) else {
            throw GStreamerError(function: "encode", reason: "\(pictures.count) of \(count) pictures, or no key frame first")
        }
        return Slate(format: format, pictures: pictures)
    }

    /// - Returns: nil at the end of the stream.
    private static func end(of pipeline: Pipeline, on loop: Loop) async -> GStreamerError? {
        await withTaskGroup(of: GStreamerError?.self) { group in
            group.addTask { await listen(to: pipeline) }
            group.addTask {
                // Cancelled is what it hopes to be.
                try? await loop.sleep(for: limit)
                return GStreamerError(function: "encode", reason: "not done within \(limit.milliseconds / 1000) s")
            }
            let first = await group.next()
            group.cancelAll()
            return first ?? nil
        }
    }

    private static func listen(to pipeline: Pipeline) async -> GStreamerError? {
        for await message in pipeline.messages {
            switch message {
            case .endOfStream: return nil
            case .error(let fault): return GStreamerError(function: "encode", element: fault.element, reason: fault.reason)
            default: break
            }
        }
        return GStreamerError(function: "encode", reason: "the pipeline ended")
    }

    private static func input(_ format: SlateFormat, _ picture: OwnPicture?) throws -> (Caps, [UInt8]) {
        switch picture?.kind {
        case .png: return (Caps("image/png"), picture?.bytes ?? [])
        case .jpeg: return (Caps("image/jpeg"), picture?.bytes ?? [])
        case nil:
            let drawn = SlatePicture(for: format.size)
            let fields: [String: Structure.Field] = [
                "format": .text("I420"), "width": .integer(Int64(drawn.width)), "height": .integer(Int64(drawn.height)),
                "framerate": .fraction(1, 1), "pixel-aspect-ratio": .fraction(1, 1), "colorimetry": .text("bt709"),
            ]
            return (Caps("video/x-raw", fields), drawn.bytes)
        }
    }

    private static func pipeline(_ format: SlateFormat, _ picture: OwnPicture?, count: Int) throws -> Pipeline {
        let pipeline = try Pipeline(source(picture) + scale + encoder(format.coding) + sink)
        let size: [String: Structure.Field] = [
            "format": .text("I420"), "width": .integer(Int64(format.size.width)), "height": .integer(Int64(format.size.height)),
            "pixel-aspect-ratio": .fraction(1, 1), "colorimetry": .text("bt709"),
        ]
        try pipeline.set("size", "caps", .caps(Caps("video/x-raw", size)))
        if let picture {
            let told: [String: Structure.Field] = ["width": .integer(Int64(picture.width)), "height": .integer(Int64(picture.height))]
            try pipeline.set("told", "caps", .caps(Caps("video/x-raw", told)))
        }
        try pipeline.set("still", "num-buffers", .count(count))
        let rate = Structure.Field.fraction(Int(MediaTime.ticksPerSecond), Int(format.frame))
        try pipeline.set("rate", "caps", .caps(Caps("video/x-raw", ["framerate": rate])))
        try pipeline.set("form", "caps", .caps(form(format)))
        try pipeline.set("encoder", "key-int-max", .count(count))
        return pipeline
    }

    private static func source(_ picture: OwnPicture?) -> PipelineText {
        // What the decoder finds must be what the picture's head said: else nothing is decoded.
        switch picture?.kind {
        case .png: "appsrc name=source format=time ! pngdec ! capsfilter name=told ! videoconvert !"
        case .jpeg: "appsrc name=source format=time ! jpegdec ! capsfilter name=told ! videoconvert !"
        case nil: "appsrc name=source format=time !"
        }
    }

    private static let scale: PipelineText = """
        videoscale add-borders=true ! capsfilter name=size ! imagefreeze name=still ! capsfilter name=rate !
        """

    /// A constant quantizer: a still picture costs nothing after its key frame, where a rate to be reached would be spent.
    private static func encoder(_ coding: VideoCoding) -> PipelineText {
        switch coding {
        case .h264:
            "x264enc name=encoder speed-preset=veryfast tune=zerolatency threads=1 pass=quant quantizer=24 bframes=0 !"
        case .h265:
            """
            x265enc name=encoder speed-preset=ultrafast tune=zerolatency \
            option-string=qp=26:bframes=0:pools=none:frame-threads=1:repeat-headers=1:log-level=none:scenecut=0:open-gop=0 !
            """
        }
    }

    private static let sink: PipelineText = "capsfilter name=form ! appsink name=coded sync=false async=false max-buffers=0"

    private static func form(_ format: SlateFormat) -> Caps {
        var fields: [String: Structure.Field] = ["stream-format": .text("byte-stream"), "alignment": .text("au")]
        guard format.coding == .h264 else { return Caps("video/x-h265", fields) }
        fields["profile"] = .text(profile(format.profile))
        fields["level"] = level(format.level).map { .text($0) }
        return Caps("video/x-h264", fields)
    }

    /// What is beyond eight bits of 4:2:0 gets the profile below: its decoders read that as well.
    private static func profile(_ code: UInt8) -> String {
        switch code {
        case 66: "constrained-baseline"
        case 77, 88: "main"
        default: "high"
        }
    }

    /// 31 is 3.1. Source: ITU-T H.264, A.3.
    private static func level(_ code: UInt8) -> String? {
        guard (10...62).contains(code) else { return nil }
        return code % 10 == 0 ? "\(code / 10)" : "\(code / 10).\(code % 10)"
    }

    private static func isKey(_ picture: [UInt8], _ coding: VideoCoding) -> Bool {
        NALUnits.ranges(picture).contains { NALUnits.role(picture[$0.lowerBound], coding) == .keySlice }
    }
}
