import Bonding
import Lab
import Testing

/// A few rows of the table with fewer seeds and so with margins; `strata-lab bond` prints all of it.
@Suite("In the simulator")
struct SimulatedTests {
    private static let cases = BondCases(seeds: Array(1...6))

    @Test("every row of links that fail, heal, change, harm or are far is reached", arguments: ["steady", "failures", "steps", "ways"])
    func reached(_ group: String) {
        for figure in Self.cases.run(group) { #expect(figure.isReached, "\(figure.row): \(figure.metric) \(figure.values)") }
    }

    @Test("a bad link costs next to nothing")
    func bad() {
        for figure in BondCases(seeds: [1, 2, 3]).run("bad") {
            #expect(figure.value(.mean) >= (figure.unit == "%" ? -1.5 : -100), "\(figure.row): \(figure.values)")
            #expect(figure.unit == "%" || figure.value(.mean) <= 0.2, "\(figure.row): \(figure.values)")
        }
    }

    @Test(
        "over links as LTE gives them, most of the capacity arrives and hardly anything is lost",
        arguments: [(2000, 85.0, 0.1), (1000, 76, 0.2), (400, 50, 0.6)])
    func adaptive(_ latencyMs: Int, _ goodput: Double, _ loss: Double) {
        let outcomes = (1...6).map { seed in
            let links = CellularTrace.set(seed: UInt64(seed), links: 3, seconds: 62, pooledKbit: 8250).map(SimulatedLink.init)
            return BondSimulator.run(
                BondScenario(links, .adaptive(ceilingKbit: 20_000, lagMs: 0), latencyMs: latencyMs, seconds: 62))
        }
        #expect(outcomes.map(\.goodputPercent).reduce(0, +) / 6 >= goodput)
        #expect(outcomes.map(\.lossPercent).reduce(0, +) / 6 <= loss)
    }

    @Test("at a fixed rate it loses little more than an ideal queue over all links")
    func fixed() {
        let both = (1...6).map { seed in
            let links = CellularTrace.set(seed: UInt64(seed), links: 3, seconds: 62, pooledKbit: 8250).map(SimulatedLink.init)
            let ideal = PooledQueue.run(links, kbit: 2000, latencyMs: 1000, seconds: 62).lossPercent
            return BondSimulator.run(BondScenario(links, .fixed(kbit: 2000), latencyMs: 1000, seconds: 62)).lossPercent - ideal
        }
        #expect(both.reduce(0, +) / 6 <= 0.6)
    }

    @Test("losses that the link did not cause do not slow it, and a small queue that overflows costs few packets")
    func losses() {
        var lossy = SimulatedLink(kbit: 4000, delayMs: 40, seconds: 30)
        lossy.loss = 0.02
        let rate = BondScenario.Rate.adaptive(ceilingKbit: 20_000, lagMs: 0)
        let random = BondSimulator.run(BondScenario([lossy], rate, latencyMs: 1000, seconds: 30))
        #expect(random.goodputPercent > 88)
        #expect(random.lossPercent < 0.1)
        var small = SimulatedLink(kbit: 4000, delayMs: 40, seconds: 30)
        small.queueMs = 150
        let burst = BondSimulator.run(BondScenario([small], rate, latencyMs: 1000, seconds: 30))
        #expect(burst.goodputPercent > 85)
        #expect(burst.lossPercent < 0.1)
        #expect(burst.extraPercent < 8)
    }

    @Test("a run can be repeated")
    func repeatable() {
        let links = CellularTrace.set(seed: 9, links: 3, seconds: 20, pooledKbit: 8250).map(SimulatedLink.init)
        let scenario = BondScenario(links, .adaptive(ceilingKbit: 20_000, lagMs: 0), latencyMs: 1000, seconds: 20)
        let (first, again) = (BondSimulator.run(scenario), BondSimulator.run(scenario))
        #expect(first.lost == again.lost && first.deliveredBytes == again.deliveredBytes && first.transmissions == again.transmissions)
    }
}
