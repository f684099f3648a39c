import Posix

/// Whether a path still carries the size that it carried before: routes and interfaces change, and what is too large then is gone
/// without a word, while all that is small comes through. Holds no clock.
struct PathDoubt: Equatable {
    enum Verdict: Equatable {
        case open
        /// It does, or nothing at all comes through: that is no matter of size.
        case unfounded
        /// No more than this.
        case narrower(Int)
    }

    /// Probes of each size go out so often, while the link is heard.
    static let spacing = Duration.milliseconds(100)
    /// How long the largest has to come through once a smaller one has: three of it must be lost.
    private static let patience = Duration.milliseconds(300)
    private static let roundLimit = 10

    private let size: Int
    private var largest = 0
    private var firstCame: Instant?
    private var rounds = 0
    private var nextRound: Instant

    /// - Parameter size: that was proven.
    init(of size: Int, at now: Instant) {
        self.size = size
        nextRound = now
    }

    /// Whether it is time to ask again.
    mutating func isDue(at now: Instant) -> Bool {
        guard now >= nextRound, rounds < Self.roundLimit else { return false }
        rounds += 1
        nextRound = now + Self.spacing
        return true
    }

    mutating func came(_ size: Int, at now: Instant) {
        largest = max(largest, size)
        firstCame = firstCame ?? now
    }

    func verdict(at now: Instant) -> Verdict {
        if largest >= size { return .unfounded }
        if let firstCame { return rounds > 3 && now - firstCame >= Self.patience ? .narrower(largest) : .open }
        return rounds >= Self.roundLimit && now >= nextRound ? .unfounded : .open
    }
}
