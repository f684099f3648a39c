import Wire

/// The shapes of rooms.
extension Schemas {
    static let rooms: [String: Schema] = [
        "CreateRoomRequest": .object([.required("name", name)]),
        "Room": .object([.required("id", id), .required("name", name), .required("createdAt", time)]),
        "RoomPassRequest": .object([
            .required("use", choice(RoomUse.self)), .optional("minutes", .integer(RoomPassRequest.bounds)), .optional("name", displayName),
        ]),
        "RoomPass": .object([
            .required("url", .text(.init(length: 1...300, expectation: "an address"))),
            .required("token", .text(.init(length: 1...2000, expectation: "a token"))), .required("expiresAt", time),
        ]),
    ]
}
