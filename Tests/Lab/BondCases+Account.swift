import Bonding

/// Where the losses at a fixed rate come from, in percent of what was offered.
extension BondCases {
    func accounts() -> [BondFigure] {
        CellularTrace.Weather.allCases.flatMap { weather in [2.0, 3].flatMap { account(mbit: $0, weather) } }
    }

    private func account(mbit: Double, _ weather: CellularTrace.Weather) -> [BondFigure] {
        let outcomes = seeds.map { seed in
            BondSimulator.run(
                BondScenario(set(seed, weather), .fixed(kbit: mbit * 1000), latencyMs: 1000, seconds: Double(seconds)))
        }
        func figure(_ metric: String, _ value: (BondOutcome) -> Double) -> BondFigure {
            BondFigure(
                row: "fixed \(Int(mbit)) Mbit/s, 3 links \(weather.rawValue), 1 s", metric: metric, unit: "%",
                values: outcomes.map { value($0) / Double(max($0.offered, 1)) * 100 })
        }
        let wire = Double(BondSimulator.wire)
        return [
            figure("lost: given to no link") { Double($0.account.neverSent) },
            figure("lost: links lost it") { Double($0.account.lostOnTheWay) },
            figure("lost: came too late") { Double($0.account.late) },
            figure("room while it waits: in time") { $0.account.room.inTime / wire },
            figure("room while it waits: again") { $0.account.room.again / wire },
            figure("room while it waits: too late") { $0.account.room.late / wire },
            figure("room while it waits: lost, probes") { ($0.account.room.lost + $0.account.room.probes) / wire },
            figure("room while it waits: idle") { $0.account.room.idle / wire },
            figure("room while it waits: idle, silent link") { $0.account.room.silent / wire },
        ]
    }
}
