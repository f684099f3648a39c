import Glibc

/// The share of each link in librist's weighted round-robin. Holds no clock: `step` is called four times a second.
///
/// All start equal. A link whose round trip has grown over its own minimum has a queue; one whose queue is longer than the
/// mean of all gets less, until the queues are equal: so none overflows while another has room, and where all of them queue,
/// which no share can help, the shares stay what they were. What was learnt stays when the queues are gone, and is forgotten
/// within minutes: shares that went back at once overflowed the small links anew, every few seconds.
/// Loss is no input, as nothing at the sender tells which link loses; silence is, through `isLive`. Weights stay small: librist
/// sends weight differences in a row, which must fit into a queue.
///
/// A share follows its queue as a proportional-integral controller in the logarithm of the share: a queue grows by the ratio of
/// share to capacity, so one pair of gains is right for links of any size.
///
/// A queue shrinks when its link is given less, a longer way does not: a link whose round trip has stayed long for two seconds is given the least
/// share for as long as that takes to show. If it shows nothing, its way has become longer, and it gets its share back. Never two links at once.
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

    package static let full = 10

    fileprivate struct Share: Equatable {
        /// Logarithms, 0 for the largest share: what was learnt, and that with what the queue of the moment says.
        var learnt = 0.0
        var now = 0.0
        var weight = WeightPlan.full
        /// The least round trip of each of the last periods, the newest last.
        var minima: [Int] = []
        var steps = 0
        var trial: Trial?
    }

    /// Of what looks like a queue.
    fileprivate struct Trial: Equatable {
        /// The longest of it, in seconds.
        var queue: Double
        /// What was learnt before.
        var learnt: Double
        var steps = 0
        /// The link is given the least, to see what that does.
        var isStarved = false
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
        for (name, queue) in queues.sorted(by: { $0.value > $1.value }) {
            let isOther = shares.contains { $0.key != name && $0.value.trial?.isStarved == true }
            shares[name]?.follow(excess: queue - mean)
            shares[name]?.examine(queue, excess: queue - mean, behind: observations[name]?.rttMs ?? 0, mayStarve: !isOther)
        }
        for name in shares.keys where queues[name] == nil { shares[name]?.trial = nil }
        // Only the ratios of the live links count: the largest of them is the full share.
        let live = queues.keys.compactMap { shares[$0] }
        guard let learnt = live.map(\.learnt).max(), let now = live.map(\.now).max() else { return }
        for name in queues.keys { shares[name]?.settle(learnt: learnt, now: now) }
    }

    /// The weights to set: 0 for a link that is not live, which takes it out of the rotation.
    ///
    /// Without any live link the last shares stay: with weight 0 each of them would get a copy of everything.
    package func weights(_ observations: [String: Observation]) -> [String: Int] {
        let anyLive = observations.values.contains(where: \.isLive)
        return Dictionary(
            uniqueKeysWithValues: observations.map { name, observation in
                (name, observation.isLive || !anyLive ? shares[name]?.weight ?? Self.full : 0)
            })
    }
}

extension WeightPlan.Share {
    private static let stepSeconds = 0.25
    /// In 1/s and 1/s²: a time constant of about a second, damped beyond critical because a round trip is old news.
    private static let proportional = 3.0
    private static let integral = 1.1
    /// How much of what was learnt goes in each step: half in 87 s.
    private static let forgotten = 0.002
    /// A tenth of the largest.
    private static let least = -2.3
    /// How far off a weight may be before it is set anew.
    private static let holding = 0.75
    /// What is no queue: the jitter of a healthy modem, in milliseconds.
    private static let jitterMs = 20
    /// No modem's queue is longer; what is counts as this.
    private static let longestMs = 2000
    /// A minimum is forgotten after 25 to 30 s: a route may have become longer.
    private static let periods = 6
    private static let stepsOfPeriod = 20
    /// Which queues may be longer ways, in seconds. With less nothing is lost by equal queues; a modem whose rate fell to so little that the least
    /// share still fills its queue has a longer one.
    private static let doubtful = 0.05...0.8
    /// A queue that is shorter than this much of its longest has answered, if that is more than what jitter does.
    private static let shrunk = 0.8
    private static let noise = 0.04
    /// librist's round trips are a mean over some 0.8 s.
    private static let stepsWatched = 8
    private static let stepsStarved = 4

    /// How much longer than the least the round trip is, in seconds.
    mutating func queue(behind rttMs: Int) -> Double {
        if steps % Self.stepsOfPeriod == 0 { minima = minima.suffix(Self.periods - 1) + [rttMs] }
        steps += 1
        minima[minima.count - 1] = min(minima[minima.count - 1], rttMs)
        let least = minima.min() ?? rttMs
        return Double(min(max(rttMs - least - Self.jitterMs, 0), Self.longestMs)) / 1000
    }

    /// - Parameter excess: the link's queue less the mean of all, in seconds.
    mutating func follow(excess: Double) {
        learnt = learnt * (1 - Self.forgotten) - Self.integral * excess * Self.stepSeconds
        now = learnt - Self.proportional * excess
    }

    /// Tells a queue from a longer way.
    mutating func examine(_ queue: Double, excess: Double, behind rttMs: Int, mayStarve: Bool) {
        guard Self.doubtful.contains(queue), excess > 0 || trial?.isStarved == true else {
            trial = nil
            return
        }
        guard var trial, queue >= min(Self.shrunk * trial.queue, trial.queue - Self.noise) else {
            // It answers, or is new: what has been learnt so far is right.
            trial = WeightPlan.Trial(queue: queue, learnt: learnt)
            return
        }
        trial.queue = max(trial.queue, queue)
        trial.steps += 1
        if trial.isStarved {
            now = Self.least
            // The answer is as old as the round trip is long.
            if trial.steps > Self.stepsStarved + rttMs / Int(Self.stepSeconds * 1000) {
                minima = [rttMs]
                (learnt, now) = (trial.learnt, trial.learnt)
                self.trial = nil
                return
            }
        } else if trial.steps >= Self.stepsWatched, mayStarve {
            (trial.isStarved, trial.steps) = (true, 0)
        }
        self.trial = trial
    }

    /// Takes the largest of all shares for the full one.
    mutating func settle(learnt largestLearnt: Double, now largestNow: Double) {
        learnt = max(learnt - largestLearnt, Self.least)
        now = max(now - largestNow, Self.least)
        let exact = Double(WeightPlan.full) * exp(now)
        // Not at each tenth: at each decrease librist 0.2.7 loses count of its rotation, and one packet finds no peer.
        guard abs(exact - Double(weight)) > Self.holding else { return }
        weight = min(max(Int(exact.rounded()), 1), WeightPlan.full)
    }
}
