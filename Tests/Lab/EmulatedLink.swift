/// Why a packet did not arrive.
package enum Drop: String, Hashable, Sendable, Codable, CaseIterable {
    case queue, loss, blackout, mtu
}

/// What went through one direction of a link.
package struct LinkCount: Hashable, Sendable, Codable {
    package var enteredPackets = 0
    package var enteredBytes = 0
    package var deliveredPackets = 0
    package var deliveredBytes = 0
    package var dropped: [String: Int] = [:]

    package func dropped(_ drop: Drop) -> Int { dropped[drop.rawValue] ?? 0 }

    mutating func drop(_ reason: Drop) { dropped[reason.rawValue, default: 0] += 1 }
}

/// What went through one direction of a link over time.
package struct LinkSeries: Hashable, Sendable, Codable {
    /// More than keepalives, reports and probes have.
    static let mediaBytes = 600

    package var enteredBytes = StepCounts()
    /// Packets over 600 bytes: on all links more than the source sent is what was sent again.
    package var enteredMedia = StepCounts()
    /// By the time at the other end.
    package var deliveredBytes = StepCounts()
}

/// A packet that has come through: with the time at which it is at the other end.
package struct Arrival<Payload> {
    package let payload: Payload
    package let dueNs: Int64
}

/// One direction of a link as a calculation: packets go in with the time, and come out with the time at which they arrive.
/// Holds no clock; the same seed and the same packets give the same result.
///
/// Order: blackout and MTU at the entrance, the drop-tail queue, the bottleneck, loss, then the way with delay and jitter.
/// Times are nanoseconds of any clock, and never go back.
package struct EmulatedLink<Payload> {
    private struct Waiting {
        let payload: Payload
        let bytes: Int
        let entered: Int64
        /// What the bottleneck has not taken yet.
        var left: Double
    }

    private(set) var profile: LinkProfile
    package private(set) var count = LinkCount()
    package private(set) var series = LinkSeries()
    private var random: SplitMix64
    private var isBad = false
    private var queue = Fifo<Waiting>()
    private var queuedBytes = 0
    private var way = Fifo<Arrival<Payload>>()
    /// When the bottleneck is done with the first packet, and when it was done with the last one.
    private var headEnds: Int64?
    private var free = Int64.min
    private var lastArrival = Int64.min
    /// The next of the trace's opportunities, and what the trace's times count from.
    private var opportunity = 0
    private var traceStart: Int64?

    package init(_ profile: LinkProfile, seed: UInt64) {
        self.profile = profile
        random = SplitMix64(state: seed)
    }

    /// Another profile from now on: what waits leaves at the new rate, what is on its way keeps its time.
    package mutating func change(to profile: LinkProfile, at now: Int64) {
        work(until: now)
        if let ends = headEnds, let rate = self.profile.rateKbit, rate > 0 {
            queue.first?.left = Double(ends - now) * Double(rate) / 8_000_000
        }
        headEnds = nil
        free = now
        if profile.trace != self.profile.trace {
            traceStart = nil
            opportunity = 0
        }
        self.profile = profile
        work(until: now)
    }

    /// Takes a packet of `bytes` (of IP, without the link's own header).
    /// - Returns: why it was dropped at the entrance, nil where it goes on; it may still be lost on the way.
    @discardableResult
    package mutating func enter(_ payload: Payload, bytes: Int, at now: Int64) -> Drop? {
        work(until: now)
        count.enteredPackets += 1
        count.enteredBytes += bytes
        series.enteredBytes.add(bytes, at: now)
        if bytes > LinkSeries.mediaBytes { series.enteredMedia.add(1, at: now) }
        let reason: Drop? =
            profile.blackout ? .blackout : bytes > profile.mtu ? .mtu : queuedBytes + bytes > profile.queueLimit ? .queue : nil
        if let reason {
            count.drop(reason)
            return reason
        }
        queue.append(Waiting(payload: payload, bytes: bytes, entered: now, left: Double(bytes)))
        queuedBytes += bytes
        work(until: now)
        return nil
    }

    /// The packets that have arrived by now, in order.
    package mutating func arrivals(at now: Int64) -> [Arrival<Payload>] {
        work(until: now)
        var arrived: [Arrival<Payload>] = []
        while let first = way.first, first.dueNs <= now {
            arrived.append(first)
            way.removeFirst()
        }
        return arrived
    }

    /// When `arrivals` has to be asked again; nil while nothing is inside. It may be too early, never too late.
    package var next: Int64? {
        var leaves = headEnds
        if let trace = profile.trace, let traceStart, queue.first != nil {
            leaves = traceStart + Int64(time(of: opportunity, in: trace)) * 1_000_000
        }
        guard let leaves, let due = way.first?.dueNs else { return leaves ?? way.first?.dueNs }
        return min(leaves, due)
    }

    // MARK: The bottleneck

    private mutating func work(until now: Int64) {
        if let trace = profile.trace {
            replay(trace, until: now)
        } else {
            drain(until: now)
        }
    }

    private mutating func drain(until now: Int64) {
        while let head = queue.first {
            let ends = headEnds ?? max(free, head.entered) + nanoseconds(for: head.left)
            headEnds = ends
            guard ends <= now else { return }
            headEnds = nil
            free = ends
            leave(head, at: ends)
        }
    }

    private mutating func replay(_ trace: [Int], until now: Int64) {
        let start = traceStart ?? now
        traceStart = start
        while true {
            let at = start + Int64(time(of: opportunity, in: trace)) * 1_000_000
            guard at <= now else { return }
            opportunity += 1
            var budget = 1500.0
            while let head = queue.first, head.entered <= at, budget > 0 {
                if head.left > budget {
                    queue.first?.left -= budget
                    break
                }
                budget -= head.left
                leave(head, at: at)
            }
        }
    }

    /// Milliseconds from the trace's start of the opportunity with this number, over all repetitions.
    private func time(of number: Int, in trace: [Int]) -> Int {
        let period = trace[trace.count - 1]
        return number / trace.count * period + trace[number % trace.count]
    }

    private mutating func leave(_ head: Waiting, at left: Int64) {
        queue.removeFirst()
        queuedBytes -= head.bytes
        guard !isLost() else {
            count.drop(.loss)
            return
        }
        let delay = profile.delayMs + (profile.jitterMs > 0 ? profile.jitterMs * random.unit() : 0)
        // A link keeps the order of its packets.
        lastArrival = max(lastArrival, left + Int64((delay * 1_000_000).rounded()))
        way.append(Arrival(payload: head.payload, dueNs: lastArrival))
        count.deliveredPackets += 1
        count.deliveredBytes += head.bytes
        series.deliveredBytes.add(head.bytes, at: lastArrival)
    }

    private mutating func isLost() -> Bool {
        if let burst = profile.burst {
            if random.unit() < (isBad ? burst.leave : burst.enter) { isBad.toggle() }
            if isBad && random.unit() < burst.loss { return true }
        }
        return profile.loss > 0 && random.unit() < profile.loss
    }

    private func nanoseconds(for bytes: Double) -> Int64 {
        guard let rate = profile.rateKbit else { return 0 }
        return rate > 0 ? Int64((bytes * 8_000_000 / Double(rate)).rounded()) : Int64(1) << 60
    }
}

/// A queue in an array: taking from the front costs nothing until the front half is empty.
struct Fifo<Element> {
    private var elements: [Element] = []
    private var start = 0

    var first: Element? {
        get { start < elements.count ? elements[start] : nil }
        set { if let newValue { elements[start] = newValue } }
    }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func removeFirst() {
        start += 1
        if start > 64 && start * 2 > elements.count {
            elements.removeFirst(start)
            start = 0
        }
    }
}

/// A small random generator with a seed. Source: S. Vigna's public domain splitmix64.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    var state: UInt64

    package init(state: UInt64) { self.state = state }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// 0..<1
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
