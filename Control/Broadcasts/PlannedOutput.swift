package import Units
package import Wire

/// An output of a broadcast and the destination it was made from.
package struct PlannedOutput: Codable, Sendable, Hashable {
    package let id: OutputID
    package let destination: DestinationID
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
        self.name = name
        self.listener = listener
    }

    /// One that was stored before it had a name has its id for it.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(OutputID.self, forKey: .id)
        destination = try values.decode(DestinationID.self, forKey: .destination)
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
