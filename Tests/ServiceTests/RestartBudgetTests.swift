import Posix
import Testing

@testable import Service

@Suite("Restart budget")
struct RestartBudgetTests {
    private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    @Test("ends within the budget are answered within 2 s each, doubling")
    func withinBudget() {
        var budget = RestartBudget()
        let waits = (0..<5).map { budget.ended(at: at(Double($0)), jitter: 0) }
        #expect(waits == [100, 200, 400, 800, 1600].map { .milliseconds($0) })
        #expect(budget.state(at: at(5)) == .restarting(ends: 5))
    }

    @Test("beyond the budget it backs off to 30 s and never gives up")
    func backsOff() {
        var budget = RestartBudget()
        var now = 0.0
        for _ in 0..<5 { _ = budget.ended(at: at(now), jitter: 0) }
        var waits: [Duration] = []
        for _ in 0..<100 {
            let wait = budget.ended(at: at(now), jitter: 0)
            waits.append(wait)
            now += wait / .seconds(1)
        }
        #expect(Array(waits.prefix(5)) == [2, 4, 8, 16, 30].map { .seconds($0) })
        #expect(waits.dropFirst(5).allSatisfy { $0 == .seconds(30) })
        #expect(budget.state(at: at(now)) == .exhausted(ends: 6))
        #expect(budget.total == 105)
    }

    @Test("a run as long as the window makes it calm again")
    func quiet() {
        var budget = RestartBudget()
        for _ in 0..<8 { _ = budget.ended(at: at(0), jitter: 0) }
        #expect(budget.state(at: at(59)) == .exhausted(ends: 6))
        #expect(budget.state(at: at(60)) == .calm)
        #expect(budget.ended(at: at(60), jitter: 0) == .milliseconds(100))
    }

    @Test("rare ends stay within the budget")
    func rare() {
        var budget = RestartBudget()
        for index in 0..<100 {
            #expect(budget.ended(at: at(Double(index) * 20), jitter: 0) <= .milliseconds(400))
        }
    }

    @Test("jitter takes away at most a quarter")
    func jitter() {
        var budget = RestartBudget()
        #expect(budget.ended(at: at(0), jitter: 0.999) > .milliseconds(75))
        #expect(RestartBudget(total: 7).total == 7)
    }
}
