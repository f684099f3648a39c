import Bonding

/// Links whose way becomes longer or is long, and links that hardly carry anything.
extension BondCases {
    func ways() -> [BondFigure] {
        [(300.0, 1000, 71.0), (120, 1000, 71), (300, 1000, 85), (120, 400, 71)].flatMap {
            longer(byMs: $0.0, latencyMs: $0.1, percent: $0.2)
        }
            + stood() + far() + narrow()
    }

    private func alike(_ seconds: Int, kbit: Double = 1600) -> [SimulatedLink] {
        (0..<3).map { _ in
            var link = SimulatedLink(kbit: kbit, delayMs: 30, seconds: seconds)
            link.jitterMs = 5
            link.queueMs = 200
            return link
        }
    }

    /// One of three takes another route; its rate stays.
    private func longer(byMs more: Double, latencyMs: Int, percent: Double) -> [BondFigure] {
        var lost: [Double] = []
        var told: [Double] = []
        for seed in seeds {
            let at = moment(seed)
            var links = alike(40)
            links[0].reroutes = [(at, 30 + more)]
            var scenario = BondScenario(links, .fixed(kbit: 48 * percent), latencyMs: latencyMs, seconds: 40)
            scenario.seed = seed
            let outcome = BondSimulator.run(scenario)
            lost.append(Double(outcome.lost))
            told.append(
                time(after: at, to: 40) { start in
                    outcome.moments.contains { moment in
                        moment.second >= start && moment.second < start + 0.06
                            && moment.links.contains { $0.link.value == 0 && Double($0.roundTrip) / 1000 > 50 + more }
                    }
                })
        }
        let row = "a route becomes \(Int(more)) ms longer, load \(Int(percent)) %, \(latencyMs) ms"
        return [
            BondFigure(row: row, metric: "lost packets", unit: "", values: lost).atMost(percent < 75 ? 0 : 60, percent < 75 ? .max : .mean),
            BondFigure(row: row, metric: "until its round trip is told", unit: "s", values: told),
        ]
    }

    /// A link that stands still, or falls to a fifth for good, has a queue and no longer way.
    private func stood() -> [BondFigure] {
        [("stands still for 1 s", [(0.0, 1600.0), (10, 0), (11, 1600)]), ("falls to a fifth", [(0, 1600), (10, 320)])].map { name, steps in
            let longest = seeds.map { seed in
                var links = alike(30)
                let shift = moment(seed) - 10
                links[0] = SimulatedLink(steps.map { ($0.0 == 0 ? 0 : $0.0 + shift, $0.1) }, seconds: 30)
                (links[0].jitterMs, links[0].queueMs) = (5, 1000)
                var scenario = BondScenario(links, .adaptive(ceilingKbit: 20_000, lagMs: 0), latencyMs: 1000, seconds: 30)
                scenario.seed = seed
                let moments = BondSimulator.run(scenario).moments
                return Double(moments.flatMap(\.links).filter { $0.link.value == 0 }.map(\.longerWays).max() ?? 0)
            }
            return BondFigure(row: "a link \(name)", metric: "taken for a longer way", unit: "", values: longest).atMost(0, .max)
        }
    }

    /// Its packets come in time, if they are given to it early.
    private func far() -> [BondFigure] {
        let losses = seeds.map { seed in
            var links = alike(30)
            links[0].delayMs = 630
            links[0].backDelayMs = 30
            var scenario = BondScenario(links, .fixed(kbit: 3400), latencyMs: 1000, seconds: 30)
            scenario.seed = seed
            return BondSimulator.run(scenario).lossPercent
        }
        return [
            BondFigure(row: "a link 630 ms away that is needed, 1000 ms", metric: "loss", unit: "%", values: losses).atMost(0.1, .max)
        ]
    }

    /// Three that carry less than any encoder's old least.
    private func narrow() -> [BondFigure] {
        [(80.0, 1000), (80, 2000), (40, 2000)].flatMap { kbit, latencyMs in
            let outcomes = seeds.map { seed in
                var links = alike(60, kbit: kbit)
                for index in links.indices { links[index].queueMs = 1000 }
                var scenario = BondScenario(links, .adaptive(ceilingKbit: 20_000, lagMs: 100), latencyMs: latencyMs, seconds: 60)
                scenario.seed = seed
                scenario.warmup = 10
                return BondSimulator.run(scenario)
            }
            let row = "three links of \(Int(kbit)) kbit/s, \(latencyMs) ms"
            return [
                BondFigure(row: row, metric: "loss", unit: "%", values: outcomes.map(\.lossPercent)).atMost(0.1),
                BondFigure(row: row, metric: "goodput of capacity", unit: "%", values: outcomes.map(\.goodputPercent)),
            ]
        }
    }
}
