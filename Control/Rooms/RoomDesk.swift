package import Logging
import Posix
import Units
package import Wire

/// The rooms of this machine: which worker each lives on, and who is in it.
///
/// A room stays on its worker for as long as somebody is in it.
package actor RoomDesk {
    private let keepers: [WorkerKeeper]
    private let log: Log
    private var seats: [PeerID: Seat] = [:]

    /// Somebody's PeerConnection.
    private struct Seat {
        let room: RoomID
        let worker: Int
        var tag: String
    }

    /// Why somebody is not let in, or not changed.
    package enum Refusal: Error, Sendable, Hashable {
        /// This server has no workers for rooms.
        case none
        /// The worker is away at the moment.
        case away(String)
        /// What the peer sent is not to be used.
        case refused(String)
        case missing
        /// The peer means an ICE session that is over (RFC 9725 section 4.3.1).
        case outdated
        case full(limit: Int)
        /// Nobody sends yet: a player may come again.
        case empty
    }

    /// A peer that was let in.
    package struct Entry: Sendable {
        package let peer: PeerID
        package let answer: String
        package let tag: String
    }

    /// Of one room, until workers are calibrated.
    static let peersPerRoom = 100

    /// - Throws: `SystemError` where there is no thread for it.
    package init(_ settings: RoomSettings, log: Log) throws {
        let log = log.part("rooms")
        self.log = log
        let loop = try Loop(name: "rooms")
        let sink = Guarded<(@Sendable (Int, WorkerMessage) -> Void)?>(nil)
        keepers = (0..<settings.workers).map { number in
            WorkerKeeper(number, settings: settings, loop: loop, log: log) { worker, message in
                sink.withLock { $0 }?(worker, message)
            }
        }
        sink.withLock { sink in
            sink = { [weak self] worker, message in Task { await self?.heard(worker, message) } }
        }
    }

    /// Runs the workers, until cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            for keeper in keepers { group.addTask { await keeper.run() } }
        }
    }

    private func heard(_ worker: Int, _ message: WorkerMessage) {
        switch message {
        // Whoever it does not have is gone: it is a new one.
        case .described(let description):
            let there = Set(description.peers)
            for (peer, seat) in seats where seat.worker == worker && !there.contains(peer) { seats[peer] = nil }
        case .left(let end):
            if seats.removeValue(forKey: end.peer) != nil {
                log.notice("a peer has left", ["peer": .text(end.peer.text), "reason": .text(end.reason.bounded())])
            }
        case .answered, .outcome, .report, .ended, .unknown: break
        }
    }

    /// Lets somebody in who sends.
    package func publish(_ offer: String, in room: RoomID) async throws(Refusal) -> Entry {
        try await enter(room) { .publish(PeerOffer(peer: $0, room: room, offer: offer)) }
    }

    /// Lets somebody in who receives what the room's publishers send.
    package func play(_ offer: String, in room: RoomID) async throws(Refusal) -> Entry {
        try await enter(room) { .play(PeerOffer(peer: $0, room: room, offer: offer)) }
    }

    private func enter(_ room: RoomID, _ order: (PeerID) -> WorkerOrder) async throws(Refusal) -> Entry {
        guard !keepers.isEmpty else { throw .none }
        let there = seats.values.filter { $0.room == room }
        guard there.count < Self.peersPerRoom else { throw .full(limit: Self.peersPerRoom) }
        let worker = there.first?.worker ?? idlest
        var random = SystemRandomNumberGenerator()
        let peer = PeerID(ULID(unixMs: unixMilliseconds(), random: &random))
        // Before the answer: the room is on this worker for whoever comes meanwhile.
        seats[peer] = Seat(room: room, worker: worker, tag: "")
        guard await keepers[worker].listening(within: .seconds(3)) else {
            seats[peer] = nil
            throw .away("no worker for rooms runs at the moment")
        }
        switch await keepers[worker].order(order(peer)) {
        case .answered(let answer):
            seats[peer]?.tag = answer.tag
            return Entry(peer: peer, answer: answer.answer, tag: answer.tag)
        case .outcome(let outcome):
            seats[peer] = nil
            if outcome.step == WorkerStep.noPublisher.rawValue { throw .empty }
            throw .refused((outcome.reason ?? "the worker does not say why not").bounded())
        case .none(let reason):
            seats[peer] = nil
            throw .away(reason)
        }
    }

    private var idlest: Int {
        let counts = keepers.indices.map { worker in seats.values.count { $0.worker == worker } }
        return counts.indices.min { counts[$0] < counts[$1] } ?? 0
    }

    /// Candidates of a peer, or new credentials.
    ///
    /// - Parameter tag: the session that the peer means; nil: whichever there is.
    /// - Returns: nil where nothing is to be answered.
    package func trickle(_ fragment: String, of peer: PeerID, in room: RoomID, tag: String?) async throws(Refusal) -> Entry? {
        guard let seat = seats[peer], seat.room == room else { throw .missing }
        if let tag, tag != seat.tag { throw .outdated }
        switch await keepers[seat.worker].order(.trickle(PeerFragment(peer: peer, fragment: fragment, tag: tag))) {
        case .answered(let answer):
            seats[peer]?.tag = answer.tag
            return Entry(peer: peer, answer: answer.answer, tag: answer.tag)
        case .outcome(let outcome) where outcome.result == .done: return nil
        case .outcome(let outcome): throw .refused((outcome.reason ?? "the worker does not say why not").bounded())
        case .none(let reason): throw .away(reason)
        }
    }

    package func close(_ peer: PeerID, in room: RoomID) async throws(Refusal) {
        guard let seat = seats[peer], seat.room == room else { throw .missing }
        seats[peer] = nil
        _ = await keepers[seat.worker].order(.close(PeerReference(peer: peer)))
    }

    /// The room is no more.
    package func close(_ room: RoomID) async {
        for (peer, seat) in seats where seat.room == room {
            seats[peer] = nil
            _ = await keepers[seat.worker].order(.close(PeerReference(peer: peer)))
        }
    }
}
