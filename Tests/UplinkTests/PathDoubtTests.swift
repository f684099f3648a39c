import Posix
import Testing

@testable import Uplink

@Suite("Whether a path still carries what was proven")
struct PathDoubtTests {
    private let start = Instant(nanoseconds: 1_000_000_000)

    /// Asks each 50 ms for `seconds`, and lets what fits come 40 ms later.
    private func verdict(of size: Int, path: Int, for seconds: Int = 3) -> PathDoubt.Verdict {
        var doubt = PathDoubt(of: size, at: start)
        for tick in 0..<seconds * 20 {
            let now = start + .milliseconds(50 * tick)
            if doubt.isDue(at: now) { for size in [1328, 1140, 952] where size <= path { doubt.came(size, at: now + .milliseconds(40)) } }
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

    @Test("one loss of the largest says nothing")
    func loss() {
        var doubt = PathDoubt(of: 1328, at: start)
        let first = doubt.isDue(at: start)
        doubt.came(952, at: start)
        #expect(doubt.verdict(at: start + .seconds(2)) == .open)
        let second = doubt.isDue(at: start + .seconds(2))
        #expect(first && second)
        doubt.came(1328, at: start + .seconds(2))
        #expect(doubt.verdict(at: start + .seconds(2)) == .unfounded)
    }
}
