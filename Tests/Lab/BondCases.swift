import Bonding

/// One figure of the bond, over several seeds.
package struct BondFigure: Sendable {
    package enum Statistic: String, Sendable { case mean, median, p10, p90, max }

    /// What it has to reach: a statistic of it, at most or at least.
    package struct Reach: Sendable {
        package var statistic: Statistic
        package var least: Double?
        package var most: Double?
    }

    package var row: String
    package var metric: String
    package var unit: String
    package var values: [Double]
    package var reach: [Reach] = []

    package func value(_ statistic: Statistic) -> Double {
        let sorted = values.sorted()
        guard let last = sorted.last else { return .nan }
        switch statistic {
        case .mean: return sorted.reduce(0, +) / Double(sorted.count)
        case .median: return sorted[sorted.count / 2]
        case .p10: return sorted[sorted.count / 10]
        case .p90: return sorted[min(sorted.count - 1, sorted.count * 9 / 10)]
        case .max: return last
        }
    }

    package var isReached: Bool {
        reach.allSatisfy { value($0.statistic) <= $0.most ?? .infinity && value($0.statistic) >= $0.least ?? -.infinity }
    }

    package func atMost(_ most: Double, _ statistic: Statistic = .mean) -> BondFigure {
        var copy = self
        copy.reach.append(Reach(statistic: statistic, most: most))
        return copy
    }

    package func atLeast(_ least: Double, _ statistic: Statistic = .median) -> BondFigure {
        var copy = self
        copy.reach.append(Reach(statistic: statistic, least: least))
        return copy
    }
}

/// The rows of the bond's table over LTE-like traces, in the simulator.
package struct BondCases: Sendable {
    package var seeds: [UInt64]
    var seconds = 62

    package init(seeds: [UInt64]) { self.seeds = seeds }

    package static let groups = ["fixed", "adaptive", "steady", "failures", "bad", "steps", "ways"]
    /// Not rows, but what the numbers of the algorithm are worth, and where the losses come from.
    package static let studies = ["ablations", "account"]

    /// An adaptive stream from a real encoder, a new one for each seed.
    package func encoded(latencyMs: Int, _ weather: CellularTrace.Weather, _ encoder: () throws -> SteppedEncoder) rethrows -> [BondFigure]
    {
        let row = "encoder, 3 links \(weather.rawValue), \(latencyMs) ms"
        let outcomes = try seeds.map { seed in
            let rate = BondScenario.Rate.encoded(ceilingKbit: 12_000, try encoder())
            return BondSimulator.run(BondScenario(set(seed, weather), rate, latencyMs: latencyMs, seconds: Double(seconds)))
        }
        let made = outcomes.map { $0.encodedBytes / max($0.askedBytes, 1) * 100 }
        return [
            BondFigure(row: row, metric: "goodput of capacity", unit: "%", values: outcomes.map(\.goodputPercent)),
            BondFigure(row: row, metric: "loss", unit: "%", values: outcomes.map(\.lossPercent)),
            BondFigure(row: row, metric: "made of what was asked", unit: "%", values: made),
        ]
    }

    package func run(_ group: String) -> [BondFigure] {
        switch group {
        case "fixed": CellularTrace.Weather.allCases.flatMap { weather in [2.0, 3].flatMap { fixed(mbit: $0, weather) } }
        case "adaptive":
            CellularTrace.Weather.allCases.flatMap { weather in [2000, 1000, 400].flatMap { adaptive(latencyMs: $0, weather) } }
                + [2, 4, 5].flatMap { adaptive(latencyMs: 1000, .rough, links: $0) }
                + [2000, 1000].flatMap { adaptive(latencyMs: $0, .rough, lagMs: 150) }
        case "steady": steady() + skew()
        case "failures": failures()
        case "bad": bad()
        case "steps": steps()
        case "ways": ways()
        case "ablations": ablations()
        case "account": accounts()
        default: []
        }
    }

    // MARK: LTE

    func set(_ seed: UInt64, _ weather: CellularTrace.Weather, links: Int = 3) -> [SimulatedLink] {
        CellularTrace.set(seed: seed, links: links, seconds: seconds, pooledKbit: 8250, weather: weather).map(SimulatedLink.init)
    }

    private func fixed(mbit: Double, _ weather: CellularTrace.Weather) -> [BondFigure] {
        let row = "fixed \(Int(mbit)) Mbit/s, 3 links \(weather.rawValue), 1 s"
        var losses: [Double] = []
        var merged: [Double] = []
        var ideal: [Double] = []
        for seed in seeds {
            let links = set(seed, weather)
            let scenario = BondScenario(links, .fixed(kbit: mbit * 1000), latencyMs: 1000, seconds: Double(seconds))
            losses.append(BondSimulator.run(scenario).lossPercent)
            var one = scenario
            one.links = [.merged(links)]
            merged.append(BondSimulator.run(one).lossPercent)
            ideal.append(PooledQueue.run(links, kbit: mbit * 1000, latencyMs: 1000, seconds: Double(seconds)).lossPercent)
        }
        let bound = BondFigure(row: row, metric: "loss of the ideal queue", unit: "%", values: ideal)
        let loss = BondFigure(row: row, metric: "loss", unit: "%", values: losses)
        let absolute = weather == .fair ? mbit == 2 ? 0.2 : 1.0 : .infinity
        return [
            loss.atMost(min(absolute, bound.value(.mean) + (mbit == 2 ? 0.4 : 1.0))),
            BondFigure(row: row, metric: "loss of one merged link", unit: "%", values: merged), bound,
        ]
    }

    private func adaptive(latencyMs: Int, _ weather: CellularTrace.Weather, links count: Int = 3, lagMs: Double = 0) -> [BondFigure] {
        var row = "adaptive, \(count) links \(weather.rawValue), \(latencyMs) ms"
        if lagMs > 0 { row += ", encoder \(Int(lagMs)) ms behind" }
        var goodput: [Double] = []
        var loss: [Double] = []
        var merged: [(goodput: Double, loss: Double)] = []
        var best: [Double] = []
        for seed in seeds {
            let links = set(seed, weather, links: count)
            let rate = BondScenario.Rate.adaptive(ceilingKbit: 20_000, lagMs: lagMs)
            let scenario = BondScenario(links, rate, latencyMs: latencyMs, seconds: Double(seconds))
            let outcome = BondSimulator.run(scenario)
            goodput.append(outcome.goodputPercent)
            loss.append(outcome.lossPercent)
            var one = scenario
            one.links = [.merged(links)]
            let pooled = BondSimulator.run(one)
            merged.append((pooled.goodputPercent, pooled.lossPercent))
            best.append(PooledQueue.run(links, kbit: 20_000, latencyMs: latencyMs, seconds: Double(seconds)).goodputPercent)
        }
        var shares = BondFigure(row: row, metric: "goodput of capacity", unit: "%", values: goodput)
        var losses = BondFigure(row: row, metric: "loss", unit: "%", values: loss)
        if lagMs == 0 && count == 3 {
            shares = latencyMs == 2000 ? shares.atLeast(82).atLeast(75, .p10) : shares.atLeast(latencyMs == 1000 ? 78 : 50)
            losses = losses.atMost(latencyMs == 400 ? 0.3 : 0.1)
        }
        return [
            shares, losses,
            BondFigure(row: row, metric: "goodput of one merged link", unit: "%", values: merged.map(\.goodput)),
            BondFigure(row: row, metric: "loss of one merged link", unit: "%", values: merged.map(\.loss)),
            BondFigure(row: row, metric: "goodput of the clairvoyant", unit: "%", values: best),
        ]
    }

    // MARK: Steady links

    private func steady() -> [BondFigure] {
        var goodput: [Double] = []
        var loss: [Double] = []
        for seed in seeds {
            var links = [(3000.0, 30.0), (5000, 45), (2000, 80)].map { SimulatedLink(kbit: $0.0, delayMs: $0.1, seconds: 40) }
            for index in links.indices { links[index].jitterMs = 3 }
            var scenario = BondScenario(links, .adaptive(ceilingKbit: 20_000, lagMs: 0), latencyMs: 1000, seconds: 40)
            scenario.seed = seed
            let outcome = BondSimulator.run(scenario)
            goodput.append(outcome.goodputPercent)
            loss.append(outcome.lossPercent)
        }
        let row = "steady 3/5/2 Mbit/s, 1 s"
        return [
            BondFigure(row: row, metric: "goodput of capacity", unit: "%", values: goodput).atLeast(93),
            BondFigure(row: row, metric: "loss", unit: "%", values: loss).atMost(0.1),
        ]
    }

    private func skew() -> [BondFigure] {
        [0, 0.003].map { loss in
            let beyond = seeds.map { seed in
                var links = [(3000.0, 30.0), (5000, 45), (2000, 80)].map { SimulatedLink(kbit: $0.0, delayMs: $0.1, seconds: 40) }
                for index in links.indices {
                    links[index].loss = loss
                    links[index].jitterMs = 3
                }
                var scenario = BondScenario(links, .fixed(kbit: 6000), latencyMs: 1000, seconds: 40)
                scenario.seed = seed
                let outcome = BondSimulator.run(scenario)
                return outcome.extraPercent - outcome.linkLossPercent
            }
            return BondFigure(row: "50 ms skew, link loss \(loss * 100) %", metric: "extra packets beyond it", unit: "%", values: beyond)
                .atMost(0.2)
        }
    }

    // MARK: Ablations

    private static let variants: [(name: String, change: @Sendable (inout Tuning) -> Void)] = [
        ("as it is", { _ in }),
        ("headroom 1: no more than delivered", { $0.headroom = 1 }),
        ("headroom 2", { $0.headroom = 2 }),
        ("queue of a link 50 ms", { ($0.queueLimit, $0.queueLimitBehind) = (50_000, 50_000) }),
        ("queue of a link 200 ms", { ($0.queueLimit, $0.queueLimitBehind) = (200_000, 200_000) }),
        ("queue of a link 1 s: early binding", { ($0.queueLimit, $0.queueLimitBehind) = (1_000_000, 1_000_000) }),
        ("suspect after 200 ms", { $0.suspectAfter = 200_000 }),
        ("suspect after 1 s", { $0.suspectAfter = 1_000_000 }),
        ("margin 0", { ($0.ampleMargin, $0.scarceMargin) = (0, 0) }),
        ("margin 120 ms, ample or scarce", { ($0.ampleMargin, $0.scarceMargin) = (120_000, 120_000) }),
        ("behind as else: 100 ms, gain 2", { ($0.queueLimitBehind, $0.gainBehind) = ($0.queueLimit, $0.gain) }),
        ("memory 50 and 100 ms", { ($0.memory, $0.slowMemory) = (50, 100) }),
        ("memory 300 and 600 ms", { ($0.memory, $0.slowMemory) = (300, 600) }),
        ("encoder 0.9 + (120 - Q) / 500", { ($0.share, $0.queueAim, $0.queueWeight) = (0.9, 120, 500) }),
        ("no train, no usual rate", { ($0.train, $0.typicalShare) = (0, 0) }),
    ]

    private func ablations() -> [BondFigure] {
        Self.variants.flatMap { variant in
            [
                (BondScenario.Rate.fixed(kbit: 3000), 1000), (.adaptive(ceilingKbit: 20_000, lagMs: 0), 1000),
                (.adaptive(ceilingKbit: 20_000, lagMs: 0), 400),
            ]
            .flatMap { rate, latency in
                let outcomes = seeds.map { seed in
                    var scenario = BondScenario(set(seed, .rough), rate, latencyMs: latency, seconds: Double(seconds))
                    var tuning = Tuning(latency: Int64(latency) * 1000)
                    variant.change(&tuning)
                    scenario.tuning = tuning
                    return BondSimulator.run(scenario)
                }
                let isFixed = if case .fixed = rate { true } else { false }
                let row = "\(variant.name); \(isFixed ? "3 Mbit/s" : "adaptive"), \(latency) ms"
                let loss = BondFigure(row: row, metric: "loss", unit: "%", values: outcomes.map(\.lossPercent))
                let goodput = BondFigure(row: row, metric: "goodput", unit: "%", values: outcomes.map(\.goodputPercent))
                return isFixed ? [loss] : [goodput, loss]
            }
        }
    }
}
