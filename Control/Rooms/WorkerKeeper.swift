import FoundationEssentials
import Glibc
import Logging
import Posix
import Service
import Units
import Wire

/// Keeps one room worker alive: adopts the one that a control of before has left, or starts one; starts it again where it ends.
///
/// Its peers are gone with it: that is told by a `described` with none.
actor WorkerKeeper {
    nonisolated let number: Int
    nonisolated let loop: Loop
    private let settings: RoomSettings
    private let log: Log
    /// A worker's word about its peers; on the loop's thread.
    private let heard: @Sendable (Int, WorkerMessage) -> Void

    private var process: ChildProcess?
    private var connection: ParentConnection?
    private var description: WorkerDescription?
    private var budget = RestartBudget()
    private var isOver = false
    private var pending: [CommandID: CheckedContinuation<Answer, Never>] = [:]
    private var waiters: [CheckedContinuation<Void, Never>] = []
    private var unanswered = (bytes: 0, orders: 0)
    private var turns: [Turn] = []

    /// An order that waits.
    private struct Turn {
        let id: CommandID
        let bytes: Int
        let continuation: CheckedContinuation<Bool, Never>
    }

    /// What a worker says to an order.
    enum Answer: Sendable {
        case answered(PeerAnswer)
        case outcome(CommandOutcome)
        /// It is away, or did not answer in time.
        case none(String)
    }

    /// A worker answers in milliseconds: one that does not within this time hangs.
    private static let answerTime = Duration.seconds(3)
    private static let listenTime = Duration.seconds(5)
    /// A longer line ends the worker's connection, and the worker: what strangers send is in here, escaped. Below `LineChannel.lineBytes`.
    private static let orderBytes = 200 * 1024
    /// Of orders without an answer, in bytes and in all: the others wait for their turn. A queue that is full (4 MiB) ends the connection,
    /// and with it the worker; an answer is up to 6 kB longer than its offer.
    private static let unansweredLimit = (bytes: 384 * 1024, orders: 400)
    private static let turnLimit = 2000

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(
        _ number: Int, settings: RoomSettings, loop: Loop, log: Log, heard: @escaping @Sendable (Int, WorkerMessage) -> Void
    ) {
        self.number = number
        self.settings = settings
        self.loop = loop
        self.log = log.with("worker", .integer(number))
        self.heard = heard
    }

    private var path: String { "\(settings.folder)/sfu-\(number).sock" }

    /// Until cancelled: the worker goes on then, for the next control.
    func run() async {
        await withTaskCancellationHandler {
            while !isOver {
                let reason = await live()
                part(reason)
                guard !isOver else { break }
                if let process { await end(process) }
                process = nil
                let wait = budget.ended(at: .now, jitter: .random(in: 0..<1))
                log.warning("a room worker is started again", ["reason": .text(reason), "after_ms": .integer(wait.milliseconds)])
                // try?: cancelled, the loop's condition ends it.
                _ = try? await loop.sleep(for: wait)
            }
        } onCancel: {
            Task { await self.leave() }
        }
    }

    private func leave() {
        isOver = true
        connection?.close()
    }

    /// One life of a worker, to the end of its connection. Returns why it ended.
    private func live() async -> String {
        do {
            let connection: ParentConnection
            if let left = try? await ParentConnection.connect(path: path, within: .milliseconds(100), loop: loop) {
                // try? above: there is none, and one is started.
                connection = left
                process = try ChildProcess.adopt(pid: left.childPID)
            } else {
                unlink(path)
                process = try ChildProcess.start(settings.program, settings.arguments(of: number, at: path), ownSession: true)
                connection = try await ParentConnection.connect(path: path, within: Self.listenTime, loop: loop)
            }
            self.connection = connection
            if let line = encoded(.describe, CommandID.fresh()) { connection.send(line) }
            var reason = "its connection ended"
            for await event in connection.events {
                switch event {
                case .line(let line): if let ended = take(line) { reason = ended }
                case .closed(let why): if reason == "its connection ended" { reason = why }
                }
            }
            return process?.exitStatus.map { "\($0)" } ?? reason
        } catch {
            return "\(error)"
        }
    }

    /// The connection is over, and with it what was asked over it.
    private func part(_ reason: String) {
        connection?.close()
        connection = nil
        if !isOver, let port = description?.port { heard(number, .described(WorkerDescription(port: port, rooms: [], peers: []))) }
        description = nil
        for waiter in pending.values { waiter.resume(returning: .none("the room's worker has ended: \(reason)")) }
        pending.removeAll()
    }

    private func end(_ process: ChildProcess) async {
        process.signal(SIGKILL)
        _ = await process.exit(on: loop)
    }

    /// - Returns: why it says that it ends.
    private func take(_ line: [UInt8]) -> String? {
        let message: WorkerMessage
        do {
            message = try JSONDecoder().decode(WorkerMessage.self, from: Data(line))
        } catch {
            log.warning("a line of the worker is no message", ["bytes": .integer(line.count), "error": "\(error)"])
            return nil
        }
        switch message {
        case .described(let description):
            self.description = description
            log.notice("a room worker listens", ["port": .integer(description.port), "peers": .integer(description.peers.count)])
            // Before anybody enters: whom it does not know by then is gone.
            heard(number, message)
            for waiter in waiters { waiter.resume() }
            waiters.removeAll()
        case .answered(let answer): pending.removeValue(forKey: answer.command)?.resume(returning: .answered(answer))
        case .outcome(let outcome): pending.removeValue(forKey: outcome.id)?.resume(returning: .outcome(outcome))
        case .left, .offered, .report: heard(number, message)
        case .ended(let report): return report.reason.bounded()
        case .unknown(let type): log.debug("unknown message of the worker", ["type": .text(type.bounded(to: 64))])
        }
        return nil
    }

    /// Waits until it listens, this long at most.
    func listening(within limit: Duration) async -> Bool {
        if description != nil { return true }
        let timer = loop.spawn { [loop] in
            // try?: cancelled where it listens in time.
            guard (try? await loop.sleep(for: limit)) != nil else { return }
            await self.release()
        }
        await withCheckedContinuation { waiters.append($0) }
        timer.cancel()
        return description != nil
    }

    private func release() {
        for waiter in waiters { waiter.resume() }
        waiters.removeAll()
    }

    func order(_ order: WorkerOrder) async -> Answer {
        guard description != nil else { return .none("no worker for rooms runs at the moment") }
        let id = CommandID.fresh()
        guard let line = encoded(order, id) else { return .none("the order cannot be written") }
        guard line.count <= Self.orderBytes else {
            return .outcome(CommandOutcome(id: id, result: .refused, reason: "it is longer than a room's worker takes"))
        }
        // Whoever goes makes room.
        if case .close = order { return await answer(to: line, id) }
        guard await takeTurn(id, line.count) else { return .none("the room's worker has too much to do at the moment") }
        defer { endTurn(line.count) }
        guard description != nil else { return .none("no worker for rooms runs at the moment") }
        return await answer(to: line, id)
    }

    /// - Returns: false where it does not come in time.
    private func takeTurn(_ id: CommandID, _ bytes: Int) async -> Bool {
        if turns.isEmpty, hasRoom(for: bytes) {
            begin(bytes)
            return true
        }
        guard turns.count < Self.turnLimit else { return false }
        let timer = loop.spawn { [loop] in
            // try?: cancelled by its turn.
            guard (try? await loop.sleep(for: Self.answerTime)) != nil else { return }
            await self.giveUpTurn(id)
        }
        let hasTurn = await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
            turns.append(Turn(id: id, bytes: bytes, continuation: continuation))
        }
        timer.cancel()
        return hasTurn
    }

    private func hasRoom(for bytes: Int) -> Bool {
        unanswered.orders < Self.unansweredLimit.orders && unanswered.bytes + bytes <= Self.unansweredLimit.bytes
    }

    private func begin(_ bytes: Int) {
        unanswered.bytes += bytes
        unanswered.orders += 1
    }

    private func endTurn(_ bytes: Int) {
        unanswered.bytes -= bytes
        unanswered.orders -= 1
        letNextOnesGo()
    }

    private func giveUpTurn(_ id: CommandID) {
        guard let index = turns.firstIndex(where: { $0.id == id }) else { return }
        turns.remove(at: index).continuation.resume(returning: false)
        // Those behind a long one may be shorter.
        letNextOnesGo()
    }

    private func letNextOnesGo() {
        while let next = turns.first, hasRoom(for: next.bytes) {
            turns.removeFirst()
            begin(next.bytes)
            next.continuation.resume(returning: true)
        }
    }

    private func answer(to line: [UInt8], _ id: CommandID) async -> Answer {
        let timer = loop.spawn { [loop] in
            // try?: cancelled by the answer.
            guard (try? await loop.sleep(for: Self.answerTime)) != nil else { return }
            await self.giveUp(id)
        }
        let answer = await withCheckedContinuation { continuation in
            pending[id] = continuation
            connection?.send(line)
        }
        timer.cancel()
        return answer
    }

    private func giveUp(_ id: CommandID) {
        pending.removeValue(forKey: id)?.resume(returning: .none("the room's worker did not answer in time"))
    }

    /// nil where it cannot be encoded.
    private func encoded(_ order: WorkerOrder, _ id: CommandID) -> [UInt8]? {
        do {
            return [UInt8](try JSONEncoder().encode(Command(id: id, order: order)))
        } catch {
            log.error("an order cannot be encoded", ["order": .text(order.type), "error": "\(error)"])
            return nil
        }
    }
}

extension ID {
    static func fresh() -> ID {
        var random = SystemRandomNumberGenerator()
        return ID(ULID(unixMs: unixMilliseconds(), random: &random))
    }
}
