package import BondWire

/// How much one peer's link carries, as its feedback shows: down when a queue grows or packets are lost, up step by step, and by probes.
///
/// Source: draft-ietf-rmcat-gcc-02, 5.5 and 6.
package struct BandwidthEstimate: Sendable {
    package struct Probe: Hashable, Sendable {
        package var number: UInt16
        /// Bits per second at which `bytes` are to be sent, in `packets` at least.
        package var bitrate: Int64
        package var bytes: Int
        package var packets = 0
    }

    /// Source: 5.5: beta, and eta of 1.08 for each second.
    private static let decrease = 0.85
    private static let increase = 0.08
    /// Source: 6: above the first the rate goes down by half the loss, beneath the second up by a twentieth.
    private static let highLoss = 0.10
    private static let lowLoss = 0.02
    /// What is lost whatever is sent, by the least of so many seconds, is the way's own, as on radio: no more than this is taken for it.
    private static let ownLossSeconds = 8
    private static let mostOwnLoss = 0.10
    private static let rateWindow: Microseconds = 500_000
    /// What comes while a queue grows is what the link carries: the newest alone, since the window began before that.
    private static let newestWindow: Microseconds = 200_000
    /// Of what a full link seemed to carry, so much it surely does.
    private static let carried = 0.95
    /// Of what a full link carried, so much is carried in the long run: the rest lets the queue drain.
    private static let sustainable = 0.93
    /// A probe lasts so long, has so much at least, and goes this often.
    private static let probeTime: Microseconds = 25_000
    private static let leastProbe = (bytes: 2400, packets: 8)
    /// Of those that came: with fewer the times between them say nothing.
    private static let toldProbe = 5
    private static let probeInterval: Microseconds = 4_000_000
    /// The first ones, until one of them has told something.
    private static let early = (probes: 5, interval: Microseconds(1_000_000))
    /// So many times the estimate: after a probe that found this the next one need not wait.
    private static let worthwhile = 1.2
    private static let limits = 30_000.0...100_000_000.0

    private var trend = DelayTrend()
    private var delayRate: Double
    private var lossRate: Double
    /// What came within the last half second, by the receiver's clock.
    private var arrivals: [(at: Microseconds, bytes: Int)] = []
    private var arrivedBytes = 0
    private var updated: Microseconds?
    /// Where the link was full: its mean, and how far from it that was, as a share.
    private var fullRate: Double?
    private var deviation = 0.1
    private var fell: Microseconds?
    private var counted = (lost: 0, all: 0, since: Microseconds(0))
    /// When less was sent the last time: of what was sent before, the loss says nothing any more.
    private var cut: Microseconds?
    /// Of the newest seconds.
    private var losses: [Double] = []
    private var remembered: Microseconds?
    private var probe: (Probe, first: PacketResult?, packets: Int, bytes: Int, lost: Int)?
    private var probes: UInt16 = 0
    private var probed: Microseconds?
    /// The last probe went through, and showed much more than was known.
    private var hasFoundMore = false
    private var hasTold = false

    package private(set) var fractionLost = 0.0

    /// - Parameter bitrate: bits per second to begin with.
    package init(bitrate: Int64) {
        delayRate = Double(bitrate)
        lossRate = Double(bitrate)
    }

    /// Bits per second, of all that is sent, with headers.
    package var bitrate: Int64 { Int64(min(delayRate, lossRate)) }

    /// What fills the link without a queue, bits per second; nil where it was not full since it last changed.
    package var capacity: Int64? { fullRate.map { Int64(Self.carried * $0) } }

    /// A queue grows on the way.
    package var isFull: Bool { trend.use == .over }

    /// What it carries for longer, bits per second: without the dip that lets the queue drain after the link was full.
    package var sustained: Int64 {
        guard let fullRate else { return bitrate }
        return Int64(min(max(delayRate, Self.sustainable * fullRate), lossRate))
    }

    /// What is lost whatever is sent.
    private var ownLoss: Double { losses.count < Self.ownLossSeconds / 2 ? 0 : min(losses.min() ?? 0, Self.mostOwnLoss) }

    /// What arrives, bits per second; nil before half a second is known.
    package var arriving: Int64? {
        guard let first = arrivals.first, let last = arrivals.last, last.at - first.at > Self.rateWindow / 4 else { return nil }
        // The first one only begins the time.
        return Int64(arrivedBytes - first.bytes) * 8_000_000 / (last.at - first.at)
    }

    /// As `arriving`, of the newest alone; nil where that is too little to tell.
    private var arrivingNow: Int64? {
        guard let last = arrivals.last, let index = arrivals.firstIndex(where: { last.at - $0.at <= Self.newestWindow }) else { return nil }
        let span = last.at - arrivals[index].at
        guard arrivals.count - index > 4, span > Self.newestWindow / 2 else { return nil }
        return arrivals[(index + 1)...].reduce(0) { $0 + Int64($1.bytes) } * 8_000_000 / span
    }

    /// Takes what one feedback says, in the order of sending.
    package mutating func take(_ results: [PacketResult], roundTrip: Microseconds, at now: Microseconds) {
        var hasArrived = false
        for result in results {
            let isCounted = result.sentAt >= (cut ?? .min)
            if isCounted { counted.all += 1 }
            guard let arrivedAt = result.arrivedAt else {
                if isCounted { counted.lost += 1 }
                if result.probe != 0 { loseProbe(result) }
                continue
            }
            hasArrived = true
            // The queue that a probe makes is meant, and gone soon.
            if result.probe == 0 { trend.take(sent: result.sentAt, arrived: arrivedAt) } else { trend.skip() }
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
            // What is lost on the way was sent and carried as well.
            let carried = Double(arrivingNow ?? arriving ?? Int64(delayRate)) / (1 - ownLoss)
            // Once for each time that what was sent before could show; again where the link turns out far narrower than was thought.
            if let fell, now - fell < max(roundTrip, 100_000) + 100_000, carried > 0.7 * delayRate { return }
            fell = now
            begin(cut: now)
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
            // What comes while no queue grows is carried; what came before a fall is not looked at.
            if now - (fell ?? 0) > 1_000_000, let arriving, let arrivingNow {
                delayRate = max(delayRate, Double(min(arriving, arrivingNow)))
            }
        }
        delayRate = min(max(delayRate, Self.limits.lowerBound), Self.limits.upperBound)
    }

    /// Bits per second, for a second: a packet for each response where the link was full before, else in proportion.
    private mutating func step(_ roundTrip: Microseconds) -> Double {
        if let fullRate {
            if delayRate > fullRate * (1 + 3 * deviation) {
                self.fullRate = nil
            } else if delayRate > fullRate * (1 - 3 * deviation) {
                return max(4000, 9600 * 1_000_000 / Double(max(roundTrip, 10_000) + 100_000))
            }
        }
        return max(1000, Self.increase * delayRate)
    }

    private mutating func learn(_ carried: Double) {
        guard let before = fullRate else {
            fullRate = carried
            return
        }
        let mean = 0.95 * before + 0.05 * carried
        let off = abs(carried - before) / max(before, 1)
        deviation = min(max(0.95 * deviation + 0.05 * off, 0.02), 0.1)
        // Further off than it ever was: it is another link.
        fullRate = off > 3 * deviation ? carried : mean
    }

    // MARK: - Loss

    private mutating func judgeLoss(_ now: Microseconds) {
        guard now - counted.since >= 1_000_000 || counted.all >= 200, counted.all >= 20 else { return }
        fractionLost = Double(counted.lost) / Double(counted.all)
        let elapsed = min(Double(now - counted.since) / 1_000_000, 1)
        counted = (0, 0, now)
        let excess = fractionLost - ownLoss
        remember(now)
        if excess > Self.highLoss {
            lossRate = min(lossRate, delayRate) * (1 - 0.5 * excess)
            begin(cut: now)
        } else if excess < Self.lowLoss {
            lossRate = max(lossRate * (1 + 0.3 * elapsed), delayRate)
        }
        lossRate = min(max(lossRate, Self.limits.lowerBound), Self.limits.upperBound)
    }

    private mutating func remember(_ now: Microseconds) {
        if let remembered, now - remembered < 1_000_000 { return }
        remembered = now
        if losses.count == Self.ownLossSeconds { losses.removeFirst() }
        losses.append(fractionLost)
    }

    private mutating func begin(cut now: Microseconds) {
        cut = now
        counted = (0, 0, now)
    }

    // MARK: - Probes

    /// A short burst that shows whether more goes through, where more is wanted: one in four seconds, and the next at once where one has
    /// found much more; none while a queue is there.
    /// - Parameter wanted: bits per second.
    package mutating func probe(for wanted: Int64, at now: Microseconds) -> Probe? {
        guard wanted > bitrate, trend.use == .normal, fractionLost < Self.highLoss + ownLoss else { return nil }
        let interval = hasTold || Int(probes) >= Self.early.probes ? Self.probeInterval : Self.early.interval
        if let probed, !hasFoundMore, now - probed < interval { return nil }
        if let fell, now - fell < Self.probeInterval { return nil }
        probed = now
        hasFoundMore = false
        probes = probes == .max ? 1 : probes + 1
        let bitrate = min(wanted, 3 * bitrate)
        let bytes = max(Self.leastProbe.bytes, Int(bitrate * Self.probeTime / 8_000_000))
        let next = Probe(number: probes, bitrate: bitrate, bytes: bytes, packets: Self.leastProbe.packets)
        probe = (next, nil, 0, 0, 0)
        return next
    }

    /// One packet of a probe that is lost on the way was carried until there: without it the rest came slower than it did. More are lost
    /// because the link takes no more.
    private mutating func loseProbe(_ result: PacketResult) {
        guard var current = probe, current.0.number == result.probe, current.first != nil else { return }
        if current.lost == 0 { current.bytes += result.bytes }
        current.lost += 1
        probe = current
    }

    private mutating func takeProbe(_ result: PacketResult) {
        guard var current = probe, current.0.number == result.probe, let arrivedAt = result.arrivedAt else { return }
        current.packets += 1
        guard let first = current.first, let begun = first.arrivedAt else {
            current.first = result
            probe = current
            return
        }
        current.bytes += result.bytes
        probe = current
        // Most of it is here: the slower of both ends is what the link carries.
        guard current.bytes >= current.0.bytes * 7 / 10 - first.bytes, current.packets >= Self.toldProbe else { return }
        probe = nil
        judge(current.bytes, sending: result.sentAt - first.sentAt, coming: arrivedAt - begun)
    }

    /// - Parameter bytes: of a probe, that were sent and came within these times.
    private mutating func judge(_ bytes: Int, sending: Microseconds, coming: Microseconds) {
        guard sending > 0, coming > 0, coming < 1_000_000 else { return }
        let sent = Double(bytes) * 8_000_000 / Double(sending)
        let came = Double(bytes) * 8_000_000 / Double(coming)
        // Twice as fast as it was sent, it waited somewhere and says nothing.
        guard came <= 2 * sent else { return }
        hasTold = true
        let before = delayRate
        if came < 0.9 * sent {
            // The link was the slower one: a little less than it carries. It carries what comes now in any case.
            learn(came)
            delayRate = max(Self.carried * came, min(delayRate, Double(arriving ?? Int64(delayRate))))
        } else {
            let found = min(sent, came)
            hasFoundMore = found > Self.worthwhile * delayRate
            delayRate = max(delayRate, found)
        }
        delayRate = min(max(delayRate, Self.limits.lowerBound), Self.limits.upperBound)
        if delayRate > before { lossRate = max(lossRate, delayRate) }
    }
}
