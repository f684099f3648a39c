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
    private let office: RoomOffice
    private let log: Log
    /// Nobody is in it any more; and whether it is over by that.
    private let vacated: @Sendable (RoomSession, RoomCharter, _ isOver: Bool) async -> Void
    private var state: RoomState
    /// To the store, one after the other; what does not fit is not kept.
    private let records: AsyncStream<RoomRecord>.Continuation
    /// Ends when it has written all of it.
    private let keeping: Task<Void, Never>
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
        var returning = MessagePace(perSecond: 10, burst: 200)
    }

    private static let paceLimit = 1000

    private static let waitingRecords = 5000

    init(
        _ room: RoomID, _ charter: RoomCharter, _ talk: [RoomState.Saying], desk: RoomDesk, office: RoomOffice,
        limits: RoomState.Limits, log: Log,
        vacated: @escaping @Sendable (RoomSession, RoomCharter, _ isOver: Bool) async -> Void
    ) {
        self.room = room
        self.desk = desk
        self.office = office
        self.log = log.with("room", .text(room.text))
        self.vacated = vacated
        state = RoomState(limits, charter, seq: .random(in: 0..<1 << 52), talk: talk)
        let (stream, continuation) = AsyncStream.makeStream(of: RoomRecord.self, bufferingPolicy: .bufferingOldest(Self.waitingRecords))
        records = continuation
        let organization = charter.organization
        if let meeting = charter.meeting {
            keeping = Task { for await record in stream { await office.keep(record, meeting, organization) } }
        } else {
            keeping = Task {}
        }
    }

    deinit { records.finish() }

    // MARK: Coming

    /// Lets the holder of a pass in.
    ///
    /// - Returns: nil where the session is over: there is another one.
    /// - Throws: `.pass`, `.locked`, `.full`, `.limited`.
    func join(_ holder: RoomPass.Holder, until passEnd: Int64) throws(RoomRefusal) -> Admission? {
        guard !isOver else { return nil }
        // Of this room: a token says where its seat is.
        let token = Secret("\(room.text).\(Base64URL.encode(randomBytes(32)))")
        let connection = nextConnection()
        let (participant, replaced) = try state.join(
            holder, until: passEnd, as: .fresh(), over: connection, resume: SHA256.hash(token.revealed),
            at: unixMilliseconds() / 1000, now: .now)
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
        // The relay counts by the pass: whoever goes and comes again by it is another participant, and has no more allocations.
        let user = state.pass(of: participant) ?? participant.text
        let entry = RoomEntry(
            room: room, participant: participant, role: state.shown(participant)?.role ?? .guest, resume: token,
            graceSeconds: Int(state.limits.grace.components.seconds), publishes: state.publisher(of: participant) != nil,
            subscribes: state.subscriber(of: participant) != nil,
            iceServers: desk.servers.list(for: user, at: unixMilliseconds() / 1000))
        return Admission(session: self, connection: connection, participant: participant, entry: entry, wakes: wakes)
    }

    /// Lets a live broadcast or an encoder in, by the offer that it makes at WHIP's door: seen and heard like others, without a page. It has its seat for as
    /// long as it sends; one that is there sends by this offer from now on.
    ///
    /// - Returns: nil where the session is over: there is another one.
    func enter(_ holder: RoomPass.Holder, until passEnd: Int64, offer: String) async throws(FieldRefusal) -> RoomDesk.Entry? {
        guard !isOver else { return nil }
        let id: ParticipantID
        do throws(RoomRefusal) {
            // Nobody comes back by a token: the pass is shown again.
            id = try state.join(
                holder, until: passEnd, as: .fresh(), over: nextConnection(), resume: randomBytes(32), at: unixMilliseconds() / 1000,
                now: .now
            ).participant
        } catch {
            throw .room(error)
        }
        let peer = PeerID.fresh()
        let before = state.publish(by: peer, of: id)
        wake()
        if let before { await desk.discard(before) }
        do throws(RoomDesk.Refusal) {
            let entry = try await desk.publish(offer, as: peer, of: id, in: room, by: .publish)
            let sources = entry.tracks.map { RoomTrackSource(mid: $0.mid, source: $0.kind == .video ? .camera : .microphone) }
            if try await settle(entry, RoomPublication(offer: "", tracks: sources), of: id) != nil { return entry }
        } catch {
            giveUp(id, sendingBy: peer)
            throw .desk(error)
        }
        giveUp(id, sendingBy: peer)
        throw .room(RoomRefusal(.forbidden, "pictures, or sound, are nobody's to send in this kind of meeting"))
    }

    /// Another offer of the same one may have come meanwhile: then it stays.
    private func giveUp(_ id: ParticipantID, sendingBy peer: PeerID) {
        if [peer, nil].contains(state.publisher(of: id)) { left(id) }
    }

    // MARK: Going

    /// A live broadcast or an encoder sends no more by this one.
    func left(sendingBy peer: PeerID) {
        if let id = state.program(sendingBy: peer) { left(id) }
    }

    /// A live broadcast does not send by this output any more.
    func dismiss(_ output: OutputID) {
        if let id = state.field(of: output) { left(id) }
    }

    private func left(_ id: ParticipantID) {
        guard let remains = state.leave(id) else { return }
        wake()
        endIfEmpty()
        Task { await discard(remains.peers) }
    }

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
        guard !isOver, state.attendance == 0 else { return }
        if state.isEmpty(at: unixMilliseconds() / 1000) {
            isOver = true
            reaper?.cancel()
            records.finish()
        }
        Task { [charter, isOver] in await vacated(self, charter, isOver) }
    }

    /// Sessions of accounts have ended: that one, or any.
    func end(session: SessionID?) async {
        for remains in state.leave(session: session) { await end(remains, .signedOut) }
    }

    /// A user's role has changed.
    ///
    /// - Parameter standing: as of `RoomSessions.review`.
    func review(_ user: UserID, _ standing: @escaping @Sendable (RoomID, OrganizationID) async -> MeetingRole?) async {
        guard !isOver, state.isHere(user) else { return }
        guard let most = await standing(room, state.charter.organization) else {
            for remains in state.leave(user: user) { await end(remains, .signedOut) }
            return
        }
        let over = state.bound(user, to: most)
        wake()
        await discard(over)
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
        records.finish()
        for connection in Array(wakers.keys) { dismiss(connection, .closed) }
        tell(state.fields, isForGood: true)
    }

    /// Whoever has brought live broadcasts in is told that they are here no more.
    private func tell(_ fields: [RoomPass.Field], isForGood: Bool) {
        guard !fields.isEmpty else { return }
        Task { [office] in for field in fields { await office.fieldLeft(field, isForGood) } }
    }

    /// Something has changed: what of it is to be kept is on its way, and whoever is in the room looks.
    private func wake() {
        for record in state.takeRecords() {
            if case .dropped = records.yield(record) { log.warning("something of a meeting is not kept: the store is behind") }
        }
        for waker in wakers.values { waker.yield() }
    }

    private func discard(_ peers: [PeerID]) async { for peer in peers { await desk.discard(peer) } }

    var headcount: RoomState.Headcount { state.headcount }
    var people: [RoomState.Person] { state.people }
    var isLocked: Bool { state.conditions.isLocked }
    var charter: RoomCharter { state.charter }

    /// What holds in it has been decided anew.
    func adopt(_ charter: RoomCharter) {
        state.adopt(charter)
        wake()
    }

    // MARK: What is told

    /// What a participant has to be told next.
    package func next(
        of participant: ParticipantID, after cursor: RoomState.Cursor
    ) -> (messages: [RoomMessage], cursor: RoomState.Cursor) {
        state.next(of: participant, after: cursor)
    }

    /// The desk has heard something of a peer.
    func heard(_ event: RoomDesk.Event) {
        if case .left(let peer, _) = event, let id = state.program(sendingBy: peer) {
            let field = state.field(of: id)
            // It comes back by itself where its worker has ended.
            if let field { tell([field], isForGood: false) }
            return left(id)
        }
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
        case .join, .resume, .unpublish, .leave, .remove, .stop, .turn, .rename, .promote, .allow, .hand, .spotlight, .lock, .switchChat,
            .end, .react, .cast, .say, .unsay, .pin, .muteChat, .history, .search, .unknown:
            return nil
        }
    }

    /// How long whoever has just come in is taken to be there, whatever becomes of their connection: of who comes back without end everybody
    /// would be told each time. nil where it is looked at at once; a second at most, as the connection stands for so long.
    package func stay(of participant: ParticipantID) -> Duration? {
        guard let pass = state.pass(of: participant) else { return nil }
        if paces.count >= Self.paceLimit { paces.removeAll() }
        return paces[pass, default: Pace()].returning.take(at: .now).map { min($0, .seconds(1)) }
    }

    /// Does what a page asks for; its answer.
    package func perform(_ request: RoomRequest, over connection: Int) async -> RoomMessage {
        do throws(RoomRefusal) {
            guard !isOver, let id = state.participant(over: connection) else {
                throw RoomRefusal(.outdated, "this connection has no seat any more")
            }
            var done = RoomDone(id: request.id)
            switch request.order {
            case .publish(let publication): done.answer = try await publish(publication, of: id)
            case .renegotiate(let publication): done.answer = try await renegotiate(publication, of: id)
            case .history(let history): done.messages = try await read(before: history.before, text: nil, by: id)
            case .search(let search): done.messages = try await read(before: nil, text: search.text, by: id)
            default: try await perform(request.order, by: id, over: connection)
            }
            return .done(done)
        } catch {
            return .refused(RoomRefused(id: request.id, reason: error.reason, text: error.text.bounded()))
        }
    }

    /// What is answered by that it is done.
    private func perform(_ order: RoomOrder, by id: ParticipantID, over connection: Int) async throws(RoomRefusal) {
        switch order {
        case .unpublish: try await unpublish(id)
        case .subscribe: try await subscribe(id)
        case .answer(let answer): try await take(answer, of: id)
        case .leave: await leave(id, over: connection)
        case .remove, .stop, .turn, .rename, .promote, .allow, .hand: try await act(order, by: id)
        case .spotlight, .lock, .switchChat, .end, .react, .cast: try run(order, by: id)
        case .say, .unsay, .pin, .muteChat: try write(order, by: id)
        case .publish, .renegotiate, .history, .search, .join, .resume:
            throw RoomRefusal(.order, "this connection has a seat already")
        case .unknown(let type): throw RoomRefusal(.order, "there is no order '\(type.bounded(to: 64))'")
        }
    }

    /// What is done to somebody.
    private func act(_ order: RoomOrder, by id: ParticipantID) async throws(RoomRefusal) {
        var over: PeerID?
        var held: [ParticipantID] = []
        switch order {
        case .remove(let removal): return try await remove(removal, by: id)
        case .stop(let stop): held = try state.stop(stop.media, of: stop.participant, by: id, at: .now)
        case .turn(let turn):
            try state.turn(turn.media, isOn: turn.isOn, by: id, at: .now)
            held = [id]
        case .rename(let rename):
            guard office.isName(rename.name) else {
                throw RoomRefusal(.malformed, "a name has 2 to 50 characters with a letter among them, and no markup and no addresses")
            }
            try state.rename(rename.participant, to: rename.name, by: id, at: .now)
        case .promote(let promotion): over = try state.promote(promotion.participant, to: promotion.role, by: id, at: .now)
        case .allow(let leave): over = try state.allow(leave.media, to: leave.participant, by: id, at: .now)
        case .hand(let hand): try state.raise(hand.isUp, of: hand.participant, by: id, at: .now)
        default: preconditionFailure("only what is done to somebody comes here")
        }
        log.debug("somebody acts in a room", ["order": .text(order.type), "by": .text(id.text)])
        wake()
        for idle in state.idlePrograms {
            if let field = state.field(of: idle) { tell([field], isForGood: true) }
            left(idle)
        }
        if let over { await desk.discard(over) }
        for one in held { await hold(one) }
    }

    /// What is done to the room, or shown to all.
    private func run(_ order: RoomOrder, by id: ParticipantID) throws(RoomRefusal) {
        switch order {
        case .spotlight(let spotlight): try state.spotlight(spotlight.participants, by: id, at: .now)
        case .lock(let lock): try state.lock(lock.isOn, by: id, at: .now)
        case .switchChat(let chat): try state.switchChat(chat.isOn, by: id, at: .now)
        case .end: try end(by: id)
        case .react(let reacting): try state.react(reacting.reaction, by: id, at: .now)
        case .cast(let cast): try state.cast(cast, by: id, at: .now)
        default: preconditionFailure("only what is done to the room comes here")
        }
        wake()
    }

    private func write(_ order: RoomOrder, by id: ParticipantID) throws(RoomRefusal) {
        switch order {
        case .say(let saying):
            // In the order in which they come, also where several come within a millisecond or the clock was set back.
            let now = max(unixMilliseconds(), state.lastMessageMs + 1)
            var random = SystemRandomNumberGenerator()
            let message = ChatMessageID(ULID(unixMs: now, random: &random))
            try state.say(saying, by: id, as: message, atMs: now, at: .now)
        case .unsay(let unsaying): try state.unsay(unsaying.message, by: id, at: .now)
        case .pin(let pin): try state.pin(pin.message, pin.isPinned, by: id, at: .now)
        case .muteChat(let mute): try state.muteChat(of: mute.participant, mute.isMuted, by: id, at: .now)
        default: preconditionFailure("only what is written comes here")
        }
        wake()
    }

    /// What was written before, as far as it is theirs: that which is kept, and that which is on its way there.
    private func read(before: ChatMessageID?, text: String?, by id: ParticipantID) async throws(RoomRefusal) -> [RoomChatMessage] {
        let query = try state.query(before: before, text: text, by: id, at: .now)
        let charter = state.charter
        guard charter.keepsChat, let meeting = charter.meeting else { return state.messages(query) }
        let kept: [RoomChatMessage]
        do {
            kept = try await office.read(query, meeting, charter.organization)
        } catch {
            log.error("what was written in a meeting cannot be read", ["error": "\(error)"])
            throw RoomRefusal(.away, "what was written before cannot be read at the moment")
        }
        return try state.messages(query, with: kept, for: id)
    }

    private func end(by id: ParticipantID) throws(RoomRefusal) {
        try state.end(by: id)
        guard let meeting = state.charter.meeting else { return }
        log.notice("a host has ended a meeting", ["by": .text(id.text)])
        // Behind the answer: the room's end takes this connection too.
        Task { [office, organization = state.charter.organization] in await office.end(meeting, organization) }
    }

    /// Has the worker pass on what the state says, until it says the same; where it does not, nothing of theirs is sent at all.
    private func hold(_ id: ParticipantID) async {
        while let hold = state.hold(of: id) {
            guard await desk.hold(hold) else {
                guard state.publisher(of: id) == hold.peer else { continue }
                _ = state.ended(hold.peer, "the room's worker could not stop a part of it")
                wake()
                return await desk.discard(hold.peer)
            }
            if state.hold(of: id) == hold { return }
        }
    }

    private func publish(_ publication: RoomPublication, of id: ParticipantID) async throws(RoomRefusal) -> String {
        if let refusal = state.refusal(of: nil, by: id) { throw refusal }
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
        let sources = Dictionary(publication.tracks.map { ($0.mid, $0.source) }) { first, _ in first }
        let tracks = entry.tracks.map { RoomTrack(mid: $0.mid, kind: $0.kind, source: sources[$0.mid] ?? .other) }
        if state.refusal(of: tracks, by: id) != nil {
            if state.publisher(of: id) == entry.peer { _ = state.publish(by: nil, of: id) }
            wake()
            await desk.discard(entry.peer)
            return nil
        }
        // Where the room was closed meanwhile, nobody would close what came later.
        guard !isOver, state.published(tracks, by: entry.peer) else {
            await desk.discard(entry.peer)
            throw .outdated
        }
        if state.shown(id)?.off.isEmpty == false { await hold(id) }
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

    private func remove(_ removal: RoomRemoval, by id: ParticipantID) async throws(RoomRefusal) {
        let field = state.field(of: removal.participant)
        let seats = try state.remove(
            removal.participant, by: id, mayReturn: removal.mayReturn ?? false, at: .now, unixSeconds: unixMilliseconds() / 1000)
        if let field { tell([field], isForGood: true) }
        log.notice("somebody was sent away", ["participant": .text(removal.participant.text), "by": .text(id.text)])
        // All of them before the worker is waited for.
        for remains in seats { if let connection = remains.connection { dismiss(connection, .removed) } }
        for remains in seats { await end(remains, .removed) }
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
