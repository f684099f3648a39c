import Foundation
import Posix

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

    package static func now() -> StolenTime {
        // try?: where the kernel tells nothing, nothing is known to be stolen, and no run is void by it.
        StolenTime((try? String(contentsOfFile: "/proc/stat", encoding: .utf8)) ?? "")
    }

    /// The share between two readings; 0 where they are too near to each other for the kernel's ticks of 10 ms, or one is missing.
    package func share(until later: StolenTime) -> Double {
        let ticks = later.all - all
        return all == 0 || ticks < 20 ? 0 : Double(later.stolen - stolen) / Double(ticks)
    }
}

/// Takes a reading each second, for as long as it is held.
package final class StolenTimeWatch: Sendable {
    private struct State {
        var worst = 0.0
        var last: StolenTime

        mutating func take(_ reading: StolenTime) {
            worst = max(worst, last.share(until: reading))
            last = reading
        }
    }

    private let state: Guarded<State>
    private let read: @Sendable () -> StolenTime
    private let task: Task<Void, Never>

    package init(_ read: @escaping @Sendable () -> StolenTime = StolenTime.now) {
        let state = Guarded(State(last: read()))
        self.state = state
        self.read = read
        task = Task {
            while !Task.isCancelled {
                // A second is the measure itself, and not a wait. try?: the loop ends itself.
                try? await Task.sleep(for: .seconds(1))
                state.withLock { $0.take(read()) }
            }
        }
    }

    deinit { task.cancel() }

    /// The greatest share of a second until now, the one that is not over yet among them.
    package var worst: Double {
        state.withLock { max($0.worst, $0.last.share(until: read())) }
    }
}
