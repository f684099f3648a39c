/// The share of each link in librist's weighted round-robin. Holds no clock: `step` is called twice a second.
///
/// All start equal. A link whose round trip grows over its own minimum has a queue: it gets less until the queue is gone,
/// then slowly its full share again. Loss is no input, as nothing at the sender tells which link loses; silence is, through
/// `isLive`. Weights stay small: librist sends weight differences in a row, which must fit into a queue.
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
    fileprivate static let minimumSteps = 60

    fileprivate struct Share: Equatable {
        var value = WeightPlan.full
        var minimumMs: Int?
        var minimumAge = 0
    }

    private var shares: [String: Share] = [:]

    package init() {}

    /// Takes the round trips of the last half second.
    package mutating func step(_ observations: [String: Observation]) {
        shares = shares.filter { observations[$0.key] != nil }
        for (name, observation) in observations {
            var share = shares[name] ?? Share()
            if observation.isLive, let rtt = observation.rttMs { share.observe(rtt) }
            shares[name] = share
        }
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
    mutating func observe(_ rttMs: Int) {
        minimumAge += 1
        if rttMs <= minimumMs ?? .max || minimumAge > WeightPlan.minimumSteps {
            minimumMs = rttMs
            minimumAge = 0
        }
        let queueMs = rttMs - (minimumMs ?? rttMs)
        // Above any jitter of a healthy modem (measured 20-50 ms), below what its queue holds (300 ms and more).
        if queueMs > max(80, (minimumMs ?? 0) / 2) {
            value = max(WeightPlan.least, value * 0.8)
        } else {
            value = min(WeightPlan.full, value + 0.25)
        }
    }
}
