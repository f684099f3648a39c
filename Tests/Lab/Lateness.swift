import Posix

/// How much later than calculated packets left the emulator: a run in which the machine was too slow proves nothing.
package struct Lateness: Hashable, Sendable, Codable {
    /// p99.9 above this makes a run void.
    package static let limitMs = 5.0
    private static let stepsPerMs = 10.0

    /// Packets by lateness in tenths of a millisecond; the last counts all from 100 ms on.
    private var steps = [Int](repeating: 0, count: 1001)
    package private(set) var packets = 0

    package init() {}

    package mutating func record(nanoseconds: Int64) {
        packets += 1
        steps[min(max(Int(nanoseconds / 100_000), 0), steps.count - 1)] += 1
    }

    /// In milliseconds, the upper edge of the step; 0 without packets.
    package func percentile(_ percent: Double) -> Double {
        var left = Int((Double(packets) * (1 - percent / 100)).rounded(.down))
        for index in steps.indices.reversed() where packets > 0 {
            left -= steps[index]
            if left < 0 { return Double(index + 1) / Self.stepsPerMs }
        }
        return 0
    }

    package var isVoid: Bool { percentile(99.9) > Self.limitMs }

    package mutating func reset() { self = Lateness() }
}

/// A run failed on a machine that was too busy to emulate: its failure proves nothing.
package struct VoidRun: Error, CustomStringConvertible {
    package let p999Ms: Double

    package var description: String { "void run: p99.9 of the emulator's lateness is \(p999Ms) ms, over \(Lateness.limitMs)" }
}

/// What `unlessVoid` hands to a run: where it names the emulators whose lateness counts.
package final class Run: Sendable {
    private let sources = Guarded<[@Sendable () -> Lateness?]>([])

    /// - Parameter lateness: read once, after the run has ended, well or not.
    package func judge(by lateness: @escaping @Sendable () -> Lateness?) {
        sources.withLock { $0.append(lateness) }
    }

    var void: VoidRun? {
        let worst = sources.withLock { $0 }.compactMap { $0() }.max { $0.percentile(99.9) < $1.percentile(99.9) }
        guard let worst, worst.isVoid else { return nil }
        return VoidRun(p999Ms: worst.percentile(99.9))
    }
}

/// Repeats a run that failed while its emulator was late; three such ones are a failure. A run that passed although the emulator
/// was late is a pass, and says so: lateness is jitter on top of what the links do, so it made the run harder and not easier.
///
/// Where the machine is a guest, its host may take the processors away for a while after they were busy for long: before each repetition
/// this one rests.
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
        let void = current.void
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
