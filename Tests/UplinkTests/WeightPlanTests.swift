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

    @Test("a link with a growing queue gets less within seconds, and all of it back when the queue is gone")
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
        #expect(congested["slow"]! <= 3 && congested["good"] == 10)
        #expect(step(350, times: 20)["slow"] == 1)
        #expect(step(60, times: 16)["slow"]! >= 3)
        #expect(step(60, times: 60) == ["slow": 10, "good": 10])
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
        #expect(step(["a": 330, "b": 360, "c": nil], times: 40) == ["a": 10, "b": 10, "c": 0])
        #expect(step(["a": 300, "b": 300, "c": 100], times: 1).values.max() == 10)
        // The two that still queue yield to the empty one, and only as far as that.
        let shared = step(["a": 300, "b": 300, "c": 100], times: 4)
        #expect(shared["c"] == 10 && shared["a"]! >= 3 && abs(shared["a"]! - shared["b"]!) <= 2)
        #expect(step(["a": 60, "b": 80, "c": 110], times: 60) == ["a": 10, "b": 10, "c": 10])
    }

    @Test("jitter of a healthy modem changes nothing")
    func jitter() {
        var plan = WeightPlan()
        var random = SystemRandomNumberGenerator()
        for _ in 0..<1000 {
            plan.step(["a": Observation(isLive: true, rttMs: Int.random(in: 45...110, using: &random))])
        }
        #expect(plan.weights(["a": Observation(isLive: true, rttMs: 50)]) == ["a": 10])
    }

    @Test("a route that became longer for good is not a queue for ever")
    func longerRoute() {
        var plan = WeightPlan()
        for _ in 0..<20 { plan.step(["a": Observation(isLive: true, rttMs: 40)]) }
        for _ in 0..<120 { plan.step(["a": Observation(isLive: true, rttMs: 400)]) }
        #expect(plan.weights(["a": Observation(isLive: true, rttMs: 400)]) == ["a": 10])
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
