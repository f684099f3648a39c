package import BondWire
package import RTP

/// How one source arrives: extends its sequence numbers, knows repeats, and has the figures of a receiver report.
///
/// Source: RFC 3550, A.1, A.3 and A.8. There is no probation: packets are authentic when they get here.
package struct Reception: Sendable {
    package enum Arrival: Hashable, Sendable {
        /// Extended: it counts on over each wrap.
        case packet(Int64)
        /// It came before.
        case duplicate
        /// Far from all others; two in a row make a new beginning.
        case stray
        /// The second in a row that is far from all others: the source counts from here on. Its number lies behind all before.
        case restart(Int64)
    }

    /// One report block. Source: RFC 3550, 6.4.1.
    package struct Block: Hashable, Sendable {
        /// Of the packets expected since the last block, in 1/256.
        package var fractionLost: UInt8 = 0
        /// 24 bits with a sign, which the writer keeps.
        package var cumulativeLost: Int32 = 0
        package var extendedHighest: UInt32 = 0
        /// Ticks of the source's clock.
        package var jitter: UInt32 = 0
        package var lastReport: UInt32 = 0
        /// 1/65536 s.
        package var delaySinceLastReport: UInt32 = 0
    }

    /// Source: RFC 3550, A.1; what is asked for again comes later than what is merely out of order: two seconds of 500 packets.
    private static let dropout: UInt16 = 3000
    private static let misorder: UInt16 = 1000

    private let rate: Int64
    /// Added to the first number: a multiple of 2^16, so that none is below zero.
    private let start: Int64
    private var first: Int64?
    private var highest: Int64 = 0
    private var seen = UsedNumbers()
    private var bad: UInt16?
    private var received: Int64 = 0
    private var priorExpected: Int64 = 0
    private var priorReceived: Int64 = 0
    /// 16 times the jitter, and the transit of the packet before. Source: RFC 3550, A.8.
    private var scaledJitter: Int64 = 0
    private var transit: UInt32?
    private var report: (compact: UInt32, at: Microseconds)?

    /// - Parameters:
    ///   - rate: ticks of the source's clock in a second.
    ///   - last: of the source that this one follows: its numbers lie so far behind that nobody takes them for late ones, or for a gap.
    package init(rate: Int64, after last: Int64? = nil) {
        self.rate = rate
        start = last.map { ($0 >> 16 + 2) << 16 } ?? 1 << 16
    }

    /// The number of the newest packet.
    package var newest: Int64? { first == nil ? nil : highest }

    /// Takes a packet as it came from the network.
    package mutating func take(_ sequence: UInt16, timestamp: UInt32, at now: Microseconds) -> Arrival {
        let arrival = place(sequence)
        switch arrival {
        case .duplicate, .stray: return arrival
        case .restart: transit = nil
        case .packet: break
        }
        received += 1
        measure(timestamp, now)
        return arrival
    }

    /// Takes a packet that came as a retransmission: it is no longer missing, and the network's figures do not know of it.
    package mutating func takeRepeated(_ sequence: UInt16) -> Arrival {
        // Only those that are missing are asked for: nothing begins anew with one, however late it comes.
        let behind = UInt16(truncatingIfNeeded: highest) &- sequence
        guard first != nil, 1...Self.misorder ~= behind else { return .stray }
        return accept(highest - Int64(behind))
    }

    private mutating func place(_ sequence: UInt16) -> Arrival {
        guard first != nil else { return begin(start + Int64(sequence)) }
        let ahead = sequence &- UInt16(truncatingIfNeeded: highest)
        if ahead == 0 { return .duplicate }
        if ahead < Self.dropout {
            bad = nil
            return accept(highest + Int64(ahead))
        }
        let behind = 0 &- ahead
        if behind <= Self.misorder { return accept(highest - Int64(behind)) }
        guard bad == sequence else {
            bad = sequence &+ 1
            return .stray
        }
        // Far enough ahead that nothing takes it for a gap.
        let next = (highest >> 16 + 2) << 16 + Int64(sequence)
        first = nil
        guard case .packet(let number) = begin(next) else { return .stray }
        return .restart(number)
    }

    private mutating func begin(_ number: Int64) -> Arrival {
        first = number
        highest = number
        bad = nil
        received = 0
        priorExpected = 0
        priorReceived = 0
        seen.insert(number)
        return .packet(number)
    }

    private mutating func accept(_ number: Int64) -> Arrival {
        guard seen.isFree(number) else { return .duplicate }
        seen.insert(number)
        highest = max(highest, number)
        return .packet(number)
    }

    private mutating func measure(_ timestamp: UInt32, _ now: Microseconds) {
        // The arrival in the source's ticks, of which only differences count.
        let seconds = now / 1_000_000
        let ticks = seconds &* rate &+ now % 1_000_000 * rate / 1_000_000
        let transit = UInt32(truncatingIfNeeded: ticks) &- timestamp
        if let before = self.transit {
            let difference = min(Ticks.difference(transit, before).magnitude, UInt64(Int32.max))
            scaledJitter += Int64(difference) - (scaledJitter + 8) >> 4
        }
        self.transit = transit
    }

    /// A sender report of this source has come.
    package mutating func takeReport(_ ntp: NTPTime, at now: Microseconds) { report = (ntp.middle, now) }

    /// The figures since the last call; nil where nothing has come yet.
    package mutating func block(at now: Microseconds) -> Block? {
        guard let first else { return nil }
        let expected = highest - first + 1
        let lost = expected - received
        let expectedSince = expected - priorExpected
        let lostSince = expectedSince - (received - priorReceived)
        priorExpected = expected
        priorReceived = received
        var block = Block()
        if expectedSince > 0, lostSince > 0 { block.fractionLost = UInt8(clamping: lostSince << 8 / expectedSince) }
        block.cumulativeLost = Int32(max(-0x80_0000, min(lost, 0x7f_ffff)))
        // Cycles are counted from zero on the wire.
        block.extendedHighest = UInt32(truncatingIfNeeded: highest - start)
        block.jitter = UInt32(clamping: scaledJitter >> 4)
        if let report {
            block.lastReport = report.compact
            let delay = max(0, min(now - report.at, 65_535_000_000))
            block.delaySinceLastReport = UInt32(clamping: delay << 16 / 1_000_000)
        }
        return block
    }
}
