import Capture
import Configuration
import Inputs
import Logging
import Posix
import Service
import Units
import Uplink
import Wire

/// One broadcast's sending side, from its preflight to its stop: a capture that is built again when it fails, and an uplink.
///
/// On the session's loop, where the joins of librist's threads may take their time.
actor Transmission {
    private nonisolated let loop: Loop
    private let inputs: InputCatalog
    private let trace: String?
    private let names: NameLookup
    private let log: Log
    /// Takes each report that differs from the one before; on the loop.
    private let changed: @Sendable (SendingReport) -> Void

    private var plan: Plan
    private var links: [Link]
    private var rules: [String: LinkRule]
    private var health = SendingHealth()
    private var budget = RestartBudget()
    private var capture: CapturePipeline?
    private var timeline: CaptureTimeline?
    private var uplink: (any Uplink)?
    /// Where the streaming thread sends to.
    private let target = Guarded<(any Uplink)?>(nil)
    private var captureReader: Task<Void, Never>?
    private var uplinkReader: Task<Void, Never>?
    private var recovery: Task<Void, Never>?
    private var pause: Task<Void, Never>?
    /// Brings back what the capture lacks; not while a change is carried out.
    private var restoring: Task<Void, Never>?
    private var isChanging = false
    private var linkWaiter: CheckedContinuation<Void, Never>?
    private var isOver = false
    private var lastReport: SendingReport?
    /// Another receiver is sent to, and has not answered yet: it has seen no key frame.
    private var isNewToReceiver = false
    private var meter = Meter()
    private var pace = FramePace()
    private var watch = MediaWatch()
    private var signal = SignalProbe()
    private let flight: FlightDesk
    /// Follows the links while the uplink knows what they carry.
    private var governor = EncoderGovernor(told: Bitrate(bitsPerSecond: 0))
    /// What the capture had made when the governor looked last.
    private var governed: (at: Instant, bytes: Int)?
    private var governing: Task<Void, Never>?

    /// How long a start waits until the receiver answers over the first link.
    private static let linkLimit: Duration = .seconds(6)

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(
        plan: Plan, links: [Link], rules: [String: LinkRule], inputs: InputCatalog, flight: FlightDesk, trace: String?, names: NameLookup,
        loop: Loop, log: Log,
        changed: @escaping @Sendable (SendingReport) -> Void
    ) {
        self.plan = plan
        self.links = links
        self.rules = rules
        self.inputs = inputs
        self.flight = flight
        self.trace = trace
        self.names = names
        self.loop = loop
        self.log = log
        self.changed = changed
        flight.begin(plan.broadcast)
    }

    /// Opens the input, starts the encoder, and waits until the receiver answers over one link.
    ///
    /// - Throws: the step that failed; the caller then stops it.
    func preflight() async throws(StepFault) {
        publish()
        try startUplink(plan)
        try await startCapture(plan)
        await waitForLink()
        guard !isOver else { throw StepFault(.plan, "stopped while it was starting") }
        guard health.isAnyLinkLive else { throw StepFault(.links, health.linkReason(plan.transport.receivers)) }
    }

    /// Goes on with a plan that passed its preflight before the agent or the board restarted: whatever is not there yet is waited for.
    func resume() async {
        publish()
        do throws(StepFault) {
            try startUplink(plan)
        } catch {
            // Only a key that never passed a preflight: nothing to wait for.
            log.error("a kept plan cannot be sent", ["reason": .text(error.description)])
            return
        }
        do throws(StepFault) {
            try await startCapture(plan)
        } catch {
            recover(error.description)
        }
    }

    /// Takes a higher revision over while the rest goes on.
    ///
    /// - Throws: the step that failed; what was sent before goes on then.
    func change(to new: Plan, _ change: PlanChange) async throws(StepFault) {
        isChanging = true
        defer { isChanging = false }
        await endRecovery()
        guard !isOver else { throw StepFault(.plan, "stopped while it was changing") }
        do throws(StepFault) {
            if let capture, !change.encoder {
                if change.input { try await switchInput(of: capture, to: new.input) }
                if change.bitrate { await setBitrate(new.encoder.bitrate, of: capture) }
            } else {
                await stopCapture()
                try await startCapture(new)
            }
            if change.transport { try await replaceUplink(new) }
        } catch {
            if capture == nil { recover(error.description) }
            throw error
        }
        plan = new
        uplink?.update(links: usable, rules: rules)
        publish()
    }

    func update(links: [Link], rules: [String: LinkRule]) {
        self.links = links
        self.rules = rules
        uplink?.update(links: usable, rules: rules)
    }

    /// - Parameter obstacles: what is in the way on links, by their names.
    func obstructed(_ obstacles: [String: String]) {
        let names = Set(usable.map(\.name))
        health.note(obstacles: obstacles.filter { names.contains($0.key) })
        publish()
    }

    /// A device came or went: what waits for one tries at once, and so does sound that was lost.
    func inputsChanged() {
        pause?.cancel()
        guard health.lacksPart, recovery == nil, restoring == nil, !isChanging, !isOver else { return }
        restoring = Task { await restore() }
    }

    private func restore() async {
        defer { restoring = nil }
        guard let capture else { return }
        do throws(StepFault) {
            try await switchInput(of: capture, to: plan.input)
        } catch {
            log.notice("what is lacking is still not there", ["reason": .text(error.description)])
        }
    }

    /// Ends the wait of a preflight that is about to be stopped.
    func interrupt() {
        isOver = true
        linkWaiter?.resume()
        linkWaiter = nil
    }

    /// Ends the input, sends what was taken of it to the last packet, and stays for as long as the receiver may ask for one again.
    func finish() async {
        interrupt()
        await endRecovery()
        await takeCapture()?.finish()
        // Without a link there is nobody to answer.
        if health.isAnyLinkLive {
            await trail()
            // Cancelled by nobody.
            try? await loop.sleep(for: .milliseconds(plan.transport.bufferMs))
        }
        stopUplink()
        releaseFreeMemory()
    }

    /// A receiver sees that a packet is missing by the one that follows it: after the last come some that carry nothing, over 200 ms.
    private func trail() async {
        let packet: [UInt8] = [0x47, 0x1F, 0xFF, 0x10] + [UInt8](repeating: 0xFF, count: 184)
        for _ in 0..<5 {
            packet.withUnsafeBytes { uplink?.send($0) }
            try? await loop.sleep(for: .milliseconds(40))
        }
    }

    /// At once. Returns when devices, files and sockets are closed.
    func stop() async {
        interrupt()
        await endRecovery()
        await stopCapture()
        stopUplink()
        releaseFreeMemory()
    }

    func report() -> SendingReport { health.report(plan) }

    /// The links that carry media now.
    func liveLinks() -> Set<String> { health.live }

    /// Figures since the last call.
    func telemetry() -> FlightSample {
        let counters = uplink?.counters()
        let pipeline = meter.read(
            capture?.figures, at: .now, restarts: health.restartsTotal,
            dropped: counters.map { $0.congestedTotal + $0.refusedTotal } ?? 0, pace: pace, watch: watch)
        let links = (uplink?.telemetry() ?? []).map { link in
            var link = link
            link.reason = health.obstacle(on: link.name) ?? link.reason
            return link
        }
        let sample = FlightSample(links: links, bond: uplink?.bondTelemetry(), pipeline: pipeline)
        flight.note(sample)
        return sample
    }

    private func publish() {
        let report = health.report(plan)
        guard !isOver, report != lastReport else { return }
        lastReport = report
        flight.note(report)
        log.notice("sending", ["state": .text(report.state.rawValue), "reason": .text(report.reason ?? "")])
        changed(report)
    }
}

// MARK: - Capture

extension Transmission {
    private func startCapture(_ plan: Plan) async throws(StepFault) {
        let sources = try await open(plan.input)
        let target = target
        let new = CapturePipeline(encoder: plan.encoder, timeline: timeline, trace: trace, log: log.part("capture")) { bytes in
            target.withLock { $0 }?.send(bytes)
        }
        do throws(CaptureFault) {
            try await new.start(sources)
        } catch {
            throw StepFault(error.step == .encoder ? .encoder : .input, "\(error.element): \(error.reason)")
        }
        guard !isOver else {
            await new.stop()
            throw StepFault(.plan, "stopped while it was starting")
        }
        capture = new
        signal.follow(sources.picture)
        pace = FramePace()
        governor.set(plan.encoder.bitrate, isRateCostly: await new.isRateCostly)
        governed = nil
        timeline = new.timeline
        captureReader = Task { [weak self] in
            for await event in new.events { await self?.heard(event, from: new) }
        }
    }

    private func open(_ choice: InputChoice) async throws(StepFault) -> CaptureSources {
        do throws(InputFault) {
            let picture = try await inputs.open(choice.video)
            guard let audio = choice.audio else { return CaptureSources(picture: picture) }
            return CaptureSources(picture: picture, sound: try await inputs.open(audio))
        } catch {
            throw StepFault(.input, error.description)
        }
    }

    private func switchInput(of capture: CapturePipeline, to choice: InputChoice) async throws(StepFault) {
        let sources = try await open(choice)
        do throws(CaptureFault) {
            try await capture.switchInput(to: sources)
            signal.follow(sources.picture)
        } catch {
            throw StepFault(.input, "\(error.element): \(error.reason)")
        }
    }

    private func stopCapture() async { await takeCapture()?.stop() }

    /// The capture, which is the caller's to end.
    private func takeCapture() -> CapturePipeline? {
        captureReader?.cancel()
        captureReader = nil
        guard let old = capture else { return nil }
        capture = nil
        pace = FramePace()
        meter.carry(old.figures)
        return old
    }

    private func heard(_ event: CaptureEvent, from source: CapturePipeline) {
        guard capture === source, !isOver else { return }
        health.note(event)
        if case .failed(let fault) = event { recover(fault.description) }
        publish()
    }

    /// Builds the capture again, by the budget, until it runs.
    private func recover(_ reason: String) {
        guard recovery == nil, !isOver else { return }
        recovery = Task { [weak self] in await self?.buildAgain(reason) }
    }

    private func buildAgain(_ first: String) async {
        var reason = first
        while !Task.isCancelled, !isOver {
            await stopCapture()
            let wait = budget.ended(at: .now, jitter: .random(in: 0..<1))
            health.restarting(reason, budget: budget.state(at: .now))
            publish()
            // Ends early when a device appears; then it is tried at once.
            let pause = Task { [loop] in _ = try? await loop.sleep(for: wait) }
            self.pause = pause
            await pause.value
            guard !Task.isCancelled, !isOver else { break }
            do throws(StepFault) {
                try await startCapture(plan)
                break
            } catch {
                reason = error.description
            }
        }
        recovery = nil
    }

    private func endRecovery() async {
        await restoring?.value
        guard let running = recovery else { return }
        running.cancel()
        pause?.cancel()
        await running.value
    }
}

// MARK: - Uplink

extension Transmission {
    /// The links of the plan; the uplink itself is given no list, so that this can change while it runs.
    private var usable: [Link] {
        guard let names = plan.transport.links else { return links }
        return links.filter { names.contains($0.name) }
    }

    private func startUplink(_ plan: Plan) throws(StepFault) {
        var transport = plan.transport
        transport.links = nil
        let new: any Uplink
        do throws(UplinkFailure) {
            new = try makeUplink(transport: transport, names: names, log: log.part("uplink"))
        } catch {
            throw StepFault(.plan, "transport: \(error)")
        }
        uplink = new
        target.withLock { $0 = new }
        new.update(links: usable, rules: rules)
        governing?.cancel()
        govern()
        uplinkReader = Task { [weak self] in
            for await event in new.events { await self?.heard(event, from: new) }
        }
    }

    private func replaceUplink(_ new: Plan) async throws(StepFault) {
        let old = uplink
        uplinkReader?.cancel()
        health.forgetLinks()
        isNewToReceiver = true
        // Media goes to the new one from here on.
        try startUplink(new)
        old?.stop()
    }

    /// A cut reaches the encoder within 100 ms and what the encoder takes for it.
    private func govern() {
        governing = Task { [weak self, loop] in
            // Ends by cancellation only.
            while (try? await loop.sleep(for: .milliseconds(100))) != nil {
                await self?.followFrames()
                await self?.followMedia()
                await self?.followLinks()
            }
        }
    }

    private func followMedia() {
        // A start that is not over yet has no picture to miss.
        guard timeline != nil, !isOver else { return }
        let now = Instant.now
        for alarm in watch.note(capture?.signs, hasSignal: signal.hasSignal(at: now), at: now) {
            let isRaised = watch.raised.contains(alarm)
            log.notice(isRaised ? "an alarm is raised" : "an alarm is over", ["alarm": .text(alarm.rawValue)])
        }
    }

    private func followFrames() {
        guard let capture, pace.note(capture.figures, asked: plan.encoder.frameRate, at: .now) else { return }
        health.note(pace.lag)
        publish()
    }

    private func followLinks() async {
        guard let capture else { return }
        let (now, total) = (Instant.now, capture.figures.producedBytesTotal)
        // A new capture counts from nothing.
        let made = (bytes: max(0, total - (governed?.bytes ?? total)), passed: governed.map { now - $0.at } ?? .zero)
        governed = (now, total)
        guard !isChanging else { return }
        let told = governor.next(
            available: uplink?.rate(), wanted: plan.encoder.bitrate, audio: plan.encoder.audioBitrate, madeBytes: made.bytes,
            in: made.passed)
        capture.keep(oneOf: governor.keepsOneOf)
        guard let bitrate = told else { return }
        log.debug("bit rate", ["kbit": .integer(bitrate.kilobits)])
        await capture.setBitrate(bitrate)
    }

    private func setBitrate(_ bitrate: Bitrate, of capture: CapturePipeline) async {
        governor.set(bitrate, isRateCostly: await capture.isRateCostly)
        await capture.setBitrate(bitrate)
    }

    private func stopUplink() {
        governing?.cancel()
        governing = nil
        uplinkReader?.cancel()
        uplinkReader = nil
        target.withLock { $0 = nil }
        uplink?.stop()
        uplink = nil
    }

    private func heard(_ event: UplinkEvent, from source: any Uplink) {
        guard uplink === source, !isOver else { return }
        let wasCarried = health.isAnyLinkLive
        health.note(event)
        flight.note(event)
        // What was left out while nothing could be sent tells nothing of what the links carry now.
        if !wasCarried, health.isAnyLinkLive { pace = FramePace() }
        if isNewToReceiver, health.isAnyLinkLive {
            isNewToReceiver = false
            if let capture { Task { await capture.requestKeyFrame() } }
        }
        if health.isAnyLinkLive {
            linkWaiter?.resume()
            linkWaiter = nil
        }
        publish()
    }

    /// With the next picture, where any is made.
    func makeKeyFrame() async { await capture?.requestKeyFrame() }

    private func waitForLink() async {
        guard !health.isAnyLinkLive, !isOver else { return }
        let limit = Task { [weak self, loop] in
            // Cancelled where a link answered first.
            guard (try? await loop.sleep(for: Self.linkLimit)) != nil else { return }
            await self?.giveUpLinks()
        }
        await withCheckedContinuation { linkWaiter = $0 }
        limit.cancel()
    }

    private func giveUpLinks() {
        linkWaiter?.resume()
        linkWaiter = nil
    }
}
