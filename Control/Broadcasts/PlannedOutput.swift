package import Units

/// An output of a broadcast and the destination it was made from.
package struct PlannedOutput: Codable, Sendable, Hashable {
    package let id: OutputID
    package let destination: DestinationID
    /// What its organisation calls the destination: what people are told of the output by.
    package internal(set) var name: String
    /// Its destination is elsewhere than where it is connected to.
    var isElsewhere = false

    package init(id: OutputID, destination: DestinationID, name: String) {
        self.id = id
        self.destination = destination
        self.name = name
    }

    /// One that was stored before it had a name has its id for it.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(OutputID.self, forKey: .id)
        destination = try values.decode(DestinationID.self, forKey: .destination)
        name = try values.decodeIfPresent(String.self, forKey: .name) ?? id.text
        // One that was stored before this was is taken to be where its destination is.
        isElsewhere = try values.decodeIfPresent(Bool.self, forKey: .isElsewhere) ?? false
    }
}
