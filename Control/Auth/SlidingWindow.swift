import Posix
package import Store

/// How often something may happen within a window that slides. Holds no clock.
package struct RateLimit: Sendable, Hashable {
    package let count: Int
    package let window: Duration

    package init(_ count: Int, per window: Duration) {
        self.count = count
        self.window = window
    }
}

/// The moments of one subject's last requests. Those that lie ahead are forgotten: the clock was set back, and they would count
/// for as long as it was.
struct SlidingWindow: Equatable {
    private(set) var moments: [Timestamp] = []

    /// Counts a request, unless the limit is reached.
    ///
    /// - Returns: nil where it may go on, else how long until the next one may.
    mutating func take(at now: Timestamp, _ limit: RateLimit) -> Duration? {
        moments.removeAll { $0 + limit.window <= now || $0 > now }
        if moments.count >= limit.count, let oldest = moments.first { return oldest + limit.window - now }
        moments.append(now)
        return nil
    }

    /// Takes the newest back.
    mutating func refund() { _ = moments.popLast() }

    func isEmpty(at now: Timestamp, _ limit: RateLimit) -> Bool { moments.allSatisfy { $0 + limit.window <= now || $0 > now } }
}

/// Sliding windows in memory, one for each subject of a kind; safe from any thread.
package final class RateLimiter: Sendable {
    private struct State {
        var windows: [String: SlidingWindow] = [:]
        var cleanAt: Int
    }

    private let limit: RateLimit
    private let state: Guarded<State>

    /// - Parameter limit: the same for every subject.
    package init(_ limit: RateLimit) {
        self.limit = limit
        state = Guarded(State(cleanAt: 1024))
    }

    /// Takes a subject's newest request back.
    func refund(_ subject: String) { state.withLock { $0.windows[subject]?.refund() } }

    /// - Throws: `.tooMany` with the time to wait.
    package func take(_ subject: String, at now: Timestamp) throws(AuthError) {
        let wait = state.withLock { state -> Duration? in
            if state.windows.count >= state.cleanAt {
                // Subjects that have been quiet for a window go; the next look is when the rest has doubled.
                state.windows = state.windows.filter { !$0.value.isEmpty(at: now, limit) }
                state.cleanAt = max(1024, state.windows.count * 2)
            }
            return state.windows[subject, default: SlidingWindow()].take(at: now, limit)
        }
        if let wait { throw .tooMany(retryAfter: wait) }
    }
}
