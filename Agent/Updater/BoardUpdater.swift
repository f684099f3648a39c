import Crypto
import Glibc
import Identity
package import Logging
package import Posix
import Releases
import Units
import Updating
import Wire

/// The board's updater: asks control which release the board shall have, carries out what `UpdateMachine` decides, and says what became of
/// it. On a loop of its own, where it reads and writes the slots.
package actor BoardUpdater {
    package nonisolated let loop: Loop
    private let settings: UpdaterConfiguration
    private let lock: FolderLock
    private let folder: SlotFolder
    private let reports: ReportFile
    private let line: ControlLine
    private let log: Log
    private var machine: UpdateMachine

    private var heard: Heard?
    /// Up, as the agent said last.
    private var links: [String] = []
    /// Counts the ways to control that did not lead there.
    private var way = 0
    private var failures = 0
    private var askAt = Instant.now
    private var asking: Task<Void, Never>?
    private var running: Task<Void, Never>?
    /// Why the last release that was offered is not there.
    private var outcome: UpdateReport.Outcome?
    private var withdrawn: [UInt8]?
    private var isReportUnreadable = false

    private struct Heard: Equatable {
        let process: UInt64
        let number: Int
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// The agent reports each 5 s.
    private static let lookInterval = Duration.seconds(2)
    /// While an update is under way control hears more often.
    private static let busyInterval = Duration.seconds(30)
    private static let restartLimit = Duration.seconds(90)
    private static let agentName = "strata-agent"
    /// Of keys that a board which lay in a cupboard takes at once.
    private static let listLimit = 64

    /// Opens the slots, and makes them of what came with the installation where there are none.
    ///
    /// - Parameters:
    ///   - loop: its own.
    ///   - network: where connections live.
    ///   - version: of what came with the installation.
    /// - Throws: `SystemError`, also where another updater has the folder; `ReleaseFault` for a file of keys that is none.
    package init(_ settings: UpdaterConfiguration, loop: Loop, network: Loop, version: String, log: Log) throws {
        self.settings = settings
        self.loop = loop
        self.log = log
        lock = try FolderLock(settings.rootFolder)
        reports = ReportFile(in: settings.runtimeFolder)
        line = ControlLine(loop: network, proxy: settings.proxy)
        folder = SlotFolder(settings.rootFolder, on: SystemDisk(), product: .agent, machine: settings.machine)
        // Before anything that may be wrong with the keys: without the link no agent is started, updater or not.
        let own = ReleaseVersion(version) ?? ReleaseVersion(0, 0, 0)
        try folder.lay(settings.program, as: Self.agentName, own, built: FileTree.writtenAt(settings.program))
        try folder.prepare()
        let linked = try folder.linked()
        let shipped = try SignedText(bytes: RegularFile(settings.keyFile, upTo: SignedText.byteLimit).bytes)
        let trust = try folder.trust(shipped: shipped)
        var update = UpdateSettings(product: .agent, machine: settings.machine, channel: .stable)
        update.proofLimit = settings.proofLimit
        machine = UpdateMachine(
            try Self.journal(folder, linked, own, log), linked: linked, trust: trust, settings: update,
            pace: FetchPace(cap: settings.cap), at: .now)
    }

    /// What is remembered; where that cannot be read, what the link points to.
    private static func journal(_ folder: SlotFolder, _ linked: Slot?, _ own: ReleaseVersion, _ log: Log) throws -> UpdateJournal {
        do {
            if let journal = try folder.journal() { return journal }
        } catch let fault as ReleaseFault {
            log.error("the journal is damaged: a new one begins with what runs", ["fault": "\(fault)"])
        }
        let active = linked ?? .a
        return UpdateJournal(active: active, installed: try folder.manifest(in: active)?.version ?? own)
    }

    package func begin() {
        let journal = machine.journal
        log.notice(
            "watching over the agent",
            ["installed": "\(journal.installed)", "phase": .text(journal.phase.text), "slot": .text(journal.active.rawValue)])
        running = Task { [weak self] in await self?.run() }
    }

    /// Ends in the middle of whatever it does; the next one goes on there.
    package func end() async {
        running?.cancel()
        asking?.cancel()
        await running?.value
        await asking?.value
        lock.release()
    }

    // MARK: Steps

    private func run() async {
        while !Task.isCancelled {
            look()
            askWhereDue()
            let step = machine.next(at: .now)
            if case .wait(let until) = step {
                machine.finished(.done, jitter: 0, at: .now)
                await pause(until: until)
                continue
            }
            let before = machine.journal
            let result = await carryOut(step)
            // What was cancelled says nothing.
            if Task.isCancelled { break }
            machine.finished(result, jitter: .random(in: 0..<1), at: .now)
            tell(result, since: before)
        }
    }

    private func pause(until: Instant?) async {
        let now = Instant.now
        let end = min(now + Self.lookInterval, until ?? now + Self.lookInterval, asking == nil ? askAt : now + Self.lookInterval)
        // try?: cancelled, the loop above ends.
        try? await loop.sleep(for: max(end - now, .milliseconds(1)))
    }

    private func carryOut(_ step: UpdateStep) async -> UpdateStep.Outcome {
        switch step {
        case .fetch(let file, let slot, let range): return await fetch(file, slot, range)
        case .restart: return await restart()
        default: return folder.carryOut(step) ?? .failed("nobody carries this out")
        }
    }

    private func fetch(_ file: ReleaseFile, _ slot: Slot, _ range: Range<Int>) async -> UpdateStep.Outcome {
        let used = way
        do {
            guard let identity = try DeviceIdentity.load(state: settings.stateFolder) else {
                return .unreachable("the board is not enrolled")
            }
            switch try await line.part(range, of: file, as: identity, over: nextWay) {
            case .bytes(let bytes): return folder.append(bytes, to: file, in: slot)
            case .gone: return .gone
            }
        } catch {
            leave(used)
            return .unreachable("\(error)")
        }
    }

    private func restart() async -> UpdateStep.Outcome {
        guard let program = settings.restart.first else { return .failed("no command starts the agent") }
        do {
            let child = try ChildProcess.start(program, Array(settings.restart.dropFirst()))
            let limit = Task { [loop] in
                // try?: cancelled once the command has ended.
                guard (try? await loop.sleep(for: Self.restartLimit)) != nil else { return }
                child.signal(SIGKILL)
            }
            defer { limit.cancel() }
            let status = await child.exit(on: loop)
            // What the agent before has said at its end is nothing that the next one says.
            look(isTelling: false)
            return status.isSuccess ? .done : .failed("\(program) ended with \(status)")
        } catch {
            return .failed("\(error)")
        }
    }

    /// Says what has changed, here and to control.
    private func tell(_ result: UpdateStep.Outcome, since old: UpdateJournal) {
        switch result {
        case .done, .bytes: break
        case .mismatch: log.warning("what lies on the disk is not what was signed")
        case .failed(let reason): log.warning("a step failed", ["reason": .text(reason)])
        case .unreachable(let reason): log.info("control is not reached", ["reason": .text(reason)])
        case .gone: log.warning("control no longer has a file of the release")
        }
        let new = machine.journal
        guard new.phase != old.phase || new.last != old.last else { return }
        askAt = .now
        let version = (new.offer ?? old.offer).map { "\($0.manifest.version)" } ?? "\(new.installed)"
        log.notice("the update goes on", ["release": .text(version), "phase": .text(new.phase.text), "installed": "\(new.installed)"])
        guard new.phase == .idle else { return }
        log.notice("the update is over", ["result": .text(new.last ?? ""), "installed": "\(new.installed)"])
        guard let digest = old.offer?.digest else { return }
        let isKnown = new.release == digest || new.failed.contains(digest) || withdrawn == digest
        outcome = isKnown ? nil : UpdateReport.Outcome(release: Hex.encode(digest), reason: new.last ?? "it was given up")
        withdrawn = nil
    }

    // MARK: The agent

    /// - Parameter isTelling: whether what is new is told to the machine.
    private func look(isTelling: Bool = true) {
        do {
            guard let (report, number) = try reports.read() else { return }
            isReportUnreadable = false
            let now = Heard(process: report.process, number: number)
            let last = heard
            heard = now
            // The first that is seen may be of an agent that is gone.
            guard isTelling, let last, last != now else { return }
            links = report.liveLinks.sorted()
            machine.report(report, at: .now)
        } catch {
            if !isReportUnreadable { log.warning("what the agent says of itself cannot be read", ["error": "\(error)"]) }
            isReportUnreadable = true
        }
    }

    // MARK: Control

    /// As the routing table says, and then over each link by itself.
    private var nextWay: String? {
        let ways: [String?] = [nil] + links.map(Optional.some)
        return ways[way % ways.count]
    }

    /// A question and a download may fail over the same way at the same time: the next one is the next for both.
    private func leave(_ used: Int) { if way == used { way += 1 } }

    private func askWhereDue() {
        guard asking == nil, Instant.now >= askAt else { return }
        asking = Task { [weak self] in await self?.ask() }
    }

    private func ask() async {
        defer { asking = nil }
        // What changes while it is asked is told anew.
        askAt = .now + .seconds(86_400)
        var pause = settings.interval
        let used = way
        do {
            if let identity = try DeviceIdentity.load(state: settings.stateFolder) { try await ask(as: identity) }
            failures = 0
            if machine.journal.phase != .idle { pause = min(pause, Self.busyInterval) }
        } catch {
            leave(used)
            failures = min(failures + 1, 8)
            pause = min(pause, .seconds(5 << (failures - 1)))
            log.info("control cannot be asked", ["error": "\(error)"])
        }
        askAt = min(askAt, .now + pause * (1 - Double.random(in: 0..<0.25)))
    }

    private func ask(as identity: DeviceIdentity) async throws {
        let link = nextWay
        let order = try await line.ask(report, as: identity, over: link)
        machine.settings.channel = min(settings.channel, ReleaseChannel(rawValue: order.channel) ?? .stable)
        guard let name = order.release else { return }
        switch order.wish {
        case .nothing: break
        case .install: try await install(name, order, identity, link)
        case .withdraw:
            guard let offer = machine.journal.offer, Hex.encode(offer.digest) == name else { return }
            withdrawn = offer.digest
            machine.withdraw()
        case .goBack:
            guard let release = machine.journal.release, Hex.encode(release) == name else { return }
            machine.goBack(order.isForced ? .now : .whenIdle)
        }
    }

    private func install(_ name: String, _ order: UpdateOrder, _ identity: DeviceIdentity, _ link: String?) async throws {
        let isUnderWay = machine.journal.offer.map { Hex.encode($0.digest) == name } ?? false
        guard !isUnderWay || order.isForced else { return }
        guard let version = order.version.flatMap({ ReleaseVersion($0) }) else { return refuse(name, "control offers no version") }
        for number in (machine.trust.keys.number + 1)..<(machine.trust.keys.number + 1 + Self.listLimit) {
            guard let list = try await keys(number, identity, link) else { break }
            do {
                guard try machine.take(keys: list) else { break }
                try folder.keep(list, number: machine.trust.keys.number)
                log.notice("release keys were replaced", ["number": .integer(machine.trust.keys.number)])
            } catch {
                log.warning("a list of keys was not taken", ["number": .integer(number), "reason": "\(error)"])
                break
            }
        }
        let document: SignedText?
        do {
            document = try await line.text("\(version).release", as: identity, over: link)
        } catch let fault as ReleaseFault {
            return refuse(name, "what control hands out is no signed release: \(fault)")
        }
        guard let document else { return refuse(name, "control does not have \(version)") }
        guard Hex.encode(SHA256.hash(document.text)) == name else {
            return refuse(name, "control hands out another release than it offers")
        }
        let time = ReleaseTime(clock: unixMilliseconds() / 1000, floor: Int64(identity.timeFloor))
        do throws(OfferRefusal) {
            try machine.offer(document, order.isForced ? .now : .whenIdle, at: time)
            outcome = nil
        } catch {
            // It is offered again when that one is over.
            if case .busy = error { return }
            refuse(name, "\(version) was refused: \(error)")
        }
    }

    /// A list of keys by its number; nil where control has none, or something else under its name: then the release is judged by the keys
    /// that are there, and control hears of it.
    private func keys(_ number: Int, _ identity: DeviceIdentity, _ link: String?) async throws -> SignedText? {
        do {
            return try await line.text("keys.\(number)", as: identity, over: link)
        } catch let fault as ReleaseFault {
            log.warning("a list of keys was not taken", ["number": .integer(number), "reason": "\(fault)"])
            return nil
        }
    }

    private func refuse(_ release: String, _ reason: String) {
        let new = UpdateReport.Outcome(release: release, reason: reason)
        guard new != outcome else { return }
        outcome = new
        askAt = .now
        log.warning("a release was not taken", ["reason": .text(reason)])
    }

    private var report: UpdateReport {
        let journal = machine.journal
        let phase: UpdateReport.Phase =
            switch journal.phase {
            case .idle: .idle
            case .clearing, .fetching, .staged: .preparing
            case .switching, .proving: .proving
            case .reverting, .returning: .returning
            }
        return UpdateReport(
            machine: settings.machine.text, installed: "\(journal.installed)", release: journal.release.map { Hex.encode($0) },
            previous: journal.previous.map { "\($0)" }, phase: phase, underWay: journal.offer.map { Hex.encode($0.digest) },
            fetchedBytes: machine.progress?.fetched, totalBytes: machine.progress?.total, failed: journal.failed.map { Hex.encode($0) },
            outcome: outcome, last: journal.last)
    }
}
