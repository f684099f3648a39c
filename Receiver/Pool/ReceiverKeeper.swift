import FoundationEssentials
import Glibc
import Logging
import Posix
import Service
import Units
import Wire

/// Keeps the receiver of one lease alive: starts or adopts it, opens it, watches it, and starts it again on the same
/// port. Lives until `end` (the receiver too) or `leave` (the receiver goes on, for the next pool).
actor ReceiverKeeper {
    /// Why a receiver did not come to listen.
    struct Failure: Error, Equatable {
        /// The stable name of the step.
        let step: String
        let reason: String
    }

    enum Phase { case running, ending, leaving }

    nonisolated let loop: Loop
    let settings: PoolSettings
    private let files: LeaseFiles
    let log: Log
    /// A report, and whether it says more than new figures. On the loop's thread.
    let tell: @Sendable (StreamReport, Bool) -> Void
    /// The newest picture of the stream. On the loop's thread.
    let show: @Sendable (StreamThumbnail) -> Void

    var start: ReceiverStart
    var phase = Phase.running
    var budget = RestartBudget()
    var process: ChildProcess?
    var connection: ParentConnection?
    var isListening = false
    var wasListening = false
    /// Whether the first failure is final: true for a new lease, false for one that ran before.
    private var isNew: Bool
    var failure: Failure?
    /// Why this life's receiver refused to open.
    var refusal: Failure?
    var lastReport: StreamReport?
    var lastThumbnail: Instant?
    /// Outputs that were moved and of which the receiver has not said yet where it has them.
    var moved: [OutputID: OutputSpec] = [:]
    /// Outputs that it has elsewhere still, though it took the move.
    var unmoved: Set<OutputID> = []
    /// Whether a line came since the watch looked last.
    var wasHeard = false
    var fence: Fence
    /// Outputs that the fence has taken off the receiver; the lease has them still.
    var held: Set<OutputID> = []
    private var runner: Task<Void, Never>?
    private var pause: Task<Void, any Error>?
    var waiters: [CheckedContinuation<Failure?, Never>] = []
    var changes: [CommandID: CheckedContinuation<CommandOutcome, Never>] = [:]

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// - Parameter isNew: true starts a receiver, and gives up where it does not listen; false adopts the one that runs, or
    ///   starts one and tries for as long as it takes.
    init(
        _ start: ReceiverStart, isNew: Bool, settings: PoolSettings, files: LeaseFiles, loop: Loop, log: Log,
        tell: @escaping @Sendable (StreamReport, Bool) -> Void, show: @escaping @Sendable (StreamThumbnail) -> Void
    ) {
        self.start = start
        self.isNew = isNew
        // What an adopted receiver lacks may have been held back by the pool before.
        fence = Fence(isNew ? .open : .narrow)
        self.settings = settings
        self.files = files
        self.loop = loop
        self.log = log.with("lease", .text(start.spec.lease.text)).with("port", .integer(start.port))
        self.tell = tell
        self.show = show
    }

    var lease: LeaseID { start.spec.lease }

    var report: LeaseReport {
        LeaseReport(
            lease: lease, broadcast: start.spec.broadcast, port: start.port, pid: isListening ? process.map { Int($0.pid) } : nil,
            outputs: start.spec.outputs.map(\.id))
    }

    /// Begins, once; then waits until the receiver listens.
    ///
    /// - Returns: nil, or why a new lease's receiver does not listen: it is gone by then.
    func listening() async -> Failure? {
        if runner == nil { runner = Task { await run() } }
        if isListening { return nil }
        if let failure { return failure }
        return await withCheckedContinuation { waiters.append($0) }
    }

    /// Begins, and waits this long at most.
    func listening(atMost limit: Duration) async {
        let waiting = Task { await listening() }
        let timer = Task { [loop] in try await loop.sleep(for: limit) }
        Task {
            _ = await waiting.value
            timer.cancel()
        }
        _ = try? await timer.value  // Cancelled where the receiver listens in time.
    }

    /// Stops the receiver and waits until it is gone: killed where it does not end in time.
    func end() async {
        phase = .ending
        pause?.cancel()
        if let connection, let line = encode(.stop) { connection.send(line) } else { process?.signal(SIGTERM) }
        let process = process
        // It first passes on what it has not yet: one buffer's length at most.
        let within = settings.endWithin + .milliseconds(start.spec.bufferMs)
        let killer = Task { [loop, log] in
            try await loop.sleep(for: within)
            log.warning("receiver does not end, killing it", ["seconds": .number(within / .seconds(1))])
            process?.signal(SIGKILL)
        }
        await runner?.value
        killer.cancel()
        files.removeSocket(of: lease)
    }

    /// Lets go of the receiver, which goes on without a parent.
    func leave() async {
        phase = .leaving
        pause?.cancel()
        connection?.close()
        await runner?.value
    }

    private func run() async {
        var mustSpawn = isNew
        let adoptBy = Instant.now + settings.listenWithin
        while phase == .running {
            let reason = await live(spawning: mustSpawn)
            isListening = false
            connection?.close()
            connection = nil
            if phase == .leaving { break }
            mustSpawn = await hasEnded()
            if phase == .ending { break }
            if isNew && !wasListening {
                await kill()
                files.removeSocket(of: lease)
                fail(reason)
                return
            }
            // It lives, and serves its last parent for a moment longer: a descriptor of that one may live on in a fork.
            if !wasListening && !mustSpawn && Instant.now < adoptBy {
                await rest(for: .milliseconds(100))
                continue
            }
            // A receiver that could not be adopted makes way for a fresh one.
            if !wasListening && !mustSpawn { await kill() }
            mustSpawn = mustSpawn || !wasListening
            await restart(after: reason)
        }
        if phase == .ending {
            _ = await process?.exit(on: loop)
            fail(Failure(step: "lease.release", reason: "the lease was released"))
        }
        for (id, change) in changes { change.resume(returning: CommandOutcome(id: id, result: .refused, reason: "the lease has ended")) }
        changes.removeAll()
    }

    /// One life of a receiver, to the end of its connection.
    private func live(spawning: Bool) async -> Failure {
        refusal = nil
        if spawning {
            files.removeSocket(of: lease)
            do {
                process = try spawn()
            } catch {
                return Failure(step: "receiver.spawn", reason: "\(error)")
            }
        }
        let deadline = Task { [loop, within = settings.listenWithin] in
            try await loop.sleep(for: within)
            self.isSilent()
        }
        let watch = Task { try await watchForSilence() }
        defer {
            deadline.cancel()
            watch.cancel()
        }
        do {
            // Twice the time, as the deadline above decides.
            let connection = try await connect(within: spawning ? settings.listenWithin * 2 : .milliseconds(200))
            // `run` closes it.
            self.connection = connection
            guard phase == .running else {
                if phase == .ending, let stop = encode(.stop) { connection.send(stop) }
                return Failure(step: "lease.release", reason: "the lease was released")
            }
            if process == nil { process = try ChildProcess.adopt(pid: connection.childPID) }
            if let line = encode(.describe) { connection.send(line) }
            return await converse(connection, deadline)
        } catch {
            return refusal ?? Failure(step: "receiver.listen", reason: exitText() ?? "\(error)")
        }
    }

    private func spawn() throws -> ChildProcess {
        let arguments =
            ["--socket", files.socket(of: lease), "--log", settings.receiverLogLevel]
            + (settings.recordings.map { ["--recordings", $0] } ?? []) + settings.outbound.flatMap { ["--allow", $0] }
            + ["--stream-ports", "\(settings.ports.first)-\(settings.ports.last)"] + settings.control
        return try ChildProcess.start(settings.receiver, arguments, ownSession: true)
    }

    /// Connects to the socket, for as long as the process lives.
    private func connect(within: Duration) async throws -> ParentConnection {
        let (path, loop) = (files.socket(of: lease), loop)
        let dialing = Task { try await ParentConnection.connect(path: path, within: within, loop: loop) }
        let watcher = process.map { process in
            Task {
                _ = await process.exit(on: loop)
                dialing.cancel()
            }
        }
        // The watcher itself ends with the process; cancelling it would not end the wait.
        _ = watcher
        return try await dialing.value
    }

    private func converse(_ connection: ParentConnection, _ deadline: Task<Void, any Error>) async -> Failure {
        var reason = "the connection ended"
        for await event in connection.events {
            switch event {
            case .line(let line):
                wasHeard = true
                if let ended = heard(line) { reason = ended }
            case .closed(let why): if reason == "the connection ended" { reason = why }
            }
            if isListening { deadline.cancel() }
        }
        return refusal ?? Failure(step: isListening ? "receiver" : "receiver.open", reason: reason)
    }

    private func isSilent() {
        guard !isListening else { return }
        let seconds = settings.listenWithin / .seconds(1)
        log.warning("receiver does not listen, killing it", ["seconds": .number(seconds)])
        refusal = Failure(step: connection == nil ? "receiver.listen" : "receiver.open", reason: "it does not listen after \(seconds) s")
        process?.signal(SIGKILL)
        connection?.close()
    }

    /// Counts looks and not time: a pool that was stopped itself finds the lines of that time waiting.
    private func watchForSilence() async throws {
        let looks = 5
        var silent = 0
        while true {
            try await loop.sleep(for: settings.silentAfter / looks)
            // One that never had media is its start's affair, which gives up by itself.
            let isStarting = lastReport.map { $0.ingest.state == .waiting } ?? true
            silent = wasHeard || isStarting || !isListening || phase != .running ? 0 : silent + 1
            wasHeard = false
            let seconds = settings.silentAfter * silent / looks / .seconds(1)
            if silent == looks { tellGap("the receiver has said nothing for \(seconds) s") }
            guard silent == looks * 2 else { continue }
            log.warning("receiver says nothing, killing it", ["seconds": .number(seconds)])
            refusal = Failure(step: "receiver", reason: "it said nothing for \(seconds) s")
            process?.signal(SIGKILL)
            connection?.close()
            return
        }
    }

    /// Whether the process is gone; it closes its connection a moment before.
    private func hasEnded() async -> Bool {
        guard let process else { return true }
        if phase == .ending { return true }
        let limit = Task { [loop] in try await loop.sleep(for: .milliseconds(500)) }
        let exit = Task { [loop] in
            _ = await process.exit(on: loop)
            limit.cancel()
        }
        _ = exit
        _ = try? await limit.value  // Cancelled where the process ended.
        return process.exitStatus != nil
    }

    private func kill() async {
        process?.signal(SIGKILL)
        _ = await process?.exit(on: loop)
        process = nil
    }

    private func restart(after reason: Failure) async {
        let ended = refusal == nil ? exitText() ?? reason.reason : reason.reason
        let wait = budget.ended(at: .now, jitter: .random(in: 0..<1))
        let state = budget.state(at: .now)
        log.warning(
            "receiver is started again",
            ["reason": .text(ended), "after_ms": .integer(wait.milliseconds), "restarts": .integer(budget.total), "budget": "\(state)"])
        if case .exhausted(let ends) = state {
            tellGap("the receiver ended \(ends) times within a minute (\(ended)); the next start is in \(wait.milliseconds / 1000) s")
        } else {
            tellGap("the receiver ended (\(ended)) and is started again")
        }
        if process?.exitStatus != nil { process = nil }
        await rest(for: wait)
    }

    private func rest(for wait: Duration) async {
        guard phase == .running else { return }
        let pause = Task { [loop] in try await loop.sleep(for: wait) }
        self.pause = pause
        _ = try? await pause.value  // Cancelled by the end of the lease.
    }

    func exitText() -> String? {
        process?.exitStatus.map { "\($0)" }
    }

    func fail(_ reason: Failure) {
        failure = reason
        for waiter in waiters { waiter.resume(returning: reason) }
        waiters.removeAll()
    }
}
