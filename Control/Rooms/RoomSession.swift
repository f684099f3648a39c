import Crypto
import Logging
import Posix
import Units
import Web
package import Wire

/// One room while somebody is in it: the only writer of its state, and who asks its worker.
///
/// What was asked of the worker is compared with the state again when it answers: whatever was superseded meanwhile is closed.
package actor RoomSession {
    /// Somebody who was let in, over one connection.
    package struct Admission: Sendable {
        package let session: RoomSession
        package let connection: Int
        package let participant: ParticipantID
        package let entry: RoomEntry
        /// Says that there may be something next; ends where the connection has the seat no more.
        package let wakes: AsyncStream<Void>
    }

    package nonisolated let room: RoomID
    private let desk: RoomDesk
    private let log: Log
    /// Nobody is in it any more.
    private let ended: @Sendable (RoomSession) async -> Void
    private var state: RoomState
    private var isOver = false
    private var lastConnection = 0
    private var wakers: [Int: AsyncStream<Void>.Continuation] = [:]
    /// What a connection is told at its end.
    private var farewells: [Int: RoomOver.Reason] = [:]
    private var reaper: Task<Void, Never>?
    /// By the passes that they came by: who comes in again goes on with theirs.
    private var paces: [String: Pace] = [:]

    /// How fast somebody's descriptions are taken, over whichever socket: each is one for the worker, and most another one for everybody
    /// in the room. Answers that the worker refuses may be tried again.
    private struct Pace {
        var connecting = MessagePace(perSecond: 1, burst: 20)
        var answering = MessagePace(perSecond: 5, burst: 20)
    }

    private static let paceLimit = 1000

    init(
        _ room: RoomID, desk: RoomDesk, limits: RoomState.Limits, log: Log, ended: @escaping @Sendable (RoomSession) async -> Void
    ) {
        self.room = room
        self.desk = desk
        self.log = log.with("room", .text(room.text))
        self.ended = ended
        state = RoomState(limits, seq: .random(in: 0..<1 << 52))
    }

    // MARK: Coming

    /// Lets the holder of a pass in.
    ///
    /// - Returns: nil where the session is over: there is another one.
    /// - Throws: `.pass`, `.full`.
    func join(_ holder: RoomPass.Holder, until passEnd: Int64) throws(RoomRefusal) -> Admission? {
        guard !isOver else { return nil }
        // Of this room: a token says where its seat is.
        let token = Secret("\(room.text).\(Base64URL.encode(randomBytes(32)))")
        let connection = nextConnection()
        let (participant, replaced) = try state.join(
            holder, until: passEnd, as: .fresh(), over: connection, resume: SHA256.hash(token.revealed),
            at: unixMilliseconds() / 1000)
        log.info("somebody is in a room", ["participant": .text(participant.text)])
        return admit(participant, connection, replaced, token)
    }

    /// Gives a seat back.
    ///
    /// - Throws: `.resume`.
    func resume(_ token: Secret) throws(RoomRefusal) -> Admission {
        let connection = nextConnection()
        let (participant, replaced) = try state.resume(SHA256.hash(token.revealed), over: connection)
        return admit(participant, connection, replaced, token)
    }

    private func nextConnection() -> Int {
        lastConnection += 1
        return lastConnection
    }

    private func admit(_ participant: ParticipantID, _ connection: Int, _ replaced: Int?, _ token: Secret) -> Admission {
        if let replaced { dismiss(replaced, .replaced) }
        let (wakes, waker) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        wakers[connection] = waker
        wake()
        let entry = RoomEntry(
            room: room, participant: participant, role: state.shown(participant)?.role ?? .guest, resume: token,
            graceSeconds: Int(state.limits.grace.components.seconds), publishes: state.publisher(of: participant) != nil,
            subscribes: state.subscriber(of: participant) != nil)
        return Admission(session: self, connection: connection, participant: participant, entry: entry, wakes: wakes)
    }

    // MARK: Going

    /// A connection is over: what it is told last, where anything is.
    package func dropped(_ connection: Int) -> RoomOver.Reason? {
        wakers.removeValue(forKey: connection)?.finish()
        if state.drop(connection, at: .now) {
            wake()
            schedule()
        }
        return farewells.removeValue(forKey: connection)
    }

    private func dismiss(_ connection: Int, _ reason: RoomOver.Reason) {
        guard let waker = wakers.removeValue(forKey: connection) else { return }
        farewells[connection] = reason
        waker.finish()
    }

    /// Wakes where the first seat's time is over.
    private func schedule() {
        guard reaper == nil, !isOver, let deadline = state.deadline else { return }
        reaper = Task { [weak self] in
            // try?: cancelled with the room.
            guard (try? await Task.sleep(for: max(.zero, deadline - Instant.now))) != nil else { return }
            await self?.reap()
        }
    }

    private func reap() async {
        reaper = nil
        let peers = state.expire(at: .now)
        wake()
        schedule()
        endIfEmpty()
        await discard(peers)
    }

    private func endIfEmpty() {
        guard !isOver, state.isEmpty(at: unixMilliseconds() / 1000) else { return }
        isOver = true
        reaper?.cancel()
        Task { await ended(self) }
    }

    /// Sessions of accounts have ended: that one, or any.
    func end(session: SessionID?) async {
        for remains in state.leave(session: session) { await end(remains, .signedOut) }
    }

    /// Whoever was let in should not have been.
    func expel(_ participant: ParticipantID) async {
        if let remains = state.leave(participant) { await end(remains, .removed) }
    }

    private func end(_ remains: RoomState.Remains, _ reason: RoomOver.Reason) async {
        if let connection = remains.connection { dismiss(connection, reason) }
        wake()
        endIfEmpty()
        await discard(remains.peers)
    }

    /// The room is no more; its peers are the caller's to close.
    func close() {
        isOver = true
        reaper?.cancel()
        for connection in Array(wakers.keys) { dismiss(connection, .closed) }
    }

    private func wake() { for waker in wakers.values { waker.yield() } }

    private func discard(_ peers: [PeerID]) async { for peer in peers { await desk.discard(peer) } }

    var headcount: RoomState.Headcount { state.headcount }

    // MARK: What is told

    /// What a participant has to be told next.
    package func next(
        of participant: ParticipantID, after cursor: RoomState.Cursor
    ) -> (messages: [RoomMessage], cursor: RoomState.Cursor) {
        state.next(of: participant, after: cursor)
    }

    /// The desk has heard something of a peer.
    func heard(_ event: RoomDesk.Event) {
        let isOurs =
            switch event {
            case .offered(let offer): state.offered(offer)
            case .left(let peer, let reason): state.ended(peer, reason)
            }
        if isOurs { wake() }
    }

    // MARK: What is asked

    /// How long an order has to wait before it is performed; nil where it need not.
    package func wait(for order: RoomOrder, by participant: ParticipantID) -> Duration? {
        guard let pass = state.pass(of: participant) else { return nil }
        if paces.count >= Self.paceLimit { paces.removeAll() }
        switch order {
        case .publish, .renegotiate, .subscribe: return paces[pass, default: Pace()].connecting.take(at: .now)
        case .answer: return paces[pass, default: Pace()].answering.take(at: .now)
        case .join, .resume, .unpublish, .remove, .leave, .unknown: return nil
        }
    }

    /// Does what a page asks for; its answer.
    package func perform(_ request: RoomRequest, over connection: Int) async -> RoomMessage {
        do throws(RoomRefusal) {
            guard !isOver, let id = state.participant(over: connection) else {
                throw RoomRefusal(.outdated, "this connection has no seat any more")
            }
            return .done(RoomDone(id: request.id, answer: try await perform(request.order, by: id, over: connection)))
        } catch {
            return .refused(RoomRefused(id: request.id, reason: error.reason, text: error.text.bounded()))
        }
    }

    private func perform(_ order: RoomOrder, by id: ParticipantID, over connection: Int) async throws(RoomRefusal) -> String? {
        switch order {
        case .publish(let publication): return try await publish(publication, of: id)
        case .renegotiate(let publication): return try await renegotiate(publication, of: id)
        case .unpublish: try await unpublish(id)
        case .subscribe: try await subscribe(id)
        case .answer(let answer): try await take(answer, of: id)
        case .remove(let reference): try await remove(reference.participant, by: id)
        case .leave: await leave(id, over: connection)
        case .join, .resume: throw RoomRefusal(.order, "this connection has a seat already")
        case .unknown(let type): throw RoomRefusal(.order, "there is no order '\(type.bounded(to: 64))'")
        }
        return nil
    }

    private func publish(_ publication: RoomPublication, of id: ParticipantID) async throws(RoomRefusal) -> String {
        if let sends = state.sends(of: id), sends.isEmpty { throw Self.notTheirs }
        let peer = PeerID.fresh()
        let before = state.publish(by: peer, of: id)
        wake()
        if let before { await desk.discard(before) }
        let answer: String?
        do throws(RoomDesk.Refusal) {
            let entry = try await desk.publish(publication.offer, as: peer, of: id, in: room)
            answer = try await settle(entry, publication, of: id)
        } catch {
            if state.publisher(of: id) == peer { _ = state.publish(by: nil, of: id) }
            throw Self.refusal(error)
        }
        guard let taken = answer else { throw Self.notTheirs }
        return taken
    }

    private static let notTheirs = RoomRefusal(.forbidden, "what you offer is not yours to send in this room")

    private func renegotiate(_ publication: RoomPublication, of id: ParticipantID) async throws(RoomRefusal) -> String {
        guard let peer = state.publisher(of: id) else { throw RoomRefusal(.missing, "nothing is published") }
        let answer: String?
        do throws(RoomDesk.Refusal) {
            let entry = try await desk.renegotiate(publication.offer, of: peer, of: id, in: room)
            answer = try await settle(entry, publication, of: id)
        } catch {
            throw Self.refusal(error)
        }
        guard let taken = answer else { throw Self.notTheirs }
        return taken
    }

    /// What the worker has taken of an offer is in the room from now on.
    ///
    /// - Returns: the answer; nil where some of it is not theirs to send: then the whole connection is closed.
    private func settle(
        _ entry: RoomDesk.Entry, _ publication: RoomPublication, of id: ParticipantID
    ) async throws(RoomDesk.Refusal) -> String? {
        if let sends = state.sends(of: id), !entry.tracks.allSatisfy({ sends.contains($0.kind) }) {
            if state.publisher(of: id) == entry.peer { _ = state.publish(by: nil, of: id) }
            wake()
            await desk.discard(entry.peer)
            return nil
        }
        let sources = Dictionary(publication.tracks.map { ($0.mid, $0.source) }) { first, _ in first }
        let tracks = entry.tracks.map { RoomTrack(mid: $0.mid, kind: $0.kind, source: sources[$0.mid] ?? .other) }
        // Where the room was closed meanwhile, nobody would close what came later.
        guard !isOver, state.published(tracks, by: entry.peer) else {
            await desk.discard(entry.peer)
            throw .outdated
        }
        wake()
        return entry.answer
    }

    private func unpublish(_ id: ParticipantID) async throws(RoomRefusal) {
        guard let before = state.publish(by: nil, of: id) else { throw RoomRefusal(.missing, "nothing is published") }
        wake()
        await desk.discard(before)
    }

    private func subscribe(_ id: ParticipantID) async throws(RoomRefusal) {
        let peer = PeerID.fresh()
        let before = state.subscribe(by: peer, of: id)
        if let before { await desk.discard(before) }
        do throws(RoomDesk.Refusal) {
            try await desk.subscribe(as: peer, of: id, in: room)
        } catch {
            if state.subscriber(of: id) == peer { _ = state.subscribe(by: nil, of: id) }
            throw Self.refusal(error)
        }
        guard !isOver, state.subscriber(of: id) == peer else {
            await desk.discard(peer)
            throw RoomRefusal(.outdated, "another one has taken its place")
        }
    }

    private func take(_ answer: RoomAnswer, of id: ParticipantID) async throws(RoomRefusal) {
        let (peer, number) = try state.offer(answer.number, of: id)
        do throws(RoomDesk.Refusal) {
            try await desk.answer(answer.answer, to: number, of: peer)
        } catch {
            throw Self.refusal(error)
        }
        state.answered(answer.number, of: id)
    }

    private func remove(_ target: ParticipantID, by id: ParticipantID) async throws(RoomRefusal) {
        let remains = try state.remove(target, by: id)
        log.notice("somebody was sent away", ["participant": .text(target.text), "by": .text(id.text)])
        await end(remains, .removed)
    }

    private func leave(_ id: ParticipantID, over connection: Int) async {
        guard let remains = state.leave(id) else { return }
        // Its connection is told behind the answer: `dropped` has it.
        farewells[connection] = .left
        wake()
        endIfEmpty()
        await discard(remains.peers)
    }

    private static func refusal(_ refusal: RoomDesk.Refusal) -> RoomRefusal {
        switch refusal {
        case .none: RoomRefusal(.away, "this server has no rooms: rooms.workers is 0 in its configuration")
        case .away(let reason): RoomRefusal(.away, reason)
        case .refused(let reason), .unanswerable(let reason): RoomRefusal(.malformed, reason)
        case .missing, .empty: RoomRefusal(.missing, "its PeerConnection is over")
        case .outdated: RoomRefusal(.outdated, "another one has taken its place")
        case .full(let limit): RoomRefusal(.full, "the room's worker is full: \(limit) PeerConnections are in the room")
        }
    }
}
