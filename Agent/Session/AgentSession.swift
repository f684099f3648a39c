import Configuration
import Inputs
package import Links
package import Logging
package import Modems
package import Posix
package import Units
package import Web
package import Wire

/// What the owner of a board decides about its agent.
package struct SessionSettings: Sendable {
    package var runtimeFolder: String
    package var stateFolder: String
    /// Media files to offer as inputs; nil offers none.
    package var mediaFolder: String?
    package var links: LinkPolicy
    /// The bus that ModemManager is asked over.
    package var bus = SessionSettings.systemBus
    package var modems = ModemAccounts(standard: nil)
    /// Whether modems' satellite receivers are switched on.
    package var usesSatellites = true
    /// What control is reached through; media never is.
    package var proxy: ClientOptions.Proxy?
    /// A file with a line for each access unit, for tests; nil writes none.
    package var trace: String?
    package var version: String
    /// A wall clock that shows less, in Unix seconds, is not set.
    package var timeFloor = 0

    package init(
        runtimeFolder: String, stateFolder: String, mediaFolder: String?, links: LinkPolicy, trace: String?, version: String
    ) {
        self.runtimeFolder = runtimeFolder
        self.stateFolder = stateFolder
        self.mediaFolder = mediaFolder
        self.links = links
        self.trace = trace
        self.version = version
    }

    /// Where the system's bus usually listens.
    package static let systemBus = "unix:path=/run/dbus/system_bus_socket"
}

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
    private let watcher: LinkWatcher
    private let routes: RouteKeeper
    private let modemWatcher: ModemWatcher
    private let log: Log
    nonisolated let flight = FlightDesk()
    private let tell: @Sendable (AgentMessage, Importance) -> Void

    private var inventory = Inventory()
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
    /// The broadcast whose preflight runs.
    private var starting: BroadcastID?
    private var readers: [Task<Void, Never>] = []
    private var ticking: Task<Void, Never>?
    /// When the counters of the interfaces, and the figures of all links together, were told last.
    private var countedAt: Instant?
    private var bondedAt: Instant?
    private var modems: [Modem] = []
    private var usage: UsageDesk
    /// The modems as they were told last, and when; nil where this connection has heard nothing of them.
    private var toldModems: (modems: [ModemTelemetry], at: Instant)?

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - loop: the session's own: a stop may hold it for a while.
    ///   - tell: takes what control is to hear, from any thread; it must not wait.
    /// - Throws: `SystemError` for a folder that cannot be made or that another agent has (EWOULDBLOCK), or a system without
    ///   threads or descriptors.
    package init(
        settings: SessionSettings, loop: Loop, log: Log, tell: @escaping @Sendable (AgentMessage, Importance) -> Void
    ) throws {
        self.settings = settings
        self.loop = loop
        self.log = log
        self.tell = tell
        files = PlanFiles(runtime: settings.runtimeFolder, state: settings.stateFolder)
        try files.prepare()
        lock = try FolderLock(settings.stateFolder)
        inputs = try InputCatalog(clips: settings.mediaFolder, log: log.part("inputs"))
        usage = try UsageDesk(stateFolder: settings.stateFolder, timeFloor: settings.timeFloor, log: log.part("usage"))
        watcher = try LinkWatcher(loop: loop, policy: settings.links, log: log.part("links"))
        routes = try RouteKeeper(loop: loop, log: log.part("routes"))
        modemWatcher = ModemWatcher(
            address: settings.bus, loop: loop, usesSatellites: settings.usesSatellites, accounts: settings.modems,
            stateFolder: settings.stateFolder, apply: { [setter = BearerSetter()] in try setter.apply($0) }, log: log.part("modems"))
    }

    /// Watches links and inputs, and goes on with the plan that was being sent when the agent or the board stopped.
    package func begin() async {
        loadConfiguration()
        inventory = Inventory(links: watcher.links, inputs: [], encoders: EncoderCatalog.found())
        routes.begin()
        let links = watcher.snapshots
        readers.append(Task { [weak self] in for await snapshot in links { await self?.linksChanged(snapshot) } })
        let snapshots = modemWatcher.snapshots
        readers.append(Task { [weak self] in for await snapshot in snapshots { await self?.modemsChanged(snapshot) } })
        await modemWatcher.begin()
        let changes = await inputs.changes()
        readers.append(Task { [weak self] in for await snapshot in changes { await self?.inputsChanged(snapshot) } })
        tick(each: .seconds(1))
        readers.append(
            Task { [weak self, loop] in
                // Ends by cancellation only.
                while (try? await loop.sleep(for: .milliseconds(100))) != nil { await self?.tellFlight() }
            })
        resume()
    }

    /// The whole state, for a new connection. Nobody watches then, as far as this connection knows.
    package func hello() async -> AgentHello {
        tick(each: .seconds(1))
        toldModems = nil
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
        // A modem takes seconds for its reset: a stop does not wait for it.
        let isAside = if case .resetModem = order { true } else { false }
        let before = isAside ? resetting : tail
        let task = Task {
            await before?.value
            let outcome = await perform(order)
            if let id { answer(CommandOutcome(id: id, result: outcome.result, step: outcome.step, reason: outcome.reason)) }
        }
        if isAside { resetting = task } else { tail = task }
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

    /// The links that are up, those first that cost least, for the connection to control.
    package func upLinks() -> [String] {
        func rank(_ kind: Link.Kind) -> Int {
            switch kind {
            case .ethernet: 0
            case .wifi: 1
            case .other, .virtual: 2
            case .cellular: 3
            }
        }
        return inventory.links.filter { $0.state == .up }.sorted { (rank($0.kind), $0.name) < (rank($1.kind), $1.name) }.map(\.name)
    }

    /// Ends sending and watching. The plan stays: the next agent goes on with it.
    package func end() async {
        ticking?.cancel()
        for reader in readers { reader.cancel() }
        resetting?.cancel()
        await transmission?.stop()
        transmission = nil
        await inputs.close()
        await modemWatcher.end()
        routes.end()
        usage.close()
        lock.release()
    }

    private func perform(_ order: AgentOrder) async -> (result: CommandOutcome.Result, step: String?, reason: String?) {
        do throws(StepFault) {
            switch order {
            case .start(let plan): return (.done, nil, try await start(plan))
            case .stop(let reference): try await stop(reference.broadcast)
            case .configure(let document): try await configure(document)
            case .watch(let interval): tick(each: .milliseconds(min(max(interval.ms, 200), 10_000)))
            case .resetModem(let order): return (.done, nil, try await reset(order))
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
    private func start(_ new: Plan) async throws(StepFault) -> String? {
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

    private func stop(_ broadcast: BroadcastID) async throws(StepFault) {
        guard let running = plan, running.broadcast == broadcast else { return }
        do throws(SystemError) {
            try files.removePlan()
        } catch {
            // A camera that stays on is worse than a plan that does: an agent that takes it up again is told by control that it is over.
            log.error("the kept plan cannot be removed", ["reason": .text("\(error)")])
        }
        await transmission?.finish()
        transmission = nil
        plan = nil
        stopped(SendingReport(broadcast: broadcast, revision: running.revision, state: .stopped))
    }

    private func stopped(_ report: SendingReport) {
        flight.note(report)
        tell(.sending(report), .change)
    }

    /// - Returns: how, where that was not by its own reset.
    private func reset(_ order: ModemReset) async throws(StepFault) -> String? {
        guard let modem = modems.first(where: { $0.figures.id == order.modem }) else {
            throw StepFault(.plan, "this board has no modem \(order.modem.bounded(to: 64))")
        }
        let live = await transmission?.liveLinks() ?? []
        if !order.force, !live.isEmpty, live.isSubset(of: modem.interfaces) {
            throw StepFault(
                .plan,
                "it carries \(live.sorted().joined(separator: ", ")), the only working link of the live broadcast; force it to reset it all the same"
            )
        }
        do throws(ModemFault) {
            return try await modemWatcher.reset(modem)
        } catch {
            throw StepFault(.modem, error.reason)
        }
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
        await transmission?.update(links: inventory.links, rules: rules)
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
            plan: plan, links: inventory.links, rules: rules, inputs: inputs, flight: flight, trace: settings.trace,
            loop: loop,
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

    private func linksChanged(_ links: [Link]) async {
        routes.update(watcher.indices)
        inventory.links = links
        tell(.inventory(inventory), .change)
        await transmission?.update(links: links, rules: rules)
    }

    private func modemsChanged(_ modems: [Modem]) { self.modems = modems }

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
        let sample = AgentTelemetry(
            atMs: unixMilliseconds(), links: figures?.links ?? [], pipeline: figures?.pipeline, interfaces: await interfaces(),
            modems: modemFigures(), bond: figures?.bond.flatMap(inTurn), usage: usage.next())
        tell(.telemetry(sample), .figures)
    }

    private func tellFlight() {
        guard let log = flight.next() else { return }
        tell(.flight(log), .record(answered: { [flight] in flight.answered(log, isTaken: $0) }))
    }

    /// Every 2 s: more often they would take the room of the links' figures on a narrow modem, as the counters below would.
    private func inTurn(_ bond: BondTelemetry) -> BondTelemetry? {
        let now = Instant.now
        if let bondedAt, now - bondedAt < .milliseconds(1900) { return nil }
        bondedAt = now
        return bond
    }

    /// Every 5 s.
    private func interfaces() async -> [InterfaceTelemetry]? {
        let now = Instant.now
        if let countedAt, now - countedAt < .milliseconds(4900) { return nil }
        countedAt = now
        let changes = usage.count(watcher, modems, configuration.linkRules)
        for change in changes { flight.note(change) }
        let counters = watcher.counters
        // What is asked for now is told the next time.
        watcher.refresh()
        if !changes.isEmpty { await transmission?.update(links: inventory.links, rules: rules) }
        return counters
    }

    /// At most once a second, and every 5 s where nothing changes: a sample may be lost. Nothing where there never was a modem.
    private func modemFigures() -> [ModemTelemetry]? {
        let links = Set(inventory.links.map(\.name))
        let figures = modems.map { modem in
            var figures = modem.figures
            figures.link = modem.interfaces.first(where: links.contains)
            return figures
        }
        let now = Instant.now
        if let toldModems {
            let age = now - toldModems.at
            guard age >= .milliseconds(900), age >= .seconds(5) || toldModems.modems != figures else { return nil }
        } else if figures.isEmpty {
            return nil
        }
        toldModems = (figures, now)
        return figures
    }
}
