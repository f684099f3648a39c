package import Units
package import Wire

/// What a pass lets into a room: one output of one broadcast.
package struct RoomClaim: Sendable, Hashable {
    package let room: RoomID
    package let organization: OrganizationID
    package let broadcast: BroadcastID
    package let output: OutputID
    /// The sender's, as everybody in the room is shown it.
    package let name: String

    package init(room: RoomID, organization: OrganizationID, broadcast: BroadcastID, output: OutputID, name: String) {
        self.room = room
        self.organization = organization
        self.broadcast = broadcast
        self.output = output
        self.name = name
    }
}

/// Makes the pass.
package typealias RoomPassMaker = @Sendable (RoomClaim) throws -> Secret
