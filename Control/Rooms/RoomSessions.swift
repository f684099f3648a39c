package import Logging
import Posix
package import Units
package import Wire

/// The rooms that somebody is in.
package actor RoomSessions {
    private let desk: RoomDesk
    private let limits: RoomState.Limits
    private let log: Log
    private nonisolated let attended = Guarded<RoomOffice?>(nil)
    private var sessions: [RoomID: RoomSession] = [:]
    /// Of meetings in which nobody is any more: they end with them.
    private var lapses: [RoomID: Task<Void, Never>] = [:]
    /// Of meetings that end by their own length (MTG-49).
    private var terms: [RoomID: Task<Void, Never>] = [:]

    package init(desk: RoomDesk, limits: RoomState.Limits, log: Log) {
        self.desk = desk
        self.limits = limits
        self.log = log.part("rooms")
    }

    /// Who is asked for what is decided outside of rooms, before anybody comes.
    package nonisolated func attend(_ office: RoomOffice) { attended.withLock { $0 = office } }

    private var office: RoomOffice? { attended.withLock { $0 } }

    /// Before anybody comes.
    package func begin() async {
        await desk.follow { [weak self] room, event in await self?.heard(event, in: room) }
        guard let office else { return }
        for left in await office.abandoned() {
            guard let charter = await office.charter(left.room, left.organization) else { continue }
            // A live broadcast that has come back keeps no meeting going.
            guard await headcount(in: left.room).all == 0 else { continue }
            // Who was in it has as long as after a connection that was lost.
            lapse(left.room, charter, office, after: limits.grace + .seconds(charter.options.keepAliveSeconds))
        }
    }

    private func heard(_ event: RoomDesk.Event, in room: RoomID) async { await sessions[room]?.heard(event) }

    /// - Parameter pass: of somebody who comes with a page, read and good.
    /// - Throws: `.pass`, `.locked`, `.full`, `.limited`.
    func join(_ pass: RoomPass) async throws(RoomRefusal) -> RoomSession.Admission {
        guard let holder = pass.holder else { throw RoomRefusal(.pass, "this pass is a program's") }
        while true {
            let session = try await opened(for: pass)
            if let admission = try await session.join(holder, until: pass.exp) {
                lapses.removeValue(forKey: pass.room)?.cancel()
                return admission
            }
            forget(session)
        }
    }

    /// Lets a live broadcast, or an encoder with a name, into the room of its pass.
    ///
    /// - Parameter offer: SDP.
    package func enter(_ pass: RoomPass, offer: String) async throws(FieldRefusal) -> RoomDesk.Entry {
        guard let holder = pass.holder, holder.kind != nil else { throw .room(RoomRefusal(.pass, "this pass is a person's")) }
        while true {
            let session: RoomSession
            do throws(RoomRefusal) {
                session = try await opened(for: pass)
            } catch {
                throw .room(error)
            }
            if let entry = try await session.enter(holder, until: pass.exp, offer: offer) { return entry }
            forget(session)
        }
    }

    /// A program has ended its session: where it was a participant, it is in the room no more.
    package func left(_ peer: PeerID, in room: RoomID) async { await sessions[room]?.left(sendingBy: peer) }

    /// A live broadcast does not have this output any more, whatever becomes of who sends for it.
    package func dismiss(_ output: OutputID) async {
        for session in sessions.values { await session.dismiss(output) }
    }

    private func opened(for pass: RoomPass) async throws(RoomRefusal) -> RoomSession {
        if let there = sessions[pass.room] { return there }
        guard let office, let charter = await office.charter(pass.room, pass.organization) else {
            throw RoomRefusal(.pass, "this pass lets nobody in: it is over, or its room is no more")
        }
        var talk: [RoomState.Saying] = []
        if charter.keepsChat, let meeting = charter.meeting {
            talk = await office.recall(meeting, pass.organization, limits.recalled)
        }
        return sessions[pass.room] ?? open(pass.room, charter, talk, office)
    }

    /// - Throws: `.resume`.
    func resume(_ token: Secret) async throws(RoomRefusal) -> RoomSession.Admission {
        let room = RoomID(String(token.revealed.prefix { $0 != "." }))
        guard let session = room.flatMap({ sessions[$0] }) else {
            throw RoomRefusal(.resume, "no seat is kept under this token: join again")
        }
        return try await session.resume(token)
    }

    private func open(_ room: RoomID, _ charter: RoomCharter, _ talk: [RoomState.Saying], _ office: RoomOffice) -> RoomSession {
        let session = RoomSession(room, charter, talk, desk: desk, office: office, limits: limits, log: log) {
            [weak self] session, charter, isOver in
            await self?.vacated(session, charter, isOver)
        }
        sessions[room] = session
        limit(room, charter)
        return session
    }

    /// Ends a room's meeting when its time is over, whoever is in it; pages are told when that is.
    private func limit(_ room: RoomID, _ charter: RoomCharter) {
        terms.removeValue(forKey: room)?.cancel()
        guard let meeting = charter.meeting, let end = charter.endsAtMs, let office else { return }
        terms[room] = Task {
            let left = Duration.milliseconds(end - unixMilliseconds())
            // try?: cancelled with the room, or for another end.
            guard (try? await Task.sleep(for: max(.zero, left))) != nil else { return }
            await office.end(meeting, charter.organization)
        }
    }

    private func forget(_ session: RoomSession) {
        if sessions[session.room] === session { sessions[session.room] = nil }
    }

    /// Nobody is in a room any more: its meeting goes on for a while, for whoever comes again (MTG-11).
    private func vacated(_ session: RoomSession, _ charter: RoomCharter, _ isOver: Bool) {
        let isCurrent = sessions[session.room] === session
        if isOver { forget(session) }
        guard isCurrent, let office else { return }
        lapse(session.room, charter, office, after: .seconds(charter.options.keepAliveSeconds))
    }

    /// Ends a room's meeting unless somebody comes in time.
    private func lapse(_ room: RoomID, _ charter: RoomCharter, _ office: RoomOffice, after time: Duration) {
        guard let meeting = charter.meeting, lapses[room] == nil else { return }
        lapses[room] = Task { [weak self] in
            // try?: cancelled where somebody has come.
            guard (try? await Task.sleep(for: time)) != nil else { return }
            guard await self?.isOver(room) == true else { return }
            await office.end(meeting, charter.organization)
        }
    }

    private func isOver(_ room: RoomID) async -> Bool {
        lapses[room] = nil
        return await headcount(in: room).all == 0
    }

    /// What holds in an organisation's rooms has been decided anew.
    package func renew(of organization: OrganizationID) async {
        guard let office else { return }
        for session in sessions.values {
            guard await session.charter.organization == organization else { continue }
            guard let charter = await office.charter(session.room, organization) else { continue }
            await session.adopt(charter)
            // Where it is over meanwhile, nothing is to be ended later.
            if sessions[session.room] === session { limit(session.room, charter) }
        }
    }

    /// Whether a host has locked it.
    package func isLocked(_ room: RoomID) async -> Bool { await sessions[room]?.isLocked ?? false }

    /// Nobody, where nobody is in it.
    package func headcount(in room: RoomID) async -> RoomState.Headcount { await sessions[room]?.headcount ?? RoomState.Headcount() }

    /// Everybody who is in it, by their names.
    package func people(in room: RoomID) async -> [RoomState.Person] { await sessions[room]?.people ?? [] }

    /// How many are in all of them.
    package func everybody() async -> Int {
        var count = 0
        for session in sessions.values {
            let here = await session.headcount.all
            count += here
        }
        return count
    }

    /// A session of an account has ended: who came in by it is in no room any more.
    ///
    /// - Parameter session: nil: any may have.
    package func end(session: SessionID?) async {
        for room in sessions.values { await room.end(session: session) }
    }

    /// A user's role has changed: where they are more than it gives them, they are so no more.
    ///
    /// - Parameter standing: what they are in an organisation's room by right; nil where nobody knows: they are in none then.
    package func review(_ user: UserID, _ standing: @escaping @Sendable (RoomID, OrganizationID) async -> MeetingRole?) async {
        for room in sessions.values { await room.review(user, standing) }
    }

    /// The room is no more: whoever is in it is told, and its peers are closed.
    package func close(_ room: RoomID) async {
        lapses.removeValue(forKey: room)?.cancel()
        terms.removeValue(forKey: room)?.cancel()
        await sessions.removeValue(forKey: room)?.close()
        await desk.close(room)
    }
}
