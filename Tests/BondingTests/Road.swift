import BondWire
import Bonding

/// A receiver and roads without queue for tests of single rules: a datagram arrives after the road's delay, and reports come when
/// they are asked for.
struct Road {
    static let offset: Microseconds = 5_000_000_000

    var bond: Bond
    var now: Microseconds = 1_000_000
    var delays: [Int: Microseconds]
    /// Links over which nothing comes.
    var dead: Set<Int> = []
    /// Link sequence numbers that are lost, by link.
    var losses: [Int: Set<UInt64>] = [:]
    private(set) var sent: [Transmission] = []
    private(set) var arrived: Set<PacketNumber> = []
    private var sequences: [Int: UInt64] = [:]
    private var arrivals: [Int: [LinkArrivals.Arrival]] = [:]
    private var pending: [(due: Microseconds, link: Int, sequence: UInt64, content: Transmission.Content)] = []

    init(_ settings: BondSettings, delays: [Int: Microseconds], traits: (Int) -> LinkTraits = Road.traits) {
        bond = Bond(settings)
        self.delays = delays
        for link in delays.keys.sorted() { bond.linkUp(Road.number(link), traits(link), at: now) }
    }

    static func traits(_ link: Int) -> LinkTraits { LinkTraits(packetLimit: 1400, overhead: 57, roundTrip: 60_000) }

    static func number(_ link: Int) -> LinkNumber {
        guard let number = LinkNumber(link) else { fatalError("no link \(link)") }
        return number
    }

    mutating func offer(_ count: Int, importance: Importance = .normal, bytes: Int = 1328) {
        for _ in 0..<count { _ = bond.offer(bytes: bytes, importance: importance, at: now) }
        pump()
    }

    mutating func pump() {
        while let next = bond.next(at: now) {
            let link = Int(next.link.value)
            let sequence = sequences[link, default: 0]
            sequences[link] = sequence + 1
            bond.sent(next, sequence: sequence, at: now)
            sent.append(next)
            guard !dead.contains(link), losses[link]?.contains(sequence) != true, let delay = delays[link] else { continue }
            pending.append((now + delay, link, sequence, next.content))
        }
    }

    /// Lets time pass in ticks of 5 ms, with a report of all links each 50 ms that takes 30 ms.
    mutating func pass(_ ms: Int, reports: Bool = true) {
        for _ in 0..<ms / 5 {
            now += 5_000
            bond.advance(to: now)
            pump()
            if reports, now / 5_000 % 10 == 0 { report() }
        }
    }

    /// What the receiver would have said 30 ms ago.
    func reported() -> Report {
        var all = arrivals
        for item in pending where item.due <= now - 30_000 {
            all[item.link, default: []].append(.init(sequence: item.sequence, at: item.due + Road.offset))
        }
        return Report(
            sentAt: now - 30_000 + Road.offset,
            links: delays.keys.sorted().map { LinkArrivals(link: Road.number($0), arrivals: all[$0] ?? []) })
    }

    mutating func report() {
        let report = reported()
        for item in pending where item.due <= now - 30_000 {
            arrivals[item.link, default: []].append(.init(sequence: item.sequence, at: item.due + Road.offset))
            if case .media(let number, _) = item.content { arrived.insert(number) }
        }
        pending.removeAll { $0.due <= now - 30_000 }
        for link in delays.keys { arrivals[link]?.removeAll { $0.at < report.sentAt - 400_000 } }
        for link in delays.keys.sorted() where !dead.contains(link) { bond.take(report, over: Road.number(link), at: now) }
        pump()
    }

    /// Media given to a link since a number of transmissions.
    func media(over link: Int, since: Int = 0) -> [Transmission] {
        sent[since...].filter { transmission in
            guard transmission.link == Road.number(link), case .media = transmission.content else { return false }
            return true
        }
    }

    func reasons(since: Int = 0) -> [Transmission.Reason] {
        sent[since...].compactMap { if case .media(_, let reason) = $0.content { reason } else { nil } }
    }

    func estimate(_ link: Int) -> Int {
        bond.figures(at: now).links.first { $0.link == Road.number(link) }?.estimateBitsPerSecond ?? 0
    }
}

let second = BondSettings(latency: 1_000_000)
