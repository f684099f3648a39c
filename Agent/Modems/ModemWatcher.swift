import DBus
package import Logging
package import Posix

/// Tells of this board's modems whenever one of them changes, as ModemManager announces it over D-Bus.
///
/// A board without a bus or without ModemManager has no modems; that is said once, and both are taken up when they come.
package actor ModemWatcher {
    package nonisolated let loop: Loop
    /// The modems, whenever they change; a slow reader gets the latest only.
    package nonisolated let snapshots: AsyncStream<[Modem]>
    private let out: AsyncStream<[Modem]>.Continuation
    private let address: String
    private let usesSatellites: Bool
    let log: Log
    let accounts: ModemAccounts
    let ledger: PINLedger?
    /// Gives a connected modem's interface its addresses.
    let apply: (@Sendable (BearerAddresses) async throws -> Void)?

    private(set) var bus: Bus?
    private var table = ModemTable()
    private var told: [Modem] = []
    /// The connection that has ModemManager's name; nil while nobody has.
    private var owner: String?
    private var isListed = false
    private var failures = 0
    private var said = Absence.nothing
    private var isOver = false
    private var redial: LoopTimer?
    /// What was set up in a modem: not asked for again before then.
    private var asked: [String: Instant] = [:]
    private var askAgain: LoopTimer?
    /// Numbers of SIM cards (ICCID), by their paths.
    private var simNumbers: [String: String] = [:]
    /// By path.
    var connections: [String: ModemConnection] = [:]
    var works: [String: Task<Void, Never>] = [:]
    var nextStep: LoopTimer?
    /// By the modem's id.
    var attempts: [String: PINAttempt] = [:]
    /// Modems that are being reset, by path: nothing else is done with them meanwhile.
    var resets: Set<String> = []

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private enum Absence { case nothing, bus, service }

    /// How often a modem measures its signal, in seconds.
    private static let signalSeconds: UInt32 = 5
    /// What a modem has refused is asked again then.
    private static let patience = Duration.seconds(60)

    /// - Parameters:
    ///   - address: of the system's bus.
    ///   - usesSatellites: whether satellite receivers are switched on, so that the board's place is known.
    ///   - accounts: how modems are connected.
    ///   - stateFolder: where is kept which PINs were tried; without it none is.
    package init(
        address: String, loop: Loop, usesSatellites: Bool, accounts: ModemAccounts = ModemAccounts(standard: nil),
        stateFolder: String? = nil,
        apply: (@Sendable (BearerAddresses) async throws -> Void)? = nil, log: Log
    ) {
        self.accounts = accounts
        self.apply = apply
        ledger = stateFolder.map { PINLedger(path: "\($0)/pins.json") }
        self.address = address
        self.loop = loop
        self.usesSatellites = usesSatellites
        self.log = log
        (snapshots, out) = AsyncStream.makeStream(of: [Modem].self, bufferingPolicy: .bufferingNewest(1))
    }

    package func begin() {
        loadAttempts()
        connect()
    }

    package func end() {
        isOver = true
        redial?.cancel()
        askAgain?.cancel()
        nextStep?.cancel()
        for work in works.values { work.cancel() }
        bus?.close()
        bus = nil
        out.finish()
    }
}

// MARK: - The bus and the service

extension ModemWatcher {
    private func connect() {
        guard !isOver else { return }
        let bus = Bus(address: address, loop: loop) { [weak self] error in self?.assumeIsolated { $0.lost(error) } }
        self.bus = bus
        bus.subscribe(.ownerChanges(of: Names.service)) { [weak self] signal in
            self?.assumeIsolated { $0.ownerChanged(signal.values.count == 3 ? signal.values[2].text : nil) }
        }
        let objects = "org.freedesktop.DBus.ObjectManager"
        hear(MatchRule(sender: Names.service, path: Names.root, interface: objects)) { $0.objectsChanged($1) }
        let properties = "org.freedesktop.DBus.Properties"
        hear(MatchRule(sender: Names.service, below: Names.modems, interface: properties, member: "PropertiesChanged")) {
            $0.propertiesChanged($1)
        }
        bus.call(.owner(of: Names.service)) { [weak self] result in
            self?.assumeIsolated { $0.found(result) }
        }
    }

    /// Only from who has the name: anybody on the bus can send a signal.
    private func hear(_ rule: MatchRule, _ take: @escaping @Sendable (isolated ModemWatcher, BusSignal) -> Void) {
        bus?.subscribe(rule) { [weak self] signal in
            self?.assumeIsolated { watcher in
                guard watcher.isListed, signal.sender == watcher.owner else { return }
                take(watcher, signal)
                watcher.publish()
            }
        }
    }

    private func found(_ result: Result<Reply, BusError>) {
        switch result {
        case .success(let reply):
            failures = 0
            ownerChanged(reply.values.first?.text)
        case .failure(.remote):
            failures = 0
            ownerChanged(nil)
        // `lost` comes, or is on its way.
        case .failure(.ended), .failure(.cancelled): break
        // It does not answer, and is made anew.
        case .failure(let error):
            bus?.close()
            lost(error)
        }
    }

    private func lost(_ error: BusError) {
        bus = nil
        say(.bus, error)
        forget()
        guard !isOver else { return }
        failures = min(failures + 1, 6)
        // 1 s doubling to 30 s, less up to half.
        let wait = Duration.seconds(min(30, 1 << (failures - 1))) * Double.random(in: 0.5...1)
        redial = loop.timer(after: wait) { [weak self] in self?.assumeIsolated { $0.connect() } }
    }

    private func ownerChanged(_ name: String?) {
        forget()
        guard let name, !name.isEmpty else { return say(.service, nil) }
        owner = name
        list(from: name)
    }

    private func forget() {
        owner = nil
        isListed = false
        table = ModemTable()
        asked = [:]
        simNumbers = [:]
        for work in works.values { work.cancel() }
        works = [:]
        connections = [:]
        resets = []
        publish()
    }

    private func list(from name: String) {
        bus?.call(.managedObjects(Names.service, Names.root)) { [weak self] result in
            self?.assumeIsolated { $0.listed(result, from: name) }
        }
    }

    private func listed(_ result: Result<Reply, BusError>, from name: String) {
        // The service went, or another came, while it answered.
        guard owner == name else { return }
        switch result {
        case .success(let reply):
            say(.nothing, nil)
            table.replace(by: reply.values.first)
            isListed = true
            if reply.isCut || table.leftOut > 0 {
                log.warning("ModemManager shows more modems than are believed", ["kept": .integer(ModemTable.limit)])
            }
            publish()
        case .failure(let error):
            log.warning("the modems cannot be listed", ["reason": .text("\(error)")])
            guard bus != nil else { return }
            askAgain = loop.timer(after: .seconds(10)) { [weak self] in
                self?.assumeIsolated { if $0.owner == name, !$0.isListed { $0.list(from: name) } }
            }
        }
    }

    private func say(_ absence: Absence, _ error: BusError?) {
        guard absence != said else { return }
        switch (absence, said) {
        case (.bus, _): log.notice("no message bus: modems are not watched", ["reason": .text(error.map { "\($0)" } ?? "")])
        case (.service, _): log.notice("ModemManager is not there: modems are not watched")
        case (.nothing, _): log.notice("ModemManager is there: modems are watched")
        }
        said = absence
    }
}

// MARK: - What it tells

extension ModemWatcher {
    private func objectsChanged(_ signal: BusSignal) {
        guard let path = signal.values.first?.path, signal.values.count == 2 else { return }
        switch signal.member {
        case "InterfacesAdded": table.added(path, signal.values[1])
        case "InterfacesRemoved": table.removed(path, signal.values[1])
        default: break
        }
    }

    private func propertiesChanged(_ signal: BusSignal) {
        guard signal.values.count == 3, let interface = signal.values[0].text else { return }
        table.changed(signal.path, interface, signal.values[1], invalidated: signal.values[2])
    }

    func publish() {
        var modems = table.modems
        for index in modems.indices { modems[index].simNumber = modems[index].simPath.flatMap { simNumbers[$0] } }
        setUp(modems)
        advance(modems)
        for index in modems.indices {
            if let problem = connections[modems[index].path]?.problem { modems[index].figures.reason = problem }
        }
        guard modems != told else { return }
        say(of: modems)
        told = modems
        out.yield(modems)
    }

    private func say(of modems: [Modem]) {
        let before = Dictionary(told.map { ($0.path, $0.figures) }) { $1 }
        for modem in modems where before[modem.path]?.state != modem.figures.state || before[modem.path]?.reason != modem.figures.reason {
            log.notice(
                "a modem has changed",
                [
                    "modem": .text(modem.figures.model), "id": .text(modem.figures.id), "state": .text(modem.figures.state.rawValue),
                    "reason": .text(modem.figures.reason ?? ""),
                ])
        }
        for (path, figures) in before where !modems.contains(where: { $0.path == path }) {
            log.notice("a modem is gone", ["modem": .text(figures.model), "id": .text(figures.id)])
        }
    }

    /// Has a modem measure its signal and its place. It forgets both with each plugging in, and takes neither before it is enabled.
    private func setUp(_ modems: [Modem]) {
        asked = asked.filter { key, _ in modems.contains { key.hasPrefix($0.path + " ") } }
        for modem in modems {
            if let sim = modem.simPath, simNumbers[sim] == nil { readNumber(of: sim, in: modem) }
            if modem.wantsSignal {
                ask(MethodCall(Names.service, modem.path, Names.signal, "Setup", [.unsigned(Self.signalSeconds)]))
            }
            if usesSatellites, let sources = modem.unusedSatellites {
                let wanted = UInt32(clamping: sources | ModemReading.satellites)
                ask(MethodCall(Names.service, modem.path, Names.location, "Setup", [.unsigned(wanted), .boolean(true)]))
            }
        }
    }

    /// Whether it may be asked now: not soon again.
    private func mayAsk(_ key: String) -> Bool {
        let now = Instant.now
        if let until = asked[key], now < until { return false }
        asked[key] = now + Self.patience
        return true
    }

    /// A card that does not tell its number while it is locked is asked again when its modem changes.
    private func readNumber(of sim: String, in modem: Modem) {
        guard mayAsk("\(modem.path) \(sim) \(modem.figures.sim.rawValue)") else { return }
        bus?.call(.property(Names.service, sim, Names.sim, "SimIdentifier")) { [weak self] result in
            guard case .success(let reply) = result, let number = reply.values.first?.text, !number.isEmpty else { return }
            self?.assumeIsolated {
                $0.simNumbers[sim] = number.bounded(to: 32)
                $0.publish()
            }
        }
    }

    private func ask(_ call: MethodCall) {
        guard mayAsk("\(call.path) \(call.interface)") else { return }
        let log = log
        bus?.call(call, timeout: .seconds(30)) { [weak self] result in
            guard case .failure(let error) = result else { return }
            log.notice(
                "a modem refuses what is set up", ["interface": .text(call.interface), "reason": .text("\(error)".bounded(to: 200))])
            self?.assumeIsolated { $0.askLater() }
        }
    }

    private func askLater() {
        askAgain?.cancel()
        askAgain = loop.timer(after: Self.patience) { [weak self] in self?.assumeIsolated { $0.setUp($0.table.modems) } }
    }
}
