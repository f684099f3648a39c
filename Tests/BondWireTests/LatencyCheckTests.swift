import Testing

@testable import BondWire

@Suite struct LatencyCheckTests {
    /// Which of these words tell of a difference.
    private func told(_ words: [Microseconds], isMeasured: Bool) -> [Int] {
        var check = LatencyCheck(own: 1000 * ms, isMeasured: isMeasured)
        return words.enumerated().filter { check.differs($0.element) }.map(\.offset)
    }

    @Test("a sender with another latency is told once, when its first ten words say so; one whose clock moves later is not")
    func measured() {
        #expect(told(Array(repeating: 2000 * ms, count: 50), isMeasured: true) == [9])
        #expect(told(Array(repeating: 949 * ms, count: 50), isMeasured: true) == [9])
        #expect(told([1049 * ms] + Array(repeating: 1300 * ms, count: 50), isMeasured: true) == [])
    }

    @Test("a receiver says exactly what it was given")
    func exact() {
        #expect(told([1001 * ms, 1001 * ms], isMeasured: false) == [0])
        #expect(told([1000 * ms, 1001 * ms], isMeasured: false) == [])
    }
}
