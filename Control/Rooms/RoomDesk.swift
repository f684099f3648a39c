package import Logging
import Posix
import Units
package import Wire

/// The rooms of this machine: which worker each lives on, and who is in it.
///
/// A room stays on its worker for as long as somebody is in it.
package actor RoomDesk {
    /// What programs are told to find their ways with.
    package nonisolated let servers: ICEServers
    package nonisolated let hasWorkers: Bool
    private let keepers: [WorkerKeeper]
    private let log: Log
    private var seats: [PeerID: Seat] = [:]
    private var takes: [RoomID: Take] = [:]
    private var listener: (@Sendable (RoomID, Event) async -> Void)?

    /// Somebody's PeerConnection.
    private struct Seat {
        let room: RoomID
        /// By which door it came; `join` of a participant's.
        let use: RoomUse
        let worker: Int
        var tag = ""
        /// The worker has been asked to let it in; before that it knows nothing of it.
        var isOrdered = false
    }

    /// What is recorded of a room, until somebody ends it: of a worker that begins anew it is asked again, and the take goes on there.
    private struct Take {
        let recording: RecordingID
        let worker: Int
        var report: RoomTakeReport?
        /// Its worker has said that it records it.
        var isBegun = false
        /// Reports of its worker since then, one after the other, that are not as they should be.
        var wrong = 0
        /// Its end is asked for, and its worker has not said yet that it is on the disk.
        var isOver = false
    }

    /// Reports that were on their way when it was begun do not have it, and its end takes what the disk needs.
    private static let mostWrong = 3

    /// What a worker says of itself about a peer.
    package enum Event: Sendable {
        case left(PeerID, reason: String)
        case offered(PeerOffered)
    }

    /// Why somebody is not let in, or not changed.
    package enum Refusal: Error, Sendable, Hashable {
        /// This server has no workers for rooms.
        case none
        /// The worker is away at the moment.
        case away(String)
        /// What the peer sent is not to be used.
        case refused(String)
        /// What the peer offers is an offer, and nothing comes of it here.
        case unanswerable(String)
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
        /// What it sends.
        package let tracks: [PublishedTrack]
    }

    /// Of one room, until workers are calibrated: two of each participant's, and programs.
    static let peersPerRoom = 300

    /// - Throws: `SystemError` where there is no thread for it.
    package init(_ settings: RoomSettings, log: Log) throws {
        let log = log.part("rooms")
        self.log = log
        servers = settings.servers
        hasWorkers = settings.workers > 0
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

    /// Whoever follows what becomes of peers; one alone.
    func follow(_ listener: @escaping @Sendable (RoomID, Event) async -> Void) { self.listener = listener }

    private func heard(_ worker: Int, _ message: WorkerMessage) async {
        switch message {
        // Whoever it does not have is gone: it is a new one.
        case .described(let description):
            let there = Set(description.peers)
            let gone = seats.filter { $0.value.worker == worker && $0.value.isOrdered && !there.contains($0.key) }
            for peer in gone.keys { await forget(peer, "the room's worker has ended") }
            await compare(description.takes ?? [], of: worker)
        case .left(let end):
            guard let seat = seats[end.peer], seat.worker == worker else { break }
            await forget(end.peer, end.reason.bounded())
            // What it offered meanwhile has let it in anew, where it has no seat any more.
            _ = await keepers[worker].order(.close(PeerReference(peer: end.peer)))
        case .offered(let offer): if let seat = seats[offer.peer] { await listener?(seat.room, .offered(offer)) }
        case .report(let report): await compare(report.takes ?? [], of: worker)
        case .answered, .outcome, .ended, .unknown: break
        }
    }

    /// What a worker records, and what it is to record: what a control of before has asked for goes on.
    private func compare(_ there: [RoomTakeOrder], of worker: Int) async {
        for take in there where takes[take.room] == nil {
            takes[take.room] = Take(recording: take.recording, worker: worker, isBegun: true)
        }
        for (room, take) in takes where take.worker == worker {
            let isThere = there.contains(RoomTakeOrder(room: room, recording: take.recording))
            if take.isOver {
                if isThere { _ = await keepers[worker].order(.endTake(RoomReference(room: room))) }
                forget(room, take.recording)
            } else if !isThere {
                await recordAgain(room, take.recording, on: worker)
            }
        }
    }

    /// What a worker says each second of what it records: for what it does not, though it should, it is asked again, and for what is over
    /// until it says that all is on the disk.
    private func compare(_ reports: [RoomTakeReport], of worker: Int) async {
        for report in reports where takes[report.room]?.recording == report.recording && takes[report.room]?.worker == worker {
            takes[report.room]?.report = report
            if takes[report.room]?.isOver == false { takes[report.room]?.wrong = 0 }
        }
        let there = Set(reports.map(\.room))
        for (room, take) in takes where take.worker == worker && (take.isOver || take.isBegun && !there.contains(room)) {
            takes[room]?.wrong += 1
            guard take.wrong + 1 >= Self.mostWrong else { continue }
            takes[room]?.wrong = 0
            guard take.isOver else {
                await recordAgain(room, take.recording, on: worker)
                continue
            }
            if case .outcome(let outcome) = await keepers[worker].order(.endTake(RoomReference(room: room))), outcome.result == .done {
                forget(room, take.recording)
            }
        }
    }

    private func recordAgain(_ room: RoomID, _ recording: RecordingID, on worker: Int) async {
        let answer = await keepers[worker].order(.record(RoomTakeOrder(room: room, recording: recording)))
        guard takes[room]?.recording == recording, case .outcome(let outcome) = answer, outcome.result != .done else { return }
        let reason = (outcome.reason ?? "the worker does not say why not").bounded()
        log.error("a room is not recorded any more", ["room": .text(room.text), "reason": .text(reason)])
        let report = takes[room]?.report
        takes[room]?.report = RoomTakeReport(
            room: room, recording: recording, state: .failing, reason: reason, bytesTotal: report?.bytesTotal ?? 0,
            lostTotal: report?.lostTotal ?? 0)
    }

    private func forget(_ room: RoomID, _ recording: RecordingID) {
        if takes[room]?.recording == recording { takes[room] = nil }
    }

    private func forget(_ peer: PeerID, _ reason: String) async {
        guard let seat = seats.removeValue(forKey: peer) else { return }
        log.notice("a peer has left", ["peer": .text(peer.text), "reason": .text(reason)])
        await listener?(seat.room, .left(peer, reason: reason))
    }

    /// Lets somebody in who sends.
    ///
    /// - Parameters:
    ///   - peer: a new one.
    ///   - owner: the participant that it is of; nil for a program.
    ///   - use: the door by which it came; nil: a participant's page, or a program's.
    package func publish(
        _ offer: String, as peer: PeerID? = nil, of owner: ParticipantID? = nil, in room: RoomID, by use: RoomUse? = nil
    ) async throws(Refusal) -> Entry {
        let peer = peer ?? .fresh()
        let order = WorkerOrder.publish(PeerOffer(peer: peer, room: room, owner: owner, offer: offer))
        return try await enter(peer, room, by: use ?? (owner == nil ? .publish : .join), order)
    }

    /// Another offer of somebody who sends.
    func renegotiate(_ offer: String, of peer: PeerID, of owner: ParticipantID, in room: RoomID) async throws(Refusal) -> Entry {
        guard let seat = seats[peer], seat.room == room else { throw .missing }
        let order = WorkerOrder.publish(PeerOffer(peer: peer, room: room, owner: owner, offer: offer))
        switch await keepers[seat.worker].order(order) {
        case .answered(let answer):
            // To a worker from which it was gone it was a new one.
            try await confirm(peer, keepers[seat.worker])
            seats[peer]?.tag = answer.tag
            return Entry(answer)
        case .outcome(let outcome): throw Self.refusal(outcome)
        case .none(let reason): throw .away(reason)
        }
    }

    /// Lets somebody in who receives what the room's publishers send.
    package func play(_ offer: String, in room: RoomID) async throws(Refusal) -> Entry {
        let peer = PeerID.fresh()
        return try await enter(peer, room, by: .play, .play(PeerOffer(peer: peer, room: room, offer: offer)))
    }

    private func enter(_ peer: PeerID, _ room: RoomID, by use: RoomUse, _ order: WorkerOrder) async throws(Refusal) -> Entry {
        let keeper = try await place(peer, in: room, by: use)
        switch await keeper.order(order) {
        case .answered(let answer):
            try await confirm(peer, keeper)
            seats[peer]?.tag = answer.tag
            return Entry(answer)
        case .outcome(let outcome):
            seats[peer] = nil
            throw Self.refusal(outcome)
        case .none(let reason):
            seats[peer] = nil
            throw .away(reason)
        }
    }

    /// A participant who gets what the others send: `follow` hears the offers.
    ///
    /// - Parameter peer: a new one, which offers name from now on.
    func subscribe(as peer: PeerID, of owner: ParticipantID, in room: RoomID) async throws(Refusal) {
        let keeper = try await place(peer, in: room, by: .join)
        let order = WorkerOrder.subscribe(PeerSubscription(peer: peer, room: room, owner: owner))
        do throws(Refusal) {
            try Self.expectDone(await keeper.order(order))
        } catch {
            seats[peer] = nil
            throw error
        }
        try await confirm(peer, keeper)
    }

    /// What was closed, alone or with its room, while the worker let it in is no peer of the worker's either.
    private func confirm(_ peer: PeerID, _ keeper: WorkerKeeper) async throws(Refusal) {
        guard seats[peer] == nil else { return }
        _ = await keeper.order(.close(PeerReference(peer: peer)))
        throw .missing
    }

    /// The answer to a subscriber's offer.
    func answer(_ text: String, to number: Int, of peer: PeerID) async throws(Refusal) {
        guard let seat = seats[peer] else { throw .missing }
        try Self.expectDone(await keepers[seat.worker].order(.answer(PeerReply(peer: peer, number: number, answer: text))))
    }

    /// What of a peer goes on to nobody.
    ///
    /// - Returns: false where its worker does not do that.
    func hold(_ hold: PeerHold) async -> Bool {
        guard let seat = seats[hold.peer] else { return true }
        guard case .outcome(let outcome) = await keepers[seat.worker].order(.hold(hold)) else { return false }
        return outcome.result == .done
    }

    /// Records all that is sent in a room from now on, whoever comes and goes, and whatever becomes of its worker.
    ///
    /// - Throws: where its worker does not; then it is not recorded.
    package func record(_ room: RoomID, as recording: RecordingID) async throws(Refusal) {
        guard !keepers.isEmpty else { throw .none }
        if let take = takes[room] {
            guard take.recording == recording, !take.isOver else { throw .refused("the room is recorded already") }
            return
        }
        let worker = seats.values.first { $0.room == room }?.worker ?? idlest
        takes[room] = Take(recording: recording, worker: worker)
        guard await keepers[worker].listening(within: .seconds(3)) else {
            takes[room] = nil
            throw .away("no worker for rooms runs at the moment")
        }
        switch await keepers[worker].order(.record(RoomTakeOrder(room: room, recording: recording))) {
        case .outcome(let outcome) where outcome.result == .done: takes[room]?.isBegun = true
        case .outcome(let outcome):
            forget(room, recording)
            throw Self.refusal(outcome)
        case .answered:
            forget(room, recording)
            throw .refused("the worker answers something else")
        case .none(let reason):
            // It may have begun all the same: nothing is recorded of which nobody knows.
            if takes[room]?.recording == recording { takes[room]?.isOver = true }
            if case .outcome(let outcome) = await keepers[worker].order(.endTake(RoomReference(room: room))), outcome.result == .done {
                forget(room, recording)
            }
            throw .away(reason)
        }
    }

    /// No more of it; once this returns all of it is on the disk.
    ///
    /// - Throws: `.away` where its worker does not say so; it ends all the same, and may be asked again.
    package func endRecording(of room: RoomID) async throws(Refusal) {
        guard let take = takes[room] else { return }
        takes[room]?.isOver = true
        try Self.expectDone(await keepers[take.worker].order(.endTake(RoomReference(room: room))))
        forget(room, take.recording)
    }

    /// What a room is recorded as, and how that goes as far as its worker has said; nil where it is not recorded.
    package func recording(of room: RoomID) -> (recording: RecordingID, report: RoomTakeReport?)? {
        takes[room].map { ($0.recording, $0.report) }
    }

    private static func expectDone(_ answer: WorkerKeeper.Answer) throws(Refusal) {
        switch answer {
        case .outcome(let outcome) where outcome.result == .done: break
        case .outcome(let outcome): throw refusal(outcome)
        case .answered: throw .refused("the worker answers something else")
        case .none(let reason): throw .away(reason)
        }
    }

    /// Its worker listens, and the room is on it for whoever comes meanwhile.
    private func place(_ peer: PeerID, in room: RoomID, by use: RoomUse) async throws(Refusal) -> WorkerKeeper {
        guard !keepers.isEmpty else { throw .none }
        let there = seats.values.filter { $0.room == room }
        guard there.count < Self.peersPerRoom else { throw .full(limit: Self.peersPerRoom) }
        let worker = there.first?.worker ?? takes[room]?.worker ?? idlest
        seats[peer] = Seat(room: room, use: use, worker: worker)
        guard await keepers[worker].listening(within: .seconds(3)) else {
            seats[peer] = nil
            throw .away("no worker for rooms runs at the moment")
        }
        guard seats[peer] != nil else { throw .missing }
        seats[peer]?.isOrdered = true
        return keepers[worker]
    }

    private static func refusal(_ outcome: CommandOutcome) -> Refusal {
        let reason = (outcome.reason ?? "the worker does not say why not").bounded()
        switch outcome.step.flatMap({ WorkerStep(rawValue: $0) }) {
        case .noPublisher: return .empty
        case .unanswerable: return .unanswerable(reason)
        case .full: return .away(reason)
        case nil: return .refused(reason)
        }
    }

    private var idlest: Int {
        let counts = keepers.indices.map { worker in seats.values.count { $0.worker == worker } }
        return counts.indices.min { counts[$0] < counts[$1] } ?? 0
    }

    /// Candidates of a peer, or new credentials.
    ///
    /// - Parameters:
    ///   - use: the door by which it came: nobody changes what came by another.
    ///   - tags: the sessions that the peer may mean; nil: whichever there is.
    /// - Returns: nil where nothing is to be answered.
    package func trickle(
        _ fragment: String, of peer: PeerID, in room: RoomID, by use: RoomUse, tags: [String]?
    ) async throws(Refusal) -> Entry? {
        guard let seat = seats[peer], seat.room == room, seat.use == use else { throw .missing }
        if let tags, !tags.contains(seat.tag) { throw .outdated }
        let tag = tags == nil ? nil : seat.tag
        switch await keepers[seat.worker].order(.trickle(PeerFragment(peer: peer, fragment: fragment, tag: tag))) {
        case .answered(let answer):
            seats[peer]?.tag = answer.tag
            return Entry(answer)
        case .outcome(let outcome) where outcome.result == .done: return nil
        case .outcome(let outcome): throw Self.refusal(outcome)
        case .none(let reason): throw .away(reason)
        }
    }

    /// - Parameter use: as of `trickle`.
    package func close(_ peer: PeerID, in room: RoomID, by use: RoomUse) async throws(Refusal) {
        guard let seat = seats[peer], seat.room == room, seat.use == use else { throw .missing }
        await discard(peer)
    }

    /// Ends somebody's PeerConnection, where it is there.
    package func discard(_ peer: PeerID) async {
        guard let seat = seats.removeValue(forKey: peer) else { return }
        _ = await keepers[seat.worker].order(.close(PeerReference(peer: peer)))
    }

    /// The room is no more.
    package func close(_ room: RoomID) async {
        for peer in seats.filter({ $0.value.room == room }).keys { await discard(peer) }
        // try?: what has no answer is asked for again.
        try? await endRecording(of: room)
    }
}

extension RoomDesk.Entry {
    init(_ answer: PeerAnswer) {
        self.init(peer: answer.peer, answer: answer.answer, tag: answer.tag, tracks: answer.tracks ?? [])
    }
}
