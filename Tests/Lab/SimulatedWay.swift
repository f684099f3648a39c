import BondWire

/// The state of a simulated link: a queue whose departures are known as soon as a packet enters, since nothing overtakes.
struct SimulatedWay {
    struct Packet {
        var at: Microseconds
        var sequence: UInt64
        var packet: Int?
    }

    /// What became of a packet that the link was given.
    struct Passage {
        /// nil: a probe.
        var packet: Int?
        var bytes: Int
        /// nil: the queue was full, or nothing passed.
        var leaves: Microseconds?
        /// nil: lost.
        var arrives: Microseconds?
    }

    let link: SimulatedLink
    var isUp = false
    var sequence: UInt64 = 0
    private(set) var lost = 0
    private(set) var passages: [Passage] = []
    private var random: SplitMix64
    /// The millisecond that the last departure was in, and what it has room for still.
    private var ms = 0
    private var left: Float
    private var queued = Fifo<(leaves: Microseconds, bytes: Int)>()
    private var queuedBytes = 0
    private let queueLimit: Int
    private var lastArrival = Microseconds.min
    private var onTheWay = Fifo<Packet>()
    private var window: [Packet] = []
    private var windowStart = 0
    private var back = Fifo<(at: Microseconds, report: Report)>()
    private var lastBack = Microseconds.min
    /// Runs of at least 400 ms without room.
    private let outages: [Range<Int>]

    init(_ link: SimulatedLink, seed: UInt64) {
        self.link = link
        random = SplitMix64(state: seed)
        left = link.room[0]
        let mean = Double(link.room.reduce(0, +)) / Double(link.room.count)
        queueLimit = max(6000, Int(mean * link.queueMs))
        var runs: [Range<Int>] = []
        var start = 0
        for ms in 0...link.room.count where ms == link.room.count || link.room[ms] > 0 {
            if ms - start >= 400 { runs.append(start..<ms) }
            start = ms + 1
        }
        outages = runs
    }

    func room(at ms: Int) -> Float { isDark(Microseconds(ms) * 1000) ? 0 : link.room[ms % link.room.count] }

    private func isDark(_ at: Microseconds) -> Bool {
        guard !link.dark.isEmpty else { return false }
        let second = Double(at) / 1_000_000
        return link.dark.contains { $0.contains(second) }
    }

    mutating func send(bytes: Int, packet: Int?, sequence: UInt64, at now: Microseconds) {
        while let first = queued.first, first.leaves <= now {
            queuedBytes -= first.bytes
            queued.removeFirst()
        }
        guard !isDark(now), queuedBytes + bytes <= queueLimit else {
            lost += 1
            passages.append(Passage(packet: packet, bytes: bytes))
            return
        }
        let leaves = departure(bytes: bytes, at: now)
        queued.append((leaves, bytes))
        queuedBytes += bytes
        guard !(link.loss > 0 && random.unit() < link.loss), !isDark(leaves) else {
            lost += 1
            passages.append(Passage(packet: packet, bytes: bytes, leaves: leaves))
            return
        }
        let jitter = link.jitterMs > 0 ? link.jitterMs * random.unit() : 0
        lastArrival = max(lastArrival, leaves + Microseconds((delayMs(leaves) + jitter) * 1000))
        onTheWay.append(Packet(at: lastArrival, sequence: sequence, packet: packet))
        passages.append(Passage(packet: packet, bytes: bytes, leaves: leaves, arrives: lastArrival))
    }

    private func delayMs(_ at: Microseconds) -> Double {
        link.reroutes.last { Double(at) / 1_000_000 >= $0.from }?.delayMs ?? link.delayMs
    }

    private mutating func departure(bytes: Int, at now: Microseconds) -> Microseconds {
        let current = Int(now / 1000)
        let count = link.room.count
        if current > ms {
            ms = current
            left = link.room[ms % count]
        }
        var need = Float(bytes)
        // A link without any room lets nothing leave for an hour.
        let limit = ms + 3_600_000
        while need > left, ms < limit {
            need -= left
            ms += 1
            left = link.room[ms % count]
        }
        left -= need
        let room = max(link.room[ms % count], 1)
        return max(now, Microseconds(Double(ms) * 1000 + 1000 * Double(1 - left / room)))
    }

    // MARK: The receiver's end

    /// What has arrived since it was asked last.
    mutating func collect(until now: Microseconds) -> ArraySlice<Packet> {
        let old = window.count
        while let first = onTheWay.first, first.at <= now {
            window.append(first)
            onTheWay.removeFirst()
        }
        return window[old...]
    }

    /// The arrivals of the last 400 ms.
    mutating func reported(at now: Microseconds, offset: Microseconds) -> [LinkArrivals.Arrival] {
        while windowStart < window.count, window[windowStart].at < now - 400_000 { windowStart += 1 }
        if windowStart > 1024 {
            window.removeFirst(windowStart)
            windowStart = 0
        }
        return window[windowStart...].map { LinkArrivals.Arrival(sequence: $0.sequence, at: $0.at + offset) }
    }

    // MARK: The way back

    var nextBack: Microseconds? { back.first?.at }

    mutating func sendBack(_ report: Report, at now: Microseconds) {
        let ms = Int(now / 1000) % link.room.count
        guard !isDark(now), !outages.contains(where: { $0.contains(ms) }), !(link.backLoss > 0 && random.unit() < link.backLoss) else {
            return
        }
        let jitter = link.jitterMs > 0 ? link.jitterMs * random.unit() : 0
        lastBack = max(lastBack, now + Microseconds(((link.backDelayMs ?? link.delayMs) + jitter) * 1000))
        back.append((lastBack, report))
    }

    mutating func takeBack() -> Report? {
        defer { back.removeFirst() }
        return back.first?.report
    }
}
