import FoundationEssentials
import Glibc
import Ingest
package import Logging
import MPEGTS
package import Outputs
package import Posix
import Spool
import Units
package import Wire

/// One stream from its port to its outputs, and the orders of whoever looks after it.
///
/// Lives on the control loop; media passes on the media loop and never here.
package actor StreamRelay {
    private let loop: Loop
    private let mediaLoop: Loop
    private let folder: RecordingFolder?
    private let policy: OutputPolicy
    private let log: Log
    private let send: @Sendable (ReceiverMessage) -> Void
    private let path: MediaPath
    private let formats: AsyncStream<SlateFormat>
    private let slateMaker: SlateMaker
    private let slateTurns: SlateTurns
    private let maker: ThumbnailMaker?
    private let keyFrames: AsyncStream<KeyFrame>
    private var showing: Task<Void, Never>?
    private var thumbnailFault: String?
    private var preparing: Task<Void, Never>?
    private let began = Instant.now

    /// As it stands, with the outputs that came and went.
    private var start: ReceiverStart?
    private var ingest: (any Ingest)?
    private var outputs: [Output] = []
    private var watch = IngestWatch()
    private var reporting: Task<Void, Never>?
    private var isEnding = false
    /// Why the organisation's picture is not what is shown; nil where it is, or there is none.
    private var slateFault: String?
    /// The host's folder for recordings.
    private let takes: String?
    private var recording: Task<Void, Never>?
    private var spool: RecordingSpool?
    /// Why nothing is recorded yet.
    private var recordingFault: String?

    /// What was reported last, for telling when something changed.
    private var lastStates: [String] = []
    private var lastReport: Instant?
    private static let look: Duration = .milliseconds(250)

    nonisolated package var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - folder: where files go; nil where the host has none.
    ///   - policy: what the host lets outputs do.
    ///   - takes: the host's folder for recordings of streams; nil where the host has none.
    ///   - still: path of `strata-still`, which makes thumbnails; nil for none.
    ///   - slate: path of `strata-slate`.
    ///   - host: a folder of this host's receivers, where they take turns; nil where this is the only one.
    ///   - loop: where orders and reports are handled.
    ///   - mediaLoop: a loop of its own for media.
    ///   - send: takes a message for the parent; called on `loop`.
    package init(
        folder: RecordingFolder?, takes: String? = nil, policy: OutputPolicy, still: String?, slate: String, host: String? = nil,
        loop: Loop, mediaLoop: Loop, log: Log,
        send: @escaping @Sendable (ReceiverMessage) -> Void
    ) {
        self.folder = folder
        self.takes = takes
        self.policy = policy
        self.loop = loop
        self.mediaLoop = mediaLoop
        self.log = log
        self.send = send
        let (formats, wanted) = AsyncStream.makeStream(of: SlateFormat.self, bufferingPolicy: .bufferingNewest(1))
        self.formats = formats
        slateMaker = SlateMaker(program: slate)
        slateTurns = SlateTurns(folder: host)
        maker = still.map { ThumbnailMaker(program: $0) }
        let (keyFrames, shown) = AsyncStream.makeStream(of: KeyFrame.self, bufferingPolicy: .bufferingNewest(1))
        self.keyFrames = keyFrames
        path = MediaPath(loop: mediaLoop, wants: { wanted.yield($0) }, shows: { shown.yield($0) })
    }

    /// After `end`: nothing runs any more.
    package private(set) var hasEnded = false

    /// Media from elsewhere than the port: for tests and tools that have a transport stream already.
    nonisolated package func receive(_ bytes: UnsafeRawBufferPointer) { path.receive(bytes) }

    /// Has a preview made of what the outputs are offered, for as long as `give` is one; it is called on the media loop and must not wait.
    nonisolated package func preview(_ give: (@Sendable (PreviewChunk) -> Void)?) { path.preview(give) }

    /// Where the port was bound; empty before.
    package var addresses: [SocketAddress] { ingest?.addresses ?? [] }

    /// Carries out one order and answers it.
    package func handle(_ command: Command<ReceiverOrder>) async {
        switch command.order {
        case .open(let start): await open(start, command.id)
        case .describe: send(.described(ReceiverDescription(start: start)))
        case .addOutput(let change): await add(change, command.id)
        case .removeOutput(let reference): await remove(reference, command.id)
        case .retryOutput(let reference): await retry(reference, command.id)
        case .stop: await end("stopped")
        case .unknown(let type): answer(command.id, .refused, "this receiver does not know the order \(type.prefix(40))")
        }
    }

    /// Takes nothing more in, passes on all that came, ends the outputs at their peers, and says why. Returns when all is gone:
    /// after a buffer's length and some seconds at most.
    package func end(_ reason: String) async {
        guard !isEnding else { return }
        isEnding = true
        log.notice("ending", ["reason": .text(reason)])
        path.expectEnd()
        await ingest?.settle()
        await path.finish()
        recording?.cancel()
        await withTaskGroup(of: Void.self) { group in
            for output in outputs { group.addTask { await output.stop() } }
            if let spool { group.addTask { [loop] in await spool.close(within: StreamRelay.lastWrite, on: loop) } }
        }
        outputs = []
        path.serve([])
        for task in [reporting, preparing, showing] { task?.cancel() }
        if let ingest {
            // It joins its threads, which wait for nobody but may take a moment.
            await onMediaLoop { ingest.stop() }
        }
        ingest = nil
        hasEnded = true
        send(.ended(EndReport(reason: reason)))
    }

    private func open(_ start: ReceiverStart, _ id: CommandID) async {
        if let open = self.start {
            guard open.spec.lease == start.spec.lease else {
                return answer(id, .refused, "this receiver carries another stream")
            }
            return send(.listening(LeaseReference(lease: start.spec.lease)))
        }
        self.start = start
        do {
            ingest = try await listen(start)
        } catch {
            self.start = nil
            log.error("cannot listen", ["port": .integer(start.port), "error": "\(error)"])
            return answer(id, .failed, "port \(start.port): \(error)", step: "receiver.listen")
        }
        for spec in start.spec.outputs { await begin(spec) }
        path.serve(outputs)
        if let spec = start.spec.recording { recording = loop.spawn { [weak self] in await self?.record(spec, of: start.spec.lease) } }
        reporting = loop.spawn { [weak self, loop] in
            // Ends by cancellation only.
            while (try? await loop.sleep(for: StreamRelay.look)) != nil { await self?.reportIfDue() }
        }
        let picture = start.spec.slate.map { file in
            Result { () throws(OwnPicture.Refusal) in try OwnPicture(Data(base64Encoded: file.base64).map([UInt8].init) ?? []) }
        }
        let keeper = SlateKeeper(
            slateMaker, slateTurns, picture, loop: loop, log: log, use: { [path] in path.use($0) },
            tell: { [weak self] in await self?.note(slateFault: $0) })
        preparing = loop.spawn { [formats] in await keeper.run(formats) }
        if let maker {
            showing = loop.spawn { [weak self, keyFrames, path, loop] in
                for await key in keyFrames {
                    let made = await maker.make(of: key, on: loop)
                    path.thumbnailMade(cost: made.cost)
                    await self?.show(made, of: key)
                }
            }
        }
        log.notice("listening", ["port": .integer(start.port), "outputs": .integer(outputs.count)])
        send(.listening(LeaseReference(lease: start.spec.lease)))
    }

    private func show(_ made: ThumbnailMaker.Made, of key: KeyFrame) {
        if let fault = made.fault, fault != thumbnailFault {
            log.warning("no thumbnail of a key frame", ["reason": .text(fault), "cost_ms": .integer(made.cost.milliseconds)])
        }
        thumbnailFault = made.fault
        guard let thumbnail = made.thumbnail, let start, !isEnding else { return }
        send(
            .thumbnail(
                StreamThumbnail(
                    lease: start.spec.lease, broadcast: start.spec.broadcast, ageMs: (Instant.now - key.arrival).milliseconds,
                    base64: Data(thumbnail.bytes).base64EncodedString())))
    }

    private func note(slateFault: String?) { self.slateFault = slateFault }

    /// How long the end of a stream waits for its recording's last pieces: less than the pool waits for the receiver.
    private static let lastWrite: Duration = .seconds(4)
    private static let recordAgain: Duration = .seconds(10)

    /// Has the stream recorded as soon as that can be; the stream itself waits for nothing of it.
    private func record(_ spec: RecordingSpec, of lease: LeaseID) async {
        guard let takes else { return recordingFault = "nothing is recorded: the host has no folder for recordings" }
        let log = log.part("recording")
        var thread: Loop?
        while !isEnding {
            do {
                let own = try thread ?? Loop(name: "recording")
                thread = own
                let spool = try await RecordingSpool.open(takes, lease, spec, loop: own, log: log)
                guard !isEnding else { return await spool.close(within: StreamRelay.lastWrite, on: loop) }
                (self.spool, recordingFault) = (spool, nil)
                path.record(spool.origin) { spool.offer($0) }
                return
            } catch {
                let reason = "\(error)"
                if reason != recordingFault { log.error("nothing is recorded", ["reason": .text(reason)]) }
                recordingFault = reason
            }
            // Ends by cancellation only.
            guard (try? await loop.sleep(for: StreamRelay.recordAgain)) != nil else { return }
        }
    }

    private var recordingReport: RecordingReport? {
        guard start?.spec.recording != nil else { return nil }
        return spool?.report ?? RecordingReport(state: .waiting, reason: recordingFault, bytesTotal: 0, lostFragmentsTotal: 0)
    }

    private func listen(_ start: ReceiverStart) async throws -> any Ingest {
        let key = start.spec.streamKey.secret
        let log = log.part("ingest")
        let path = path
        let made = await onMediaLoop {
            Result {
                // Once in a process; may read the registry of plugins from disk.
                try OutputLibrary.prepare()
                let settings = IngestSettings(port: start.port, bind: start.bind, key: key, bufferMs: start.spec.bufferMs)
                return try makeIngest(settings, carrier: start.spec.carrier, log: log) { path.receive($0) }
            }
        }
        return try made.get()
    }

    private func begin(_ spec: OutputSpec) async {
        let output = Output(spec, folder: folder, policy: policy, loop: loop, log: log)
        outputs.append(output)
        await output.start()
    }

    private func add(_ change: OutputChange, _ id: CommandID) async {
        if let problem = mismatch(change.lease) { return answer(id, .refused, problem) }
        // Idempotent: a parent that lost the answer asks again.
        if let output = outputs.first(where: { $0.id == change.output.id }) {
            guard await output.move(to: change.output.target) else {
                return answer(id, .refused, "it cannot change between RTMP and SRT: remove it, and add it again")
            }
            start?.spec.outputs.removeAll { $0.id == output.id }
            start?.spec.outputs.append(change.output)
        } else {
            start?.spec.outputs.append(change.output)
            await begin(change.output)
            path.serve(outputs)
        }
        answer(id, .done)
    }

    private func remove(_ reference: OutputReference, _ id: CommandID) async {
        if let problem = mismatch(reference.lease) { return answer(id, .refused, problem) }
        // Gone already is what was asked for.
        guard let output = take(reference.output) else { return answer(id, .done) }
        path.serve(outputs)
        await output.stop()
        answer(id, .done)
    }

    private func take(_ id: OutputID) -> Output? {
        guard let index = outputs.firstIndex(where: { $0.id == id }) else { return nil }
        start?.spec.outputs.removeAll { $0.id == id }
        return outputs.remove(at: index)
    }

    private func retry(_ reference: OutputReference, _ id: CommandID) async {
        if let problem = mismatch(reference.lease) { return answer(id, .refused, problem) }
        guard let output = outputs.first(where: { $0.id == reference.output }) else {
            return answer(id, .refused, "the receiver does not have this output")
        }
        await output.retryNow()
        answer(id, .done)
    }

    private func mismatch(_ lease: LeaseID) -> String? {
        guard let start, !isEnding else { return "this receiver carries no stream" }
        return start.spec.lease == lease ? nil : "this receiver carries another stream"
    }

    private func answer(_ id: CommandID, _ result: CommandOutcome.Result, _ reason: String? = nil, step: String? = nil) {
        send(.outcome(CommandOutcome(id: id, result: result, step: step, reason: reason)))
    }

    private func reportIfDue() {
        guard let report = makeReport() else { return }
        let now = Instant.now
        // A key frame that is wanted is told at once, as a state is.
        var states = report.outputs.map { "\($0.id) \($0.state) \($0.keyFramesWantedTotal ?? 0) \($0.reason ?? "")" }
        states += ["\(report.ingest.state)", report.slateFault ?? ""]
        if let recording = report.recording { states.append("\(recording.state) \(recording.reason ?? "")") }
        let isDue = lastReport.map { now - $0 >= .milliseconds(990) } ?? true
        guard isDue || states != lastStates else { return }
        lastStates = states
        lastReport = now
        send(.report(report))
    }

    private func makeReport() -> StreamReport? {
        guard let start, !isEnding else { return nil }
        let now = Instant.now
        return StreamReport(
            lease: start.spec.lease, broadcast: start.spec.broadcast, port: start.port, pid: Int(getpid()),
            uptimeSeconds: Int((now - began).seconds), ingest: watch.report(path.figures, ingest?.statistics(), at: now),
            outputs: outputs.map(\.report), restarts: 0, slateFault: slateFault, recording: recordingReport)
    }

    /// Runs what may block for a moment away from the control loop.
    private func onMediaLoop<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            mediaLoop.submit { continuation.resume(returning: body()) }
        }
    }
}
