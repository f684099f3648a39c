import Posix

/// When what failed is tried again. Holds no clock.
struct Retry: Hashable, Sendable {
    private(set) var until: Instant?
    private(set) var failures = 0

    /// 5 s doubling to 10 min, less up to half.
    /// - Parameter jitter: 0..<1.
    mutating func failed(jitter: Double, at now: Instant) {
        failures = min(failures + 1, 8)
        until = now + Duration.seconds(min(600, 5 << (failures - 1))) * (1 - jitter / 2)
    }
}

/// Whether the agent broadcasts, as far as the updater knows. Holds no clock.
struct Presence: Sendable {
    private var isBroadcasting = true
    private var heardAt: Instant

    /// An agent that says nothing for so long is not there, and broadcasts nothing. Until it has spoken it may.
    private static let patience = Duration.seconds(60)

    init(at now: Instant) { heardAt = now }

    mutating func take(_ report: AgentReport, at now: Instant) {
        isBroadcasting = report.isBroadcasting
        heardAt = now
    }

    func isBroadcasting(at now: Instant) -> Bool { isBroadcasting && now < until }

    /// From then on it counts as absent, unless it is heard.
    var until: Instant { heardAt + Self.patience }
}
