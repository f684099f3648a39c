import GStreamer
import Posix
import Units
import Wire

/// Encoders and muxer at work: takes what the junction hands on, gives transport stream packets.
final class EncodeChain: Sendable {
    let pipeline: Pipeline
    private let settings: EncoderSettings
    /// Opens with the first packets, or with the first error.
    private let flowing = Gate()
    /// Opens with the last packet, or with an error.
    private let drained = Gate()
    private let state = Guarded(State())

    private struct State {
        var fault: ElementFault?
        var hasOutput = false
        var keyFrames = KeyFramePace()
    }

    private static let startLimit: Duration = .seconds(5)

    /// - Parameters:
    ///   - frame: called for each encoded frame, on the encoder's thread.
    ///   - sink: called on the muxer's thread.
    init(
        _ settings: EncoderSettings, trace: AccessUnitTrace?, frame: @escaping @Sendable () -> Void,
        sink: @escaping @Sendable (UnsafeRawBufferPointer) -> Void
    ) throws(GStreamerError) {
        self.settings = settings
        guard let audio = AudioEncoder.allCases.first(where: { GStreamerRuntime.hasElement($0.element) }) else {
            throw GStreamerError(function: "gst_element_factory_find", element: "audioencoder", reason: "no AAC encoder is installed")
        }
        pipeline = try Pipeline(EncodeText.text(settings.encoder, audio: audio))
        try settings.apply(to: pipeline)
        try pipeline.onSample("out") { [flowing, state] bytes, _ in
            let isFirst = state.withLock { state in
                defer { state.hasOutput = true }
                return !state.hasOutput
            }
            sink(bytes)
            if isFirst { flowing.open() }
        }
        try pipeline.onBuffer("videoparse", pad: "src") { [state, weak pipeline] sample in
            frame()
            guard let time = sample.runningTime, state.withLock({ $0.keyFrames.isLate(isKeyFrame: sample.isKeyFrame, at: time) }) else {
                return
            }
            // try?: without it the encoder's own one is waited for.
            try? pipeline?.requestKeyFrame(of: "encoder")
        }
        if let trace { try connect(trace) }
    }

    /// Starts, takes what the junction gives and waits for the first packets.
    ///
    /// - Throws: `CaptureFault` of the step `encoder`; the junction is detached then.
    func start(from junction: Junction) async throws(CaptureFault) {
        do {
            let video = try pipeline.appSource("video")
            let audio = try pipeline.appSource("audio")
            video.setCaps(settings.rawPicture)
            audio.setCaps(EncoderSettings.rawSound)
            try await pipeline.start()
            junction.attach(video: video, audio: audio)
            try await waitForOutput()
        } catch {
            junction.attach(video: nil, audio: nil)
            throw CaptureFault(step: .encoder, element: error.element ?? settings.encoder.rawValue, reason: error.reason)
        }
    }

    /// Encodes what it was given and gives out the last packet; returns then, or after `limit`. Nothing must be pushed after it.
    func drain(within limit: Duration) async {
        // Both are there, or nothing was ever started.
        for name in ["video", "audio"] as [StaticString] { (try? pipeline.appSource(name))?.endOfStream() }
        _ = await drained.wait(atMost: limit)
    }

    /// The message loop has seen the end of the stream.
    func ended() { drained.open() }

    var isRateCostly: Bool { settings.encoder == .vah264 }

    func requestKeyFrame() throws(GStreamerError) { try pipeline.requestKeyFrame(of: "encoder") }

    func setBitrate(_ bitrate: Bitrate) throws(GStreamerError) { try settings.applyBitrate(bitrate, to: pipeline) }

    /// The message loop has seen an error.
    func failed(_ fault: ElementFault) {
        state.withLock { state in if state.fault == nil { state.fault = fault } }
        flowing.open()
        drained.open()
    }

    private func waitForOutput() async throws(GStreamerError) {
        let inTime = await flowing.wait(atMost: EncodeChain.startLimit)
        let (fault, hasOutput) = state.withLock { ($0.fault, $0.hasOutput) }
        if let fault { throw GStreamerError(function: "preflight", element: "\(fault.element) (\(fault.factory))", reason: fault.reason) }
        guard inTime, hasOutput else {
            throw GStreamerError(
                function: "preflight", element: settings.encoder.rawValue,
                reason: "nothing encoded within \(EncodeChain.startLimit.seconds) s")
        }
    }

    private func connect(_ trace: AccessUnitTrace) throws(GStreamerError) {
        let medium: AccessUnitTrace.Medium = settings.choice.codec == .h264 ? .h264 : .h265
        func watch(_ element: StaticString, _ medium: AccessUnitTrace.Medium) throws(GStreamerError) {
            try pipeline.onBuffer(element, pad: "src") { sample in
                guard let time = sample.runningTime else { return }
                sample.withBytes { trace.write(medium, ticks: CaptureTimeline.ticks(at: time), $0) }
            }
        }
        try watch("videoparse", medium)
        try watch("audioparse", .aac)
    }
}
