import Fleet
import Units
import Wire

/// Picks the pool host for a new stream: the one with the most room, by what hosts offer and what is already promised.
actor HostChoice {
    enum Choice: Sendable, Hashable {
        case host(DeviceID)
        case none(reason: String)
    }

    private let fleet: Roster
    /// Streams promised to each host, from the choice until the broadcast is over.
    private var promised: [DeviceID: Set<BroadcastID>] = [:]

    init(fleet: Roster) { self.fleet = fleet }

    func choose(for broadcast: BroadcastID) async -> Choice {
        let offers = await fleet.onlineHosts.map { Offer(host: $0.key, capacity: $0.value.capacity, taken: promised[$0.key]?.count ?? 0) }
        let choice = Self.choose(offers)
        if case .host(let host) = choice { promised[host, default: []].insert(broadcast) }
        return choice
    }

    /// A broadcast that control found again after its restart.
    func keep(_ broadcast: BroadcastID, on host: DeviceID) { promised[host, default: []].insert(broadcast) }

    func free(_ broadcast: BroadcastID) {
        for host in promised.keys { promised[host]?.remove(broadcast) }
    }

    func streams(on host: DeviceID) -> Int { promised[host]?.count ?? 0 }

    struct Offer: Hashable, Sendable {
        var host: DeviceID
        var capacity: Int
        var taken: Int
    }

    /// The emptiest host by share; equal ones in the order of their ids.
    static func choose(_ offers: [Offer]) -> Choice {
        guard !offers.isEmpty else { return .none(reason: "no pool host is connected") }
        let free = offers.filter { $0.taken < $0.capacity }
        func share(_ offer: Offer) -> Double { Double(offer.taken) / Double(offer.capacity) }
        guard let best = free.min(by: { (share($0), $0.host) < (share($1), $1.host) }) else {
            let taken = offers.reduce(0) { $0 + $1.taken }
            let capacity = offers.reduce(0) { $0 + $1.capacity }
            return .none(reason: "every pool host is full: \(taken) of \(capacity) streams are in use")
        }
        return .host(best.host)
    }
}
