import Posix
import Wire

/// What of the telemetry has its turn: all of it in each sample would take the room of the links' own figures on a narrow modem. Holds no
/// clock.
struct TelemetryTurns {
    private var countedAt: Instant?
    private var bondedAt: Instant?
    /// The modems as they were told last; nil where this connection has heard nothing of them.
    private var told: (modems: [ModemTelemetry], at: Instant)?

    /// The counters of the interfaces: every 5 s.
    mutating func isCountersTurn(at now: Instant) -> Bool { Self.isDue(&countedAt, every: .seconds(5), at: now) }

    /// What our own carrier knows besides, of each link and of all together: every 2 s.
    mutating func bond(_ links: [LinkTelemetry], _ bond: BondTelemetry?, at now: Instant) -> (links: [LinkTelemetry], bond: BondTelemetry?)
    {
        guard let bond else { return (links, nil) }
        if Self.isDue(&bondedAt, every: .seconds(2), at: now) { return (links, bond) }
        return (links.map { $0.withoutBond() }, nil)
    }

    /// At most once a second, and every 5 s where nothing changes: a sample may be lost. Nothing where there never was a modem.
    mutating func modems(_ figures: [ModemTelemetry], at now: Instant) -> [ModemTelemetry]? {
        if let told {
            let age = now - told.at
            guard age >= .seconds(1) - Self.slack, age >= .seconds(5) || told.modems != figures else { return nil }
        } else if figures.isEmpty {
            return nil
        }
        told = (figures, now)
        return figures
    }

    /// Another connection, which knows of none.
    mutating func forgetModems() { told = nil }

    /// A sample that comes a little early takes the turn all the same.
    private static let slack = Duration.milliseconds(100)

    private static func isDue(_ last: inout Instant?, every interval: Duration, at now: Instant) -> Bool {
        if let last, now - last < interval - slack { return false }
        last = now
        return true
    }
}

extension LinkTelemetry {
    fileprivate func withoutBond() -> Self {
        var result = self
        result.bond = nil
        return result
    }
}
