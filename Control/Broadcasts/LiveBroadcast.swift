import Fleet
import FoundationEssentials
import Logging
import Posix
import Store
import Units
import Wire

/// Carries out one broadcast: takes its events one after the other, has each step stored before acting on it (`Herald`), gives its orders
/// and tells who watches.
actor LiveBroadcast {
    nonisolated let id: BroadcastID
    nonisolated let organization: OrganizationID
    nonisolated let sender: DeviceID
    nonisolated let isRehearsal: Bool
    private let parts: Parts
    private(set) var machine: BroadcastMachine
    private let createdAtMs: Int64
    private var endedAtMs: Int64?
    private var timers: [BroadcastMachine.Timer: Task<Void, Never>] = [:]
    /// Whoever asked for the change that is on its way to the sender, and the revision that carries it.
    private var waiter: (revision: Int, answer: CheckedContinuation<ChangeOutcome, Never>)?
    private var lastChange: Task<ChangeOutcome, Never>?
    private var waitingChanges = 0
    /// Changes that wait for the sender's answer at the same time; during a start that may be half a minute.
    static let changeLimit = 8
    /// How long a lease waits for names: with one more look-up and the pool's time it fits into its step.
    private static let fittingLimit: Duration = .seconds(3)
    private var published: String?
    private var journal: Journal
    private let origin: Origin
    private var unheard = UnheardLease()
    /// Until its agent refuses one, and again when that was started anew.
    private var takesKeyFrameOrders = true
    /// What was in rooms before a restart of control is in them no more, as far as these know.
    private var mustEnterRooms: Bool
    /// In memory only: the next one is made within seconds.
    private(set) var thumbnail: ShownThumbnail?
    private let herald: Herald
    private var figures = RehearsalFigures()
    /// That something of it is recorded is written down.
    private var isRecordingKnown = false
    private nonisolated let entries: AsyncStream<Entry>.Continuation
    private let stream: AsyncStream<Entry>

    private enum Entry: Sendable {
        /// With who asked for it, where somebody did.
        case event(BroadcastMachine.Event, by: UserID?)
        case change(MediaChange, by: UserID?, CheckedContinuation<ChangeOutcome, Never>)
        /// Answered when everything before it is done.
        case settled(CheckedContinuation<BroadcastView, Never>)
    }

    /// What became of a change.
    enum ChangeOutcome: Sendable {
        case done
        case refused(step: String?, reason: String)
        /// The sender did not answer in time.
        case unknown
        case isOver
        /// As many wait already as may.
        case tooMany
    }

    /// How it came here.
    enum Origin: Sendable, Hashable {
        case started(by: UserID?)
        /// It went on while control was started again.
        case resumed
    }

    /// What every broadcast works with.
    struct Parts: Sendable {
        let store: BroadcastStore
        let fleet: Roster
        let feed: Feed
        let outputs: OutputPlanner
        let hosts: HostChoice
        let log: Log
    }

    init(_ machine: BroadcastMachine, createdAtMs: Int64, endedAtMs: Int64?, origin: Origin, parts: Parts) {
        id = machine.id
        organization = machine.organization
        sender = machine.sender
        isRehearsal = machine.rehearsal != nil
        self.machine = machine
        herald = Herald(machine, hasEnded: endedAtMs != nil, store: parts.store, log: parts.log)
        self.createdAtMs = createdAtMs
        self.endedAtMs = endedAtMs
        self.origin = origin
        mustEnterRooms = origin == .resumed
        self.parts = parts
        journal = Journal(BroadcastLook(machine), isResumed: origin == .resumed, run: unixMilliseconds())
        // Bounded by what feeds it: one report a second, and the outcomes of our own orders.
        (stream, entries) = AsyncStream.makeStream(of: Entry.self)
    }

    /// Something happened; handled in order.
    ///
    /// - Parameter user: who asked for it.
    nonisolated func post(_ event: BroadcastMachine.Event, by user: UserID? = nil) { entries.yield(.event(event, by: user)) }

    /// The view once everything that was posted before is done.
    func settledView() async -> BroadcastView {
        await withCheckedContinuation { continuation in
            if case .terminated = entries.yield(.settled(continuation)) { continuation.resume(returning: view) }
        }
    }

    /// Handles events until the broadcast is over.
    func run() async {
        switch origin {
        case .started(let user): await record([journal.began(by: user, atMs: createdAtMs)])
        case .resumed: await record([journal.resumed(atMs: unixMilliseconds())])
        }
        for await entry in stream {
            switch entry {
            case .event(let event, let user): await take(event, by: user)
            case .change(let change, let user, let answer): await take(change, by: user, answer)
            case .settled(let continuation): continuation.resume(returning: view)
            }
            if case .ended = machine.state { entries.finish() }
        }
        for timer in timers.values { timer.cancel() }
        await herald.rest()
    }

    private func take(_ event: BroadcastMachine.Event, by user: UserID? = nil) async {
        let before = machine
        if case .senderConnected = event { takesKeyFrameOrders = true }
        let acts = user.map { journal.asked(event, by: $0, of: machine, atMs: unixMilliseconds()) } ?? []
        let actions = machine.event(event, nowMs: unixMilliseconds())
        if isRehearsal, case .report(let report) = event { await measure(report) }
        if case .report(let report) = event, report.recording?.state == .recording { await noteRecording() }
        if case .ended = machine.state, endedAtMs == nil {
            endedAtMs = unixMilliseconds()
            thumbnail = nil
            if isRehearsal { machine.conclude(figures, inventory: await parts.fleet.hello(of: sender)?.inventory) }
        }
        if machine.withoutObservations != before.withoutObservations {
            await herald.save(machine, hasEnded: endedAtMs != nil)
        } else {
            await herald.tell(machine)
        }
        if machine.state != before.state { note(before.state) }
        settleWaiter(event)
        for action in actions { perform(action) }
        if case .hostConnected(let device, _) = event, device == machine.host, mustEnterRooms {
            mustEnterRooms = false
            for output in machine.outputs where output.room != nil { perform(.replaceOutput(output.id)) }
        }
        await record(acts + journal.saw(BroadcastLook(machine), by: user, atMs: unixMilliseconds()))
        await publish()
    }

    /// One second of a rehearsal.
    private func measure(_ report: StreamReport) async {
        guard machine.phase == .running else { return }
        let telemetry = await parts.fleet.telemetry(of: sender)
        figures.note(
            report, telemetry, asked: (machine.mediaBefore ?? machine.media).encoder, isRaised: machine.isRaised,
            fault: machine.senderFault)
    }

    private func note(_ before: BroadcastState) {
        var fields = "\(machine.state.name)"
        if case .ended(let reason) = machine.state { fields += ": \(reason.text)" }
        if case .degraded(let reason) = machine.state { fields += ": \(reason)" }
        if case .interrupted(_, let reason) = machine.state { fields += ": \(reason)" }
        if case .starting(let step) = machine.state { fields += ": \(step.rawValue)" }
        parts.log.notice(isRehearsal ? "rehearsal" : "broadcast", ["broadcast": "\(id)", "state": "\(fields)", "was": "\(before.name)"])
    }

    // MARK: Acting

    private func perform(_ action: BroadcastMachine.Action) {
        switch action {
        case .chooseHost: Task { await chooseHost() }
        case .order(let order): Task { await give(order) }
        case .addOutput(let output): Task { await give(output) }
        case .removeOutput(let output): Task { await change(.removeOutput(reference(output))) }
        case .retryOutput(let output): Task { await give(output, thenRetrying: true) }
        case .replaceOutput(let output):
            Task {
                await change(.removeOutput(reference(output)))
                await give(output)
            }
        case .requestKeyFrame: Task { await requestKeyFrame() }
        case .look: Task { post(.looked(isSilent: await isHostSilent)) }
        case .leave(let host): Task { await leave(host, machine.lease) }
        case .abandon(let host, let lease):
            parts.log.warning(
                "a stream goes on another host", ["broadcast": "\(id)", "left": "\(host)", "to": "\(machine.host?.text ?? "")"])
            Task { await leave(host, lease) }
        case .set(let timer, let afterMs): set(timer, afterMs)
        case .cancel(let timer): timers.removeValue(forKey: timer)?.cancel()
        }
    }

    private func set(_ timer: BroadcastMachine.Timer, _ afterMs: Int64) {
        timers[timer]?.cancel()
        timers[timer] = Task {
            // try?: a timer that was cancelled does not fire.
            guard (try? await Task.sleep(for: .milliseconds(afterMs))) != nil else { return }
            post(.timer(timer))
        }
    }

    private func chooseHost() async {
        let present = machine.host
        let others = machine.observed.refusing.union(machine.observed.occupied).union(present.map { [$0] } ?? [])
        let families = await parts.fleet.hello(of: sender)?.inventory.families(over: machine.media.links)
        switch await parts.hosts.choose(for: id, except: others, reachableBy: families, keeping: isRehearsal ? HostChoice.kept : 0) {
        case .host(let device): post(.hostChosen(device, lease: LeaseID.fresh()))
        case .none(let reason, let waitMs):
            if let present { await parts.hosts.keep(id, on: present) }
            post(.noHost(reason: reason, waitMs: waitMs))
        }
        // It ended meanwhile: what was promised to it is free again.
        if isOver { await parts.hosts.free(id) }
    }

    private var isHostSilent: Bool {
        get async {
            guard let host = machine.host else { return true }
            return await parts.fleet.isSilent(host)
        }
    }

    private func give(_ order: BroadcastMachine.Order) async {
        switch order {
        case .lease: await lease()
        case .release: await release()
        case .start: await start()
        case .stop: await stop()
        }
    }

    private func lease() async {
        guard let host = machine.host else { return }
        let (preferred, lease) = (machine.port, machine.lease)
        // What was live goes on with whatever can be had: a listener whose port is taken is refused for itself, after the lease.
        let isAgain = machine.phase != .leasing
        do {
            let key = try await parts.store.streamKey(of: machine)
            // A destination that changes from here on may have been read before.
            let current = machine.editions
            func edition(_ output: OutputID) -> Int { unheard.edition(of: output, now: current[output] ?? 0, at: host) }
            var (specs, unfit) = await fitOutputs()
            let leftOut = isAgain ? specs.filter(\.isListener) : []
            specs.removeAll { leftOut.contains($0) }
            let spec = StreamSpec(
                lease: lease, broadcast: id, carrier: .bond, streamKey: SecretOnWire(key), bufferMs: machine.media.bufferMs,
                outputs: specs, slate: await slate(), recording: await recording(lease, on: host))
            // Names may have taken so long that another host is asked by now.
            guard machine.host == host, machine.lease == lease else { return }
            let request = LeaseRequest(spec: spec, preferredPort: preferred, isAgain: isAgain)
            let answer = await parts.fleet.order(PoolOrder.lease(request), to: host)
            // The stream has gone on another host, or came back to this one: what was asked for is nobody's.
            guard machine.lease == lease else { return await leave(host, lease) }
            defer { if case .outcome = answer { unheard.answered() } }
            switch answer {
            case .outcome(let outcome) where outcome.result == .done:
                guard let port = outcome.port, await parts.fleet.offer(of: host)?.portRange.contains(port) != false else {
                    return post(.leaseRefused(reason: "the pool host names no port of its range", by: host))
                }
                post(.leased(port: port, by: host))
                guard machine.host == host else { return }
                for spec in specs { post(.outputLeased(spec.id, edition: edition(spec.id))) }
                for (output, reason) in unfit { post(.outputLeased(output, edition: edition(output), fault: reason)) }
                for spec in leftOut { post(.outputLeftOut(spec.id)) }
            case .outcome(let outcome): post(.leaseRefused(reason: outcome.reason ?? "the pool host gave no reason", by: host))
            case .unknown:
                unheard.unanswered(by: host, Dictionary(specs.map { ($0.id, current[$0.id] ?? 0) }) { $1 })
                post(.unknown(.lease))
            }
        } catch {
            post(.leaseRefused(reason: "\(error)", by: host))
        }
    }

    /// No broadcast fails for its picture.
    private func slate() async -> SlateFile? {
        do {
            return try await parts.store.slate(of: machine)
        } catch {
            parts.log.warning("the organisation's picture cannot be read", ["broadcast": "\(id)", "error": "\(error)"])
            return nil
        }
    }

    /// No broadcast fails for its recording either.
    private func recording(_ lease: LeaseID, on host: DeviceID) async -> RecordingSpec? {
        guard !isRehearsal else { return nil }
        do {
            return try await parts.store.recording(of: machine, by: lease, on: host)
        } catch {
            parts.log.error("whether a broadcast is recorded cannot be read: it is not", ["broadcast": "\(id)", "error": "\(error)"])
            return nil
        }
    }

    private func noteRecording() async {
        guard !isRecordingKnown else { return }
        isRecordingKnown = true
        do {
            try await parts.store.recordingBegan(of: machine)
        } catch {
            // With the next report.
            isRecordingKnown = false
            parts.log.warning("that a broadcast is recorded could not be stored", ["broadcast": "\(id)", "error": "\(error)"])
        }
    }

    /// Whoever does not answer now is told when it connects again.
    private func leave(_ host: DeviceID, _ lease: LeaseID) async {
        await parts.hosts.refused(by: host)
        _ = await parts.fleet.order(PoolOrder.release(LeaseReference(lease: lease)), to: host)
    }

    private func release() async {
        guard let host = machine.host else { return post(.released) }
        switch await parts.fleet.order(PoolOrder.release(LeaseReference(lease: machine.lease)), to: host) {
        case .outcome(let outcome) where outcome.result == .done: post(.released)
        case .outcome, .unknown: post(.unknown(.release))
        }
    }

    private func start() async {
        guard let plan = await plan() else { return post(.unknown(.start)) }
        switch await parts.fleet.order(AgentOrder.start(plan), to: machine.sender) {
        case .outcome(let outcome) where outcome.result == .done:
            post(.senderStarted(revision: plan.revision, note: outcome.reason))
        case .outcome(let outcome):
            post(
                .senderRefused(revision: plan.revision, detail: outcome.step, reason: outcome.reason ?? "the sender gave no reason"))
        case .unknown: post(.unknown(.start))
        }
    }

    private func stop() async {
        switch await parts.fleet.order(
            AgentOrder.stop(BroadcastReference(broadcast: id, atOnce: isRehearsal ? true : nil)), to: machine.sender)
        {
        case .outcome(let outcome) where outcome.result == .done: post(.senderStopped)
        case .outcome, .unknown: post(.unknown(.stop))
        }
    }

    /// That it gets lost costs no more than the time to the next one: whoever wants it asks again.
    private func requestKeyFrame() async {
        guard takesKeyFrameOrders else { return }
        let answer = await parts.fleet.order(AgentOrder.keyFrame(BroadcastReference(broadcast: id)), to: sender)
        // An agent of before: it says so to each of them.
        if case .outcome(let outcome) = answer, outcome.result == .refused { takesKeyFrameOrders = false }
    }

    private func plan() async -> Plan? {
        guard let host = machine.host, let port = machine.port else { return nil }
        do {
            let addresses = try await addresses(of: host)
            let key = try await parts.store.streamKey(of: machine)
            let transport = Transport(
                carrier: .bond, receivers: addresses.map { Endpoint(host: $0, port: port) }, streamKey: SecretOnWire(key),
                bufferMs: machine.media.bufferMs,
                links: machine.media.links, protection: machine.media.protection)
            return Plan(
                broadcast: id, revision: machine.revision, input: machine.media.input, encoder: machine.media.encoder, transport: transport)
        } catch {
            parts.log.error("a plan could not be made", ["broadcast": "\(id)", "error": "\(error)"])
            return nil
        }
    }

    /// A host that is not connected is where it was: its receivers go on.
    private func addresses(of host: DeviceID) async throws -> [String] {
        if let offer = await parts.fleet.offer(of: host) { return offer.addresses }
        return try await parts.store.addresses(of: host)
    }

    // MARK: Outputs

    private func fitOutputs() async -> (specs: [OutputSpec], unfit: [(OutputID, String)]) {
        var specs: [OutputSpec] = []
        var unfit: [(OutputID, String)] = []
        let began = Instant.now
        for output in machine.outputs {
            guard Instant.now - began < LiveBroadcast.fittingLimit else {
                unfit.append((output.id, "its turn has not come: other names were waited for"))
                continue
            }
            switch await fit(output) {
            case .fit(let spec): specs.append(spec)
            case .unfit(let reason): unfit.append((output.id, reason))
            }
        }
        return (specs, unfit)
    }

    private func fit(_ output: PlannedOutput) async -> OutputPlanner.Attempt {
        let attempt = await parts.outputs.attempt(output, of: id, by: sender, in: machine.organization)
        if case .unfit(let reason) = attempt {
            parts.log.warning("an output cannot be made", ["broadcast": "\(id)", "output": "\(output.id)", "reason": "\(reason)"])
        }
        return attempt
    }

    /// Destinations that were changed while outputs to them were being planned, or while control was away, are followed now: who changed
    /// them did not see the outputs.
    func followDestinations() async {
        for output in machine.outputs where output.room == nil {
            do {
                let (name, listener) = try await parts.outputs.standing(output.destination, in: organization)
                guard name != output.name || listener != output.listener else { continue }
                post(.destinationChanged(output.destination, name: name, isElsewhere: listener != output.listener, listener: listener))
            } catch {
                parts.log.warning("a destination cannot be read", ["broadcast": "\(id)", "output": "\(output.id)", "error": "\(error)"])
            }
        }
    }

    /// Has the receiver have an output as its destination is now; posts what became of it.
    private func give(_ output: OutputID, thenRetrying: Bool = false) async {
        guard let planned = machine.outputs.first(where: { $0.id == output }) else { return }
        let attempt = await fit(planned)
        // It may have been removed while its name was resolved.
        guard machine.outputs.contains(where: { $0.id == output }) else { return }
        let fault: String?
        switch attempt {
        case .fit(let spec): fault = await change(.addOutput(OutputChange(lease: machine.lease, output: spec)))
        case .unfit(let reason): fault = reason
        }
        // Without a newer address too: where it was before may answer again.
        if thenRetrying { await change(.retryOutput(reference(output))) }
        post(fault.map { .outputFailed(output, reason: $0) } ?? .outputGiven(output))
    }

    /// - Returns: why it is not done, or not known to be; nil where it is.
    @discardableResult
    private func change(_ order: PoolOrder) async -> String? {
        guard let host = machine.host else { return "there is no pool host" }
        // An answer that does not come is made up for when the host connects again: its hello lists its outputs.
        guard case .outcome(let outcome) = await parts.fleet.order(order, to: host) else { return "the pool host did not answer" }
        guard outcome.result != .done else { return nil }
        let reason = outcome.reason ?? "the pool host gave no reason"
        parts.log.warning("a change of outputs was refused", ["broadcast": "\(id)", "reason": "\(reason)"])
        return reason
    }

    private func reference(_ output: OutputID) -> OutputReference { OutputReference(lease: machine.lease, output: output) }

    /// Has an output go into its room again, where that has lost it.
    func enterAgain(_ output: OutputID) {
        guard machine.isUp, machine.outputs.contains(where: { $0.id == output && $0.room != nil }) else { return }
        perform(.replaceOutput(output))
    }

    // MARK: Changes with an answer

    /// Changes what is shown and waits for the sender's answer.
    ///
    /// One change after the other: each begins with what became of the one before, and is answered for itself.
    func change(_ change: MediaChange, by user: UserID?) async -> ChangeOutcome {
        guard waitingChanges < LiveBroadcast.changeLimit else { return .tooMany }
        waitingChanges += 1
        defer { waitingChanges -= 1 }
        let before = lastChange
        let task = Task {
            _ = await before?.value
            return await withCheckedContinuation { answer in
                if case .terminated = entries.yield(.change(change, by: user, answer)) { answer.resume(returning: .isOver) }
            }
        }
        lastChange = task
        return await task.value
    }

    private func take(_ change: MediaChange, by user: UserID?, _ answer: CheckedContinuation<ChangeOutcome, Never>) async {
        await take(.mediaChanged(change), by: user)
        if isOver { return answer.resume(returning: .isOver) }
        // Nothing to ask the sender: it is the same choice.
        guard machine.mediaBefore != nil else { return answer.resume(returning: .done) }
        waiter = (machine.revision, answer)
    }

    private func settleWaiter(_ event: BroadcastMachine.Event) {
        guard let waiter else { return }
        let outcome: ChangeOutcome
        switch event {
        case .senderStarted(let revision, _) where revision >= waiter.revision: outcome = .done
        case .senderRefused(let revision, let detail, let reason) where revision >= waiter.revision:
            outcome = .refused(step: detail, reason: reason)
        case .unknown(.start): outcome = .unknown
        default:
            guard isOver else { return }
            outcome = .isOver
        }
        self.waiter = nil
        waiter.answer.resume(returning: outcome)
    }

    private var isOver: Bool {
        switch machine.phase {
        case .stopping, .ended: true
        case .choosing, .leasing, .sending, .media, .outputs, .running: false
        }
    }

    // MARK: Showing

    var view: BroadcastView {
        BroadcastView.of(machine, createdAtMs: createdAtMs, endedAtMs: endedAtMs, thumbnailAtMs: thumbnail?.atMs)
    }

    /// nil of a broadcast.
    var rehearsalView: RehearsalView? { RehearsalView.of(machine, createdAtMs: createdAtMs, endedAtMs: endedAtMs) }

    /// Its receiver has sent a picture. What is no small JPEG file, or comes more often than any is made, is not shown.
    func show(_ received: StreamThumbnail) async {
        let now = unixMilliseconds()
        // The wall clock may have been set back meanwhile.
        if let shown = thumbnail?.shownAtMs, (shown..<shown + 1000).contains(now) { return }
        guard endedAtMs == nil, let bytes = Data(base64Encoded: received.base64), let picture = Thumbnail([UInt8](bytes)) else { return }
        thumbnail = ShownThumbnail(picture, atMs: now - Int64(received.ageMs), shownAtMs: now)
        await publish()
    }

    /// Writes down what happened, and shows it: nobody waits until it is stored.
    private func record(_ entries: [FlightEntry]) async {
        guard !entries.isEmpty else { return }
        let records = entries.map { FlightRecord(source: .control, run: journal.run, entry: $0) }
        parts.fleet.flights.keep(records, of: id, sender, in: organization)
        await parts.fleet.flights.tell(records, of: id, in: organization)
    }

    /// A rehearsal is shown as one, and among the broadcasts nowhere.
    private func publish() async {
        let body = rehearsalView.map(Feed.json) ?? Feed.json(view)
        guard body != published else { return }
        published = body
        await parts.feed.publish(machine.organization, topic: isRehearsal ? "rehearsal/\(id)" : "broadcast/\(id)", body: body)
    }
}

extension OutputSpec {
    fileprivate var isListener: Bool { if case .srt(let target) = self.target { target.mode == .listener } else { false } }
}
