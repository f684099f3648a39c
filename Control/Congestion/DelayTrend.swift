import BondWire

/// Whether a queue on the way grows: the trend of the differences between how far apart packets were sent and how far apart they came.
///
/// Source: draft-ietf-rmcat-gcc-02, 5.1 to 5.4, with a line through the last groups (as browsers do) in place of the Kalman filter.
struct DelayTrend: Sendable {
    enum Use: Hashable, Sendable { case normal, over, under }

    /// Packets that were sent within this are one group. Source: 5.2.
    private static let burst: Microseconds = 5000
    /// What comes at once because it waited is one group for no longer.
    private static let longestBurst: Microseconds = 100_000
    private static let window = 20
    private static let smoothing = 0.9
    private static let gain = 4.0
    /// Source: 5.4, K_u and K_d, the limits of del_var_th, and overuse_time_th.
    private static let rise = 0.0087
    private static let fall = 0.039
    private static let limits = 6.0...600.0
    private static let overuse = 10.0
    /// Nothing comes this much later without a break of the way.
    private static let breakTime: Microseconds = 3_000_000

    private struct Group {
        var first: Microseconds
        var sent: Microseconds
        var firstArrived: Microseconds
        var arrived: Microseconds
    }

    private(set) var use = Use.normal
    private var group: Group?
    private var before: Group?
    private var groups = 0
    private var accumulated = 0.0
    private var smoothed = 0.0
    /// Milliseconds: when a group came, and its smoothed delay.
    private var points: [(at: Double, delay: Double)] = []
    private var begun: Microseconds = 0
    private var threshold = 12.5
    private var updated: Microseconds?
    private var lastTrend = 0.0
    private var overFor = -1.0
    private var overCount = 0

    /// Takes a packet that has come, in the order of sending.
    mutating func take(sent: Microseconds, arrived: Microseconds) {
        guard var current = group else {
            group = Group(first: sent, sent: sent, firstArrived: arrived, arrived: arrived)
            // The points that there are count from where they began.
            if points.isEmpty { begun = arrived }
            return
        }
        // Overtaken by the group that follows it.
        guard sent >= current.first else { return }
        if arrived - current.arrived > Self.breakTime || current.arrived - arrived > Self.breakTime {
            self = DelayTrend()
            take(sent: sent, arrived: arrived)
            return
        }
        let apart = arrived - current.arrived
        let isBurst = apart <= Self.burst && apart < sent - current.sent && arrived - current.firstArrived < Self.longestBurst
        if sent - current.first <= Self.burst || isBurst {
            current.sent = max(current.sent, sent)
            current.arrived = max(current.arrived, arrived)
            group = current
            return
        }
        if let before { add(current, before) }
        before = current
        group = Group(first: sent, sent: sent, firstArrived: arrived, arrived: arrived)
    }

    /// Passes over a packet: what comes next is not compared with what came before it.
    mutating func skip() {
        group = nil
        before = nil
    }

    private mutating func add(_ group: Group, _ before: Group) {
        let interval = Double(group.sent - before.sent) / 1000
        let delay = Double(group.arrived - before.arrived) / 1000 - interval
        groups = min(groups + 1, 1000)
        accumulated += delay
        smoothed = Self.smoothing * smoothed + (1 - Self.smoothing) * accumulated
        if points.count == Self.window { points.removeFirst() }
        points.append((Double(group.arrived - begun) / 1000, smoothed))
        guard points.count == Self.window else { return }
        detect(slope() ?? lastTrend, interval, group.arrived)
    }

    /// Of the line with the least squares through the points.
    private func slope() -> Double? {
        let count = Double(points.count)
        let at = points.reduce(0) { $0 + $1.at } / count
        let delay = points.reduce(0) { $0 + $1.delay } / count
        let spread = points.reduce(0) { $0 + ($1.at - at) * ($1.at - at) }
        guard spread > 0 else { return nil }
        return points.reduce(0) { $0 + ($1.at - at) * ($1.delay - delay) } / spread
    }

    private mutating func detect(_ trend: Double, _ interval: Double, _ now: Microseconds) {
        let modified = Double(min(groups, 60)) * trend * Self.gain
        if modified > threshold {
            overFor = overFor < 0 ? interval / 2 : overFor + interval
            overCount += 1
            if overFor > Self.overuse, overCount > 1, trend >= lastTrend {
                overFor = 0
                overCount = 0
                use = .over
            }
        } else {
            overFor = -1
            overCount = 0
            use = modified < -threshold ? .under : .normal
        }
        lastTrend = trend
        adapt(abs(modified), now)
    }

    /// The threshold follows slowly, so that flows that fill queues do not starve this one. Source: 5.4.
    private mutating func adapt(_ magnitude: Double, _ now: Microseconds) {
        defer { updated = now }
        guard magnitude <= threshold + 15 else { return }
        let elapsed = min(Double(now - (updated ?? now)) / 1000, 100)
        threshold += (magnitude < threshold ? Self.fall : Self.rise) * (magnitude - threshold) * max(0, elapsed)
        threshold = min(max(threshold, Self.limits.lowerBound), Self.limits.upperBound)
    }
}
