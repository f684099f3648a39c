import GStreamer
package import Inputs
import Posix
import Units
import Wire

/// One picture of an input that nobody sends, as a small JPEG file: what somebody sees of it before a broadcast.
package enum InputStill {
    /// In points, with borders where the input has another shape.
    private static let size = (width: 320, height: 180)
    /// Of a camera: in its first frames it looks for its exposure.
    private static let passed = 5
    /// Of JPEG, in percent: usual, and where a picture is too large for it.
    private static let qualities = (usual: 70, coarse: 25)

    /// Opens the input, takes a picture and lets go of it: before it returns, also where its task is cancelled.
    ///
    /// - Parameter limit: for the picture; letting go may take two seconds more.
    /// - Returns: at most `WireLimits.thumbnailBytes`.
    /// - Throws: `CaptureFault` of the step `input`.
    package static func take(of input: OpenInput, within limit: Duration) async throws(CaptureFault) -> [UInt8] {
        let (files, found) = AsyncStream.makeStream(of: Result<[UInt8], CaptureFault>.self, bufferingPolicy: .bufferingOldest(1))
        let pipeline = try make(input, found)
        let watching = Task {
            for await message in pipeline.messages {
                switch message {
                case .error(let error): found.yield(.failure(CaptureFault(step: .input, element: error.element, reason: error.reason)))
                case .endOfStream: found.yield(.failure(fault(input, "it ended before there was a picture")))
                default: continue
                }
            }
        }
        let timer = Task {
            // try?: cancelled where there is a picture in time.
            guard (try? await Task.sleep(for: limit)) != nil else { return }
            found.yield(.failure(fault(input, "it gave no picture within \(limit.milliseconds) ms")))
        }
        var result = Result<[UInt8], CaptureFault>.failure(fault(input, "it is needed for something else"))
        do {
            try await pipeline.start()
            // Ends with the task as well.
            for await file in files {
                result = file
                break
            }
        } catch {
            result = .failure(fault(input, error.reason))
        }
        timer.cancel()
        watching.cancel()
        _ = await pipeline.stop(within: .seconds(2))
        return try result.get()
    }

    private static func make(
        _ input: OpenInput, _ found: AsyncStream<Result<[UInt8], CaptureFault>>.Continuation
    ) throws(CaptureFault) -> Pipeline {
        guard let text = text(input) else { throw fault(input, "it has no picture") }
        do {
            let pipeline = try Pipeline(text)
            try configure(pipeline, input)
            let frames = Guarded(isCamera(input) ? passed : 0)
            try pipeline.onSample("video") { [weak pipeline] bytes, _ in
                let isPassed = frames.withLock { left in
                    defer { left -= 1 }
                    return left > 0
                }
                guard !isPassed else { return }
                if bytes.count <= WireLimits.thumbnailBytes {
                    found.yield(.success(Array(bytes)))
                    return
                }
                // try?: where it cannot be set the next one is as large, and there is none in the end.
                try? pipeline?.set("encoder", "quality", .integer(Int64(qualities.coarse)))
            }
            return pipeline
        } catch {
            throw fault(input, error.reason)
        }
    }

    private static func fault(_ input: OpenInput, _ reason: String) -> CaptureFault {
        CaptureFault(step: .input, element: input.id, reason: reason)
    }

    private static func isCamera(_ input: OpenInput) -> Bool { if case .camera = input { true } else { false } }

    // MARK: What it is taken by

    private static func text(_ input: OpenInput) -> PipelineText? {
        switch input {
        case .test: SourceText.testStill
        case .camera(let camera): mode(camera)?.format == "MJPG" ? SourceText.jpegCameraStill : SourceText.rawCameraStill
        case .microphone: nil
        case .clip(let clip):
            switch clip.container {
            case .mp4, .mov: SourceText.mp4 + SourceText.fileStill
            case .mkv: SourceText.matroska + SourceText.fileStill
            case .ts: SourceText.transportStream + SourceText.fileStill
            case .mp3, .wav: nil
            }
        }
    }

    private static func configure(_ pipeline: Pipeline, _ input: OpenInput) throws(GStreamerError) {
        let shape: [String: Structure.Field] = [
            "format": .text("I420"), "width": .integer(Int64(size.width)), "height": .integer(Int64(size.height)),
            "pixel-aspect-ratio": .fraction(1, 1),
        ]
        try pipeline.set("picture", "caps", .caps(Caps("video/x-raw", shape)))
        try pipeline.set("encoder", "quality", .integer(Int64(qualities.usual)))
        switch input {
        case .test, .microphone: break
        case .camera(let camera):
            try pipeline.set("camera", "device", .text(camera.path))
            if let mode = mode(camera) { try pipeline.set("mode", "caps", .caps(CameraMode.caps(mode))) }
        case .clip(let clip): try pipeline.set("file", "location", .text(clip.path))
        }
    }

    /// A small one: of what two cameras on one bus may carry it takes little.
    private static func mode(_ camera: Camera) -> VideoMode? {
        CameraMode.choose(
            camera.modes, for: EncoderChoice(bitrate: .kilobits(800), width: size.width, height: size.height, frameRate: 15))
    }
}
