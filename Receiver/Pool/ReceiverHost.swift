import Crypto
package import Logging
package import Posix
import Units
package import Wire

/// This host's streams: gives leases, keeps their receivers, and carries out what control orders.
///
/// Every method may be called by any task; work on one lease is done in the order of the calls.
package actor ReceiverHost {
    package nonisolated let loop: Loop
    private let settings: PoolSettings
    private let files: LeaseFiles
    private let log: Log
    private var table: LeaseTable
    private var keepers: [LeaseID: ReceiverKeeper] = [:]
    private var endings: [LeaseID: Task<Void, Never>] = [:]
    private let tell: @Sendable (PoolMessage, Importance) -> Void
    private let previews: Previews?
    private let takes: Takes?
    private var load = HostLoad()
    private var looking: Task<Void, Never>?
    private var isControlThere = false
    private var trials = 0
    /// Each is a process for some seconds.
    private static let trialLimit = 4

    /// Whether a message may be lost.
    package enum Importance: Sendable, Equatable {
        /// Figures: dropped when the connection is slow.
        case figures
        /// A change of state: sent while there is a connection; the hello tells it otherwise.
        case change
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Takes the folders over from a predecessor.
    ///
    /// - Parameters:
    ///   - previews: of its streams; nil for a host that makes none.
    ///   - takes: what they have recorded; nil for a host that records nothing.
    ///   - tell: takes reports and releases; called on the loop's thread.
    /// - Throws: `SystemError`; EWOULDBLOCK where another pool runs with the same runtime folder.
    package init(
        settings: PoolSettings, loop: Loop, log: Log, previews: Previews? = nil, takes: Takes? = nil,
        tell: @escaping @Sendable (PoolMessage, Importance) -> Void
    ) throws {
        self.settings = settings
        self.loop = loop
        self.log = log
        self.previews = previews
        self.takes = takes
        self.tell = tell
        files = try LeaseFiles(runtime: settings.leaseFolder, state: settings.stateFolder)
        table = LeaseTable(capacity: settings.capacity, cpuLimit: settings.cpuLimit, ports: settings.ports, remembered: files.loadPorts())
    }

    /// Adopts the receivers of a predecessor, and starts again those that did not outlive it. Returns once each has been
    /// found or begun.
    package func adoptAll() async throws {
        watchOver()
        let (starts, unreadable) = try files.starts()
        for name in unreadable { log.error("cannot read a lease's file, ignoring it", ["file": .text(name)]) }
        for start in starts {
            guard table.adopt(start.spec, port: start.port) else {
                log.error("two leases with one port, ignoring one", ["lease": .text(start.spec.lease.text), "port": .integer(start.port)])
                continue
            }
            let keeper = keeper(for: start, isNew: false)
            keepers[start.spec.lease] = keeper
            log.notice("adopting a receiver", ["lease": .text(start.spec.lease.text), "port": .integer(start.port)])
        }
        await withTaskGroup(of: Void.self) { group in
            for keeper in keepers.values { group.addTask { _ = await keeper.listening(atMost: .seconds(2)) } }
        }
        noteTakes()
        await takes?.begin()
    }

    /// Looks each second from here on.
    private func watchOver() {
        guard looking == nil else { return }
        if settings.cpuLimit < 100, HostLoad.now() == nil {
            log.warning("/proc/stat is hidden from the pool: it does not see how busy this host is, and cpu_limit does nothing")
        }
        looking = loop.spawn { [weak self, loop] in
            // Ends by cancellation, or with the host.
            while await self?.look() != nil, (try? await loop.sleep(for: .seconds(1))) != nil {}
        }
    }

    func look() async {
        let text = HostLoad.now()
        if let text { load.note(text) }
        tell(.load(HostLoadReport(cpuPercent: load.percent(text))), .figures)
        noteTakes()
        for keeper in keepers.values { await keeper.look(isControlThere: isControlThere) }
    }

    /// Nothing is touched that a lease of this host may write, also one that is just beginning or ending.
    private func noteTakes() { takes?.note(active: Set(keepers.keys).union(endings.keys), isControlThere: isControlThere) }

    /// Whether this host and control hear each other, as their connection sees it.
    func setControl(isThere: Bool) { isControlThere = isThere }

    /// What control is told at each connect.
    package func hello() async -> PoolHello {
        var leases: [LeaseReport] = []
        for entry in table.all {
            if let keeper = keepers[entry.spec.lease] { leases.append(await keeper.report) }
        }
        return PoolHello(
            poolVersion: settings.version, addresses: settings.publicAddresses, portRange: settings.ports, capacity: settings.capacity,
            leases: leases)
    }

    /// Carries out an order and says what became of it.
    package func carryOut(_ command: Command<PoolOrder>) async -> CommandOutcome {
        let id = command.id
        switch command.order {
        case .lease(let request): return await lease(request, id)
        case .release(let reference): return await release(reference, id)
        case .addOutput(let change): return await self.change(.addOutput(change), of: change.lease, id)
        case .removeOutput(let reference): return await change(.removeOutput(reference), of: reference.lease, id)
        case .retryOutput(let reference): return await change(.retryOutput(reference), of: reference.lease, id)
        case .preview(let order): return await preview(order, id)
        case .testOutput(let order): return await test(order, id)
        case .bringRecording(let order): return await bring(order, id)
        case .discardRecording(let reference): return await discard(reference.lease, id)
        case .unknown(let type):
            return CommandOutcome(id: id, result: .refused, reason: "this pool does not know '\(type.prefix(40))'")
        }
    }

    /// This host is revoked: ends every receiver and forgets their keys.
    package func releaseAll() async {
        guard !keepers.isEmpty else { return }
        log.error("control has revoked this host: its receivers end", ["leases": .integer(keepers.count)])
        await withTaskGroup(of: Void.self) { group in
            for lease in keepers.keys { group.addTask { await self.release(lease) } }
        }
    }

    /// Ends the pool's work; receivers go on, for the next pool.
    package func leave() async {
        looking?.cancel()
        if !keepers.isEmpty {
            log.notice(
                "receivers go on for the next pool, 120 s at most: a host that is to stay away is drained first",
                ["leases": .integer(keepers.count)])
        }
        await previews?.stop()
        await takes?.stop()
        for keeper in keepers.values { await keeper.leave() }
        for ending in endings.values { await ending.value }
        files.unlock()
    }

    // MARK: Orders

    private func lease(_ request: LeaseRequest, _ id: CommandID) async -> CommandOutcome {
        let lease = request.spec.lease
        await endings[lease]?.value
        let keeper: ReceiverKeeper
        do {
            keeper = try take(request)
        } catch {
            log.notice("refused a lease", ["lease": .text(lease.text), "reason": "\(error)"])
            return CommandOutcome(id: id, result: .refused, step: "lease", reason: Self.told(error))
        }
        guard let failure = await keeper.listening() else {
            return CommandOutcome(id: id, result: .done, port: await keeper.start.port)
        }
        if keepers[lease] === keeper { forget(lease) }
        return CommandOutcome(id: id, result: .failed, step: failure.step, reason: failure.reason)
    }

    /// Why there is no lease, for the organisation that asked for it: the host's paths are its operator's, who has them in the log.
    private static func told(_ error: any Error) -> String {
        guard case .file(_, let reason)? = error as? CryptoError else { return "\(error)" }
        return "the host cannot store the stream's lease: \(reason)"
    }

    private func take(_ request: LeaseRequest) throws -> ReceiverKeeper {
        let settings = settings
        let entry = try table.take(
            request, cpuPercent: load.percent(HostLoad.now()), isFree: { PortProbe.isFree($0, on: settings.bind) },
            listenerFault: { PortProbe.fault(of: $0) })
        let lease = entry.spec.lease
        if let keeper = keepers[lease] { return keeper }
        let start = ReceiverStart(spec: entry.spec, port: entry.port, bind: settings.bind)
        do {
            // First the promise to a successor, then the process.
            try files.save(start)
            try files.savePorts(table.portsToKeep)
        } catch {
            forget(lease)
            throw error
        }
        let keeper = keeper(for: start, isNew: true)
        keepers[lease] = keeper
        noteTakes()
        return keeper
    }

    private func release(_ reference: LeaseReference, _ id: CommandID) async -> CommandOutcome {
        await release(reference.lease)
        tell(.released(reference), .change)
        return CommandOutcome(id: id, result: .done)
    }

    private func release(_ lease: LeaseID) async {
        if let keeper = keepers[lease], endings[lease] == nil {
            endings[lease] = Task {
                await keeper.end()
                forget(lease)
                endings[lease] = nil
                log.notice("lease ended", ["lease": .text(lease.text)])
            }
        }
        if let ending = endings[lease] {
            await ending.value
        } else {
            forget(lease)
        }
    }

    private func change(_ order: ReceiverOrder, of lease: LeaseID, _ id: CommandID) async -> CommandOutcome {
        guard let keeper = keepers[lease], endings[lease] == nil else {
            return CommandOutcome(id: id, result: .refused, reason: "this host has no receiver of the broadcast")
        }
        if case .addOutput(let change) = order {
            do {
                try table.add(change.output, to: lease) { PortProbe.fault(of: $0) }
            } catch {
                return CommandOutcome(id: id, result: .refused, step: "lease", reason: "\(error)")
            }
        }
        let outcome = await keeper.change(order, id: id)
        guard keepers[lease] === keeper, endings[lease] == nil else { return outcome }
        let start = await keeper.start
        table.setOutputs(start.spec.outputs, of: lease)
        guard outcome.result == .done else { return outcome }
        do {
            try files.save(start)
        } catch {
            log.error("cannot keep a changed lease", ["lease": .text(lease.text), "error": "\(error)"])
        }
        return outcome
    }

    private func preview(_ order: PreviewOrder, _ id: CommandID) async -> CommandOutcome {
        guard let previews, keepers[order.lease] != nil, endings[order.lease] == nil else {
            return CommandOutcome(id: id, result: .refused, reason: "this host has no receiver of the broadcast")
        }
        let fault = await previews.begin(order, from: files.preview(of: order.lease))
        return CommandOutcome(id: id, result: fault == nil ? .done : .failed, reason: fault?.bounded())
    }

    private func bring(_ order: BringRecordingOrder, _ id: CommandID) async -> CommandOutcome {
        guard let takes else { return CommandOutcome(id: id, result: .refused, reason: "this host records nothing") }
        let fault = await takes.bring(order)
        return CommandOutcome(id: id, result: fault == nil ? .done : .failed, reason: fault?.bounded())
    }

    private func discard(_ lease: LeaseID, _ id: CommandID) async -> CommandOutcome {
        guard let takes, keepers[lease] == nil, endings[lease] == nil else {
            return CommandOutcome(
                id: id, result: .refused, reason: takes == nil ? "this host records nothing" : "the stream is recorded still")
        }
        let fault = await takes.discard(lease)
        return CommandOutcome(id: id, result: fault == nil ? .done : .failed, reason: fault?.bounded())
    }

    private func test(_ order: OutputTestOrder, _ id: CommandID) async -> CommandOutcome {
        guard trials < Self.trialLimit else {
            return CommandOutcome(id: id, result: .refused, reason: "this host tries as many destinations at once as it may")
        }
        trials += 1
        defer { trials -= 1 }
        let verdict = await TargetTrial(settings: settings, loop: loop).run(order)
        log.info("tried a destination", ["failed": .text(verdict.failed?.rawValue ?? "nothing")])
        guard let failed = verdict.failed else { return CommandOutcome(id: id, result: .done) }
        return CommandOutcome(id: id, result: .failed, step: failed.rawValue, reason: verdict.reason?.bounded())
    }

    private func forget(_ lease: LeaseID) {
        table.end(lease)
        keepers[lease] = nil
        files.remove(lease)
        do {
            try files.savePorts(table.portsToKeep)
        } catch {
            log.error("cannot keep the ports", ["error": "\(error)"])
        }
    }

    private func keeper(for start: ReceiverStart, isNew: Bool) -> ReceiverKeeper {
        let tell = tell
        return ReceiverKeeper(
            start, isNew: isNew, settings: settings, files: files, loop: loop, log: log.part("receiver"),
            tell: { report, isChange in tell(.report(report), isChange ? .change : .figures) }, show: { tell(.thumbnail($0), .figures) })
    }
}
