@testable import Lookout
import Testing

@Suite struct OutageTests {
    private static let people = ["a@example.org", "b@example.org"]

    private func see(_ outage: inout Outage, _ isWell: Bool, at atMs: Int64) -> Outage.Step {
        outage.saw(isWell: isWell, atMs: atMs, limit: 3, people: Self.people)
    }

    private func take(_ outage: inout Outage, _ step: Outage.Step, _ people: [String] = people) {
        for person in people { outage.took(step, for: person) }
    }

    @Test("everybody is told once of three failures in a row, and once of their end")
    func once() {
        var outage = Outage()
        for (at, isWell) in [(1, false), (2, false), (3, true), (4, false), (5, false)] {
            #expect(see(&outage, isWell, at: Int64(at)) == .nothing)
        }
        let failure = see(&outage, false, at: 6)
        #expect(failure == .tellFailure(to: Self.people))
        #expect(outage.sinceMs == 4 && outage.failures == 3)
        take(&outage, failure)
        for at in 7..<100 { #expect(see(&outage, false, at: Int64(at)) == .nothing) }
        let recovery = see(&outage, true, at: 100)
        #expect(recovery == .tellRecovery(to: Self.people) && outage.sinceMs == 4)
        take(&outage, recovery)
        #expect(outage == Outage())
        #expect(see(&outage, true, at: 101) == .nothing)
    }

    @Test("whoever could not be told is told at the next look, and nobody else again")
    func untold() {
        var outage = Outage()
        for at in 1...2 { _ = see(&outage, false, at: Int64(at)) }
        take(&outage, see(&outage, false, at: 3), ["a@example.org"])
        let second = see(&outage, false, at: 4)
        #expect(second == .tellFailure(to: ["b@example.org"]))
        take(&outage, second, ["b@example.org"])
        take(&outage, see(&outage, true, at: 5), ["b@example.org"])
        #expect(see(&outage, true, at: 6) == .tellRecovery(to: ["a@example.org"]))
        // It is away again before all know that it was back: that is still the first time, of which they know.
        for at in 7...8 { #expect(see(&outage, false, at: Int64(at)) == .nothing) }
        #expect(see(&outage, false, at: 9) == .tellFailure(to: ["b@example.org"]))
        #expect(outage.sinceMs == 1)
    }

    @Test("an outage that nobody was told of ends without a word")
    func unseen() {
        var outage = Outage()
        for at in 1...3 { _ = see(&outage, false, at: Int64(at)) }
        #expect(see(&outage, true, at: 4) == .nothing)
        #expect(outage == Outage())
    }
}
