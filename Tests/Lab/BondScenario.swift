import BondWire
package import Bonding

/// A link of the bond's simulator: what it lets through in each millisecond, and what it does to it.
package struct SimulatedLink: Sendable {
    /// Wire bytes that may leave in each millisecond; repeated from the start.
    package var room: [Float]
    package var delayMs = 30.0
    /// Another delay from a second on, in order.
    package var reroutes: [(from: Double, delayMs: Double)] = []
    /// Of the way back; nil: the same.
    package var backDelayMs: Double?
    package var jitterMs = 0.0
    /// A full queue takes this long at the mean rate.
    package var queueMs = 400.0
    package var loss = 0.0
    package var backLoss = 0.0
    /// Nothing passes, and nobody is told: seconds from the start.
    package var dark: [Range<Double>] = []
    /// The receiver hears of it and the sender can use it from this second on.
    package var upAt = 0.0
    /// The sender is told that it is gone.
    package var downAt: Double?
    package var cost = LinkTraits.Cost.free
    package var ceiling: Int?

    /// - Parameter steps: rates in kbit/s, each with the second it begins at; the last one ends at `seconds`.
    package init(_ steps: [(from: Double, kbit: Double)], seconds: Int) {
        room = Array(repeating: 0, count: seconds * 1000)
        for (index, step) in steps.enumerated() {
            let end = index + 1 < steps.count ? Int(steps[index + 1].from * 1000) : room.count
            for ms in Int(step.from * 1000)..<max(Int(step.from * 1000), end) { room[ms] = Float(step.kbit / 8) }
        }
    }

    package init(kbit: Double, delayMs: Double, seconds: Int) {
        self.init([(0, kbit)], seconds: seconds)
        self.delayMs = delayMs
    }

    package init(_ trace: CellularTrace) {
        room = Array(repeating: 0, count: trace.times.last ?? 1)
        for time in trace.times { room[time % room.count] += 1500 }
        delayMs = trace.delayMs
        jitterMs = trace.jitterMs
        queueMs = trace.queueMs
        loss = trace.loss
    }

    /// All as one: the rooms together, the rest as the mean weighted by them.
    package static func merged(_ links: [SimulatedLink]) -> SimulatedLink {
        var one = links[0]
        for index in one.room.indices { one.room[index] = links.reduce(0) { $0 + $1.room[index % $1.room.count] } }
        let weights = links.map { link in Double(link.room.reduce(0, +)) / Double(link.room.count) }
        func mean(_ value: (SimulatedLink) -> Double) -> Double {
            zip(links, weights).reduce(0) { $0 + value($1.0) * $1.1 } / weights.reduce(0, +)
        }
        one.delayMs = mean(\.delayMs)
        one.jitterMs = mean(\.jitterMs)
        one.queueMs = mean(\.queueMs)
        one.loss = mean(\.loss)
        return one
    }
}

/// What is sent, over what, for how long.
package struct BondScenario: Sendable {
    package enum Rate: Sendable {
        case fixed(kbit: Double)
        /// What the bond allows, up to a ceiling, and so much later.
        case adaptive(ceilingKbit: Double, lagMs: Double)
        /// The same, as far as a real encoder follows.
        case encoded(ceilingKbit: Double, SteppedEncoder)
    }

    package var links: [SimulatedLink]
    package var rate: Rate
    package var settings: BondSettings
    package var seconds: Double
    /// Not measured before.
    package var warmup = 2.0
    package var framesPerSecond = 30.0
    /// A key frame, each 2 s, is so much larger than the others.
    package var keyFrame = 1.0
    package var seed: UInt64 = 1
    package var tuning: Tuning?

    package init(_ links: [SimulatedLink], _ rate: Rate, latencyMs: Int, seconds: Double, mode: BondMode = .throughput) {
        self.links = links
        self.rate = rate
        self.seconds = seconds
        settings = BondSettings(latency: Microseconds(latencyMs) * 1000, mode: mode)
    }
}

/// What came of a scenario.
package struct BondOutcome: Sendable {
    package struct Moment: Sendable {
        package var second: Double
        package var links: [LinkFigures]
        package var bond: BondFigures
    }

    package var offered = 0
    package var lost = 0
    /// Of payload, in time; and what the links had room for.
    package var deliveredBytes = 0.0
    package var roomBytes = 0.0
    /// Of an encoder: what it was asked for and what it made.
    package var askedBytes = 0.0
    package var encodedBytes = 0.0
    package var transmissions = 0
    package var linkLost = 0
    /// The longest time between the source times of two packets delivered one after the other, in ms.
    package var longestGapMs = 0.0
    package var events: [BondEvent] = []
    package var moments: [Moment] = []
    /// For each link: the second of each packet of media given to it.
    package var sentAt: [[Double]] = []
    /// Seconds of source and of first arrival of each packet, nil where none did; from the start.
    package var packets: [(source: Double, arrival: Double?)] = []
    /// Playout offset less clock offset less latency, in ms, at the end.
    package var playoutErrorMs = 0.0
    package var figures: BondFigures?
    package var account = BondAccount()

    package var lossPercent: Double { offered == 0 ? 0 : Double(lost) / Double(offered) * 100 }
    package var goodputPercent: Double { deliveredBytes / max(roomBytes, 1) * 100 }
    /// Transmissions beyond one for each packet.
    package var extraPercent: Double { offered == 0 ? 0 : Double(transmissions - offered) / Double(offered) * 100 }
    package var linkLossPercent: Double { Double(linkLost) / Double(max(transmissions, 1)) * 100 }
}
