import Bonding

/// Links that fail, heal, change and harm.
extension BondCases {
    /// Four links of which the first carries about half, or two alike.
    private func half(_ latencyMs: Int, dark: Range<Double>, seed: UInt64) -> BondScenario {
        // Round trips of 50 to 120 ms.
        var links = [(4000.0, 25.0), (2500, 35), (2500, 60)].map { SimulatedLink(kbit: $0.0, delayMs: $0.1, seconds: 40) }
        for index in links.indices { links[index].jitterMs = 3 }
        links[0].dark = [dark]
        var scenario = BondScenario(links, .fixed(kbit: 4000), latencyMs: latencyMs, seconds: 30)
        scenario.seed = seed
        return scenario
    }

    /// The phase between failure and reports differs from seed to seed.
    func moment(_ seed: UInt64) -> Double { 10 + Double(seed % 97) * 0.0137 }

    func failures() -> [BondFigure] {
        [1000, 400].flatMap { latency in silent(latency) + blackout(latency) } + healed() + darkness()
    }

    private func silent(_ latencyMs: Int) -> [BondFigure] {
        let times = seeds.map { seed in
            let start = moment(seed)
            let outcome = BondSimulator.run(half(latencyMs, dark: start..<100, seed: seed))
            return ((outcome.sentAt[0].last ?? start) - start) * 1000
        }
        return [
            BondFigure(row: "silent link, \(latencyMs) ms", metric: "until nothing is sent over it", unit: "ms", values: times).atMost(
                300, .p90)
        ]
    }

    private func blackout(_ latencyMs: Int) -> [BondFigure] {
        let outcomes = seeds.map { seed in
            BondSimulator.run(half(latencyMs, dark: moment(seed)..<moment(seed) + 5, seed: seed))
        }
        let row = "blackout of half for 5 s, \(latencyMs) ms"
        let lost = BondFigure(row: row, metric: "lost packets", unit: "", values: outcomes.map { Double($0.lost) })
        // Two frames are 33 ms apart: what is beyond is a gap.
        let gap = BondFigure(
            row: row, metric: "gap beyond the source's own", unit: "ms", values: outcomes.map { max(0, $0.longestGapMs - 33.4) })
        return [lost.atMost(0, .p90), gap.atMost(20, .p90)]
    }

    private func healed() -> [BondFigure] {
        let times = seeds.map { seed in
            let back = moment(seed) + 8
            var scenario = half(1000, dark: moment(seed)..<back, seed: seed)
            scenario.rate = .adaptive(ceilingKbit: 20_000, lagMs: 0)
            let outcome = BondSimulator.run(scenario)
            // Its fair share: 4,000 of 9,000 kbit/s; four fifths of it over 200 ms.
            return time(after: back, to: 30) { start in
                let own = outcome.sentAt[0].count { $0 >= start && $0 < start + 0.2 }
                return Double(own) * 1385 * 8 / 0.2 >= 0.8 * 4_000_000 * 0.9
            }
        }
        return [BondFigure(row: "healed link", metric: "until it has 80 % of its share", unit: "s", values: times).atMost(1, .p90)]
    }

    private func darkness() -> [BondFigure] {
        let times = seeds.map { seed in
            let start = moment(seed)
            var scenario = half(1000, dark: start..<start + 30, seed: seed)
            for index in scenario.links.indices { scenario.links[index].dark = [start..<start + 30] }
            scenario.rate = .adaptive(ceilingKbit: 8000, lagMs: 0)
            scenario.seconds = 50
            let outcome = BondSimulator.run(scenario)
            let back = start + 30
            let first = outcome.packets.compactMap { packet in packet.arrival.flatMap { $0 > back && $0 <= packet.source + 1 ? $0 : nil } }
            return (first.min() ?? 100) - back
        }
        return [BondFigure(row: "all links gone for 30 s", metric: "until media arrives", unit: "s", values: times).atMost(1.5, .max)]
    }

    // MARK: A bad link beside good ones

    private static let bad: [(name: String, make: @Sendable (Int) -> SimulatedLink)] = [
        (
            "lossy 20 %",
            { seconds in
                var link = SimulatedLink(kbit: 2000, delayMs: 40, seconds: seconds)
                link.loss = 0.2
                return link
            }
        ),
        ("slow: 300 ms, 300 kbit/s", { seconds in SimulatedLink(kbit: 300, delayMs: 300, seconds: seconds) }),
        (
            "flapping each second",
            { seconds in
                var link = SimulatedLink(kbit: 3000, delayMs: 40, seconds: seconds)
                link.dark = (0..<seconds / 2).map { Double($0) * 2..<Double($0) * 2 + 1 }
                return link
            }
        ),
        (
            "flapping each 3 s",
            { seconds in
                var link = SimulatedLink(kbit: 3000, delayMs: 40, seconds: seconds)
                link.dark = (0..<seconds / 6).map { Double($0) * 6..<Double($0) * 6 + 3 }
                return link
            }
        ),
        (
            "bloated: 400 kbit/s, 2 s of queue",
            { seconds in
                var link = SimulatedLink(kbit: 400, delayMs: 60, seconds: seconds)
                link.queueMs = 2000
                return link
            }
        ),
        (
            "dead",
            { seconds in
                var link = SimulatedLink(kbit: 1000, delayMs: 40, seconds: seconds)
                link.dark = [0..<1000]
                return link
            }
        ),
    ]

    /// Good links are LTE-like ones, and what they alone would have delivered is the measure.
    func bad() -> [BondFigure] {
        [2000, 1000].flatMap { latency in
            Self.bad.flatMap { kind in
                var goodput: [Double] = []
                var loss: [Double] = []
                for seed in seeds {
                    let good = set(seed, .fair, links: 2)
                    let rate = BondScenario.Rate.adaptive(ceilingKbit: 20_000, lagMs: 0)
                    let alone = BondSimulator.run(BondScenario(good, rate, latencyMs: latency, seconds: Double(seconds)))
                    let with = BondSimulator.run(
                        BondScenario(good + [kind.make(seconds)], rate, latencyMs: latency, seconds: Double(seconds)))
                    goodput.append((with.deliveredBytes / alone.deliveredBytes - 1) * 100)
                    loss.append(with.lossPercent - alone.lossPercent)
                }
                let row = "bad link added: \(kind.name), \(latency) ms"
                return [
                    BondFigure(row: row, metric: "change of goodput", unit: "%", values: goodput).atLeast(-1, .mean),
                    BondFigure(row: row, metric: "change of loss", unit: "points", values: loss).atMost(0.1),
                ]
            }
        }
    }

    // MARK: Steps

    func steps() -> [BondFigure] {
        [0, 150.0].flatMap { lag in halving(lag) + recovery(lag) }
    }

    private func lagged(_ lagMs: Double) -> String { lagMs > 0 ? ", encoder \(Int(lagMs)) ms behind" : "" }

    private func halving(_ lagMs: Double) -> [BondFigure] {
        var cuts: [Double] = []
        var drained: [Double] = []
        var loss: [Double] = []
        for seed in seeds {
            let at = moment(seed)
            let links = [30.0, 50].map { delay in
                var link = SimulatedLink([(0, 3000), (at, 1500)], seconds: 30)
                link.delayMs = delay
                link.jitterMs = 3
                return link
            }
            var scenario = BondScenario(links, .adaptive(ceilingKbit: 20_000, lagMs: lagMs), latencyMs: 1000, seconds: 25)
            scenario.seed = seed
            let outcome = BondSimulator.run(scenario)
            loss.append(outcome.lossPercent)
            cuts.append(
                time(after: at, to: 25) { start in
                    outcome.moments.contains { $0.second >= start && $0.bond.rate.bitsPerSecond <= 2_850_000 && $0.second < start + 0.06 }
                })
            drained.append(
                time(after: at + 0.1, to: 25) { start in
                    outcome.moments.filter { $0.second >= start && $0.second < start + 0.3 }.allSatisfy { Self.queueMs($0) < 200 }
                } + 0.1)
        }
        let row = "capacity halved" + lagged(lagMs)
        return [
            BondFigure(row: row, metric: "until the rate is below it", unit: "s", values: cuts).atMost(0.5, .p90),
            BondFigure(row: row, metric: "until less than 200 ms wait", unit: "s", values: drained).atMost(1, .p90),
            BondFigure(row: row, metric: "loss", unit: "%", values: loss),
        ]
    }

    private static func queueMs(_ moment: BondOutcome.Moment) -> Double {
        Double(moment.bond.queueAge + (moment.links.map(\.queue).max() ?? 0)) / 1000
    }

    private func recovery(_ lagMs: Double) -> [BondFigure] {
        let times = seeds.map { seed in
            let at = moment(seed)
            let links = [30.0, 50].map { delay in
                var link = SimulatedLink([(0, 3000), (5, 500), (at, 3000)], seconds: 30)
                link.delayMs = delay
                link.jitterMs = 3
                return link
            }
            var scenario = BondScenario(links, .adaptive(ceilingKbit: 20_000, lagMs: lagMs), latencyMs: 1000, seconds: 25)
            scenario.seed = seed
            let outcome = BondSimulator.run(scenario)
            // 80 % of what 6 Mbit/s of wire carry, for 300 ms.
            return time(after: at, to: 25) { start in
                outcome.moments.filter { $0.second >= start && $0.second < start + 0.3 }.allSatisfy {
                    $0.bond.rate.bitsPerSecond >= 4_560_000
                }
            }
        }
        return [
            BondFigure(row: "recovery from 1 to 6 Mbit/s" + lagged(lagMs), metric: "until 80 %", unit: "s", values: times).atMost(3, .p90)
        ]
    }

    /// Seconds from `start` until something holds, in steps of 50 ms.
    func time(after start: Double, to end: Double, _ holds: (Double) -> Bool) -> Double {
        var at = start
        while at < end {
            if holds(at) { return at - start }
            at += 0.05
        }
        return end - start
    }
}
