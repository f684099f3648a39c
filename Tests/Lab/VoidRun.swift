import Foundation
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

/// What the host of a guest takes away of its processors (`steal` of proc(5)): pictures cannot be decoded in time without any.
package struct StolenTime: Sendable {
    /// A greater share of a second makes a run void.
    package static let limit = 0.25

    private var all = 0
    private var stolen = 0

    package init(_ statistics: String) {
        // user nice system idle iowait irq softirq steal; what guests take is within user time.
        let ticks = statistics.prefix { $0 != "\n" }.split(separator: " ").dropFirst().prefix(8).compactMap { Int($0) }
        guard ticks.count == 8 else { return }
        all = ticks.reduce(0, +)
        stolen = ticks[7]
    }

    static func now() -> StolenTime {
        StolenTime((try? String(contentsOfFile: "/proc/stat", encoding: .utf8)) ?? "")
    }

    /// The share between two readings; 0 where they are too near to each other for the kernel's ticks of 10 ms.
    package func share(until later: StolenTime) -> Double {
        let ticks = later.all - all
        return ticks < 20 ? 0 : Double(later.stolen - stolen) / Double(ticks)
    }

    /// Watches until its task is cancelled.
    /// - Returns: the greatest share of a second.
    static func worst() async -> Double {
        var worst = 0.0
        while true {
            let before = now()
            // try?: once cancelled, what is left of a second counts as well.
            try? await Task.sleep(for: .seconds(1))
            worst = max(worst, before.share(until: now()))
            if Task.isCancelled { return worst }
        }
    }
}

/// What `unlessVoid` hands to a run: where it names what its failure is judged by.
package final class Run: Sendable {
    private let sources = Guarded<[@Sendable () -> Lateness?]>([])
    private let watch = Guarded<Task<Double, Never>?>(nil)

    /// By an emulator's lateness.
    /// - Parameter lateness: read once, after the run has ended, well or not.
    package func judge(by lateness: @escaping @Sendable () -> Lateness?) {
        sources.withLock { $0.append(lateness) }
    }

    /// By what the host takes away of the processors from now on: for what is decoded and encoded in real time without any emulator.
    package func judgeByStolenTime() {
        watch.withLock { $0 = $0 ?? Task { await StolenTime.worst() } }
    }

    fileprivate func verdict() async -> VoidRun? {
        let late = sources.withLock { $0 }.compactMap { $0()?.percentile(99.9) }.max() ?? 0
        let watch = watch.withLock { $0 }
        watch?.cancel()
        let share = await watch?.value ?? 0
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
        let void = await current.verdict()
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
