import BondWire
import Bonding

/// Drives a `Bond` through a scenario, event by event; a second takes about a millisecond.
///
/// The receiver is strict: what arrives later than source time + latency, by the true clocks, is lost, whatever the playout offset says.
package struct BondSimulator {
    /// Receiver's clock less sender's, a number that nobody could guess.
    static let offset: Microseconds = 7_654_321_987
    static let payload = 1316
    /// RTP header; envelope, UDP and IPv4.
    static let header = 12
    static let overhead = 57
    /// Bytes of a packet on the wire.
    static let wire = payload + header + overhead

    private let scenario: BondScenario
    private var bond: Bond
    private var ways: [SimulatedWay]
    private var random: SplitMix64
    private var outcome = BondOutcome()
    private var now: Microseconds = 0
    /// For each packet offered: source time, first arrival.
    private var sources: [Microseconds] = []
    private var arrivals: [Microseconds] = []
    private var credit = 0.0
    private var frame = 0
    private var rates: [(at: Microseconds, bits: Int)] = []

    package static func run(_ scenario: BondScenario) -> BondOutcome {
        var simulator = BondSimulator(scenario)
        return simulator.run()
    }

    private init(_ scenario: BondScenario) {
        self.scenario = scenario
        bond = Bond(scenario.settings, tuning: scenario.tuning)
        random = SplitMix64(state: scenario.seed)
        var seeds = SplitMix64(state: scenario.seed &+ 99)
        ways = scenario.links.map { SimulatedWay($0, seed: seeds.next()) }
    }

    private var interval: Microseconds { scenario.settings.latency < 700_000 ? 25_000 : 50_000 }

    private mutating func run() -> BondOutcome {
        let end = Microseconds(scenario.seconds * 1_000_000)
        let last = end + scenario.settings.latency + 200_000
        var tick: Microseconds = 0
        var frameAt: Microseconds = 10_000
        var report: Microseconds = 3_700
        var moment: Microseconds = 0
        let perFrame = Microseconds(1_000_000 / scenario.framesPerSecond)
        while now <= last {
            let delivery = nextDelivery()
            now = min(tick, frameAt, report, delivery?.at ?? .max)
            if now == report {
                report += interval
                sendReport()
            } else if let delivery, delivery.at == now {
                deliver(delivery.way)
            } else if now == frameAt {
                frameAt += perFrame
                if now < end { offer(perFrame) }
            } else {
                tick += 5_000
                links()
                bond.advance(to: now)
                if now >= moment {
                    moment += 50_000
                    remember()
                }
            }
            pump()
        }
        return judged(until: end)
    }

    // MARK: The sender's side

    private mutating func links() {
        for index in ways.indices {
            guard let number = LinkNumber(index) else { continue }
            let link = ways[index].link
            if !ways[index].isUp, now >= Microseconds(link.upAt * 1_000_000),
                link.downAt.map({ now < Microseconds($0 * 1_000_000) }) ?? true
            {
                ways[index].isUp = true
                let roundTrip = Microseconds((link.delayMs + (link.backDelayMs ?? link.delayMs)) * 1000)
                bond.linkUp(
                    number,
                    LinkTraits(
                        packetLimit: 1400, overhead: Self.overhead, cost: link.cost, roundTrip: roundTrip + 5_000, ceiling: link.ceiling),
                    at: now)
            }
            if ways[index].isUp, let down = link.downAt, now >= Microseconds(down * 1_000_000) {
                ways[index].isUp = false
                bond.linkDown(number, at: now)
            }
        }
    }

    private mutating func offer(_ passed: Microseconds) {
        let isKey = frame % Int(scenario.framesPerSecond * 2) == 0
        credit += frameBytes(passed, isKey: isKey)
        frame += 1
        while credit >= Double(Self.payload) {
            credit -= Double(Self.payload)
            _ = bond.offer(bytes: Self.payload + Self.header, importance: isKey ? .key : .normal, at: now)
            sources.append(now)
            arrivals.append(.max)
        }
    }

    private mutating func frameBytes(_ passed: Microseconds, isKey: Bool) -> Double {
        let bits: Double
        switch scenario.rate {
        case .fixed(let kbit): bits = kbit * 1000
        case .adaptive(let ceiling, let lag):
            let then = now - Microseconds(lag * 1000)
            bits = min(Double(rates.last { $0.at <= then }?.bits ?? bond.rate.bitsPerSecond), ceiling * 1000)
        case .encoded(let ceiling, let encoder):
            let asked = min(Double(bond.rate.bitsPerSecond), ceiling * 1000)
            let made = encoder.frame(asked)
            outcome.askedBytes += asked / 8 * Double(passed) / 1_000_000
            outcome.encodedBytes += made
            return made
        }
        // The group keeps its mean.
        let group = scenario.framesPerSecond * 2
        return bits * (isKey ? scenario.keyFrame : 1) * group / (group - 1 + scenario.keyFrame) / 8 * Double(passed) / 1_000_000
    }

    private mutating func pump() {
        while let next = bond.next(at: now) {
            let way = Int(next.link.value)
            let sequence = ways[way].sequence
            ways[way].sequence += 1
            switch next.content {
            case .probe(let bytes): ways[way].send(bytes: bytes, packet: nil, sequence: sequence, at: now)
            case .media(let number, _):
                if isMeasured(sources[Int(number.value)]) { outcome.transmissions += 1 }
                outcome.sentAt[way].append(Double(now) / 1_000_000)
                ways[way].send(bytes: Self.wire, packet: Int(number.value), sequence: sequence, at: now)
            }
            bond.sent(next, sequence: sequence, at: now)
        }
    }

    private mutating func remember() {
        rates.append((now, bond.rate.bitsPerSecond))
        if outcome.sentAt.isEmpty { outcome.sentAt = ways.map { _ in [] } }
        let figures = bond.figures(at: now)
        outcome.moments.append(.init(second: Double(now) / 1_000_000, links: figures.links, bond: figures.bond))
    }

    // MARK: The receiver's side

    private mutating func sendReport() {
        var report = Report(sentAt: now + Self.offset, links: [])
        for index in ways.indices {
            for arrival in ways[index].collect(until: now) {
                guard let packet = arrival.packet else { continue }
                arrivals[packet] = min(arrivals[packet], arrival.at)
            }
            guard ways[index].isUp, let number = LinkNumber(index) else { continue }
            report.links.append(LinkArrivals(link: number, arrivals: ways[index].reported(at: now, offset: Self.offset)))
        }
        for index in ways.indices where ways[index].isUp { ways[index].sendBack(report, at: now) }
    }

    private func nextDelivery() -> (way: Int, at: Microseconds)? {
        var best: (way: Int, at: Microseconds)?
        for index in ways.indices {
            guard let at = ways[index].nextBack, at < best?.at ?? .max else { continue }
            best = (index, at)
        }
        return best
    }

    private mutating func deliver(_ way: Int) {
        guard let report = ways[way].takeBack(), ways[way].isUp, let number = LinkNumber(way) else { return }
        bond.take(report, over: number, at: now)
    }

    // MARK: The judgement

    private func isMeasured(_ source: Microseconds) -> Bool {
        source >= Microseconds(scenario.warmup * 1_000_000) && source < Microseconds(scenario.seconds * 1_000_000)
    }

    private mutating func judged(until end: Microseconds) -> BondOutcome {
        var before: Microseconds?
        for (source, arrival) in zip(sources, arrivals) where isMeasured(source) {
            outcome.offered += 1
            guard arrival <= source + scenario.settings.latency else {
                outcome.lost += 1
                continue
            }
            outcome.deliveredBytes += Double(Self.payload)
            if let before { outcome.longestGapMs = max(outcome.longestGapMs, Double(source - before) / 1000) }
            before = source
        }
        outcome.packets = zip(sources, arrivals).map { source, arrival in
            (Double(source) / 1_000_000, arrival == .max ? nil : Double(arrival) / 1_000_000)
        }
        let window = Int(scenario.warmup * 1000)..<Int(scenario.seconds * 1000)
        for way in ways {
            outcome.roomBytes += window.reduce(0.0) { $0 + Double(way.room(at: $1)) }
            outcome.linkLost += way.lost
        }
        outcome.account = BondAccount(
            ways, outcome.moments, sources: sources, latency: scenario.settings.latency,
            measured: Microseconds(scenario.warmup * 1_000_000)..<Microseconds(scenario.seconds * 1_000_000))
        outcome.events = bond.takeEvents()
        outcome.figures = bond.figures(at: now).bond
        outcome.playoutErrorMs = Double((bond.playoutOffset ?? 0) - Self.offset - scenario.settings.latency) / 1000
        return outcome
    }
}
