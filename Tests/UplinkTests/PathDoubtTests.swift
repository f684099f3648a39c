import Posix
import Testing

@testable import Uplink

@Suite("Whether a path still carries what was proven")
struct PathDoubtTests {
    private let start = Instant(nanoseconds: 1_000_000_000)

    /// Asks each 50 ms for `seconds`, and lets what fits come 40 ms later.
    private func verdict(of size: Int, path: Int, for seconds: Int = 6) -> PathDoubt.Verdict {
        var doubt = PathDoubt(of: size, at: start)
        for tick in 0..<seconds * 20 {
            let now = start + .milliseconds(50 * tick)
            if doubt.isDue(at: now) { for size in [1328, 1140, 952, PathDoubt.small] where size <= path { doubt.came(size) } }
            let verdict = doubt.verdict(at: now + .milliseconds(45))
            if verdict != .open { return verdict }
        }
        return .open
    }

    @Test("the largest that comes through while what was proven does not is what the path carries now")
    func narrower() {
        #expect(verdict(of: 1328, path: 1200) == .narrower(1140))
        #expect(verdict(of: 1328, path: 1000) == .narrower(952))
        #expect(verdict(of: 1140, path: 1000) == .narrower(952))
    }

    @Test("a path that carries it, and one that carries nothing at all, is not taken for narrower")
    func unfounded() {
        #expect(verdict(of: 1328, path: 1500) == .unfounded)
        #expect(verdict(of: 952, path: 1000) == .unfounded)
        #expect(verdict(of: 1328, path: 0) == .unfounded)
    }

    @Test("a path that carries none of media's sizes, and small packets all the same, is too narrow for it", arguments: [1328, 952])
    func tooNarrow(_ proven: Int) { #expect(verdict(of: proven, path: 540) == .tooNarrow) }

    @Test("one loss of the largest says nothing")
    func loss() {
        var doubt = PathDoubt(of: 1328, at: start)
        let first = doubt.isDue(at: start)
        doubt.came(952)
        #expect(doubt.verdict(at: start + .seconds(2)) == .open)
        let second = doubt.isDue(at: start + .seconds(2))
        #expect(first && second)
        doubt.came(1328)
        #expect(doubt.verdict(at: start + .seconds(2)) == .unfounded)
    }

    @Test("loss by chance is not taken for a narrower path, nor is a time in the dark")
    func chance() {
        var random = Sequence()
        var wrong = 0
        for _ in 0..<2000 {
            var doubt = PathDoubt(of: 1328, at: start)
            var tick = 0
            while doubt.verdict(at: start + .milliseconds(50 * tick)) == .open {
                let now = start + .milliseconds(50 * tick)
                // Dark for a second after the first rounds.
                let isDark = (4..<24).contains(tick)
                if doubt.isDue(at: now) {
                    for size in [1328, 1140, 952, PathDoubt.small] where !isDark && Double.random(in: 0..<1, using: &random) >= 0.3 {
                        doubt.came(size)
                    }
                }
                tick += 1
            }
            if doubt.verdict(at: start + .milliseconds(50 * tick)) != .unfounded { wrong += 1 }
        }
        #expect(wrong <= 8, "\(wrong) of 2000")
    }

    @Test("a link with a round trip of two seconds is found as well")
    func slow() {
        var doubt = PathDoubt(of: 1328, at: start)
        for tick in 0..<100 {
            let now = start + .milliseconds(50 * tick)
            _ = doubt.isDue(at: now)
            if tick >= 40, tick % 2 == 0 { for size in [1140, 952] { doubt.came(size) } }
            let verdict = doubt.verdict(at: now)
            guard verdict == .open else {
                #expect(verdict == .narrower(1140))
                return
            }
        }
        Issue.record("still open")
    }
}

/// The same numbers each time. Source: Steele et al., SplitMix64.
struct Sequence: RandomNumberGenerator {
    private var state: UInt64 = 7

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
