import Posix

/// Lets `rate` events pass per second, and at most `burst` at once.
struct TokenBucket: Equatable {
    private let rate: Double
    private let burst: Double
    private var tokens: Double
    private var filledAt: Instant

    init(rate: Double, burst: Double, at now: Instant) {
        self.rate = rate
        self.burst = burst
        tokens = burst
        filledAt = now
    }

    mutating func fill(at now: Instant) {
        let elapsed = Double(max(0, now.nanoseconds - filledAt.nanoseconds)) / 1e9
        tokens = min(burst, tokens + elapsed * rate)
        filledAt = now
    }

    /// Whether one is there; `fill` first.
    var hasToken: Bool { tokens >= 1 }

    mutating func take() { tokens -= 1 }
}
