import Auth
import Crypto
import HTTP
import Meetings
import Posix
import Rooms
import Store
import Units
import Web
import Wire

/// Rooms, and the passes that let programs into them.
struct RoomRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/rooms", access: .user(.viewRooms), summary: "List the organisation's rooms",
                success: .page("Room"),
                run: { call in .list(try await parts.store.rooms(in: call.scope()).all().map(RoomView.init)) }),
            Route(
                method: .post, path: "/api/v1/rooms", access: .user(.runRooms), summary: "Make a room", body: "CreateRoomRequest",
                success: .one("Room", .created), problems: [.quota],
                run: { call in
                    let request = try call.body(CreateRoomRequest.self)
                    return .value(RoomView(try await parts.store.rooms(in: call.scope()).create(name: request.name)), .created)
                }),
            Route(
                method: .delete, path: "/api/v1/rooms/{id}", access: .user(.runRooms),
                summary: "Remove a room: whoever is in it is sent away, and its passes are good no more", success: .empty, run: remove),
            Route(
                method: .post, path: "/api/v1/rooms/{id}/passes", access: .user(.runRooms),
                summary: "A pass by which an encoder sends into the room (WHIP), a player receives from it (WHEP), or a guest joins it",
                body: "RoomPassRequest", success: .one("RoomPass", .created), run: pass),
            Route(
                method: .post, path: "/api/v1/rooms/{id}/tickets", access: .user(.joinRooms),
                summary: "A pass by which one joins the room oneself, within five minutes", success: .one("RoomPass", .created),
                run: ticket),
            Route(
                method: .get, path: "/api/v1/join", access: .open,
                summary: "The WebSocket of whoever is in a room; its first message shows a pass", success: .socket,
                problems: [.forbidden], run: join),
        ]
    }

    @Sendable private func remove(_ call: Call) async throws -> Response {
        let id: RoomID = try call.id()
        try await parts.store.rooms(in: call.scope()).remove(id)
        await parts.sessions.close(id)
        return .empty
    }

    @Sendable private func pass(_ call: Call) async throws -> Response {
        let request = try call.body(RoomPassRequest.self)
        let room = try await parts.store.rooms(in: call.scope()).findOwn(call.id())
        let end = parts.store.now + .seconds((request.minutes ?? RoomPassRequest.standardMinutes) * 60)
        let pass = RoomPass(
            room: room.id, organization: room.organization, use: request.use, exp: end.unixSeconds, holder: Self.holder(request))
        return try show(pass, until: end)
    }

    /// A guest, or an encoder that has a name: without one it is no participant, and whoever plays the room gets it (WHEP).
    private static func holder(_ request: RoomPassRequest) -> RoomPass.Holder? {
        let id = RoomPass.Holder.freshID()
        switch request.use {
        case .join: return RoomPass.Holder(id: id, name: request.name ?? "Guest", role: .guest, account: nil)
        case .publish:
            return request.name.map { name in
                RoomPass.Holder(id: id, name: name, role: .member, account: nil, standing: .participant, kind: .encoder)
            }
        case .play: return nil
        }
    }

    private func show(_ pass: RoomPass, until end: Timestamp) throws -> Response {
        .secret(try parts.view(of: pass, until: end), .created)
    }

    // MARK: People

    /// How long one may come in by a pass of one's own; being in is no matter of the pass.
    private static let ticketTime = Duration.seconds(300)

    @Sendable private func ticket(_ call: Call) async throws -> Response {
        let principal = try call.caller()
        let room = try await parts.store.rooms(in: call.scope()).findOwn(call.id())
        let end = parts.store.now + Self.ticketTime
        let holder = RoomPass.Holder(
            id: RoomPass.Holder.freshID(), name: principal.user.displayName, role: principal.may(.runRooms) ? .host : .member,
            account: RoomPass.Account(user: principal.user.id, session: try principal.session.id))
        return try show(
            RoomPass(room: room.id, organization: room.organization, use: .join, exp: end.unixSeconds, holder: holder), until: end)
    }

    /// A page of ours alone: the pass is in its first message, and in no address.
    @Sendable private func join(_ call: Call) async throws -> Response {
        try parts.checkOrigin(of: call.request)
        return .upgrade(options: RoomDoor.webSocket) { [parts] socket in
            await parts.roomDoor.serve(socket) { pass in
                // try?: a room or a session that cannot be looked up lets nobody in.
                (try? await parts.confirm(pass)) != nil
            }
        }
    }
}

extension RoomView {
    init(_ room: Room) { self.init(id: room.id, name: room.name, createdAt: room.createdAt.text) }
}

extension RoomPass.Holder {
    static func freshID() -> String { Base64URL.encode(randomBytes(16)) }
}

extension Gateway.Parts {
    /// A pass as whoever gets it is given it.
    func view(of pass: RoomPass, until end: Timestamp) throws -> RoomPassView {
        let path =
            switch pass.use {
            case .publish: "whip/\(pass.room)"
            case .play: "whep/\(pass.room)"
            case .join: "api/v1/join"
            }
        return RoomPassView(url: "\(origins[0])/\(path)", token: try passes.text(of: pass).revealed, expiresAt: end.text)
    }

    /// Whether the room of a pass is there, and the session of its holder's account, and whether they are what it says still.
    ///
    /// - Throws: `.missing`, `.notAuthenticated`.
    func confirm(_ pass: RoomPass) async throws {
        _ = try await store.rooms(in: OrganizationScope(pass.organization, by: .system)).find(pass.room)
        guard let holder = pass.holder, let account = holder.account else { return }
        try await gate.confirm(session: account.session, of: account.user)
        let most = try await standing(of: account.user, in: pass.room, of: pass.organization)
        guard holder.meetingRole <= most else { throw StoreError.missing("pass") }
    }

    /// What a user is in a room by right, by the role that they have now.
    ///
    /// - Throws: `.missing` for a user who is not there or shut out.
    func standing(of id: UserID, in room: RoomID, of organization: OrganizationID) async throws -> MeetingRole {
        guard let user = try await store.identities.activeUser(id, of: organization) else { throw StoreError.missing("user") }
        let meetings = store.meetings(in: OrganizationScope(organization, by: .system))
        guard let meeting = try await meetings.find(in: room) else {
            return Policy.allows(user.role, .runRooms) ? .host : .participant
        }
        let hostsRunAll = try await meetings.levels(of: meeting.settings).effective.hostsRunAll
        return Seat(of: .user(user.role, isCreator: meeting.createdBy == id), in: meeting.type, hostsRunAll: hostsRunAll).role
    }

    /// Has whoever's session ends leave the rooms, and who is made less be less in them, until cancelled.
    func followSessionsOfRooms() async {
        while !Task.isCancelled {
            for await revocation in gate.revocations() {
                switch revocation {
                case .session(let session): await sessions.end(session: session)
                case .role(let user):
                    await sessions.review(user) { room, organization in
                        // try?: who cannot be looked up is in no room.
                        try? await standing(of: user, in: room, of: organization)
                    }
                }
            }
            guard !Task.isCancelled else { return }
            // It has lost count.
            await sessions.end(session: nil)
        }
    }
}
