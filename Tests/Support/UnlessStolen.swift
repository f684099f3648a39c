package import Lab
import Posix
package import Testing

/// Repeats a test that failed in a run in which the host of this guest took its processors away (`StolenTime`): what has to happen in
/// time did not, and that proves nothing. Three such runs fail, with what was wrong in the last; each is told. A run that passes is a pass.
///
/// For whatever is judged by a clock, and says it with `#expect` and `#require`. Runs over an emulated link are judged by its lateness, in
/// `unlessVoid`; what that throws is not judged again.
package struct UnlessStolen: TestTrait, SuiteTrait, TestScoping {
    /// Each test of a suite is repeated by itself.
    package let isRecursive = true
    /// Before each repetition: a host takes processors away for a while after they were busy for long.
    private let rests: [Duration]
    private let read: @Sendable () -> StolenTime

    package init(
        resting rests: [Duration] = [.seconds(5), .seconds(20)], reading read: @escaping @Sendable () -> StolenTime = StolenTime.now
    ) {
        self.rests = rests
        self.read = read
    }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        for rest in rests {
            let watch = StolenTimeWatch(read)
            let isVoid = Guarded(false)
            // What was wrong while nothing was taken away is wrong, and recorded at once.
            let judged = IssueHandlingTrait.compactMapIssues { issue in
                guard watch.worst > StolenTime.limit else { return issue }
                isVoid.withLock { $0 = true }
                print("\(VoidRun.stolen(share: watch.worst)): \(issue)")
                return nil
            }
            do {
                try await judged.provideScope(for: test, testCase: testCase, performing: function)
            } catch {
                guard !(error is VoidRun), isVoid.withLock({ $0 }) || watch.worst > StolenTime.limit else { throw error }
                isVoid.withLock { $0 = true }
                // What `#require` throws is told above.
                if !(error is ExpectationFailedError) { print("\(VoidRun.stolen(share: watch.worst)): \(error)") }
            }
            guard isVoid.withLock({ $0 }) else { return }
            try await Task.sleep(for: rest)
        }
        try await function()
    }
}

extension Trait where Self == UnlessStolen {
    package static var unlessStolen: Self { UnlessStolen() }
}
