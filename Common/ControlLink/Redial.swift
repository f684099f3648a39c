/// Which way to dial control next, and when. Holds no clock and opens nothing.
///
/// Each candidate is tried once, best first, without a wait; after a whole round it waits 1 s, doubling to 30 s.
struct Redial<Candidate: Hashable & Sendable>: Sendable {
    enum Step: Equatable, Sendable {
        case dial(Candidate)
        /// Then ask again.
        case wait(Duration)
    }

    private var tried: Set<Candidate> = []
    private var rounds = 0

    /// - Parameters:
    ///   - candidates: as they are now, best first; none means that there is no link at all.
    ///   - jitter: 0..<1, drawn by the caller: takes away up to half of a wait.
    mutating func next(among candidates: [Candidate], jitter: Double) -> Step {
        if let candidate = candidates.first(where: { !tried.contains($0) }) {
            tried.insert(candidate)
            return .dial(candidate)
        }
        tried.removeAll()
        rounds = min(rounds + 1, 6)
        return .wait(.seconds(min(30, 1 << (rounds - 1))) * (1 - jitter / 2))
    }

    /// The connection over `candidate` has proven itself: when it ends, the others come first.
    mutating func succeeded(over candidate: Candidate) {
        tried = [candidate]
        rounds = 0
    }

    /// Control refuses this device, over whichever route: the next step is to wait.
    mutating func refused(among candidates: [Candidate]) { tried = Set(candidates) }

    /// There is a new way to dial: it is not made to wait for the next round.
    mutating func appeared() { rounds = 0 }
}
