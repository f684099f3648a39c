package import BondWire

/// How much one peer's link carries, as its feedback shows: down when a queue grows or packets are lost, up step by step, and by probes.
///
/// Source: draft-ietf-rmcat-gcc-02, 5.5 and 6.
package struct BandwidthEstimate: Sendable {
    package struct Probe: Hashable, Sendable {
        package var number: UInt16
        /// Bits per second at which `bytes` are to be sent.
        package var bitrate: Int64
        package var bytes: Int
    }

    /// Source: 5.5: beta, and eta of 1.08 for each second.
    private static let decrease = 0.85
    private static let increase = 0.08
    /// Source: 6: above the first the rate goes down by half the loss, beneath the second up by a twentieth.
    private static let highLoss = 0.10
    private static let lowLoss = 0.02
    private static let rateWindow: Microseconds = 500_000
    /// A probe lasts so long, and goes this often.
    private static let probeTime: Microseconds = 15_000
    private static let probeInterval: Microseconds = 5_000_000
    private static let limits = 30_000.0...100_000_000.0

    private var trend = DelayTrend()
    private var delayRate: Double
    private var lossRate: Double
    /// What came within the last half second, by the receiver's clock.
    private var arrivals: [(at: Microseconds, bytes: Int)] = []
    private var arrivedBytes = 0
    private var updated: Microseconds?
    /// Where the link was full: its mean, and how far from it that was, as a share.
    private var capacity: Double?
    private var deviation = 0.1
    private var fell: Microseconds?
    private var counted = (lost: 0, all: 0, since: Microseconds(0))
    private var probe: (Probe, first: PacketResult?, last: PacketResult?, bytes: Int, at: Microseconds)?
    private var probes: UInt16 = 0
    private var probed: Microseconds?

    package private(set) var fractionLost = 0.0

    /// - Parameter bitrate: bits per second to begin with.
    package init(bitrate: Int64) {
        delayRate = Double(bitrate)
        lossRate = Double(bitrate)
    }

    /// Bits per second, of all that is sent, with headers.
    package var bitrate: Int64 { Int64(min(delayRate, lossRate)) }

    /// What arrives, bits per second; nil before half a second is known.
    package var arriving: Int64? {
        guard let first = arrivals.first, let last = arrivals.last, last.at - first.at > Self.rateWindow / 4 else { return nil }
        // The first one only begins the time.
        return Int64(arrivedBytes - first.bytes) * 8_000_000 / (last.at - first.at)
    }

    /// Takes what one feedback says, in the order of sending.
    package mutating func take(_ results: [PacketResult], roundTrip: Microseconds, at now: Microseconds) {
        var hasArrived = false
        for result in results {
            counted.all += 1
            guard let arrivedAt = result.arrivedAt else {
                counted.lost += 1
                continue
            }
            hasArrived = true
            trend.take(sent: result.sentAt, arrived: arrivedAt)
            arrivals.append((arrivedAt, result.bytes))
            arrivedBytes += result.bytes
            if result.probe != 0 { takeProbe(result) }
        }
        trim()
        if hasArrived { steer(roundTrip, now) }
        judgeLoss(now)
    }

    private mutating func trim() {
        var newest = Microseconds.min
        for arrival in arrivals { newest = max(newest, arrival.at) }
        var old = 0
        // What claims to come from another time goes as well.
        while old < arrivals.count, newest - arrivals[old].at > Self.rateWindow || arrivals.count - old > 4096 {
            arrivedBytes -= arrivals[old].bytes
            old += 1
        }
        arrivals.removeFirst(old)
    }

    // MARK: - Delay

    private mutating func steer(_ roundTrip: Microseconds, _ now: Microseconds) {
        let elapsed = min(Double(max(0, now - (updated ?? now))) / 1_000_000, 1)
        updated = now
        switch trend.use {
        case .over:
            // Once for each time that what was sent before could show.
            if let fell, now - fell < max(roundTrip, 100_000) + 100_000 { return }
            fell = now
            let carried = Double(arriving ?? Int64(delayRate))
            learn(carried)
            delayRate = min(delayRate, Self.decrease * carried)
            probe = nil
        case .under: break
        case .normal:
            if let fell, now - fell < roundTrip + 200_000 { return }
            let before = delayRate
            delayRate += step(roundTrip) * elapsed
            // What nobody sends proves nothing.
            if let arriving { delayRate = min(delayRate, max(before, 1.5 * Double(arriving) + 10_000)) }
        }
        delayRate = min(max(delayRate, Self.limits.lowerBound), Self.limits.upperBound)
    }

    /// Bits per second, for a second: a packet for each response where the link was full before, else in proportion.
    private mutating func step(_ roundTrip: Microseconds) -> Double {
        if let capacity {
            if delayRate > capacity * (1 + 3 * deviation) {
                self.capacity = nil
            } else if delayRate > capacity * (1 - 3 * deviation) {
                return max(4000, 9600 * 1_000_000 / Double(max(roundTrip, 10_000) + 100_000))
            }
        }
        return max(1000, Self.increase * delayRate)
    }

    private mutating func learn(_ carried: Double) {
        guard let before = capacity else {
            capacity = carried
            return
        }
        let mean = 0.95 * before + 0.05 * carried
        let off = abs(carried - before) / max(before, 1)
        deviation = min(max(0.95 * deviation + 0.05 * off, 0.02), 0.1)
        // Further off than it ever was: it is another link.
        capacity = off > 3 * deviation ? carried : mean
    }

    // MARK: - Loss

    private mutating func judgeLoss(_ now: Microseconds) {
        guard now - counted.since >= 1_000_000 || counted.all >= 200, counted.all >= 20 else { return }
        fractionLost = Double(counted.lost) / Double(counted.all)
        let elapsed = min(Double(now - counted.since) / 1_000_000, 1)
        counted = (0, 0, now)
        if fractionLost > Self.highLoss {
            lossRate = min(lossRate, delayRate) * (1 - 0.5 * fractionLost)
        } else if fractionLost < Self.lowLoss {
            lossRate = max(lossRate * (1 + 0.3 * elapsed), delayRate)
        }
        lossRate = min(max(lossRate, Self.limits.lowerBound), Self.limits.upperBound)
    }

    // MARK: - Probes

    /// A short burst that shows whether more goes through, where more is wanted; one in five seconds, none while a queue is there.
    /// - Parameter wanted: bits per second.
    package mutating func probe(for wanted: Int64, at now: Microseconds) -> Probe? {
        guard wanted > bitrate, trend.use == .normal, fractionLost < Self.highLoss else { return nil }
        if let probed, now - probed < Self.probeInterval { return nil }
        if let fell, now - fell < Self.probeInterval { return nil }
        probed = now
        probes = probes == .max ? 1 : probes + 1
        let bitrate = min(wanted, 3 * bitrate)
        let bytes = max(6000, Int(bitrate * Self.probeTime / 8_000_000))
        let next = Probe(number: probes, bitrate: bitrate, bytes: bytes)
        probe = (next, nil, nil, 0, now)
        return next
    }

    private mutating func takeProbe(_ result: PacketResult) {
        guard var current = probe, current.0.number == result.probe, let arrivedAt = result.arrivedAt else { return }
        guard let first = current.first, let begun = first.arrivedAt else {
            current.first = result
            probe = current
            return
        }
        current.last = result
        current.bytes += result.bytes
        probe = current
        // Most of it is here: the slower of both ends is what the link carries.
        guard current.bytes >= current.0.bytes * 7 / 10 else { return }
        probe = nil
        let sending = result.sentAt - first.sentAt
        let coming = arrivedAt - begun
        guard sending > 0, coming > 0, coming < 1_000_000 else { return }
        let sent = Double(current.bytes) * 8_000_000 / Double(sending)
        let came = Double(current.bytes) * 8_000_000 / Double(coming)
        // Twice as fast as it was sent, it waited somewhere and says nothing.
        guard came <= 2 * sent else { return }
        // Where the link was the slower one, a little less than it carries.
        let found = came < 0.9 * sent ? 0.95 * came : min(sent, came)
        guard found > delayRate else { return }
        delayRate = min(found, Self.limits.upperBound)
        lossRate = max(lossRate, delayRate)
    }
}
