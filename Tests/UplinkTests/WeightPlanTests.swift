import Testing
import Uplink

@Suite struct WeightPlanTests {
    typealias Observation = WeightPlan.Observation

    @Test("links start with equal weights, and a link that is not live gets none")
    func start() {
        let plan = WeightPlan()
        let seen = [
            "a": Observation(isLive: true, rttMs: nil), "b": Observation(isLive: true, rttMs: 50),
            "c": Observation(isLive: false, rttMs: 9),
        ]
        #expect(plan.weights(seen) == ["a": 10, "b": 10, "c": 0])
    }

    @Test("without any live link the weights stay: zero would send a copy over each")
    func noneLive() {
        let plan = WeightPlan()
        #expect(plan.weights(["a": Observation(isLive: false, rttMs: nil)]) == ["a": 10])
    }

    @Test("a link with a growing queue gets less within a second, and its share comes back in minutes when the queue is gone")
    func queue() {
        var plan = WeightPlan()
        func step(_ rtt: Int, times: Int) -> [String: Int] {
            var seen: [String: Observation] = [:]
            for _ in 0..<times {
                seen = ["slow": Observation(isLive: true, rttMs: rtt), "good": Observation(isLive: true, rttMs: 60)]
                plan.step(seen)
            }
            return plan.weights(seen)
        }
        // Four steps a second.
        #expect(step(50, times: 10) == ["slow": 10, "good": 10])
        let congested = step(350, times: 4)
        #expect(congested["slow"]! <= 4 && congested["good"] == 10)
        #expect(step(350, times: 8)["slow"] == 1)
        #expect(step(60, times: 4)["slow"]! <= 7)
        #expect(step(60, times: 1200)["slow"]! >= 8)
    }

    @Test("where all links queue alike no share changes, and a link that comes back gets no more than its own")
    func allQueue() {
        var plan = WeightPlan()
        func step(_ rtts: [String: Int?], times: Int) -> [String: Int] {
            let seen = rtts.mapValues { Observation(isLive: $0 != nil, rttMs: $0) }
            for _ in 0..<times { plan.step(seen) }
            return plan.weights(seen)
        }
        #expect(step(["a": 50, "b": 70, "c": 100], times: 8) == ["a": 10, "b": 10, "c": 10])
        let alike = step(["a": 330, "b": 360, "c": nil], times: 40)
        #expect(alike["a"]! >= 9 && alike["b"]! >= 9 && alike["c"] == 0)
        // The two that still queue yield to the empty one, and only as far as that.
        let shared = step(["a": 300, "b": 300, "c": 100], times: 3)
        #expect(shared["c"] == 10 && shared["a"]! >= 3 && abs(shared["a"]! - shared["b"]!) <= 2)
    }

    /// What is to happen to the first link at half of the time.
    private struct Change {
        var rateShare = 1.0
        var longerMs = 0.0
    }

    /// Links as fluid in queues of 300 ms, with round trips that are as old as they are long.
    /// - Returns: loss in the second half, in percent, and the weights at the end.
    private func course(
        kbit: [Double], delaysMs: [Double], offered: Double, jitterMs: Double, seconds: Int, change: Change = Change(), smoothed: Double = 1
    ) -> (loss: Double, weights: [Double]) {
        var plan = WeightPlan()
        var random = Sequence()
        var rates = kbit
        var longer = 0.0
        var queues = rates.map { _ in 0.0 }
        var trips = delaysMs.map { [2 * $0] }
        var means = delaysMs.map { 2 * $0 }
        var weights = rates.map { _ in 10.0 }
        var sent = 0.0
        var lost = 0.0
        for tick in 0..<(seconds * 100) {
            if tick == seconds * 50 {
                rates[0] *= change.rateShare
                longer = change.longerMs
            }
            for link in rates.indices {
                // Kilobits in 10 ms.
                let comes = offered * weights[link] / weights.reduce(0, +) / 100
                queues[link] = max(0, queues[link] + comes - rates[link] / 100)
                // A queue is as many bytes as before, whatever the rate is.
                let over = max(0, queues[link] - kbit[link] * 0.3)
                queues[link] -= over
                if tick >= seconds * 50 {
                    sent += comes
                    lost += over
                }
                let jitter = Double.random(in: 0...max(jitterMs, 0.001), using: &random)
                trips[link].append(2 * delaysMs[link] + (link == 0 ? longer : 0) + queues[link] / rates[link] * 1000 + jitter)
                let old = trips[link][max(0, trips[link].count - 1 - Int(trips[link].last! / 10))]
                // A measurement each 100 ms.
                if tick % 10 == 0 { means[link] += (old - means[link]) * smoothed }
            }
            guard tick % 25 == 0 else { continue }
            var seen: [String: Observation] = [:]
            for link in rates.indices { seen["\(link)"] = Observation(isLive: true, rttMs: Int(means[link])) }
            plan.step(seen)
            let next = plan.weights(seen)
            weights = rates.indices.map { Double(next["\($0)"]!) }
        }
        return (lost / sent * 100, weights)
    }

    private func loss(kbit rates: [Double], delaysMs: [Double], offered: Double, jitterMs: Double, seconds: Int) -> Double {
        course(kbit: rates, delaysMs: delaysMs, offered: offered, jitterMs: jitterMs, seconds: seconds).loss
    }

    @Test("what fits only where each link gets its own share loses nothing once that is learnt", arguments: [0.0, 40])
    func fits(jitterMs: Double) {
        #expect(loss(kbit: [3000, 5000, 2000], delaysMs: [30, 45, 80], offered: 9150, jitterMs: jitterMs, seconds: 60) < 0.05)
        #expect(loss(kbit: [1000, 6000, 1000], delaysMs: [30, 45, 80], offered: 7000, jitterMs: jitterMs, seconds: 60) < 0.05)
        #expect(loss(kbit: [1000, 6000], delaysMs: [30, 80], offered: 6300, jitterMs: jitterMs, seconds: 60) < 0.05)
    }

    @Test("what does not fit at all loses little more than has to be lost")
    func doesNotFit() {
        let least = (1 - 10_000.0 / 11_000) * 100
        #expect(loss(kbit: [3000, 5000, 2000], delaysMs: [30, 45, 80], offered: 11000, jitterMs: 40, seconds: 60) < least + 2)
    }

    @Test("jitter of 40 ms beside a link without any costs a third of the share at most")
    func jitter() {
        var plan = WeightPlan()
        var random = Sequence()
        for _ in 0..<1000 {
            plan.step([
                "a": Observation(isLive: true, rttMs: Int.random(in: 45...85, using: &random)),
                "b": Observation(isLive: true, rttMs: 60),
            ])
        }
        let seen = ["a": Observation(isLive: true, rttMs: 50), "b": Observation(isLive: true, rttMs: 60)]
        #expect(plan.weights(seen)["a"]! >= 6)
    }

    @Test("a route that became longer is told from a queue in four seconds, since it does not answer to the share")
    func longerRoute() {
        var plan = WeightPlan()
        func step(_ rtt: Int, times: Int) -> Int {
            let seen = ["a": Observation(isLive: true, rttMs: rtt), "b": Observation(isLive: true, rttMs: 60)]
            for _ in 0..<times { plan.step(seen) }
            return plan.weights(seen)["a"]!
        }
        #expect(step(40, times: 20) == 10)
        #expect(step(400, times: 10) == 1)
        #expect(step(400, times: 7) >= 9)
        #expect(step(400, times: 400) >= 9)
        #expect(step(40, times: 1) >= 9)
        // It is a queue from then on: nothing is learnt of the way back.
        #expect(step(400, times: 3) < 6)
    }

    @Test("a route that becomes longer costs nothing at 71 % of what the links carry", arguments: [120.0, 300, 600], [0.0, 30])
    func longerCourse(longerMs: Double, jitterMs: Double) {
        for smoothed in [1, 0.125] {
            let end = course(
                kbit: [1600, 1600, 1600], delaysMs: [30, 30, 30], offered: 3400, jitterMs: jitterMs, seconds: 120,
                change: Change(longerMs: longerMs), smoothed: smoothed)
            #expect(end.loss == 0, "smoothed by \(smoothed)")
            #expect((end.weights.min() ?? 0) >= 6, "\(end.weights)")
        }
    }

    @Test("a rate that falls is a queue, however far it falls", arguments: [0.5, 0.3, 0.2, 0.1])
    func falls(_ share: Double) {
        let end = course(
            kbit: [1600, 1600, 1600], delaysMs: [30, 30, 30], offered: 3000, jitterMs: 10, seconds: 240, change: Change(rateShare: share),
            smoothed: 0.125)
        // What the others have to carry then is 94 % of them; a tenth of the weight is the least there is.
        #expect(end.loss < 1.5, "\(end.weights)")
        #expect(end.weights[0] <= 10 * share + 2.5, "\(end.weights)")
    }

    @Test("weights stay between 1 and 10 whatever is observed")
    func bounds() {
        var plan = WeightPlan()
        for rtt in [0, 1, 10_000, .max / 2, 5, 700, 50, 50, 3000] + Array(repeating: 900, count: 50) {
            let seen = ["a": Observation(isLive: true, rttMs: rtt)]
            plan.step(seen)
            #expect((1...10).contains(plan.weights(seen)["a"]!))
        }
    }
}
