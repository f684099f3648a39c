import Fleet
import Posix
import Units
import Wire

/// Picks the pool host for a new stream: the one with the most room, by what hosts offer and what is already promised.
actor HostChoice {
    enum Choice: Sendable, Hashable {
        case host(DeviceID)
        /// - waitMs: for how long one may still come.
        case none(reason: String, waitMs: Int64 = 0)
    }

    private let fleet: Roster
    /// Streams promised to each host, from the choice until the broadcast is over.
    private var promised: [DeviceID: Set<BroadcastID>] = [:]
    /// When each host last did not take a stream: for a minute it is asked after the others.
    private var refusals: [DeviceID: Instant] = [:]
    private var patience: HostPatience

    /// - Parameter began: when control did: its hosts are on their way.
    init(fleet: Roster, began: Instant = .now) {
        self.fleet = fleet
        patience = HostPatience(began: began)
    }

    /// - Parameter refusing: those that it was not taken by.
    func choose(for broadcast: BroadcastID, except refusing: Set<DeviceID> = []) async -> Choice {
        let online = await fleet.onlineHosts
        if let lost = await fleet.hostLostAt { patience.lost(at: lost) }
        let hosts = online.filter { !refusing.contains($0.key) }
        free(broadcast)
        let offers = hosts.map { host, offer in
            let isIll = refusals[host].map { Instant.now - $0 < .seconds(60) } ?? false
            return Offer(host: host, capacity: offer.capacity, taken: promised[host]?.count ?? 0, isIll: isIll)
        }
        switch Self.choose(offers) {
        case .host(let host):
            promised[host, default: []].insert(broadcast)
            return .host(host)
        // One that is there has said what it can do: nobody else is known of.
        case .none(let reason, _): return .none(reason: reason, waitMs: online.isEmpty ? patience.leftMs(at: .now) : 0)
        }
    }

    /// A broadcast that control found again after its restart.
    func keep(_ broadcast: BroadcastID, on host: DeviceID) { promised[host, default: []].insert(broadcast) }

    func refused(by host: DeviceID) { refusals[host] = .now }

    func free(_ broadcast: BroadcastID) {
        for host in promised.keys { promised[host]?.remove(broadcast) }
    }

    func streams(on host: DeviceID) -> Int { promised[host]?.count ?? 0 }

    struct Offer: Hashable, Sendable {
        var host: DeviceID
        var capacity: Int
        var taken: Int
        var isIll = false
    }

    /// The emptiest host by share, one that refused lately after the others; equal ones in the order of their ids.
    static func choose(_ offers: [Offer]) -> Choice {
        guard !offers.isEmpty else { return .none(reason: "no pool host is connected") }
        let free = offers.filter { $0.taken < $0.capacity }
        func place(_ offer: Offer) -> (Int, Double, DeviceID) {
            (offer.isIll ? 1 : 0, Double(offer.taken) / Double(offer.capacity), offer.host)
        }
        guard let best = free.min(by: { place($0) < place($1) }) else {
            let taken = offers.reduce(0) { $0 + $1.taken }
            let capacity = offers.reduce(0) { $0 + $1.capacity }
            return .none(reason: "every pool host is full: \(taken) of \(capacity) streams are in use")
        }
        return .host(best.host)
    }
}
