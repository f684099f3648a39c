import Foundation

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
        // try?: where the kernel tells nothing, nothing is known to be stolen, and no run is void by it.
        StolenTime((try? String(contentsOfFile: "/proc/stat", encoding: .utf8)) ?? "")
    }

    /// The share between two readings; 0 where they are too near to each other for the kernel's ticks of 10 ms, or one is missing.
    package func share(until later: StolenTime) -> Double {
        let ticks = later.all - all
        return all == 0 || ticks < 20 ? 0 : Double(later.stolen - stolen) / Double(ticks)
    }

    /// Watches until its task is cancelled.
    /// - Returns: the greatest share of a second.
    static func worst() async -> Double {
        var worst = 0.0
        while true {
            let before = now()
            // A second is the measure itself, and not a wait. try?: once cancelled, what is left of it counts as well.
            try? await Task.sleep(for: .seconds(1))
            worst = max(worst, before.share(until: now()))
            if Task.isCancelled { return worst }
        }
    }
}
