import GStreamer
import Posix
import Units

/// Says when frames have not come for too long. It wakes only when the limit could have passed.
final class StallWatch: Sendable {
    private let limit: Duration
    private let lastFrameAt: @Sendable () -> Instant
    private let stalled: @Sendable () -> Void
    private let timer = Guarded<State>(State())

    private struct State {
        var timer: MonotonicTimer?
        var isCancelled = false
    }

    /// - Parameter stalled: called once, on the timer thread.
    init(limit: Duration, lastFrameAt: @escaping @Sendable () -> Instant, stalled: @escaping @Sendable () -> Void) {
        self.limit = limit
        self.lastFrameAt = lastFrameAt
        self.stalled = stalled
        arm(after: limit)
    }

    func cancel() {
        timer.withLock { state in
            state.isCancelled = true
            state.timer?.cancel()
            state.timer = nil
        }
    }

    private func arm(after delay: Duration) {
        timer.withLock { state in
            guard !state.isCancelled else { return }
            state.timer = MonotonicTimer(after: delay) { [weak self] in self?.check() }
        }
    }

    private func check() {
        let silence = Instant.now - lastFrameAt()
        if silence >= limit { stalled() } else { arm(after: limit - silence) }
    }
}
