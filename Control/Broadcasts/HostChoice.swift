import Fleet
import Posix
import Units
import Wire

/// Picks the pool host for a new stream: the one with the most room, by what hosts offer and what is already promised, among those that
/// its sender reaches.
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

    /// What rehearsals leave of all hosts together: a show must never be refused for one.
    static let kept = 1

    /// - Parameters:
    ///   - refusing: those that it was not taken by, or is taken from.
    ///   - families: the kinds of addresses that its sender reaches; nil where nobody knows.
    ///   - keeping: places that have to be left afterwards.
    func choose(
        for broadcast: BroadcastID, except refusing: Set<DeviceID> = [], reachableBy families: Set<SocketAddress.Family>? = nil,
        keeping: Int = 0
    ) async -> Choice {
        let online = await fleet.onlineHosts
        let (loads, draining) = (await fleet.loads, await fleet.draining)
        if let lost = await fleet.hostLostAt { patience.lost(at: lost) }
        free(broadcast)
        let offers = online.filter { !refusing.contains($0.key) }.map { host, hello in
            let isIll = refusals[host].map { Instant.now - $0 < .seconds(60) } ?? false
            return Offer(
                host: host, capacity: hello.capacity, taken: promised[host]?.count ?? 0, isIll: isIll, cpuPercent: loads[host] ?? 0,
                isDraining: draining.contains(host), families: hello.families)
        }
        switch Self.choose(offers, reachableBy: families, keeping: keeping) {
        case .host(let host):
            promised[host, default: []].insert(broadcast)
            return .host(host)
        // One that is there and could be used has said what it can do: nobody else is known of.
        case .none(let reason, _):
            let isAnyFit = online.contains { !draining.contains($0.key) && Offer.reaches($0.value.families, families) }
            return .none(reason: reason, waitMs: isAnyFit ? 0 : patience.leftMs(at: .now))
        }
    }

    /// A host for something short that is no stream: the one with the fewest of those, though it may be full of them.
    var emptiest: DeviceID? {
        get async {
            let (online, draining) = (await fleet.onlineHosts, await fleet.draining)
            return online.keys.filter { !draining.contains($0) }.min { (streams(on: $0), $0) < (streams(on: $1), $1) }
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
        /// Of all its processors, whatever with; 0 where it does not tell.
        var cpuPercent = 0
        var isDraining = false
        /// Of its addresses; nil: a name, which may have any.
        var families: Set<SocketAddress.Family>?

        static func reaches(_ host: Set<SocketAddress.Family>?, _ sender: Set<SocketAddress.Family>?) -> Bool {
            guard let host, let sender else { return true }
            return !host.isDisjoint(with: sender)
        }
    }

    /// The emptiest host, one that refused lately after the others; equal ones in the order of their ids. How full a host is is what it
    /// has more of: streams of those that it takes, or work of its processors, which others may have given it.
    static func choose(_ offers: [Offer], reachableBy families: Set<SocketAddress.Family>? = nil, keeping: Int = 0) -> Choice {
        guard !offers.isEmpty else { return .none(reason: "no pool host is connected") }
        let staying = offers.filter { !$0.isDraining }
        guard !staying.isEmpty else { return .none(reason: "every pool host that is connected is being drained") }
        let reachable = staying.filter { Offer.reaches($0.families, families) }
        guard !reachable.isEmpty else { return .none(reason: unreachable(by: families ?? [])) }
        func place(_ offer: Offer) -> (Int, Double, DeviceID) {
            (offer.isIll ? 1 : 0, max(Double(offer.taken) / Double(offer.capacity), Double(offer.cpuPercent) / 100), offer.host)
        }
        guard let best = reachable.filter({ $0.taken < $0.capacity }).min(by: { place($0) < place($1) }) else {
            let taken = reachable.reduce(0) { $0 + $1.taken }
            let capacity = reachable.reduce(0) { $0 + $1.capacity }
            return .none(reason: "every pool host is full: \(taken) of \(capacity) streams are in use")
        }
        let free = reachable.reduce(0) { $0 + max(0, $1.capacity - $1.taken) }
        guard free > keeping else {
            return .none(reason: "the last \(keeping == 1 ? "place" : "\(keeping) places") of the pool is kept for broadcasts")
        }
        return .host(best.host)
    }

    private static func unreachable(by families: Set<SocketAddress.Family>) -> String {
        let own = families == [.ipv4] ? "IPv4" : "IPv6"
        return "no pool host has an address that the sender reaches: its links have \(own) only, and the hosts do not"
    }
}
