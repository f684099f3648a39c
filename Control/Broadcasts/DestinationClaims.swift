import Units

/// Destinations that a broadcast is just being given, and those that are just being removed: never one of both kinds.
struct DestinationClaims {
    private var given: [DestinationID: Int] = [:]
    private var removed: Set<DestinationID> = []

    /// - Returns: one that is being removed, and nothing is claimed then.
    mutating func claim(_ destinations: [DestinationID]) -> DestinationID? {
        if let gone = destinations.first(where: removed.contains) { return gone }
        for destination in destinations { given[destination, default: 0] += 1 }
        return nil
    }

    mutating func release(_ destinations: [DestinationID]) {
        for destination in destinations {
            let left = given[destination, default: 1] - 1
            given[destination] = left > 0 ? left : nil
        }
    }

    /// - Returns: false where a broadcast is just being given it.
    mutating func remove(_ destination: DestinationID) -> Bool {
        guard given[destination] == nil else { return false }
        removed.insert(destination)
        return true
    }

    mutating func endRemoval(_ destination: DestinationID) { removed.remove(destination) }
}
