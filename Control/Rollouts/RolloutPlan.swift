package import Units

/// How a release gets to a fleet: to a few boards first, then to a part of it, then to all; and when that ends by itself.
package struct RolloutPlan: Hashable, Sendable {
    package enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
        /// Which field, and what was expected.
        case outOfBounds(String)

        package var description: String {
            switch self {
            case .outOfBounds(let what): what
            }
        }
    }

    /// Boards that get it first; may be none.
    package let canaries: Set<DeviceID>
    /// Parts of the fleet in percent, that ascend to 100.
    package let percentages: [Int]
    /// How long a step shows what it does before the next begins, in seconds.
    package let soakSeconds: Int64
    /// So many boards may be at it at the same time: what a bad release can do before its first failure is known.
    package let atOnce: Int
    /// So many failures end it, where they are also that part of the boards that have finished.
    package let failureCount: Int
    package let failurePercent: Int
    /// How long a board that has been switched may be silent before it counts as failed, in seconds.
    package let silenceSeconds: Int64

    /// - Throws: `Fault` for what is no plan.
    package init(
        canaries: Set<DeviceID> = [], percentages: [Int], soakSeconds: Int64, atOnce: Int, failureCount: Int, failurePercent: Int,
        silenceSeconds: Int64
    ) throws(Fault) {
        let isAscending = zip(percentages, percentages.dropFirst()).allSatisfy { $0 < $1 }
        guard (1...10).contains(percentages.count), isAscending, percentages.allSatisfy({ (1...100).contains($0) }), percentages.last == 100
        else { throw .outOfBounds("percentages are 1 to 10 numbers from 1 that ascend to 100") }
        guard canaries.count <= 1000 else { throw .outOfBounds("at most 1000 canaries") }
        guard (0...2_592_000).contains(soakSeconds) else { throw .outOfBounds("a step soaks for 0 to 2592000 seconds (30 days)") }
        guard (1...100_000).contains(atOnce) else { throw .outOfBounds("1 to 100000 boards at once") }
        guard (1...100_000).contains(failureCount), (0...100).contains(failurePercent) else {
            throw .outOfBounds("1 to 100000 failures, and 0 to 100 percent of them")
        }
        // A board has five minutes to show that it works, and may be slow to start.
        guard (600...2_592_000).contains(silenceSeconds) else { throw .outOfBounds("a board is silent for 600 to 2592000 seconds") }
        self.canaries = canaries
        self.percentages = percentages
        self.soakSeconds = soakSeconds
        self.atOnce = atOnce
        self.failureCount = failureCount
        self.failurePercent = failurePercent
        self.silenceSeconds = silenceSeconds
    }

    /// The canaries, where there are any, and each percentage.
    var steps: Int { (canaries.isEmpty ? 0 : 1) + percentages.count }

    /// The part of the fleet that a step lets in; 0 for the canaries' own.
    func percentage(of step: Int) -> Int {
        let index = canaries.isEmpty ? step : step - 1
        return index < 0 ? 0 : percentages[min(index, percentages.count - 1)]
    }
}
