/// The share of each link in librist's weighted round-robin. Holds no clock: `step` is called four times a second.
///
/// All start equal. A link whose round trip has grown over its own minimum has a queue; one whose queue is longer than the
/// mean of all gets less, until the queues are equal: so none overflows while another has room, and where all of them queue,
/// which no share can help, the shares stay what they were. A link without more queue than the others slowly gets its full share again.
/// Loss is no input, as nothing at the sender tells which link loses; silence is, through `isLive`. Weights stay small: librist
/// sends weight differences in a row, which must fit into a queue.
package struct WeightPlan: Equatable, Sendable {
    package struct Observation: Equatable, Sendable {
        package var isLive: Bool
        /// The last round trip; nil while it is unknown.
        package var rttMs: Int?

        package init(isLive: Bool, rttMs: Int?) {
            self.isLive = isLive
            self.rttMs = rttMs
        }
    }

    package static let full = 10.0
    fileprivate static let least = 1.0
    /// Steps after which a minimum is forgotten: 30 s; a route may have become longer.
    fileprivate static let minimumSteps = 120
    /// Differences that are the jitter of a healthy modem (measured: 20 to 50 ms of round trip), and not a queue.
    fileprivate static let jitterMs = 40.0

    fileprivate struct Share: Equatable {
        var value = WeightPlan.full
        var minimumMs: Int?
        var minimumAge = 0
    }

    private var shares: [String: Share] = [:]

    package init() {}

    /// Takes the round trips of the last quarter of a second.
    package mutating func step(_ observations: [String: Observation]) {
        shares = shares.filter { observations[$0.key] != nil }
        var queues: [String: Double] = [:]
        for (name, observation) in observations {
            var share = shares[name] ?? Share()
            if observation.isLive, let rtt = observation.rttMs { queues[name] = share.queue(behind: rtt) }
            shares[name] = share
        }
        let mean = queues.values.reduce(0, +) / Double(max(1, queues.count))
        for (name, queue) in queues { shares[name]?.move(excessMs: queue - mean) }
        raise(Array(queues.keys))
    }

    /// Only the ratios of the live links count: the largest of them is the full share.
    private mutating func raise(_ names: [String]) {
        guard let largest = names.compactMap({ shares[$0]?.value }).max(), largest < Self.full else { return }
        for name in names { shares[name]?.value *= Self.full / largest }
    }

    /// The weights to set: 0 for a link that is not live, which takes it out of the rotation.
    ///
    /// Without any live link the last shares stay: with weight 0 each of them would get a copy of everything.
    package func weights(_ observations: [String: Observation]) -> [String: Int] {
        let anyLive = observations.values.contains(where: \.isLive)
        return Dictionary(
            uniqueKeysWithValues: observations.map { name, observation in
                let share = shares[name]?.value ?? Self.full
                return (name, observation.isLive || !anyLive ? max(1, Int(share.rounded())) : 0)
            })
    }
}

extension WeightPlan.Share {
    /// How much longer than the least the round trip is, in milliseconds.
    mutating func queue(behind rttMs: Int) -> Double {
        minimumAge += 1
        if rttMs <= minimumMs ?? .max || minimumAge > WeightPlan.minimumSteps {
            minimumMs = rttMs
            minimumAge = 0
        }
        return Double(rttMs - (minimumMs ?? rttMs))
    }

    /// - Parameter excessMs: the link's queue less the mean of all.
    mutating func move(excessMs: Double) {
        let excess = excessMs - WeightPlan.jitterMs
        if excess > 0 {
            value = max(WeightPlan.least, value * (1 - min(0.4, excess / 400)))
        } else {
            value = min(WeightPlan.full, value + 0.125)
        }
    }
}
