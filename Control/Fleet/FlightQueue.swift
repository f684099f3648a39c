import Units
import Wire

/// The flight records that wait to be stored: so much of each sender's and so much in all, events before samples. Opens nothing.
struct FlightQueue {
    /// Whose share they take.
    struct Place: Hashable {
        let organization: OrganizationID
        let sender: DeviceID
        let source: FlightRecord.Source
    }

    /// Records of one broadcast that are stored together.
    struct Part {
        let place: Place
        let broadcast: BroadcastID
        let records: [FlightRecord]
    }

    private struct Share {
        var entries: [(broadcast: BroadcastID, record: FlightRecord)] = []
        var cost = 0
    }

    private var shares: [Place: Share] = [:]
    /// Those that have something, the next one first.
    private var order: [Place] = []
    private var cost = 0
    private(set) var waiting = 0
    private(set) var dropped = 0

    /// In bytes: a sender's samples of an hour and its events, or what happens to a broadcast in a day.
    static let shareLimit = 2 << 20
    static let limit = 64 << 20
    /// Samples stop before events do.
    private static func room(of limit: Int, for record: FlightRecord) -> Int { record.entry.sample == nil ? limit : limit / 4 * 3 }

    /// About what a record takes in memory.
    static func cost(of record: FlightRecord) -> Int {
        let links = record.entry.sample.map { 600 + $0.links.reduce(0) { $0 + 300 + ($1.reason?.utf8.count ?? 0) } } ?? 0
        return 200 + (record.entry.reason?.utf8.count ?? 0) + links
    }

    mutating func add(_ records: [FlightRecord], of broadcast: BroadcastID, at place: Place) {
        var share = shares.removeValue(forKey: place) ?? Share()
        if share.entries.isEmpty, !records.isEmpty { order.append(place) }
        for record in records {
            let added = Self.cost(of: record)
            guard share.cost + added <= Self.room(of: Self.shareLimit, for: record), cost + added <= Self.room(of: Self.limit, for: record)
            else {
                dropped += 1
                continue
            }
            share.entries.append((broadcast, record))
            share.cost += added
            cost += added
            waiting += 1
        }
        keep(share, at: place)
    }

    /// The next records of one broadcast, whoever's turn it is; nil where nothing waits.
    mutating func take(_ limit: Int) -> Part? {
        guard let place = order.first, var share = shares.removeValue(forKey: place), let first = share.entries.first else { return nil }
        let taken = share.entries.prefix(limit).prefix { $0.broadcast == first.broadcast }.map { $0.record }
        share.entries.removeFirst(taken.count)
        order.removeFirst()
        if !share.entries.isEmpty { order.append(place) }
        change(&share, by: taken, sign: -1)
        keep(share, at: place)
        return Part(place: place, broadcast: first.broadcast, records: taken)
    }

    /// It could not be stored: it comes first again within its share, and after the others, since it may be the one that fails. Nothing of it is dropped:
    /// it had room before.
    mutating func giveBack(_ part: Part) {
        var share = shares.removeValue(forKey: part.place) ?? Share()
        if share.entries.isEmpty { order.append(part.place) }
        share.entries.insert(contentsOf: part.records.map { (broadcast: part.broadcast, record: $0) }, at: 0)
        change(&share, by: part.records, sign: 1)
        keep(share, at: part.place)
    }

    private mutating func change(_ share: inout Share, by records: [FlightRecord], sign: Int) {
        let changed = sign * records.reduce(0) { $0 + Self.cost(of: $1) }
        share.cost += changed
        cost += changed
        waiting += sign * records.count
    }

    private mutating func keep(_ share: Share, at place: Place) {
        shares[place] = share.entries.isEmpty ? nil : share
        if share.entries.isEmpty { order.removeAll { $0 == place } }
    }
}
