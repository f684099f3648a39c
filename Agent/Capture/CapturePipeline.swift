import GStreamer
package import Inputs
package import Logging
import Posix
package import Units
package import Wire

/// Where picture and sound come from.
package struct CaptureSources: Sendable {
    package let picture: OpenInput
    /// nil takes the picture's own sound, or silence where it has none.
    package let sound: OpenInput?

    package init(picture: OpenInput, sound: OpenInput? = nil) {
        self.picture = picture
        self.sound = sound
    }
}

/// One broadcast's capture: sources, encoders and the muxer, from `start` to `stop`, which must be called.
///
/// The transport stream leaves through `sink`, on a streaming thread, in pieces of at most 7 packets (1316 bytes); `sink` must not wait.
package actor CapturePipeline {
    /// What happens, for one reader; holds the last 64.
    package nonisolated let events: AsyncStream<CaptureEvent>
    package nonisolated let timeline: CaptureTimeline

    private let tell: AsyncStream<CaptureEvent>.Continuation
    private let sink: @Sendable (UnsafeRawBufferPointer) -> Void
    private let trace: String?
    private let log: Log
    nonisolated let junction: Junction
    private let produced = Guarded(Produced())
    private let choice: EncoderChoice
    private var encode: EncodeChain?
    private var feeds: [Feed] = []
    private var readers: [Task<Void, Never>] = []
    private var nextFeed = 0
    private var watch: StallWatch?
    /// What it runs without, and why.
    private var lacking: [Part: String] = [:]
    private var isOver = false

    private enum Part: Int { case sound, bitrate }

    private struct Produced {
        var bytes = 0
        var frames = 0
    }

    /// - Parameters:
    ///   - timeline: of the capture before it, where a broadcast goes on; nil begins one now.
    ///   - trace: a file that gets a line for each access unit (`AccessUnitTrace`); nil writes none.
    package init(
        encoder: EncoderChoice, timeline: CaptureTimeline? = nil, trace: String? = nil, log: Log,
        sink: @escaping @Sendable (UnsafeRawBufferPointer) -> Void
    ) {
        (events, tell) = AsyncStream.makeStream(of: CaptureEvent.self, bufferingPolicy: .bufferingNewest(64))
        self.timeline = timeline ?? CaptureTimeline(base: .now)
        self.trace = trace
        self.log = log
        let produced = self.produced
        self.sink = { bytes in
            produced.withLock { $0.bytes += bytes.count }
            sink(bytes)
        }
        choice = encoder
        junction = Junction(
            timeline: self.timeline, frameRate: encoder.frameRate, look: MediaLook(width: encoder.width, height: encoder.height))
    }

    /// Opens the input, waits for its first frame, starts the encoder and waits for its first packet.
    ///
    /// - Throws: the step that failed, and why; everything is stopped then.
    package func start(_ sources: CaptureSources) async throws(CaptureFault) {
        do {
            feeds = try await begin(CapturePlan.plan(sources), keeping: [])
            show(feeds)
            try await startEncoder()
        } catch {
            await stop()
            throw error
        }
        watch = StallWatch(
            limit: .seconds(2), lastFrameAt: { [junction] in junction.lastFrameAt },
            stalled: { [weak self] in
                Task { await self?.stalled() }
            })
        tell.yield(.flowing)
    }

    /// Shows other sources, without touching encoder and muxer: timestamps go on, the gap is that between the last frame of the
    /// old picture and the first of the new one, which is waited for.
    ///
    /// - Throws: the fault of the new input; the old one goes on then.
    package func switchInput(to sources: CaptureSources) async throws(CaptureFault) {
        let plan = try CapturePlan.plan(sources)
        let old = feeds
        let new = try await begin(plan, keeping: old)
        show(new)
        feeds = new
        note(nil, of: .sound)
        for feed in old where !new.contains(where: { $0.id == feed.id }) { await end(feed) }
    }

    /// Whether each new bit rate costs a key frame: GStreamer's VA encoders begin their sequence again (1.22, gstvabaseenc.c).
    package var isRateCostly: Bool { encode?.isRateCostly ?? false }

    /// Changes the bit rate of the running encoder; no gap, and no key frame but for those to which it is costly. What the encoder cannot do
    /// while it runs is logged and left.
    package func setBitrate(_ bitrate: Bitrate) {
        do {
            try encode?.setBitrate(bitrate)
            note(nil, of: .bitrate)
        } catch {
            note("bit rate: \(error)", of: .bitrate)
        }
    }

    /// Leaves frames out in front of the encoder, which gives each of the others the bits that it always did: a rate below what a picture
    /// needs. Size and nominal frame rate stay.
    package nonisolated func keep(oneOf count: Int) { junction.keep(oneOf: count) }

    /// Has the next picture be a key frame, for somebody who has seen none yet.
    package func requestKeyFrame() {
        // try?: without it the next regular one is waited for, 2 s at most.
        try? encode?.requestKeyFrame()
    }

    /// - Parameter reason: nil where it is as planned.
    private func note(_ reason: String?, of part: Part) {
        guard lacking[part] != reason else { return }
        lacking[part] = reason
        let reasons = lacking.sorted { $0.key.rawValue < $1.key.rawValue }.map(\.value)
        tell.yield(reasons.isEmpty ? .restored : .degraded(reasons.joined(separator: "; ")))
    }

    package nonisolated var figures: CaptureFigures {
        var figures = CaptureFigures()
        junction.fill(&figures)
        (figures.producedBytesTotal, figures.framesTotal) = produced.withLock { ($0.bytes, $0.frames) }
        return figures
    }

    /// What is shown and heard now.
    package nonisolated var signs: MediaSigns { junction.look.signs(pictureAt: junction.lastFrameAt, at: .now) }

    /// Ends the input, has all that was taken of it leave through the sink, within 2 s, and ends the rest as `stop` does.
    package func finish() async {
        isOver = true
        watch?.cancel()
        junction.activate(picture: nil, sound: nil)
        junction.attach(video: nil, audio: nil)
        await encode?.drain(within: .seconds(2))
        await stop()
    }

    /// Ends everything; returns when devices and files are closed, or given up after 2 s each. The sink is not called afterwards.
    package func stop() async {
        isOver = true
        watch?.cancel()
        watch = nil
        junction.activate(picture: nil, sound: nil)
        junction.attach(video: nil, audio: nil)
        for feed in feeds { await end(feed) }
        feeds = []
        if let encode { await give(up: encode) }
        encode = nil
        for reader in readers { reader.cancel() }
        readers = []
        tell.finish()
    }
}

// MARK: - Sources

extension CapturePipeline {
    /// Starts those of the plan that do not run yet. On a fault the new ones are stopped.
    private func begin(_ plan: [(OpenInput, Feed.Part)], keeping old: [Feed]) async throws(CaptureFault) -> [Feed] {
        var begun: [Feed] = []
        var fresh: [Feed] = []
        do {
            for (input, part) in plan {
                if let running = old.first(where: { $0.input.id == input.id && $0.part == part }) {
                    begun.append(running)
                } else {
                    var feed = try make(input, part)
                    fresh.append(feed)
                    if try await feed.start() == .withoutSound {
                        feed = try make(input, .picture)
                        fresh.append(feed)
                        _ = try await feed.start()
                    }
                    begun.append(feed)
                }
            }
        } catch {
            for feed in fresh { await end(feed) }
            throw error
        }
        for feed in fresh where !begun.contains(where: { $0 === feed }) { await end(feed) }
        return begun
    }

    private func make(_ input: OpenInput, _ part: Feed.Part) throws(CaptureFault) -> Feed {
        nextFeed += 1
        let feed: Feed
        do {
            feed = try Feed(FeedID(number: nextFeed), input, part, picture: settings(.x264), into: junction)
        } catch {
            throw CaptureFault(step: .input, element: error.element ?? input.id, reason: error.reason)
        }
        readers.append(
            Task { [weak self] in
                for await message in feed.pipeline.messages {
                    switch message {
                    case .error(let fault): feed.failed(fault)
                    case .asyncDone: feed.isReady()
                    default: break
                    }
                    await self?.heard(message, from: feed)
                }
            })
        return feed
    }

    /// Other sources from now on, as they were asked for: one that is lost later is missed.
    private func show(_ feeds: [Feed]) {
        junction.look.changed(hasSound: feeds.contains { $0.part != .picture })
        activate(feeds)
    }

    private func activate(_ feeds: [Feed]) {
        junction.activate(
            picture: feeds.first { $0.part != .sound }?.id,
            sound: feeds.first { $0.part != .picture }?.id)
    }

    private func heard(_ message: PipelineMessage, from feed: Feed) async {
        guard !isOver else { return }
        let isShown = feeds.contains { $0.id == feed.id }
        switch message {
        case .error(let fault): if isShown { lost(feed, at: "\(fault.element) (\(fault.factory))", fault.reason) }
        // A short file is read to its end before it is shown.
        case .segmentDone:
            guard feed.endSegment() else {
                // It would be sent back to its beginning as fast as that is possible, until the frames in hand are shown.
                if isShown { lost(feed, at: feed.input.id, "the file gives nothing any more: it is cut off or damaged") }
                return
            }
            do {
                try await feed.playSegment(flush: false)
            } catch {
                await playAgain(feed)
            }
        case .endOfStream: if isShown { await playAgain(feed) }
        default: break
        }
    }

    private func lost(_ feed: Feed, at element: String, _ reason: String) {
        log.warning("input failed", ["input": .text(feed.input.id), "element": .text(element), "reason": .text(reason)])
        guard feed.part == .sound else { return fail(CaptureFault(step: .running, element: element, reason: reason)) }
        // The picture goes on with silence.
        feeds.removeAll { $0.id == feed.id }
        activate(feeds)
        note("\(element): \(reason)", of: .sound)
    }

    /// For files that cannot be played in a loop by themselves: a new pipeline takes over where the old one ended.
    private func playAgain(_ feed: Feed) async {
        guard case .clip = feed.input else { return }
        do {
            let next = try make(feed.input, feed.part)
            feeds = feeds.map { $0.id == feed.id ? next : $0 }
            activate(feeds)
            _ = try await next.start(at: feed.end)
            await end(feed)
        } catch {
            fail(CaptureFault(step: .running, element: error.element, reason: error.reason))
        }
    }

    private func stalled() {
        guard !isOver, let feed = feeds.first(where: { $0.part != .sound }) else { return }
        fail(CaptureFault(step: .running, element: feed.input.id, reason: "input stalled: no frame for 2 s"))
    }

    private func fail(_ fault: CaptureFault) {
        log.warning("capture failed", ["element": .text(fault.element), "reason": .text(fault.reason)])
        tell.yield(.failed(fault))
    }

    private func end(_ feed: Feed) async {
        if await !feed.stop() { log.warning("an input does not close", ["input": .text(feed.input.id)]) }
    }
}

// MARK: - Encoder

extension CapturePipeline {
    private func settings(_ encoder: EncoderID) -> EncoderSettings { EncoderSettings(encoder: encoder, choice: choice) }

    /// Takes the encoder of the choice; where that is automatic, the first one that starts.
    private func startEncoder() async throws(CaptureFault) {
        let candidates = try CapturePlan.candidates(choice)
        var fault = CaptureFault(step: .encoder, element: choice.id.rawValue, reason: "no encoder")
        for candidate in candidates {
            do {
                encode = try await startEncoder(candidate)
                return
            } catch {
                log.warning("encoder does not start", ["encoder": .text(candidate.rawValue), "reason": .text(error.reason)])
                fault = error
            }
        }
        throw fault
    }

    private func startEncoder(_ encoder: EncoderID) async throws(CaptureFault) -> EncodeChain {
        let chain: EncodeChain
        do {
            let writer: AccessUnitTrace?
            if let trace { writer = try AccessUnitTrace(path: trace) } else { writer = nil }
            let count = produced
            chain = try EncodeChain(settings(encoder), trace: writer, frame: { count.withLock { $0.frames += 1 } }, sink: sink)
        } catch {
            throw CaptureFault(step: .encoder, element: encoder.rawValue, reason: "\(error)")
        }
        readers.append(
            Task { [weak self] in
                for await message in chain.pipeline.messages {
                    switch message {
                    case .error(let fault):
                        chain.failed(fault)
                        await self?.encoderFailed(fault, chain)
                    case .endOfStream: chain.ended()
                    case .element(source: "level", let structure):
                        if let levels = SoundLevels(structure) { self?.junction.look.sound(levels, at: .now) }
                    default: break
                    }
                }
            })
        do {
            try await chain.start(from: junction)
        } catch {
            await give(up: chain)
            throw error
        }
        return chain
    }

    private func encoderFailed(_ fault: ElementFault, _ chain: EncodeChain) {
        guard !isOver, encode === chain else { return }
        fail(CaptureFault(step: .running, element: "\(fault.element) (\(fault.factory))", reason: fault.reason))
    }

    private func give(up chain: EncodeChain) async {
        if await !chain.pipeline.stop(within: .seconds(2)) { log.warning("an encoder does not close") }
    }
}

extension SoundLevels {
    /// Of what `level` posts; nil for something else.
    fileprivate init?(_ structure: Structure) {
        guard case .numbers(let peak)? = structure.fields["peak"], case .numbers(let rms)? = structure.fields["rms"], !peak.isEmpty else {
            return nil
        }
        self.init(peak: peak, rms: rms)
    }
}

/// Decisions of a capture that need nothing but what they are told.
enum CapturePlan {
    /// Which pipelines a choice of sources needs.
    ///
    /// - Throws: where a source has no picture or no sound to give.
    static func plan(_ sources: CaptureSources) throws(CaptureFault) -> [(OpenInput, Feed.Part)] {
        let picture = sources.picture
        guard picture.media != .audio else { throw CaptureFault(step: .input, element: picture.id, reason: "this input has no picture") }
        guard let sound = sources.sound, sound.id != picture.id else {
            return [(picture, picture.media == .both ? .both : .picture)]
        }
        guard sound.media != .video else { throw CaptureFault(step: .input, element: sound.id, reason: "this input has no sound") }
        return [(picture, .picture), (sound, .sound)]
    }

    /// The encoders to try, in order.
    ///
    /// - Throws: where none is there, or the one that was named makes another codec.
    static func candidates(_ choice: EncoderChoice, found: [VideoEncoder] = EncoderCatalog.found()) throws(CaptureFault) -> [EncoderID] {
        let fitting = found.filter { $0.codec == choice.codec && (choice.id == .automatic || $0.id == choice.id) }.map(\.id)
        guard !fitting.isEmpty else {
            let what = choice.id == .automatic ? "no encoder" : "no encoder \(choice.id.rawValue)"
            throw CaptureFault(step: .encoder, element: choice.id.rawValue, reason: "\(what) for \(choice.codec.rawValue) on this machine")
        }
        return fitting
    }
}
