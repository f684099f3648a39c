import Posix

/// What was sent within a window and what became of it. The boards' loop and the pages' write into it.
final class Tally: Sendable {
    private struct State: Sendable {
        /// Microseconds of the monotonic clock.
        var window: Range<Int64> = 0..<0
        var sent = 0
        var expected = 0
        var dropped = 0
        var lateness: [Int64] = []
        var ages: [Int64] = []
        var pictures = 0
        /// Since the start.
        var lost = 0
        var lastReason: String?
    }

    private let state = Guarded(State())

    /// Counts samples that are sent within the window, from now on.
    func begin(_ window: Range<Int64>) {
        state.withLock { state in
            var fresh = State()
            (fresh.window, fresh.lost, fresh.lastReason) = (window, state.lost, state.lastReason)
            state = fresh
        }
    }

    /// A board's sample left it.
    ///
    /// - Parameters:
    ///   - late: behind its beat, in microseconds.
    ///   - pages: who is to get it.
    ///   - isTaken: false where its connection had no room for it.
    func sent(at now: Instant, late: Int64, to pages: Int, isTaken: Bool) {
        state.withLock { state in
            guard state.window.contains(now.microseconds) else { return }
            state.sent += 1
            state.expected += pages
            state.dropped += isTaken ? 0 : 1
            state.lateness.append(late)
        }
    }

    func came(_ message: PageMessage, at now: Instant) {
        state.withLock { state in
            switch message {
            case .sample(let time): if state.window.contains(time) { state.ages.append(now.microseconds - time) }
            case .picture: state.pictures += 1
            case .other: break
            }
        }
    }

    /// A connection ended that nobody wanted to end.
    func lost(_ reason: String) {
        state.withLock { state in
            state.lost += 1
            state.lastReason = reason
        }
    }

    /// What came of the window.
    ///
    /// - Parameter waited: from the window's end until now: what has not come by then counts as old as that.
    func figures(waited: Duration) -> Figures {
        let state = state.withLock { $0 }
        let missing = max(0, state.expected - state.ages.count)
        let limit = Int64(waited / .microseconds(1))
        return Figures(
            sent: state.sent, dropped: state.dropped, expected: state.expected, came: state.ages.count, pictures: state.pictures,
            lost: state.lost, lastReason: state.lastReason, lateMs: Spread(state.lateness),
            ageMs: Spread(state.ages + Array(repeating: limit, count: missing)))
    }

    /// As `Bench/control.py` reads it.
    struct Figures: Codable, Sendable {
        /// Samples of boards, and those of them that their connection had no room for.
        var sent: Int
        var dropped: Int
        /// Samples that pages were to get, and got.
        var expected: Int
        var came: Int
        /// Whole pictures that pages had to begin with again.
        var pictures: Int
        /// Connections, since the start, and why the last of them ended.
        var lost: Int
        var lastReason: String?
        /// How far boards were behind their beat: the load's own.
        var lateMs: Spread
        /// From a board's sending to a page's receiving.
        var ageMs: Spread
    }

    /// In milliseconds.
    struct Spread: Codable, Sendable {
        var p50: Double
        var p99: Double
        var max: Double

        /// - Parameter microseconds: in any order; none at all is all zeros.
        init(_ microseconds: [Int64]) {
            let sorted = microseconds.sorted()
            func part(_ share: Double) -> Double {
                guard !sorted.isEmpty else { return 0 }
                let place = Int((Double(sorted.count) * share).rounded(.up)) - 1
                return Double(sorted[Swift.max(0, place)]) / 1000
            }
            p50 = part(0.5)
            p99 = part(0.99)
            max = part(1)
        }
    }
}
