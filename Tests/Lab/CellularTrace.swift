import Foundation

/// An uplink as LTE gives it, made from a seed: the times at which one packet of up to 1500 bytes may leave, as `TraceFile` reads
/// them, and what the rest of the link is like.
///
/// The rate walks between levels (a Markov chain: load of the cell), fades around its level (an AR(1) process of its logarithm in
/// steps of 20 ms), falls to nothing in outages of 0.5-8 s after a second of decline, and stalls for 40-400 ms at handovers,
/// after which the level is another. Grants come 2-10 ms apart. The queue before it holds up to 800 ms of the mean rate.
package struct CellularTrace: Hashable, Sendable {
    package enum Weather: String, Hashable, Sendable, CaseIterable {
        /// An ideal queue over three such links with 8.25 Mbit/s on average, and 1 s of time, loses 0.0 % at 2 Mbit/s and
        /// 0.2 % at 3, over 40 seeds of 62 s.
        case fair
        /// The same loses 0.3 and 1.1 %: more outages, and the cell is sometimes nearly full.
        case rough
    }

    /// Milliseconds, ascending; the last one is the period.
    package var times: [Int]
    /// One way.
    package var delayMs: Double
    package var jitterMs: Double
    package var queueMs: Double
    /// The share of packets lost after the queue.
    package var loss: Double

    /// - Parameter meanKbit: of the whole period, outages and all.
    package init(seed: UInt64, seconds: Int, meanKbit: Double, weather: Weather = .rough) {
        var walk = RateWalk(seed: seed, weather: weather)
        times = Self.grants(walk.rates(steps: seconds * 50), meanKbit: meanKbit, seed: walk.random.next())
        delayMs = (20 + 40 * walk.random.unit()).rounded()
        jitterMs = (2 + 8 * walk.random.unit()).rounded()
        queueMs = [200, 400, 800][Int(walk.random.next() % 3)]
        loss = walk.random.unit() < 0.5 ? 0 : 0.003 * walk.random.unit()
    }

    /// Links that a field unit could have: the strongest up to four times the weakest, all together `pooledKbit`.
    package static func set(
        seed: UInt64, links: Int, seconds: Int, pooledKbit: Double, weather: Weather = .rough
    ) -> [CellularTrace] {
        var random = SplitMix64(state: seed)
        let shares = (0..<links).map { _ in exp2(2 * random.unit()) }
        let all = shares.reduce(0, +)
        return shares.map {
            CellularTrace(seed: random.next(), seconds: seconds, meanKbit: pooledKbit * $0 / all, weather: weather)
        }
    }

    package var profile: LinkProfile {
        var profile = LinkProfile(delayMs: delayMs, jitterMs: jitterMs, queueMs: queueMs, loss: loss)
        profile.trace = times
        return profile
    }

    /// What `TraceFile` reads.
    package var file: String { times.map { "\($0)\n" }.joined() }

    /// The same trace begun elsewhere.
    package func rotated(byMs offset: Int) -> CellularTrace {
        guard let period = times.last else { return self }
        var copy = self
        let moved = times.map { ($0 % period + period - offset % period) % period }.sorted()
        // The period is the last line, whatever leaves then; a grant at 0 would be the one at its end, twice.
        copy.times = moved.filter { $0 > 0 } + [period]
        return copy
    }

    /// Turns rates relative to each other, one for each 20 ms, into times at which a packet's worth of them is together.
    private static func grants(_ rates: [Double], meanKbit: Double, seed: UInt64) -> [Int] {
        var random = SplitMix64(state: seed)
        let scale = meanKbit * Double(rates.count) / max(rates.reduce(0, +), 1e-9)
        let period = rates.count * 20
        var times: [Int] = []
        var credit = 0.0
        var grant = 0
        for ms in 1..<period {
            credit += rates[ms / 20] * scale / 8  // kbit/s are bytes in 8 ms
            guard ms >= grant else { continue }
            grant = ms + 2 + Int(random.next() % 9)
            while credit >= 1500 {
                credit -= 1500
                times.append(ms)
            }
        }
        return times + [period]
    }
}

/// The rate of a link over time, up to a factor.
private struct RateWalk {
    private let levels: [Double]
    /// The mean time from one outage to the next, in seconds.
    private let outages: Double
    var random: SplitMix64
    private var level = 3
    private var fade = 0.0

    init(seed: UInt64, weather: CellularTrace.Weather) {
        random = SplitMix64(state: seed)
        levels = weather == .fair ? [0.14, 0.32, 0.62, 1.0, 1.5, 2.2] : [0.10, 0.28, 0.6, 1.0, 1.5, 2.2]
        outages = weather == .fair ? 70 : 45
        level = 1 + Int(random.next() % 5)
    }

    /// One for each 20 ms.
    mutating func rates(steps: Int) -> [Double] {
        var rates: [Double] = []
        rates.reserveCapacity(steps)
        var change = wait(2)
        var handover = wait(15)
        var outage = wait(outages)
        for step in 0..<steps {
            if step >= change {
                level = min(max(level + (random.unit() < 0.5 ? -1 : 1), 0), levels.count - 1)
                change = step + wait(1.2)
            }
            // 0.87 in 20 ms: a correlation time of about 150 ms.
            fade = 0.87 * fade + 0.2 * gaussian()
            rates.append(levels[level] * exp(fade))
            if step == handover {
                stall(&rates, seconds: 0.04 + 0.36 * random.unit())
                level = Int(random.next() % UInt64(levels.count))
                handover = rates.count + wait(15)
            }
            if step == outage {
                decline(&rates)
                stall(&rates, seconds: 0.5 * exp(random.unit() * log(16)))
                level = Int(random.next() % 3)
                outage = rates.count + wait(outages)
            }
        }
        return silenced(rates, steps: steps)
    }

    private var stalls: [Range<Int>] = []

    private mutating func stall(_ rates: inout [Double], seconds: Double) {
        stalls.append(rates.count..<rates.count + max(2, Int(seconds * 50)))
    }

    private mutating func decline(_ rates: inout [Double]) {
        for back in 1...min(50, rates.count) { rates[rates.count - back] *= max(0.1, Double(back) / 50) }
    }

    private func silenced(_ rates: [Double], steps: Int) -> [Double] {
        var rates = rates
        for stall in stalls { for step in stall where step < steps { rates[step] = 0 } }
        return rates
    }

    /// Steps until something that comes each `seconds` on average.
    private mutating func wait(_ seconds: Double) -> Int { max(1, Int(-log(1 - random.unit()) * seconds * 50)) }

    private mutating func gaussian() -> Double {
        (-2 * log(1 - random.unit())).squareRoot() * cos(2 * .pi * random.unit())
    }
}
