import Capture
import Configuration
package import ControlLink
import FoundationEssentials
import Inputs
import Links
package import Logging
package import Names
package import Panel
package import Posix
import Releases
package import Units
import Updating
package import Wire

/// The agent: owns the plan, carries out what control orders, and goes on without control.
///
/// On its loop. Every method may be called by any task; orders are carried out one after the other.
package actor AgentSession {
    /// Whether a message may be lost.
    package enum Importance: Sendable {
        /// Figures: dropped when the connection is slow.
        case figures
        /// A change of state: sent while there is a connection; the hello tells it otherwise.
        case change
        /// The flight recorder's: tells whether the connection had room for it, and comes again where it had not.
        case record(answered: @Sendable (_ isTaken: Bool) -> Void)
    }

    package nonisolated let loop: Loop
    private let settings: SessionSettings
    private let files: PlanFiles
    /// Two on one plan would both send it: control refuses the second one's connection, its packets reach the receiver all the same.
    private let lock: FolderLock
    private let inputs: InputCatalog
    private let desk: LinkDesk
    private let names: NameLookup
    private let log: Log
    nonisolated let flight = FlightDesk()
    private let tell: @Sendable (AgentMessage, Importance) -> Void

    private var inventory = Inventory()
    /// As the desk told them last.
    private var surroundings = Surroundings()
    private var isFirstLook = true
    private var configuration = SenderConfiguration.standard
    private var configurationVersion = 0
    /// Whether the running plan is on disk: a loss of power does not end it then.
    private var isKept = true
    private var plan: Plan?
    private var transmission: Transmission?
    /// The last of the orders that were taken.
    private var tail: Task<Void, Never>?
    /// The last reset of a modem.
    private var resetting: Task<Void, Never>?
    private let speed: SpeedUpload?
    /// The upload of a speed test.
    private var testing: Task<Result<Void, SpeedUploadFault>, Never>?
    private var picturing: Task<Result<[UInt8], StepFault>, Never>?
    private var keyFramePace = KeyFramePace()
    /// Starts that were ordered and are not carried out yet.
    private var starts = 0
    /// The broadcast whose preflight runs.
    private var starting: BroadcastID?
    private var readers: [Task<Void, Never>] = []
    private var ticking: Task<Void, Never>?
    private var turns = TelemetryTurns()
    private var isControlReached = false
    private var told: ToldUpdater
    private let statusFile: StatusFile
    private var standing: BoardStatus.Standing
    /// Why control is not reached, or does not enroll this board, as far as that is known.
    private var hindrance: String?
    private var usage: UsageDesk

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - loop: the session's own: a stop may hold it for a while.
    ///   - names: is told of the links, and asked for receivers.
    ///   - speed: carries out speed tests; nil refuses them.
    ///   - tell: takes what control is to hear, from any thread; it must not wait.
    /// - Throws: `SystemError` for a folder that cannot be made or that another agent has (EWOULDBLOCK), or a system without
    ///   threads or descriptors.
    package init(
        settings: SessionSettings, loop: Loop, names: LinkNames, speed: SpeedUpload? = nil, log: Log,
        tell: @escaping @Sendable (AgentMessage, Importance) -> Void
    ) throws {
        self.settings = settings
        self.loop = loop
        self.names = names.lookup
        self.speed = speed
        self.log = log
        self.tell = tell
        files = PlanFiles(runtime: settings.runtimeFolder, state: settings.stateFolder)
        try files.prepare()
        lock = try FolderLock(settings.stateFolder)
        told = ToldUpdater(settings)
        statusFile = StatusFile(in: settings.runtimeFolder)
        standing = settings.standing
        inputs = try InputCatalog(clips: settings.mediaFolder, log: log.part("inputs"))
        usage = try UsageDesk(stateFolder: settings.stateFolder, timeFloor: settings.timeFloor, log: log.part("usage"))
        desk = try LinkDesk(settings: settings, loop: loop, names: names, log: log)
    }

    /// Watches links and inputs, and goes on with the plan that was being sent when the agent or the board stopped.
    package func begin() async {
        loadConfiguration()
        surroundings = await desk.begin()
        inventory = Inventory(links: surroundings.links, inputs: [], encoders: EncoderCatalog.found())
        let changes = desk.snapshots
        readers.append(Task { [weak self] in for await snapshot in changes { await self?.surroundingsChanged(snapshot) } })
        let plugged = await inputs.changes()
        readers.append(Task { [weak self] in for await snapshot in plugged { await self?.inputsChanged(snapshot) } })
        tick(each: .seconds(1))
        readers.append(
            Task { [weak self, loop] in
                while true {
                    await self?.tellUpdater()
                    // try?: ends by cancellation only.
                    guard (try? await loop.sleep(for: ToldUpdater.interval)) != nil else { return }
                }
            })
        readers.append(
            Task { [weak self, loop, flight] in
                for await _ in flight.news {
                    await self?.tellFlight()
                    // A part at a time leaves room for the rest. try?: ends by cancellation only.
                    guard (try? await loop.sleep(for: .milliseconds(100))) != nil else { return }
                }
            })
        resume()
    }

    /// The whole state, for a new connection. Nobody watches then, as far as this connection knows.
    package func hello() async -> AgentHello {
        tick(each: .seconds(1))
        turns.forgetModems()
        usage.tellAgain()
        return AgentHello(
            agentVersion: settings.version, inventory: inventory, configuration: ConfigurationReport(version: configurationVersion),
            sending: await transmission?.report())
    }

    /// Does what control orders, once the orders before it are done; returns at once.
    /// - Parameters:
    ///   - id: nil for an order that wants no answer.
    ///   - answer: takes the outcome, on any thread.
    package func carryOut(_ order: AgentOrder, id: CommandID?, answer: @escaping @Sendable (CommandOutcome) -> Void) {
        // A stop does not wait until the start before it has given up by itself.
        if case .stop(let reference) = order, starting == reference.broadcast, let transmission {
            Task { await transmission.interrupt() }
        }
        let isStart = if case .start = order { true } else { false }
        if isStart {
            starts += 1
            testing?.cancel()
            // Before the updater looks again: it does not come in between.
            tellUpdater()
        }
        // A modem takes seconds for its reset: a stop does not wait for it. Speed tests, pictures and key frames are not waited for by anything.
        let isTest =
            switch order {
            case .speedTest, .picture, .keyFrame: true
            default: false
            }
        let isAside = if case .resetModem = order { true } else { false }
        let before = isTest ? nil : isAside ? resetting : tail
        let task = Task {
            await before?.value
            let outcome = await perform(order)
            if isStart { starts -= 1 }
            if let id { answer(CommandOutcome(id: id, result: outcome.result, step: outcome.step, reason: outcome.reason)) }
        }
        if isAside { resetting = task } else if !isTest { tail = task }
    }

    /// This board is revoked: ends what it sends and forgets it, so that nothing goes on after a restart either. Returns at once.
    package func revoked() {
        if let transmission, starting != nil { Task { await transmission.interrupt() } }
        let before = tail
        tail = Task {
            await before?.value
            await abandon()
        }
    }

    private func abandon() async {
        guard let ended = plan else { return }
        log.error("control has revoked this board: nothing is sent any more", ["broadcast": .text(ended.broadcast.text)])
        await transmission?.stop()
        transmission = nil
        plan = nil
        do throws(SystemError) {
            try files.removePlan()
        } catch {
            // Sent again after a restart, until control says again that the board is revoked.
            log.error("the kept plan cannot be removed", ["reason": .text("\(error)")])
        }
    }

    /// The links that are up, best first, for the connection to control.
    package func upLinks() -> [String] { surroundings.upLinks }

    /// Ends sending and watching. The plan stays: the next agent goes on with it.
    package func end() async {
        ticking?.cancel()
        for reader in readers { reader.cancel() }
        resetting?.cancel()
        testing?.cancel()
        picturing?.cancel()
        await transmission?.stop()
        transmission = nil
        await inputs.close()
        await desk.end()
        usage.close()
        lock.release()
    }

    private func perform(_ order: AgentOrder) async -> (result: CommandOutcome.Result, step: String?, reason: String?) {
        do throws(StepFault) {
            switch order {
            case .start(let plan): return (.done, nil, try await start(plan))
            case .stop(let reference): try await stop(reference)
            case .configure(let document): try await configure(document)
            case .watch(let interval): tick(each: .milliseconds(min(max(interval.ms, 200), 10_000)))
            case .resetModem(let order): return (.done, nil, try await reset(order))
            case .speedTest(let order): try await measure(order)
            case .picture(let order): try await show(order)
            case .keyFrame(let reference): await makeKeyFrame(of: reference.broadcast)
            case .unknown(let type): throw StepFault(.plan, "this agent does not know the order '\(type.bounded(to: 64))'")
            }
            return (.done, nil, nil)
        } catch {
            log.warning("order not done", ["order": .text(order.type), "reason": .text(error.description)])
            return (error.isRefusal ? .refused : .failed, error.step.rawValue, error.reason.bounded())
        }
    }
}

// MARK: - Orders

extension AgentSession {
    /// Once a second at most, whoever asks: it is as large as many pictures.
    private func makeKeyFrame(of broadcast: BroadcastID) async {
        guard plan?.broadcast == broadcast, let transmission, keyFramePace.isDue(at: .now) else { return }
        await transmission.makeKeyFrame()
    }

    private func start(_ new: Plan) async throws(StepFault) -> String? {
        // An input is opened once.
        picturing?.cancel()
        _ = await picturing?.value
        switch PlanDecision.decide(new, running: plan, maximum: configuration.maximumBitrate) {
        case .refuse(let fault): throw fault
        // What could not be kept may be by now.
        case .already: return isKept ? nil : keep(new)
        case .begin: try await begin(new)
        case .change(let change):
            guard let transmission else { preconditionFailure("a plan that runs has its transmission") }
            try await transmission.change(to: new, change)
        }
        plan = new
        return keep(new)
    }

    private func begin(_ new: Plan) async throws(StepFault) {
        let transmission = make(new)
        self.transmission = transmission
        starting = new.broadcast
        defer { starting = nil }
        await transmission.obstructed(surroundings.obstructions)
        do throws(StepFault) {
            try await transmission.preflight()
        } catch {
            await transmission.stop()
            self.transmission = nil
            stopped(SendingReport(broadcast: new.broadcast, revision: new.revision, state: .stopped, reason: error.description.bounded()))
            throw error
        }
    }

    /// - Returns: what a person should know; nil where the plan is kept.
    private func keep(_ plan: Plan) -> String? {
        do {
            try files.save(plan)
            isKept = true
            return nil
        } catch {
            // A broadcast is worth more than its insurance: it goes on, and says what it lacks.
            isKept = false
            log.error("the plan cannot be kept", ["reason": .text("\(error)")])
            return "sent, but after a loss of power this board will not go on by itself: \(error)".bounded()
        }
    }

    private func stop(_ reference: BroadcastReference) async throws(StepFault) {
        guard let running = plan, running.broadcast == reference.broadcast else { return }
        do throws(SystemError) {
            try files.removePlan()
        } catch {
            // A camera that stays on is worse than a plan that does: an agent that takes it up again is told by control that it is over.
            log.error("the kept plan cannot be removed", ["reason": .text("\(error)")])
        }
        if reference.atOnce == true { await transmission?.stop() } else { await transmission?.finish() }
        transmission = nil
        plan = nil
        stopped(SendingReport(broadcast: reference.broadcast, revision: running.revision, state: .stopped))
    }

    private func stopped(_ report: SendingReport) {
        flight.note(report)
        tell(.sending(report), .change)
    }

    /// - Returns: how, where that was not by its own reset.
    private func reset(_ order: ModemReset) async throws(StepFault) -> String? {
        guard let device = surroundings.device(order.modem) else {
            throw StepFault(.plan, "this board has no modem \(order.modem.bounded(to: 64))")
        }
        try await spare(device.interfaces, order)
        return try await desk.reset(device)
    }

    /// Refuses for what carries a broadcast's only working link, unless that is meant.
    private func spare(_ interfaces: [String], _ order: ModemReset) async throws(StepFault) {
        let live = await transmission?.liveLinks() ?? []
        guard !order.force, !live.isEmpty, live.isSubset(of: interfaces) else { return }
        throw StepFault(
            .plan,
            "it carries \(live.sorted().joined(separator: ", ")), the only working link of the live broadcast; force it to reset it all the same"
        )
    }

    /// Nothing is measured while anything is sent, and a broadcast that begins ends it.
    private func measure(_ order: SpeedTestOrder) async throws(StepFault) {
        guard let speed else { throw StepFault(.plan, "this agent has no control to upload to") }
        guard plan == nil, transmission == nil, starts == 0 else {
            throw StepFault(.plan, "this board has a broadcast: its links are not disturbed")
        }
        guard testing == nil else { throw StepFault(.plan, "a speed test runs already") }
        guard surroundings.upLinks.contains(order.link) else {
            throw StepFault(.plan, "this board has no link \(order.link.bounded(to: 64)) that is up")
        }
        if let left = bytesLeft(on: order.link), left < order.bytes {
            throw StepFault(
                .plan, "\(order.link) has \(left >> 20) MiB of its data plan left, and the test may take \(order.bytes >> 20)")
        }
        log.notice("a link's speed is tested", ["link": .text(order.link)])
        let task = Task { () -> Result<Void, SpeedUploadFault> in
            do throws(SpeedUploadFault) { return .success(try await speed.run(order)) } catch { return .failure(error) }
        }
        testing = task
        let result = await task.value
        testing = nil
        if case .failure(let fault) = result { throw StepFault(.speed, fault.description) }
    }

    /// Nothing of a broadcast is touched: what it shows is seen otherwise.
    private func show(_ order: PictureOrder) async throws(StepFault) {
        guard starts == 0 else { throw StepFault(.plan, "a broadcast begins") }
        guard picturing == nil else { throw StepFault(.plan, "a picture of an input is being taken already") }
        if let used = plan?.input, [used.video, used.audio].contains(order.input) {
            throw StepFault(.plan, "the broadcast shows this input")
        }
        let task = Task { [inputs] () -> Result<[UInt8], StepFault> in
            do {
                return .success(try await InputStill.take(of: inputs.open(order.input), within: Self.pictureTime))
            } catch {
                return .failure(StepFault(.input, (error as? CaptureFault)?.reason ?? "\(error)"))
            }
        }
        picturing = task
        let result = await task.value
        picturing = nil
        let file = try result.get()
        try await send(InputPicture(input: order.input, base64: Data(file).base64EncodedString()))
    }

    /// Where a sample of figures is on its way there is no room for what can wait: a moment later there is.
    private func send(_ picture: InputPicture) async throws(StepFault) {
        let (began, tell) = (Instant.now, tell)
        repeat {
            let isSent = await withCheckedContinuation { sent in
                tell(.picture(picture), .record(answered: { sent.resume(returning: $0) }))
            }
            if isSent { return }
            // try?: cancelled, the last try was the last.
            guard (try? await loop.sleep(for: .milliseconds(50))) != nil else { break }
        } while starts == 0 && .now - began < Self.roomTime
        throw StepFault(.plan, "the link to control has no room for a picture now")
    }

    /// Both together are less than control waits for the outcome, with the time that an input takes to let go.
    private static let pictureTime = Duration.seconds(6)
    private static let roomTime = Duration.seconds(1.5)

    /// Of the link's data plan; nil where it has none.
    private func bytesLeft(on link: String) -> Int? {
        usage.figures.first { $0.link == link }.flatMap { used in used.capBytes.map { max(0, $0 - used.sentBytes - used.receivedBytes) } }
    }

    private func configure(_ document: ConfigurationDocument) async throws(StepFault) {
        guard document.version >= configurationVersion else {
            throw StepFault(.configuration, "version \(document.version) is older than \(configurationVersion), which is in force")
        }
        let new: SenderConfiguration
        do throws(ConfigurationFaults) {
            new = try SenderConfiguration.parse(document.toml)
        } catch {
            throw StepFault(.configuration, error.faults.map(\.description).joined(separator: "; "))
        }
        do {
            try files.save(document)
        } catch {
            throw StepFault(.configuration, "it cannot be kept on disk: \(error)")
        }
        configuration = new
        configurationVersion = document.version
        await transmission?.update(links: surroundings.links, rules: rules)
        tell(.configured(ConfigurationReport(version: document.version)), .change)
    }
}

// MARK: - By itself

extension AgentSession {
    private var rules: [String: LinkRule] { usage.applied(to: configuration.linkRules) }

    private func make(_ plan: Plan) -> Transmission {
        let tell = tell
        defer { for link in usage.figures where link.state != .within { flight.note(link) } }
        return Transmission(
            plan: plan, links: surroundings.links, rules: rules, inputs: inputs, flight: flight, trace: settings.trace,
            names: names, loop: loop,
            log: log.with("broadcast", .text(plan.broadcast.text))
        ) { report in
            tell(.sending(report), .change)
        }
    }

    private func resume() {
        let log = log
        let kept = files.plan { path, reason in log.error("a kept plan cannot be read", ["file": .text(path), "reason": .text(reason)]) }
        guard let kept else { return }
        log.notice(
            "going on with the plan that was being sent", ["broadcast": .text(kept.broadcast.text), "revision": .integer(kept.revision)])
        plan = kept
        let transmission = make(kept)
        self.transmission = transmission
        // In front of the orders: the first of them finds it begun.
        tail = Task { await transmission.resume() }
        // After a loss of power only one of the two copies is left.
        _ = keep(kept)
    }

    private func loadConfiguration() {
        do {
            guard let document = try files.configuration() else { return }
            configuration = try SenderConfiguration.parse(document.toml)
            configurationVersion = document.version
        } catch {
            log.error("the kept configuration cannot be used, the standard one is in force", ["reason": .text("\(error)")])
        }
    }

    private func surroundingsChanged(_ new: Surroundings) async {
        let old = surroundings
        surroundings = new
        let isOtherLinks = isFirstLook || new.links != old.links || new.indices != old.indices
        isFirstLook = false
        guard isOtherLinks || new.obstacles != old.obstacles else { return }
        inventory.links = new.told
        tell(.inventory(inventory), .change)
        if isOtherLinks {
            await watchPortals()
            await transmission?.update(links: surroundings.links, rules: rules)
        }
        if new.obstacles != old.obstacles { await transmission?.obstructed(surroundings.obstructions) }
    }

    /// Control is connected over this link; nil: over none that has a name, or not at all.
    package func controlMoved(to link: String?) async {
        await desk.controlMoved(to: link)
        await watchPortals()
    }

    private func watchPortals() async { await desk.watchPortals(besides: await transmission?.liveLinks() ?? []) }

    private func inputsChanged(_ inputs: [Input]) async {
        inventory.inputs = inputs
        tell(.inventory(inventory), .change)
        await transmission?.inputsChanged()
    }

    /// Telemetry each `interval` from now on.
    private func tick(each interval: Duration) {
        ticking?.cancel()
        ticking = Task { [weak self, loop] in
            // Ends by cancellation only.
            while (try? await loop.sleep(for: interval)) != nil { await self?.tellTelemetry() }
        }
    }

    private func tellTelemetry() async {
        let figures = await transmission?.telemetry()
        let (links, bond) = turns.bond(figures?.links ?? [], figures?.bond, at: .now)
        let sample = AgentTelemetry(
            atMs: unixMilliseconds(), links: links, pipeline: figures?.pipeline, interfaces: await interfaces(),
            modems: turns.modems(surroundings.modemFigures, at: .now), bond: bond, usage: usage.next())
        tell(.telemetry(sample), .figures)
    }

    /// What the updater beside this program is told of it.
    private func tellUpdater() {
        let isBroadcasting = plan != nil || transmission != nil || starts > 0
        let fault = told.tell(
            isBroadcasting: isBroadcasting, isControlReached: isControlReached, inputs: inventory.inputs.map(\.id),
            links: surroundings.upLinks)
        if let fault { log.warning("the updater cannot be told how this agent is", ["error": "\(fault)"]) }
        tellPerson(isBroadcasting: isBroadcasting)
    }

    /// What whoever stands before the board is told of it.
    private func tellPerson(isBroadcasting: Bool) {
        var status = BoardStatus(version: settings.version, standing: standing, atNanoseconds: Instant.now.nanoseconds)
        status.name = settings.name
        status.server = settings.serverAddress
        status.reason = hindrance
        status.isControlReached = isControlReached
        status.isBroadcasting = isBroadcasting
        status.links = surroundings.told
        status.modems = surroundings.modemFigures
        status.inputs = inventory.inputs.map(\.name)
        let lag = settings.timeFloor - Int(unixMilliseconds() / 1000)
        status.clockLag = lag > 0 ? lag : nil
        // try?: the folder is the updater's report's too, which has said so already.
        try? statusFile.write(status)
    }

    /// Whether control speaks to this board.
    /// - Parameter reason: why not, in control's words or the network's.
    package func controlReached(_ isReached: Bool, because reason: String? = nil) {
        isControlReached = isReached
        hindrance = isReached ? nil : reason.map { $0.bounded(to: 200) }
        tellUpdater()
    }

    /// How far the board's enrollment is, for whoever stands before it.
    package func enrolling(_ standing: BoardStatus.Standing, because reason: String) {
        self.standing = standing
        hindrance = reason.bounded(to: 200)
        tellUpdater()
    }

    private func tellFlight() {
        guard let log = flight.next() else { return }
        tell(.flight(log), .record(answered: { [flight] in flight.answered(log, isTaken: $0) }))
    }

    private func interfaces() async -> [InterfaceTelemetry]? {
        guard turns.isCountersTurn(at: .now) else { return nil }
        let changes = usage.count(desk.watcher, surroundings.simNumbers, desk.stickTraffic, configuration.linkRules)
        for change in changes { flight.note(change) }
        let counters = desk.watcher.counters
        // What is asked for now is told the next time.
        desk.watcher.refresh()
        if !changes.isEmpty { await transmission?.update(links: surroundings.links, rules: rules) }
        await watchPortals()
        return counters
    }
}
