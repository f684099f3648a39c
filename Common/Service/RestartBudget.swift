package import Posix

/// When to start a child again. Holds no clock and starts nothing.
///
/// Within the budget it waits `first`, doubling with each end; above it, from 2 s doubling up to `longest`. It never
/// gives up; `state` says where it stands, so that a dashboard can show it.
package struct RestartBudget: Sendable, Equatable {
    package enum State: Sendable, Equatable {
        /// No end within the window.
        case calm
        /// This many ends within the window, and the budget is not used up.
        case restarting(ends: Int)
        /// More ends within the window than the budget: it backs off.
        case exhausted(ends: Int)
    }

    private let limit: Int
    private let window: Duration
    private let first: Duration
    private let longest: Duration
    private var recent: [Instant] = []
    /// How many ends there were beyond the budget without a quiet window between them.
    private var beyond = 0
    /// Ends ever seen.
    package private(set) var total: Int

    /// - Parameters:
    ///   - limit: ends within `window` that are answered at once.
    ///   - total: ends seen before, where the count is carried over from a predecessor.
    package init(
        limit: Int = 5, window: Duration = .seconds(60), first: Duration = .milliseconds(100), longest: Duration = .seconds(30),
        total: Int = 0
    ) {
        precondition(limit > 0, "a budget has room for one end")
        self.limit = limit
        self.window = window
        self.first = first
        self.longest = longest
        self.total = total
    }

    /// - Parameter jitter: 0..<1, drawn by the caller: takes away up to a quarter of the wait.
    /// - Returns: how long to wait before the next start.
    package mutating func ended(at now: Instant, jitter: Double) -> Duration {
        if let last = recent.last, now - last >= window {
            recent.removeAll()
            beyond = 0
        }
        // While it backs off, its own waits would empty the window.
        if beyond == 0 { recent.removeAll { now - $0 >= window } }
        recent.append(now)
        // One more than the limit tells that it is exceeded; older ends add nothing.
        if recent.count > limit + 1 { recent.removeFirst() }
        total += 1
        let wait: Duration
        if recent.count <= limit {
            wait = first * (1 << min(recent.count - 1, 10))
        } else {
            wait = .seconds(2) * (1 << min(beyond, 10))
            beyond += 1
        }
        return min(wait, longest) * (1 - jitter / 4)
    }

    package func state(at now: Instant) -> State {
        guard let last = recent.last, now - last < window else { return .calm }
        return beyond > 0 ? .exhausted(ends: recent.count) : .restarting(ends: recent.filter { now - $0 < window }.count)
    }
}
