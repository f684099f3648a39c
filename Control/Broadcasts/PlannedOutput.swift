package import Units
package import Wire

/// An output of a broadcast and the destination it was made from.
package struct PlannedOutput: Codable, Sendable, Hashable {
    package let id: OutputID
    /// Of one that goes into a room: an id of the room's own text, which is no destination's.
    package let destination: DestinationID
    /// The room that it goes into; nil for a destination's.
    package let room: RoomID?
    /// What its organisation calls the destination: what people are told of the output by.
    package internal(set) var name: String
    /// Its destination is elsewhere than where it is connected to.
    var isElsewhere = false
    /// The port of the receiver's host that it asks for; nil where it is no SRT listener.
    private(set) var listener: ListenerPlace?
    /// Where it listens until it follows its destination.
    private var listenerBefore: ListenerPlace?

    package init(id: OutputID, destination: DestinationID, name: String, listener: ListenerPlace? = nil) {
        self.id = id
        self.destination = destination
        room = nil
        self.name = name
        self.listener = listener
    }

    /// - Parameter name: of the room.
    package init(id: OutputID, room: RoomID, name: String) {
        self.id = id
        destination = Self.place(of: room)
        self.room = room
        self.name = name
        listener = nil
    }

    /// What stands for a room where an output's destination is named.
    static func place(of room: RoomID) -> DestinationID { DestinationID(room.ulid) }

    /// One that was stored before it had a name has its id for it.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(OutputID.self, forKey: .id)
        destination = try values.decode(DestinationID.self, forKey: .destination)
        room = try values.decodeIfPresent(RoomID.self, forKey: .room)
        name = try values.decodeIfPresent(String.self, forKey: .name) ?? id.text
        // One that was stored before this was is taken to be where its destination is.
        isElsewhere = try values.decodeIfPresent(Bool.self, forKey: .isElsewhere) ?? false
        // And what it holds is known to its host alone.
        listener = try values.decodeIfPresent(ListenerPlace.self, forKey: .listener)
        listenerBefore = try values.decodeIfPresent(ListenerPlace.self, forKey: .listenerBefore)
    }

    /// The ports that it keeps others from.
    var heldPlaces: [ListenerPlace] { [listener, isElsewhere ? listenerBefore : nil].compactMap(\.self) }

    /// Its destination has gone elsewhere.
    ///
    /// - Parameter isConnected: where it was before, and stays for now.
    mutating func follow(to listener: ListenerPlace?, isConnected: Bool) {
        // One that moves again before it has followed is still where it was first.
        if isConnected, !isElsewhere { listenerBefore = self.listener }
        if isConnected { isElsewhere = true }
        self.listener = listener
    }
}
