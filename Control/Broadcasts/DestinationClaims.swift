import Units

/// Destinations that a broadcast is just being given, and those that are just being removed or made another kind: never one of both.
struct DestinationClaims {
    /// What is done to a destination that no broadcast can be given meanwhile.
    enum Change: Hashable, Sendable { case removal, kind }

    private var given: [DestinationID: Int] = [:]
    private var withheld: [DestinationID: Change] = [:]

    /// - Returns: one that is being changed, and how; nothing is claimed then.
    mutating func claim(_ destinations: [DestinationID]) -> (destination: DestinationID, change: Change)? {
        for destination in destinations { if let change = withheld[destination] { return (destination, change) } }
        for destination in destinations { given[destination, default: 0] += 1 }
        return nil
    }

    mutating func release(_ destinations: [DestinationID]) {
        for destination in destinations {
            let left = given[destination, default: 1] - 1
            given[destination] = left > 0 ? left : nil
        }
    }

    /// - Returns: false where a broadcast is just being given it, or it is being changed already. Else `giveBack` follows.
    mutating func withhold(_ destination: DestinationID, for change: Change) -> Bool {
        guard given[destination] == nil, withheld[destination] == nil else { return false }
        withheld[destination] = change
        return true
    }

    mutating func giveBack(_ destination: DestinationID) { withheld[destination] = nil }
}
