import Posix

/// A run failed on a machine that was too busy: its failure proves nothing.
package enum VoidRun: Error, CustomStringConvertible {
    /// p99.9 of the emulator's lateness, in milliseconds.
    case late(p999Ms: Double)
    /// The greatest share of all processors that the host took away in a second.
    case stolen(share: Double)

    package var description: String {
        switch self {
        case .late(let p999Ms): "void run: p99.9 of the emulator's lateness is \(p999Ms) ms, over \(Lateness.limitMs)"
        case .stolen(let share):
            "void run: the host took away \(percent(share)) of the processors in a second, over \(percent(StolenTime.limit))"
        }
    }

    private func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }
}

/// What `unlessVoid` hands to a run: where it names what its failure is judged by.
package final class Run: Sendable {
    private let sources = Guarded<[@Sendable () -> Lateness?]>([])
    private let watch = Guarded<StolenTimeWatch?>(nil)

    /// By an emulator's lateness.
    /// - Parameter lateness: read once, after the run has ended, well or not.
    package func judge(by lateness: @escaping @Sendable () -> Lateness?) {
        sources.withLock { $0.append(lateness) }
    }

    /// By what the host takes away of the processors from now on: for what is decoded and encoded in real time without any emulator.
    package func judgeByStolenTime() {
        watch.withLock { $0 = $0 ?? StolenTimeWatch() }
    }

    fileprivate func verdict() -> VoidRun? {
        let late = sources.withLock { $0 }.compactMap { $0()?.percentile(99.9) }.max() ?? 0
        let share = watch.withLock { $0?.worst } ?? 0
        if late > Lateness.limitMs { return .late(p999Ms: late) }
        return share > StolenTime.limit ? .stolen(share: share) : nil
    }
}

/// Repeats a run that failed while its emulator was late, or the host took the processors away; three such ones are a failure. A run that
/// passed nevertheless is a pass, and says so: what was late is jitter on top of what the links do, so it made the run harder and not easier.
///
/// A host takes processors away for a while after they were busy for long: before each repetition this one rests.
///
/// - Parameters:
///   - rests: before each repetition.
///   - run: does everything from fresh and throws what is wrong, by `need`: `#require` records an issue as well, which stays.
package func unlessVoid(
    resting rests: [Duration] = [.seconds(10), .seconds(40)], _ run: (Run) async throws -> Void
) async throws {
    for attempt in 0...rests.count {
        let current = Run()
        var failure: (any Error)?
        do { try await run(current) } catch { failure = error }
        let void = current.verdict()
        guard let failure else {
            if let void { print("passed in spite of a \(void)") }
            return
        }
        guard let void else { throw failure }
        print("attempt \(attempt + 1): \(void): \(failure)")
        if attempt == rests.count { throw void }
        try await Task.sleep(for: rests[attempt])
    }
}

/// What did not hold in a run that may be void.
package struct Unmet: Error, CustomStringConvertible {
    package let description: String
}

/// In a run of `unlessVoid`, what `#require` is elsewhere.
package func need(_ isSo: Bool, _ what: @autoclosure () -> String = "", file: String = #fileID, line: Int = #line) throws {
    guard isSo else { throw Unmet(description: "\(file):\(line) does not hold. \(what())") }
}

package func need<Value>(
    _ value: Value?, _ what: @autoclosure () -> String = "", file: String = #fileID, line: Int = #line
) throws -> Value {
    guard let value else { throw Unmet(description: "\(file):\(line) is not there. \(what())") }
    return value
}
