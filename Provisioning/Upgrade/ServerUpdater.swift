import Crypto
package import Installation
import Logging
package import Posix
package import Releases
package import Site
package import Wire

/// Updates the server that it runs beside: takes up what control has asked for, or goes on with what was cut off, until nothing is open.
///
/// It decides nothing by the word of control: what is installed has to be signed by a key that root trusts, above what runs, and not below
/// what was ever seen. Control says when.
package struct ServerUpdater: Sendable {
    /// What of the server's installation it has to know.
    package struct Home: Sendable {
        /// The version that `server install` has put in place.
        package var version: ReleaseVersion
        package var answers: SiteAnswers
        /// What files of a release are for this machine.
        package var kind: MachineClass

        package init(version: ReleaseVersion, answers: SiteAnswers, kind: MachineClass) {
            self.version = version
            self.answers = answers
            self.kind = kind
        }
    }

    /// The world around it, as far as a test has another.
    package struct Surroundings: Sendable {
        package var get: @Sendable (_ url: String) async throws -> Int
        /// Unix milliseconds.
        package var now: @Sendable () -> Int64
        package var uptime: @Sendable () -> Instant
        package var pause: @Sendable (Duration) async throws -> Void

        package init(
            get: @escaping @Sendable (_ url: String) async throws -> Int, now: @escaping @Sendable () -> Int64,
            uptime: @escaping @Sendable () -> Instant, pause: @escaping @Sendable (Duration) async throws -> Void
        ) {
            self.get = get
            self.now = now
            self.uptime = uptime
            self.pause = pause
        }
    }

    let machine: HostMachine
    let home: Home
    let around: Surroundings
    let tell: @Sendable (Progress) -> Void
    let slots: ServerSlots
    /// What a test puts in the place of steps, and has happen before each write of journal and state.
    var alter: @Sendable ([Step]) -> [Step] = { $0 }
    var beforeWrite: @Sendable () throws -> Void = {}

    /// Starts of one run: a loss of power in each says that it is the run that costs it.
    private static let attemptLimit = 3

    /// - Parameter tell: hears of each step as it goes; it must not wait.
    package init(_ machine: HostMachine, _ home: Home, _ around: Surroundings, tell: @escaping @Sendable (Progress) -> Void = { _ in }) {
        self.machine = machine
        self.home = home
        self.around = around
        self.tell = tell
        slots = ServerSlots(machine, kind: home.kind)
    }

    // MARK: What is asked

    /// Goes on with the run that is open, then takes up what control asks for, as long as there is something new.
    ///
    /// - Throws: where something could not be written down, or a run is stuck: what is open is gone on with by the next call.
    package func run() async throws -> ServerUpdateReport {
        let lock = try prepare()
        defer { lock.release() }
        try await goOn()
        while let order = try nextOrder() {
            if try take(order, byHand: false) { try await goOn() }
        }
        return try report()
    }

    /// Carries out what a person at the machine wants, once nothing is open.
    ///
    /// - Throws: `UpgradeFault` with the reason, where it is refused.
    package func carryOut(_ move: ServerOrder.Move) async throws -> ServerUpdateReport {
        let lock = try prepare()
        defer { lock.release() }
        try giveWay(to: move)
        try await goOn()
        guard let order = ServerOrder(id: randomBytes(16), move: move) else { throw UpgradeFault("that is nothing to ask for") }
        guard try take(order, byHand: true) else { throw UpgradeFault(try memory.load().refusal ?? "it was refused") }
        try await goOn()
        return try report()
    }

    /// The SHA-256 of what lies on the shelf under a version; nobody has judged it.
    package func offered(_ version: ReleaseVersion) throws -> [UInt8] {
        let path = machine.place("\(UpgradePaths.shelf)/\(version).release")
        guard let bytes = try KeptFile.read(path, upTo: SignedText.byteLimit) else {
            throw UpgradeFault("\(version) is not on the shelf: 'strata-provision release publish' puts it there")
        }
        return SHA256.hash(try SignedText(bytes: bytes).text)
    }

    /// How it is, and what it has done; changes nothing.
    package func status() throws -> ServerUpdateReport { try report(of: try memory.load(), at: nil) }

    /// Keeps the updater of a machine from its work until it is let go of; nil where it has never worked.
    ///
    /// - Throws: EWOULDBLOCK where it is at work.
    package static func hold(_ machine: HostMachine) throws(SystemError) -> FolderLock? {
        let folder = machine.place(UpgradePaths.state)
        guard try FileTree.look(folder) == .folder else { return nil }
        return try FolderLock(folder)
    }

    /// After a removal: what was open is nothing to go on with on what is installed next, and nothing lies in another slot. What was seen
    /// stays, so that an old release is none then either. The updater must be held.
    package static func forget(on machine: HostMachine) throws {
        let memory = UpgradeMemory(path: machine.place(UpgradePaths.memory))
        var state = try memory.load()
        guard state.run != nil || state.previous != nil else { return }
        state.run = nil
        state.previous = nil
        try FileTree.remove(machine.place(UpgradePaths.journal))
        try UpgradeMarks(folder: machine.place(UpgradePaths.state)).clear()
        try memory.save(state)
    }

    private func prepare() throws -> FolderLock {
        let folder = machine.place(UpgradePaths.state)
        try Folder.make(folder)
        try FileTree.setMode(0o700, of: folder)
        return try FolderLock(folder)
    }

    /// What control asks for and was not taken up yet; nil also for what is no order.
    private func nextOrder() throws -> ServerOrder? {
        // try?: the folder is control's. Whatever lies there and is no small plain file is nothing that control writes.
        guard let bytes = try? KeptFile.read(machine.place(UpgradePaths.order), upTo: ServerOrder.byteLimit) else { return nil }
        let order: ServerOrder
        do throws(ReleaseFault) {
            order = try ServerOrder(bytes: bytes)
        } catch {
            // Nobody waits for an answer to what nobody has asked.
            return nil
        }
        return try memory.load().order == Hex.encode(order.id) ? nil : order
    }

    // MARK: Taking up

    /// - Returns: whether a run is open now; where not, the state has the reason.
    private func take(_ order: ServerOrder, byHand: Bool) throws -> Bool {
        var state = try memory.load()
        // What a person does by hand is no answer to control: forgotten, its last order would be taken up once more by the next start.
        if !byHand { state.order = Hex.encode(order.id) }
        state.refusal = nil
        // Between two updates, never in one: the version that runs has shown that it works.
        if machine.isThisOne, try !slots.isOwn() { try slots.renewOwn() }
        do {
            switch order.move {
            case .install(let version, let digest): try begin(version, digest, byHand: byHand, &state)
            case .back(let version): try begin(backTo: version, &state)
            case .restore(let copy): try begin(restoring: copy, &state)
            }
        } catch {
            state.refusal = UpgradeState.clipped("\(error)")
            state.run = nil
            try save(state)
            _ = try report()
            return false
        }
        try FileTree.remove(machine.place(UpgradePaths.journal))
        try marks.clear()
        try save(state)
        return true
    }

    private func begin(_ version: ReleaseVersion, _ digest: [UInt8], byHand: Bool, _ state: inout UpgradeState) throws {
        let trust = try ServerTrust(machine: machine).load()
        let document = try ServerTrust(machine: machine).offered(version, digest)
        let time = ReleaseTime(clock: around.now() / 1000, floor: built)
        let release = try trust.release(in: document, at: time)
        let rule = UpdateRule(
            product: .server, machine: home.kind, channel: home.answers.releaseChannel, installed: try installed(), seen: state.mark,
            failed: byHand ? [] : state.failedDigests)
        if let refusal = rule.refusal(of: release, keys: trust.keys, at: time) { throw UpgradeFault("\(version) was refused: \(refusal)") }
        // Signed or not, without it the link would lead to nothing that starts.
        let files = release.manifest.files(of: .server, for: home.kind)
        guard files.contains(where: { $0.path == "bin/strata-control" && $0.isExecutable }) else {
            throw UpgradeFault("\(version) has no bin/strata-control: it is no server")
        }
        try KeptFile.write(document.bytes, to: machine.place(UpgradePaths.offer))
        state.see(ReleaseMark(release))
        // Its slot is the one that is written.
        state.previous = nil
        state.run = UpgradeState.Run(
            kind: .install, target: "\(version)", from: "\(try installed())", release: Hex.encode(digest), startedAt: around.now())
    }

    private func begin(backTo version: ReleaseVersion, _ state: inout UpgradeState) throws {
        guard let linked = try slots.linked(), let previous = try slots.manifest(in: linked.other)?.version, state.previous != nil,
            previous == version
        else { throw UpgradeFault("there is no \(version) to go back to") }
        guard try slots.isWhole(linked.other) else { throw UpgradeFault("\(version) is not whole any more: nothing was changed") }
        state.run = UpgradeState.Run(kind: .back, target: "\(version)", from: "\(try installed())", startedAt: around.now())
    }

    private func begin(restoring copy: String, _ state: inout UpgradeState) throws {
        guard machine.isThisOne else { throw UpgradeFault("a copy is restored on the machine itself") }
        guard case .file? = try FileTree.look(machine.place(UpgradeServices.copyPath(copy))) else {
            throw UpgradeFault("there is no copy '\(copy)'")
        }
        let version = "\(try installed())"
        state.run = UpgradeState.Run(kind: .restore, target: version, from: version, copy: copy, startedAt: around.now())
    }

    /// A run that cannot be taken back keeps nobody from putting a copy of the database in place: that is what is left to do then.
    private func giveWay(to move: ServerOrder.Move) throws {
        guard case .restore = move else { return }
        var state = try memory.load()
        guard let last = state.history.first, last.result == .stuck, state.run?.reason != nil else { return }
        state.settle(.stuck, reason: last.reason, at: time)
        try save(state)
    }

    // MARK: Going on

    /// Brings the run that is open to its end: settled, or taken back.
    private func goOn() async throws {
        var state = try memory.load()
        guard var run = state.run else { return }
        run.attempts += 1
        if run.reason == nil, run.attempts > Self.attemptLimit, try store.load().state != .active {
            run.reason = "the power went, or the updater ended, \(Self.attemptLimit) times before it had shown that it works"
        }
        state.run = run
        try save(state)
        let installer = Installer(alter(try plan(run).steps()), store: store, now: around.now, tell: progress)
        if run.reason == nil {
            do {
                let order = Journal.Order(settings: ["kind": run.kind.rawValue, "from": run.from], version: run.target)
                _ = try await installer.install(order)
                return try settle(.installed(run), &state)
            } catch let fault as StepFault {
                run.reason = UpgradeState.clipped(fault.description)
                state.run = run
                try save(state)
                _ = try report()
            }
        }
        try await takeBack(installer, run, &state)
    }

    private func takeBack(_ installer: Installer, _ run: UpgradeState.Run, _ state: inout UpgradeState) async throws {
        var run = run
        do {
            let left = try await installer.rollBack().left.map(\.reason)
            if !left.isEmpty { run.reason = UpgradeState.clipped(([run.reason ?? "it did not work"] + left).joined(separator: "; ")) }
        } catch is NothingOpen {
            // It was cut off before its first step.
        } catch let fault as StepFault {
            state.note(entry(run, .stuck, "\(run.reason ?? "it did not work"); and then: \(fault)"))
            try save(state)
            _ = try report()
            throw UpgradeFault("\(fault.description); it is tried again")
        }
        try settle(.failed(run), &state)
    }

    private enum End {
        case installed(UpgradeState.Run)
        case failed(UpgradeState.Run)
    }

    private func settle(_ end: End, _ state: inout UpgradeState) throws {
        switch end {
        case .failed(let run):
            state.previous = try standby()
            state.settle(.failed, reason: run.reason, at: time)
        case .installed(let run):
            switch run.kind {
            case .install, .back:
                state.previous = try standby()
                state.settle(run.kind == .install ? .installed : .wentBack, reason: nil, at: time)
            case .restore:
                let aside = try UpgradePlan.aside(of: run, on: machine)
                state.settle(.restored, reason: "\(run.copy ?? ""); what was there before is \(aside ?? "nothing")", at: time)
            }
        }
        try save(state)
        try marks.clear()
        _ = try report()
    }

    /// The version in the slot that does not run; nil where that is not whole.
    private func standby() throws -> String? {
        guard let linked = try slots.linked(), try slots.isWhole(linked.other) else { return nil }
        return try slots.manifest(in: linked.other).map { "\($0.version)" }
    }

    private func plan(_ run: UpgradeState.Run) throws -> UpgradePlan {
        let linked = try slots.linked() ?? .a
        var manifest: ReleaseManifest?
        // try?: what cannot be read any more is as good as gone. The step that needs it says so, and the run can still be taken back.
        if run.kind == .install, let bytes = try? KeptFile.read(machine.place(UpgradePaths.offer), upTo: SignedText.byteLimit) {
            manifest = try? ReleaseManifest(bytes: SignedText(bytes: bytes).text)
        }
        return UpgradePlan(
            run: run, slots: slots, services: services, installed: (version: home.version, built: built), manifest: manifest,
            target: try target(of: run, linked))
    }

    /// The slot that the link leads to at the end of a run, wherever it leads now.
    private func target(of run: UpgradeState.Run, _ linked: ServerSlots.Slot) throws -> ServerSlots.Slot {
        guard run.kind != .restore else { return linked }
        let isThere = try slots.manifest(in: linked).map { "\($0.version)" } == run.target
        return isThere ? linked : linked.other
    }

    // MARK: What is there

    private func save(_ state: UpgradeState) throws {
        try beforeWrite()
        try memory.save(state)
    }

    private var memory: UpgradeMemory { UpgradeMemory(path: machine.place(UpgradePaths.memory)) }
    private var marks: UpgradeMarks { UpgradeMarks(folder: machine.place(UpgradePaths.state)) }
    private var time: String { Log.timestamp(unixMs: around.now()) }
    private var built: Int64 { FileTree.writtenAt(machine.place("\(SitePaths.programs)/strata-control")) }

    private var services: UpgradeServices {
        UpgradeServices(
            machine: machine, health: home.answers.health, marks: marks, get: around.get, uptime: around.uptime, pause: around.pause)
    }

    private var store: JournalStore {
        let file = machine.place(UpgradePaths.journal)
        return JournalStore(
            read: { try KeptFile.read(file, upTo: 4 << 20) },
            write: { [beforeWrite] bytes in
                try beforeWrite()
                try KeptFile.write(bytes, to: file)
            })
    }

    /// What runs, or would where the machine did.
    private func installed() throws -> ReleaseVersion {
        guard let linked = try slots.linked() else { return home.version }
        return try slots.manifest(in: linked)?.version ?? home.version
    }

    private func entry(_ run: UpgradeState.Run, _ result: ServerUpdateReport.Result, _ reason: String?) -> ServerUpdateReport.Entry {
        ServerUpdateReport.Entry(version: run.target, from: run.from, at: time, result: result, reason: reason)
    }

    // MARK: Telling

    private var progress: @Sendable (Progress) -> Void {
        { progress in
            tell(progress)
            let shown: ServerUpdateReport.Place? =
                switch progress {
                case .makes(let title, let place): ServerUpdateReport.Place(title: title, number: place.number, of: place.of)
                case .takesBack(let title): ServerUpdateReport.Place(title: title, number: 1, of: 1)
                case .stands: nil
                }
            // try?: whoever looks on sees less, and the run goes on.
            if let shown { try? write(report(of: memory.load(), at: shown)) }
        }
    }

    private func report() throws -> ServerUpdateReport {
        let report = try report(of: try memory.load(), at: nil)
        try write(report)
        return report
    }

    private func report(of state: UpgradeState, at place: ServerUpdateReport.Place?) throws -> ServerUpdateReport {
        var release: String?
        if let linked = try slots.linked(), let manifest = try slots.manifest(in: linked) {
            release = Hex.encode(SHA256.hash(manifest.bytes))
        }
        let phase: ServerUpdateReport.Phase = state.run.map { $0.reason == nil ? .working : .returning } ?? .idle
        return ServerUpdateReport(
            installed: "\(try installed())", release: release, previous: state.previous, phase: phase, target: state.run?.target,
            place: place, order: state.order, refusal: state.refusal, sequence: state.mark.map { Int($0.sequence) },
            failed: state.failed, history: state.history)
    }

    private func write(_ report: ServerUpdateReport) throws {
        let folder = machine.place(UpgradePaths.reportFolder)
        try Folder.make(folder)
        try KeptFile.write(try UpgradeMemory.json(report), to: machine.place(UpgradePaths.report), mode: 0o644)
    }
}
