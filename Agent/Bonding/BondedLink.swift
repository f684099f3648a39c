import BondWire

/// One link: what it was given, what came of it, and what that says of its delay and capacity.
///
/// Times of the receiver's clock are never compared with those of the sender's but through `base`, the least `arrival - sent`.
struct BondedLink: Sendable {
    enum State: Hashable, Sendable {
        case live
        case suspect
    }

    /// What the arrivals of one report came to.
    struct Outcome {
        var arrived: [PacketNumber] = []
        var lost: [PacketNumber] = []
        var refused = 0
        var hasArrivals = false
    }

    static let leastRate = 2.5  // bytes per millisecond: 20 kbit/s
    static let firstRate = 125.0

    let number: LinkNumber
    var traits: LinkTraits
    let tuning: Tuning
    var flight = Flight()
    var state = State.live
    var figures: LinkFigures

    private var delay = WindowedMinimum()
    private var back = WindowedMinimum()
    private var longer = LongerWay()
    private var fast: CapacityEstimate
    private var slow: CapacityEstimate
    private var rateBefore = 0.0
    private var typical = 0.0
    /// Bytes per millisecond.
    private(set) var rate = BondedLink.firstRate
    private(set) var slowRate = BondedLink.firstRate
    /// Mean deviation of one packet's queue from that of the one before, ms.
    private var jitter = 2.0
    private var lastQueue: Double?
    private(set) var lastArrival: Microseconds?
    private var highest: UInt64?
    private var stall: Microseconds = 0
    private var recent = RecentBytes()
    private(set) var gain = 1.0
    private var wasRefused = false
    /// Packets wait for long. What it is given then is bound to come at the end of its time: it holds more, so that it never runs dry, but
    /// no more is expected of it than it showed.
    var isBehind = false
    /// Most bytes to have out; grows, and falls with a burst of losses behind a queue.
    private(set) var cap = Double.greatestFiniteMagnitude
    private var capCutAt = Microseconds.longAgo
    /// When all it was given will have left, as predicted; receiver's clock.
    private(set) var finish = Microseconds.longAgo
    private(set) var loss = 0.0
    private var ceilingFinish = Microseconds.longAgo
    var lastSent = Microseconds.longAgo
    var probedAt = Microseconds.longAgo

    init(_ number: LinkNumber, _ traits: LinkTraits, _ tuning: Tuning, at now: Microseconds) {
        self.number = number
        self.traits = traits
        self.tuning = tuning
        fast = CapacityEstimate(memory: tuning.memory, rate: Self.firstRate, weight: 40)
        slow = CapacityEstimate(memory: tuning.slowMemory, rate: Self.firstRate, weight: 80)
        lastSent = now
        figures = LinkFigures(
            link: number, state: .fresh, cost: traits.cost, roundTrip: traits.roundTrip, queue: 0, estimateBitsPerSecond: 0, bytesOut: 0,
            loss: 0)
    }

    var isLive: Bool { state == .live }
    var bit: UInt16 { 1 << UInt16(number.value) }

    /// Least `arrival - sent`; before the first arrival, what the handshake's round trip says.
    func base(_ clock: ReceiverClock) -> Microseconds { delay.value ?? clock.assumedOffset + traits.roundTrip / 2 }

    var leastUp: Microseconds? { delay.value }
    var leastDown: Microseconds? { back.value }

    /// Bytes per millisecond that the encoder may count on.
    var usableRate: Double {
        let rate = min(rate, slowRate) * (1 - loss)
        return traits.ceiling.map { min(rate, Double($0) / 8000) } ?? rate
    }

    /// The share of its capacity that it delivered lately, 0...1.
    func utilisation() -> Double { min(1, recent.rate / rate) }

    mutating func heard(down raw: Microseconds, at now: Microseconds) { back.add(raw, at: now) }

    /// The clocks' offset is another one: what was measured with the old one is worth nothing.
    mutating func restartClock() {
        delay = WindowedMinimum()
        back = WindowedMinimum()
        lastArrival = nil
        lastQueue = nil
        longer = LongerWay()
        finish = .longAgo
        recent = RecentBytes()
        stall = 0
    }

    // MARK: Sending

    /// When a packet given now would arrive.
    func predicted(bytes: Int, at now: Microseconds, _ clock: ReceiverClock) -> Microseconds {
        max(finish + time(for: bytes), now + base(clock))
    }

    func queue(at now: Microseconds, _ clock: ReceiverClock) -> Microseconds { max(0, finish - now - base(clock)) }

    /// Whether it is given more, its predicted arrival being this.
    func isEligible(bytes: Int, predicted: Microseconds, at now: Microseconds, _ clock: ReceiverClock) -> Bool {
        if stall == 0, (lastQueue ?? 99) < 30, flight.bytesOut < tuning.train * 1400 { return isBelowCeiling(now) }
        guard predicted - now - base(clock) <= queueLimit, Double(flight.bytesOut) <= max(cap, rate * capFloor) else { return false }
        return isBelowCeiling(now)
    }

    private var queueLimit: Microseconds { isBehind ? tuning.queueLimitBehind : tuning.queueLimit }

    private func isBelowCeiling(_ now: Microseconds) -> Bool { ceilingFinish - now <= tuning.queueLimit }

    /// Milliseconds of its rate that may always be out: a round trip, a report and a little.
    private var capFloor: Double {
        Double(roundTrip + tuning.reportInterval) / 1000 + 40
    }

    /// The least of both ways; before a report, the handshake's.
    var roundTrip: Microseconds { leastUp.flatMap { up in leastDown.map { max(0, up + $0) } } ?? traits.roundTrip }

    mutating func refused() { wasRefused = true }

    mutating func sent(_ entry: Flight.Entry, sequence: UInt64, at now: Microseconds, _ clock: ReceiverClock) {
        finish = predicted(bytes: entry.bytes, at: now, clock)
        var entry = entry
        entry.due = finish
        flight.append(entry, sequence: sequence)
        lastSent = now
        figures.sentBytes += entry.bytes
        if let ceiling = traits.ceiling {
            ceilingFinish = max(ceilingFinish, now) + Microseconds(Double(entry.bytes) * 8_000_000 / Double(max(ceiling, 8000)))
        }
    }

    private func time(for bytes: Int) -> Microseconds { Microseconds(Double(bytes) * 1000 / (rate * gain)) }

    // MARK: Feedback

    /// - Parameter reported: the receiver's time of the report.
    mutating func take(_ arrivals: [LinkArrivals.Arrival], reported: Microseconds, at now: Microseconds, _ clock: ReceiverClock) -> Outcome
    {
        var outcome = Outcome()
        let before = highest
        let bytesOut = flight.bytesOut
        for arrival in arrivals { take(arrival, reported: reported, at: now, clock, &outcome) }
        let losses = findLosses(highestBefore: before, &outcome)
        measure(reported: reported, clock)
        adjustCap(losses: losses, bytesOut: bytesOut, at: now)
        return outcome
    }

    private mutating func take(
        _ arrival: LinkArrivals.Arrival, reported: Microseconds, at now: Microseconds, _ clock: ReceiverClock, _ outcome: inout Outcome
    ) {
        guard let known = flight[arrival.sequence] else {
            if arrival.sequence >= flight.end + 4096 { outcome.refused += 1 }
            return
        }
        guard known.state != .arrived, known.state != .foreign else { return }
        let raw = arrival.at &- known.sentAt
        // Nothing arrives after it was told of, nor before it was sent by more than the offset can be wrong.
        guard arrival.at <= reported, arrival.at > -(1 << 50), clock.offset.map({ raw >= $0 - 500_000 }) ?? true,
            let entry = flight.settle(arrival.sequence, as: .arrived)
        else {
            outcome.refused += 1
            return
        }
        outcome.hasArrivals = true
        if let packet = entry.packet { outcome.arrived.append(packet) }
        if entry.state == .lost { figures.lost -= 1 }
        loss -= loss / 200
        figures.arrived += 1
        figures.arrivedBytes += entry.bytes
        highest = max(highest ?? 0, arrival.sequence)
        delay.add(raw, at: now)
        followWay(entry, arrival.at, raw: raw, at: now)
        sample(entry, arrival.at, raw: raw)
    }

    /// A way that became longer is the new base at once, and the link carries what it did before.
    private mutating func followWay(_ entry: Flight.Entry, _ arrival: Microseconds, raw: Microseconds, at now: Microseconds) {
        let slack = Microseconds(2000 * jitter)
        guard
            let least = longer.add(
                sentAt: entry.sentAt, raw: raw, isLate: arrival - entry.due > tuning.queueLimit / 2 + slack, tolerance: 40_000 + slack)
        else { return }
        delay = WindowedMinimum()
        delay.add(least, at: now)
        let usual = max(rate, typical)
        fast.restart(rate: usual, weight: 40)
        slow.restart(rate: usual, weight: 80)
        figures.longerWays += 1
    }

    /// One packet's word on jitter and capacity.
    private mutating func sample(_ entry: Flight.Entry, _ at: Microseconds, raw: Microseconds) {
        let base = delay.value ?? raw
        let queue = Double(raw - base) / 1000
        if let lastQueue { jitter += (abs(queue - lastQueue) - jitter) / 50 }
        lastQueue = queue
        recent.add(entry.bytes, at: at)
        guard let last = lastArrival else {
            lastArrival = at
            return
        }
        let alone = entry.sentAt + base
        let gap = Double(at - last) / 1000
        if Double(last - alone) / 1000 > 3 + jitter {
            // It waited behind the one before.
            add(entry.bytes, over: max(gap, 0))
        } else if queue > 25 + 2 * jitter {
            // It waited behind nothing: the link stood still.
            add(entry.bytes, over: max(Double(at - max(alone, last)) / 1000, 0))
        }
        lastArrival = max(at, last)
    }

    private mutating func add(_ bytes: Int, over time: Double) {
        fast.add(bytes: Double(bytes), over: time)
        slow.add(bytes: Double(bytes), over: time)
    }

    /// Links keep the order of their packets, but for two or three.
    private mutating func findLosses(highestBefore: UInt64?, _ outcome: inout Outcome) -> Int {
        guard let highest else { return 0 }
        var missing: [(UInt64, PacketNumber?)] = []
        flight.forEachOut { sequence, entry in
            if sequence + 3 <= highest || sequence < highestBefore ?? 0 { missing.append((sequence, entry.packet)) }
        }
        for (sequence, packet) in missing {
            _ = flight.settle(sequence, as: .lost)
            loss += (1 - loss) / 200
            figures.lost += 1
            if let packet { outcome.lost.append(packet) }
        }
        return missing.count
    }

    private mutating func measure(reported: Microseconds, _ clock: ReceiverClock) {
        let base = base(clock)
        stall = 0
        // Without an arrival and without the clocks' offset nothing says when one is due.
        if let oldest = flight.oldest, delay.value != nil || clock.offset != nil {
            let expected = max(lastArrival ?? .longAgo, oldest.sentAt + base)
            stall = max(0, reported - expected)
            if stall < 20_000 { stall = 0 }
        }
        recent.forget(before: reported - 300_000)
        let silence = Double(stall) / 1000
        rate = fast.rate(stalled: silence)
        slowRate = slow.rate(stalled: silence)
        if stall == 0 { rate = max(rate, recent.rate * ((lastQueue ?? 0) < 15 + jitter ? tuning.headroom : 1)) }
        if abs(rate - slowRate) > 0.4 * max(rate, slowRate) { slowRate = rate }
        rate = max(rate, Self.leastRate)
        slowRate = max(slowRate, Self.leastRate)
        let queue = lastQueue ?? 0
        if queue > 60 || stall > 0 {
            gain = 1
        } else if wasRefused && queue < 30 {
            gain = min(isBehind ? tuning.gainBehind : tuning.gain, gain * 1.2)
        }
        wasRefused = false
        if isLive { typical += (slowRate - typical) / 60 }
        predictFinish(reported: reported, base: base)
    }

    private mutating func predictFinish(reported: Microseconds, base: Microseconds) {
        var end = lastArrival ?? .longAgo
        forEachPredicted(reported: reported, base: base) { _, _, arrival in end = arrival }
        finish = end
    }

    /// What is out, with the time at which it will arrive at the present rate.
    func forEachPredicted(reported: Microseconds, base: Microseconds, _ body: (UInt64, Flight.Entry, Microseconds) -> Void) {
        var end = lastArrival ?? .longAgo
        var isFirst = true
        let perByte = 1000 / (rate * gain)
        flight.forEachOut { sequence, entry in
            end = max(end + Microseconds(Double(entry.bytes) * perByte), entry.sentAt + base)
            if isFirst { end = max(end, reported) }
            isFirst = false
            body(sequence, entry, end)
        }
    }

    private mutating func adjustCap(losses: Int, bytesOut: Int, at now: Microseconds) {
        guard losses >= 4, lastQueue ?? 0 > 20, now - capCutAt >= 400_000 else { return }
        capCutAt = now
        cap = max(12_000, 0.8 * min(cap, Double(bytesOut)))
    }

    /// What is out for longer than anything takes is lost, and what is settled for so long is forgotten.
    mutating func forget(_ now: Microseconds) {
        while let oldest = flight.oldest, oldest.sentAt < now - 8_000_000 {
            _ = flight.settle(flight.unsettled, as: .lost)
            figures.lost += 1
        }
        flight.forget(sentBefore: now - 3_000_000)
    }

    mutating func growCap(_ passed: Microseconds) {
        if cap < 1e12 { cap *= 1 + Double(passed) / 1_000_000 }
    }

    // MARK: Silence

    /// - Returns: how long it has been silent, if that makes it suspect.
    mutating func suspectIfSilent(at now: Microseconds) -> Microseconds? {
        guard isLive, stall > tuning.suspectAfter + Microseconds(2000 * jitter) else { return nil }
        suspect(at: now)
        return stall
    }

    mutating func suspect(at now: Microseconds) {
        rateBefore = slow.rate
        state = .suspect
        probedAt = now
    }

    /// - Returns: whether it is live again.
    mutating func reviveIfHeard(at now: Microseconds, _ clock: ReceiverClock) -> Bool {
        guard !isLive, stall < 60_000 else { return false }
        guard lastQueue ?? 0 < 400 || finish - now - base(clock) < 400_000 else { return false }
        state = .live
        let rate = max(self.rate, rateBefore / 2, typical * tuning.typicalShare)
        self.rate = rate
        slowRate = rate
        fast.restart(rate: rate, weight: 40)
        slow.restart(rate: rate, weight: 80)
        return true
    }
}

/// Bytes that arrived in the last 300 ms of the receiver's clock.
private struct RecentBytes {
    private var arrivals: [(at: Microseconds, bytes: Int)] = []
    private var head = 0
    private var bytes = 0

    /// Bytes per millisecond.
    var rate: Double { Double(bytes) / 300 }

    mutating func add(_ more: Int, at: Microseconds) {
        arrivals.append((at, more))
        bytes += more
    }

    mutating func forget(before: Microseconds) {
        while head < arrivals.count, arrivals[head].at < before {
            bytes -= arrivals[head].bytes
            head += 1
        }
        if head > 256 && head * 2 > arrivals.count {
            arrivals.removeFirst(head)
            head = 0
        }
    }
}
