package import Logging
package import Units
package import Wire

/// The rooms that somebody is in.
package actor RoomSessions {
    private let desk: RoomDesk
    private let limits: RoomState.Limits
    private let log: Log
    private var sessions: [RoomID: RoomSession] = [:]

    package init(desk: RoomDesk, limits: RoomState.Limits, log: Log) {
        self.desk = desk
        self.limits = limits
        self.log = log.part("rooms")
    }

    /// Before anybody comes.
    package func begin() async {
        await desk.follow { [weak self] room, event in await self?.heard(event, in: room) }
    }

    private func heard(_ event: RoomDesk.Event, in room: RoomID) async { await sessions[room]?.heard(event) }

    /// - Parameter pass: of somebody who comes with a page, read and good.
    /// - Throws: `.pass`, `.full`.
    func join(_ pass: RoomPass) async throws(RoomRefusal) -> RoomSession.Admission {
        guard let holder = pass.holder else { throw RoomRefusal(.pass, "this pass is a program's") }
        while true {
            let session = sessions[pass.room] ?? open(pass.room)
            if let admission = try await session.join(holder, until: pass.exp) { return admission }
            forget(session)
        }
    }

    /// - Throws: `.resume`.
    func resume(_ token: Secret) async throws(RoomRefusal) -> RoomSession.Admission {
        let room = RoomID(String(token.revealed.prefix { $0 != "." }))
        guard let session = room.flatMap({ sessions[$0] }) else {
            throw RoomRefusal(.resume, "no seat is kept under this token: join again")
        }
        return try await session.resume(token)
    }

    private func open(_ room: RoomID) -> RoomSession {
        let session = RoomSession(room, desk: desk, limits: limits, log: log) { [weak self] in await self?.forget($0) }
        sessions[room] = session
        return session
    }

    private func forget(_ session: RoomSession) {
        if sessions[session.room] === session { sessions[session.room] = nil }
    }

    /// Nobody, where nobody is in it.
    package func headcount(in room: RoomID) async -> RoomState.Headcount { await sessions[room]?.headcount ?? RoomState.Headcount() }

    /// A session of an account has ended: who came in by it is in no room any more.
    ///
    /// - Parameter session: nil: any may have.
    package func end(session: SessionID?) async {
        for room in sessions.values { await room.end(session: session) }
    }

    /// The room is no more: whoever is in it is told, and its peers are closed.
    package func close(_ room: RoomID) async {
        await sessions.removeValue(forKey: room)?.close()
        await desk.close(room)
    }
}
