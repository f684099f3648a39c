import Posix

/// Whether a path still carries the size that it carried before: routes and interfaces change, and what is too large then is gone
/// without a word, while all that is small comes through. Holds no clock.
///
/// Asked with probes of each size that media has up to the one in doubt, and with a small one.
struct PathDoubt: Equatable {
    enum Verdict: Equatable {
        case open
        /// It does, or nothing at all comes through: that is no matter of size.
        case unfounded
        /// No more than this.
        case narrower(Int)
        /// None of the sizes that media has, while small packets come through.
        case tooNarrow
    }

    /// A packet that every path carries: smaller than the handshake's.
    static let small = 64

    /// Probes of each size go out so often, while the link is heard.
    static let spacing = Duration.milliseconds(100)
    /// Smaller probes that came without the largest: six rounds of two, each of which lost its first. Time is no evidence, as a link may be
    /// dark in it; at 30 % of loss by chance one doubt in a thousand ends so.
    private static let proof = 12
    private static let roundLimit = 30
    /// After the last round: the longest round trip that a link may have.
    private static let patience = Duration.seconds(2)

    private let size: Int
    private var largest = 0
    private var smaller = 0
    private var smalls = 0
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

    mutating func came(_ size: Int) {
        guard size > Self.small else { return smalls += 1 }
        largest = max(largest, size)
        if size < self.size { smaller += 1 }
    }

    func verdict(at now: Instant) -> Verdict {
        if largest >= size { return .unfounded }
        if smaller >= Self.proof { return .narrower(largest) }
        if largest == 0, smalls >= Self.proof { return .tooNarrow }
        return rounds >= Self.roundLimit && now >= nextRound + Self.patience ? .unfounded : .open
    }
}
