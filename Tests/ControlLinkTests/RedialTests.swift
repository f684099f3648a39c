import Testing

@testable import ControlLink

@Suite("Redial")
struct RedialTests {
    private func steps(_ redial: inout Redial<String>, _ candidates: [String], _ count: Int, jitter: Double = 0) -> [Redial<String>.Step] {
        (0..<count).map { _ in redial.next(among: candidates, jitter: jitter) }
    }

    @Test("each route is tried once, best first, then it waits")
    func round() {
        var redial = Redial<String>()
        #expect(steps(&redial, ["a", "b"], 4) == [.dial("a"), .dial("b"), .wait(.seconds(1)), .dial("a")])
    }

    @Test("waits double up to 30 s, and jitter takes away at most half")
    func waits() {
        var redial = Redial<String>()
        let waits = steps(&redial, [], 8)
        #expect(waits == [1, 2, 4, 8, 16, 30, 30, 30].map { .wait(.seconds($0)) })
        #expect(redial.next(among: [], jitter: 0.5) == .wait(.seconds(22.5)))
    }

    @Test("after a good connection the others come first, without a wait")
    func succeeded() {
        var redial = Redial<String>()
        _ = steps(&redial, ["a", "b"], 6)
        redial.succeeded(over: "a")
        #expect(steps(&redial, ["a", "b"], 3) == [.dial("b"), .wait(.seconds(1)), .dial("a")])
    }

    @Test("a refusal counts for every route")
    func refused() {
        var redial = Redial<String>()
        _ = steps(&redial, ["a", "b"], 1)
        redial.refused(among: ["a", "b"])
        #expect(redial.next(among: ["a", "b"], jitter: 0) == .wait(.seconds(1)))
    }

    @Test("a new route is dialled at once, and the waits begin anew")
    func appeared() {
        var redial = Redial<String>()
        _ = steps(&redial, ["a"], 9)
        redial.appeared()
        #expect(steps(&redial, ["b", "a"], 1) == [.dial("b")])
        redial.refused(among: ["a", "b"])
        #expect(redial.next(among: ["a", "b"], jitter: 0) == .wait(.seconds(1)))
    }
}
