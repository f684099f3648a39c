import SQLite
package import Units
package import Wire

/// A room: where people meet, and where encoders send to.
package struct Room: Sendable, Hashable, OrganizationRow {
    package let id: RoomID
    package let organization: OrganizationID
    package let name: String
    package let createdAt: Timestamp

    static var table: OrganizationTable { .rooms }

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        organization = try row["organization"]
        name = try row["name"]
        createdAt = try row["created_at"]
    }
}

/// The rooms of one organisation. Those of its meetings are in no list and nobody's to remove: who comes into one is the meeting's to say.
package struct Rooms: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    /// Of no meeting.
    private var own: SQL {
        "id NOT IN (SELECT room FROM meetings WHERE organization = \(scope.organization) AND room IS NOT NULL)"
    }

    package func all() async throws -> [Room] {
        try await store.read { try $0.rows(Room.self, in: scope, where: own, order: "created_at, id") }
    }

    /// Of meetings too.
    package func ids() async throws -> [RoomID] { try await store.read { try $0.rows(Room.self, in: scope).map(\.id) } }

    /// Whichever it is.
    ///
    /// - Throws: `.missing`.
    package func find(_ id: RoomID) async throws -> Room {
        try await store.read { try $0.row(Room.self, in: scope, where: "id = \(id)", or: "room") }
    }

    /// One of no meeting.
    ///
    /// - Throws: `.missing`.
    package func findOwn(_ id: RoomID) async throws -> Room {
        try await store.read { try $0.row(Room.self, in: scope, where: "id = \(id) AND \(part: own)", or: "room") }
    }

    /// - Throws: `.invalid`, `.quota`.
    package func create(name: String) async throws -> Room {
        let name = try checked(name, "room.name", upTo: 100)
        return try await store.write(.durable) { transaction in
            try transaction.admit(.rooms, of: .rooms, where: own, by: store.quotas, in: scope)
            let id: RoomID = transaction.newID()
            try transaction.insert(into: .rooms, in: scope, ["id": id, "name": name, "created_at": transaction.now])
            try transaction.note(.roomCreated, id.text, detail: name, in: scope)
            return try transaction.row(Room.self, in: scope, where: "id = \(id)", or: "room")
        }
    }

    /// - Throws: `.missing`.
    package func remove(_ id: RoomID) async throws {
        try await store.write(.durable) { transaction in
            let room = try transaction.row(Room.self, in: scope, where: "id = \(id) AND \(part: own)", or: "room")
            try transaction.delete(from: .rooms, in: scope, where: "id = \(id)")
            try transaction.note(.roomRemoved, id.text, detail: room.name, in: scope)
        }
    }
}

extension ControlStore {
    package func rooms(in scope: OrganizationScope) -> Rooms { Rooms(store: self, scope: scope) }
}
