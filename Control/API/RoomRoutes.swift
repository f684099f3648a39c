import HTTP
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
                summary: "A pass by which an encoder sends into the room (WHIP), or a player receives from it (WHEP)",
                body: "RoomPassRequest", success: .one("RoomPass", .created), run: pass),
        ]
    }

    @Sendable private func remove(_ call: Call) async throws -> Response {
        let id: RoomID = try call.id()
        try await parts.store.rooms(in: call.scope()).remove(id)
        await parts.rooms.close(id)
        return .empty
    }

    @Sendable private func pass(_ call: Call) async throws -> Response {
        let request = try call.body(RoomPassRequest.self)
        let room = try await parts.store.rooms(in: call.scope()).findOwn(call.id())
        let end = parts.store.now + .seconds((request.minutes ?? RoomPassRequest.standardMinutes) * 60)
        let pass = RoomPass(room: room.id, organization: room.organization, use: request.use, exp: end.unixSeconds)
        let door = request.use == .publish ? "whip" : "whep"
        return .secret(
            RoomPassView(
                url: "\(parts.origins[0])/\(door)/\(room.id)", token: try parts.passes.text(of: pass).revealed, expiresAt: end.text),
            .created)
    }
}

extension RoomView {
    init(_ room: Room) { self.init(id: room.id, name: room.name, createdAt: room.createdAt.text) }
}
