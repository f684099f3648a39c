import Lab
import Posix
import Support
import Testing

@Suite struct UnlessStolenTests {
    private struct Wrong: Error {}

    private final class Count: Sendable {
        private let value = Guarded(0)

        func next() -> Int {
            value.withLock {
                $0 += 1
                return $0
            }
        }

        var last: Int { value.withLock { $0 } }
    }

    /// Of 100 ticks each, `stolen` were taken away.
    private static func trait(stolen: Int) -> UnlessStolen {
        let readings = Count()
        return UnlessStolen(resting: [.zero, .zero]) {
            let reading = readings.next()
            return StolenTime("cpu  \(reading * (100 - stolen)) 0 0 0 0 0 0 \(reading * stolen)\n")
        }
    }

    /// - Parameter body: gets the number of its run.
    /// - Returns: how many runs there were.
    private static func runs(stolen: Int, _ body: @escaping @Sendable (Int) throws -> Void) async throws -> Int {
        let runs = Count()
        let test = try #require(Test.current)
        await withKnownIssue(isIntermittent: true) {
            try await trait(stolen: stolen).provideScope(for: test, testCase: Test.Case.current) {
                try body(runs.next())
            }
        }
        return runs.last
    }

    @Test("what fails while the processors were taken away is done again, and counts the third time", arguments: [0, 25, 26, 90])
    func repeats(stolen: Int) async throws {
        let most = stolen > 25 ? 3 : 1
        #expect(try await Self.runs(stolen: stolen) { _ in Issue.record("an expectation") } == most)
        #expect(try await Self.runs(stolen: stolen) { _ in throw Wrong() } == most)
        #expect(try await Self.runs(stolen: stolen) { _ in try #require(Bool(false)) } == most)
        #expect(try await Self.runs(stolen: stolen) { _ in } == 1)
        #expect(try await Self.runs(stolen: stolen) { _ in throw VoidRun.late(p999Ms: 9) } == 1)
    }

    @Test("a run that passes after void ones leaves no issue")
    func passes() async throws {
        let test = try #require(Test.current)
        let runs = Count()
        try await Self.trait(stolen: 50).provideScope(for: test, testCase: Test.Case.current) {
            let run = runs.next()
            #expect(run == 3 || run == 2)
            try #require(run != 2)
        }
        #expect(runs.last == 3)
    }

    @Test("what is wrong the third time is an issue")
    func fails() async throws {
        let test = try #require(Test.current)
        await withKnownIssue {
            try await Self.trait(stolen: 50).provideScope(for: test, testCase: Test.Case.current) { throw Wrong() }
        }
    }
}
