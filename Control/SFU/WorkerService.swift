import FoundationEssentials
package import Logging
package import Posix
import Service
import Units
import Wire

/// A worker as its parent sees it: orders and answers over a Unix socket, a JSON line each.
package final class WorkerService: @unchecked Sendable {
    // Sendable by the loop's thread: `worker` is touched only there.

    private let socket: ChildSocket
    private let loop: Loop
    private let log: Log
    private let worker: RoomWorker
    private var reporting: LoopTimer?

    private init(_ worker: RoomWorker, _ socket: ChildSocket, _ loop: Loop, _ log: Log) {
        self.worker = worker
        self.socket = socket
        self.loop = loop
        self.log = log
    }

    /// Listens, for peers and for its parent.
    ///
    /// - Throws: `SystemError` where an address, a port or the socket's path cannot be had.
    package static func open(
        path: String, port: Int, bind: [String], announced: [String], recordings: String? = nil, loop: Loop, log: Log
    ) async throws -> WorkerService {
        let opened: Result<WorkerService, any Error> = await withCheckedContinuation { continuation in
            loop.submit {
                continuation.resume(
                    returning: Result {
                        let socket = try ChildSocket(path: path, loop: loop, orphanAfter: .seconds(120), log: log.part("parent"))
                        let worker = try RoomWorker(
                            port: port, bind: bind, announced: announced, recordings: recordings, loop: loop, log: log,
                            left: { Self.send(.left(PeerEnd(peer: $0, reason: $1.bounded())), socket, log) },
                            mayOffer: { socket.keepsUp },
                            offered: { Self.send(.offered($0), socket, log) })
                        try worker.begin()
                        return WorkerService(worker, socket, loop, log)
                    })
            }
        }
        return try opened.get()
    }

    /// Serves parents, one after the other, until a stop or until nobody came for 120 s. On the loop.
    package func run() async {
        report()
        for await event in socket.events {
            switch event {
            case .line(let line): if handle(line) { return await finish("stopped") }
            case .orphaned: return await finish("no parent for 120 s")
            case .connected, .disconnected: break
            }
        }
    }

    /// Ends from outside the conversation: by a signal.
    package func end(_ reason: String) async {
        await finish(reason)
    }

    private func finish(_ reason: String) async {
        reporting?.cancel()
        // What is recorded is on the disk before anybody believes that this is over.
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            worker.endTakes { continuation.resume() }
        }
        worker.end()
        Self.send(.ended(EndReport(reason: reason)), socket, log)
        socket.close()
    }

    private func report() {
        reporting = loop.timer(after: .seconds(1)) { [weak self] in
            guard let self else { return }
            Self.send(.report(worker.report()), socket, log, droppable: true)
            report()
        }
    }

    /// - Returns: whether it is to stop.
    private func handle(_ line: [UInt8]) -> Bool {
        let command: Command<WorkerOrder>
        do {
            command = try JSONDecoder().decode(Command<WorkerOrder>.self, from: Data(line))
        } catch {
            log.warning("a line of the parent is no order", ["bytes": .integer(line.count), "error": "\(error)"])
            return false
        }
        switch command.order {
        case .describe:
            let recorded = worker.recorded
            let description = WorkerDescription(
                port: worker.port, rooms: worker.rooms, peers: worker.peerIDs, takes: recorded.isEmpty ? nil : recorded)
            Self.send(.described(description), socket, log)
            worker.meetParent()
        case .publish(let offer): answer(command.id, offer.peer) { try worker.publish(offer) }
        case .play(let offer): answer(command.id, offer.peer) { try worker.play(offer) }
        case .subscribe(let subscription):
            answer(command.id, subscription.peer) {
                try worker.subscribe(subscription)
                return nil
            }
        case .answer(let reply):
            answer(command.id, reply.peer) {
                try worker.answer(reply)
                return nil
            }
        case .trickle(let fragment): answer(command.id, fragment.peer) { try worker.trickle(fragment) }
        case .hold(let hold):
            answer(command.id, hold.peer) {
                try worker.hold(hold)
                return nil
            }
        case .record(let order): attempt(command.id) { try worker.record(order) }
        case .endTake(let room):
            worker.endTake(of: room.room) { [loop] in loop.submit { self.outcome(command.id, .done) } }
        case .close(let reference):
            worker.remove(reference.peer)
            outcome(command.id, .done)
        case .stop: return true
        case .unknown(let type): outcome(command.id, .refused, "this worker does not know '\(type.bounded(to: 64))'")
        }
        return false
    }

    private func answer(_ id: CommandID, _ peer: PeerID, _ body: () throws -> (text: String, tag: String)?) {
        do {
            guard let answer = try body() else { return outcome(id, .done) }
            Self.send(
                .answered(
                    PeerAnswer(command: id, peer: peer, answer: answer.text, tag: answer.tag, tracks: worker.peers[peer]?.published)),
                socket, log)
        } catch let refusal as RoomWorker.Refusal {
            outcome(id, .refused, refusal.reason, at: refusal.step)
        } catch {
            outcome(id, .failed, "\(error)")
        }
    }

    /// What has no answer of its own.
    private func attempt(_ id: CommandID, _ body: () throws -> Void) {
        do {
            try body()
            outcome(id, .done)
        } catch let refusal as RoomWorker.Refusal {
            outcome(id, .refused, refusal.reason, at: refusal.step)
        } catch {
            outcome(id, .failed, "\(error)")
        }
    }

    private func outcome(_ id: CommandID, _ result: CommandOutcome.Result, _ reason: String? = nil, at step: WorkerStep? = nil) {
        Self.send(.outcome(CommandOutcome(id: id, result: result, step: step?.rawValue, reason: reason?.bounded())), socket, log)
    }

    private static func send(_ message: WorkerMessage, _ socket: ChildSocket, _ log: Log, droppable: Bool = false) {
        do {
            socket.send([UInt8](try JSONEncoder().encode(message)), droppable: droppable)
        } catch {
            log.error("a message cannot be encoded", ["type": .text(message.type), "error": "\(error)"])
        }
    }
}
