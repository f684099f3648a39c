package import BondWire

/// Puts a flow in order and lets each packet out at its time: its source time plus the playout offset, so latency is constant.
///
/// What is missing when a later packet's time has come is lost. Holds no clock and opens nothing.
package struct FlowReceiver {
    package struct Counters: Hashable, Sendable {
        package internal(set) var delivered: UInt64 = 0
        /// Missing when their time had come.
        package internal(set) var lost: UInt64 = 0
        package internal(set) var duplicates: UInt64 = 0
        /// Came when their time was over; they are among the lost.
        package internal(set) var late: UInt64 = 0
        /// Delivered, and came as retransmissions.
        package internal(set) var recovered: UInt64 = 0
        /// Jumps of the sequence numbers or the time after which the order began anew.
        package internal(set) var restarts: UInt64 = 0
        /// Not held, because the bounds were reached.
        package internal(set) var overflowed: UInt64 = 0
        /// Of another flow, or with a number and a time that do not fit together.
        package internal(set) var strays: UInt64 = 0
        /// Playout offsets that would have held packets for longer than the latency can mean.
        package internal(set) var boundOffsets: UInt64 = 0
    }

    /// When what is missing is asked for.
    package struct Repair: Hashable, Sendable {
        /// Of the reports by which the links repair themselves.
        package var reportInterval: Microseconds
        /// How much later the slowest link brings a packet than the fastest.
        package var skew: Microseconds
        package var roundTrip: Microseconds

        package init(reportInterval: Microseconds, skew: Microseconds, roundTrip: Microseconds) {
            self.reportInterval = reportInterval
            self.skew = skew
            self.roundTrip = roundTrip
        }

        var wait: Microseconds { reportInterval * 3 / 2 + skew }
    }

    private struct Held {
        var timestamp: UInt32
        var payload: [UInt8]
    }

    /// What is held has room for 30 Mbit/s for as long as anything is held, in packets of five transport stream packets: 3,990 a second.
    /// More numbers than this RTP does not tell apart.
    private static let packetLimits = 16_384...65_536
    private static let packetsPerSecond: Microseconds = 4_100
    private static let byteLimits = 32 << 20...48 << 20
    private static let bytesPerSecond: Microseconds = 30_000_000 / 8
    /// In one answer of `nacks`.
    package static let nackLimit = 200
    /// So far behind its time a packet is still let out: what the reading thread may be late itself.
    private static let tolerance: Microseconds = 10_000
    /// A source time this and the latency after the newest means that the links were dark.
    private static let jump: Microseconds = 2_000_000
    /// After so many strays in a row the order begins anew.
    private static let strayLimit = 32
    /// Of RTP.
    private static let numbers = 1 << 16
    /// Numbers before the first are counted from here, so that none is negative.
    private static let firstNumber = 1 << 16

    package var repair: Repair
    package private(set) var counters = Counters()
    package private(set) var heldBytes = 0

    /// No packet is held for longer after it came.
    private let bound: Microseconds
    private let latency: Microseconds
    /// So many numbers from `next` on are held, a power of two.
    package let packetLimit: Int
    package let byteLimit: Int
    /// The flow's, even.
    private var source: UInt32?
    private var playout: Microseconds?

    /// By the low bits of the extended number.
    private var ring: [Held?]
    private var holes = HoleList()
    /// Which of the last 32,768 numbers before `next` were delivered.
    private var deliveredBits = [UInt64](repeating: 0, count: 512)
    /// The number to be let out next; and the first from there that is held.
    private var next = 0
    private var head: Int?
    private var newest: (number: Int, timestamp: UInt32, at: Microseconds)?
    private var strayRun = 0
    /// Nothing was let out since the order began: packets before the first may come yet.
    private var isFresh = true
    /// Held when the order began anew: out with the next release.
    private var ready: [[UInt8]] = []

    /// - Parameter latency: from source to output, as agreed; no packet is held for more than a quarter longer.
    package init(latency: Microseconds, repair: Repair = Repair(reportInterval: 50_000, skew: 50_000, roundTrip: 100_000)) {
        self.latency = latency
        bound = latency + max(latency / 4, 100_000)
        // Longer than any latency that can be agreed; so the products stay small.
        let held = min(bound, 60_000_000)
        var packets = Self.packetLimits.lowerBound
        while packets < held * Self.packetsPerSecond / 1_000_000, packets < Self.packetLimits.upperBound { packets *= 2 }
        packetLimit = packets
        byteLimit = min(max(Int(held * Self.bytesPerSecond / 1_000_000), Self.byteLimits.lowerBound), Self.byteLimits.upperBound)
        ring = [Held?](repeating: nil, count: packets)
        self.repair = repair
    }

    // MARK: - Time

    /// The sender's word: a packet with source time t goes out at t + this. One that cannot mean the agreed latency is bounded.
    package mutating func setPlayout(_ offset: Microseconds) {
        // Beyond that there is no clock: 2^56 microseconds are 2,283 years.
        guard offset.magnitude < 1 << 56 else {
            counters.boundOffsets += 1
            return
        }
        playout = offset
        boundPlayout()
    }

    /// The offset in use, which is counted round the wrap of the timestamps until the sender told one.
    package var playoutOffset: Microseconds? { playout }

    /// When a packet with this timestamp goes out; `now` tells which turn of the timestamps is meant.
    private func releaseTime(_ timestamp: UInt32, _ now: Microseconds) -> Microseconds {
        now + SourceTime.difference(timestamp, SourceTime.timestamp(now - (playout ?? 0)))
    }

    private mutating func boundPlayout() {
        guard let newest, let offset = playout else { return }
        let wait = releaseTime(newest.timestamp, newest.at) - newest.at
        guard wait > bound else { return }
        playout = offset - (wait - bound)
        counters.boundOffsets += 1
    }

    // MARK: - In

    package mutating func take(_ packet: RTPPacket, at now: Microseconds) {
        let flow = packet.source & ~1
        guard source == nil || source == flow else {
            counters.strays += 1
            return
        }
        source = flow
        guard let newest else {
            begin(packet, Self.firstNumber + Int(packet.sequence), now)
            return
        }
        let ahead = Int(Int16(bitPattern: packet.sequence &- UInt16(truncatingIfNeeded: newest.number)))
        let later = SourceTime.difference(packet.timestamp, newest.timestamp)
        if later > latency + Self.jump {
            // The links were dark, and the sender has let go of what was too late: nobody knows how many times the numbers went round.
            let forward = Int(packet.sequence &- UInt16(truncatingIfNeeded: newest.number))
            if forward > 0 { counters.lost += UInt64(forward - 1) }
            restart(packet, newest.number + forward, now)
        } else if ahead > 0, later >= 0, ahead < packetLimit {
            append(packet, newest.number + ahead, now)
        } else if ahead <= 0, later <= 0 {
            fill(packet, newest.number + ahead, now)
        } else if later < 0, newest.number + ahead - Self.numbers >= next {
            // A long latency holds more than half of all numbers: by its time it is one of the first.
            fill(packet, newest.number + ahead - Self.numbers, now)
        } else {
            stray(packet, now)
        }
    }

    /// Its number and its time do not fit together: left over from before a dark time, or the sender has jumped. Then more come.
    private mutating func stray(_ packet: RTPPacket, _ now: Microseconds) {
        strayRun += 1
        guard strayRun >= Self.strayLimit, let newest else {
            counters.strays += 1
            return
        }
        restart(packet, newest.number + Int(packet.sequence &- UInt16(truncatingIfNeeded: newest.number)), now)
    }

    private mutating func begin(_ packet: RTPPacket, _ number: Int, _ now: Microseconds) {
        newest = (number, packet.timestamp, now)
        next = number
        isFresh = true
        strayRun = 0
        // Until the sender tells, or tells something that can be: as if this packet had taken no time.
        if playout == nil || now - releaseTime(packet.timestamp, now) > latency + Self.jump {
            playout = now + latency - Microseconds(packet.timestamp) * 100 / 9
        }
        boundPlayout()
        if !isLate(packet, now) { _ = hold(packet, number) }
    }

    /// All that is held goes out, and the order begins anew with this packet.
    private mutating func restart(_ packet: RTPPacket, _ number: Int, _ now: Microseconds) {
        counters.restarts += 1
        var payloads = ready
        while let head { letOut(head, into: &payloads) }
        ready = payloads
        holes.removeAll()
        deliveredBits = [UInt64](repeating: 0, count: deliveredBits.count)
        begin(packet, number, now)
    }

    /// Behind all that came before.
    private mutating func append(_ packet: RTPPacket, _ number: Int, _ now: Microseconds) {
        let before = newest?.number ?? number
        guard !isLate(packet, now) else { return }
        strayRun = 0
        newest = (number, packet.timestamp, now)
        if head == nil, number - next >= packetLimit { skip(to: number) }
        // It counts as one that came, and is not asked for: there is no room for it.
        guard hold(packet, number) else { return }
        holes.append(max(before + 1, next)..<number, at: now)
        boundPlayout()
    }

    /// Nothing is held any more, and what was not is further back than can be.
    private mutating func skip(to number: Int) {
        for missing in max(next, number - 32768)..<number { mark(missing, isDelivered: false) }
        counters.lost += UInt64(number - next)
        next = number
        holes.forget(before: number)
    }

    /// Among those that came before.
    private mutating func fill(_ packet: RTPPacket, _ number: Int, _ now: Microseconds) {
        guard number >= next else {
            precede(packet, number, now)
            return
        }
        guard number - next >= packetLimit || ring[number % packetLimit] == nil else {
            counters.duplicates += 1
            return
        }
        guard !isLate(packet, now), hold(packet, number) else { return }
        holes.fill(number)
    }

    /// Before what is to be let out next: as long as nothing was let out, that may be the first that came of several.
    private mutating func precede(_ packet: RTPPacket, _ number: Int, _ now: Microseconds) {
        guard isFresh, let newest, newest.number - number < packetLimit else {
            if wasDelivered(number) { counters.duplicates += 1 } else { counters.late += 1 }
            return
        }
        guard !isLate(packet, now), hold(packet, number) else { return }
        holes.prepend(number + 1..<next, at: now)
        next = number
    }

    private mutating func isLate(_ packet: RTPPacket, _ now: Microseconds) -> Bool {
        guard releaseTime(packet.timestamp, now) + Self.tolerance < now else { return false }
        counters.late += 1
        return true
    }

    /// - Returns: false where the bounds are reached.
    private mutating func hold(_ packet: RTPPacket, _ number: Int) -> Bool {
        guard number - next < packetLimit, heldBytes + packet.payload.count <= byteLimit else {
            counters.overflowed += 1
            return false
        }
        ring[number % packetLimit] = Held(timestamp: packet.timestamp, payload: packet.payload)
        heldBytes += packet.payload.count
        if packet.isRetransmission { counters.recovered += 1 }
        head = min(head ?? number, number)
        return true
    }

    // MARK: - Out

    /// When `release` has something to let out; nil where nothing is held.
    package func nextRelease(at now: Microseconds) -> Microseconds? {
        if !ready.isEmpty { return now }
        guard let head, let held = ring[head % packetLimit] else { return nil }
        return releaseTime(held.timestamp, now)
    }

    /// The payloads whose time has come, in order.
    package mutating func release(until now: Microseconds) -> [[UInt8]] {
        var payloads = ready
        ready = []
        while let number = head, let held = ring[number % packetLimit], releaseTime(held.timestamp, now) <= now {
            letOut(number, into: &payloads)
        }
        return payloads
    }

    /// Lets out the first that is held; what is missing before it is lost.
    private mutating func letOut(_ number: Int, into payloads: inout [[UInt8]]) {
        guard let held = ring[number % packetLimit] else { return }
        for missing in next..<number { mark(missing, isDelivered: false) }
        counters.lost += UInt64(number - next)
        counters.delivered += 1
        mark(number, isDelivered: true)
        payloads.append(held.payload)
        heldBytes -= held.payload.count
        ring[number % packetLimit] = nil
        next = number + 1
        isFresh = false
        holes.forget(before: next)
        head = firstHeld(from: next)
    }

    private func firstHeld(from start: Int) -> Int? {
        guard let newest, start <= newest.number else { return nil }
        return (start...min(newest.number, start + packetLimit - 1)).first { ring[$0 % packetLimit] != nil }
    }

    private mutating func mark(_ number: Int, isDelivered: Bool) {
        let (word, bit) = (number >> 6 & 511, UInt64(1) << UInt64(number & 63))
        if isDelivered { deliveredBits[word] |= bit } else { deliveredBits[word] &= ~bit }
    }

    private func wasDelivered(_ number: Int) -> Bool {
        next - number <= 32768 && deliveredBits[number >> 6 & 511] >> UInt64(number & 63) & 1 == 1
    }

    // MARK: - Repair

    /// What to ask the sender for: holes that the links' own repair has had its time to fill, each once in a round trip, and none
    /// whose answer would come too late.
    package mutating func nacks(at now: Microseconds) -> [SequenceRange] {
        var ranges: [SequenceRange] = []
        for (index, hole) in holes.holes.enumerated() where ranges.count < Self.nackLimit {
            guard now - hole.since >= repair.wait, hole.askedAt.map({ now - $0 >= repair.roundTrip }) ?? true,
                let after = ring[(hole.packets.upperBound + 1) % packetLimit],
                releaseTime(after.timestamp, now) - now >= repair.roundTrip
            else { continue }
            holes.asked(index, at: now)
            let first = UInt16(truncatingIfNeeded: hole.packets.lowerBound)
            ranges.append(SequenceRange(first: first, more: UInt16(truncatingIfNeeded: hole.packets.count - 1)))
        }
        return ranges
    }
}
