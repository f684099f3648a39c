package import Units

/// Rewrites clocks, timestamps and continuity counters in transport packets, so that a stream goes on over a restart of its
/// sender for whoever reads the packets.
///
/// Until the first restart not a byte changes. The first clock of an epoch is flagged (`discontinuity_indicator`), because clocks
/// lie further apart there than the 100 ms of ISO/IEC 13818-1, 2.7.2. Counters are renumbered where an epoch begins, so a
/// loss inside an epoch stays visible; those of the tables always go on, because a repeated table that is lost harms nobody.
package struct Restamper: Sendable {
    package private(set) var timeline = Timeline()
    /// Timestamps that were passed on unchanged because their PES header was spread over packets.
    package private(set) var unreachableStamps = 0
    /// The PIDs of tables, apart from those with fixed numbers.
    package var tables: Set<UInt16> = []

    /// The epoch of the last clock.
    private var clockEpoch = 0
    /// Per PID: the last counter that left, or 0xFF; what is added; and the epoch it was numbered in.
    private var lastCounters = [UInt8](repeating: 0xFF, count: 8192)
    private var shifts = [UInt8](repeating: 0, count: 8192)
    private var epochs = [Int32](repeating: 0, count: 8192)

    package init() {}

    /// See `Timeline.splice`.
    package mutating func splice(_ source: MediaTime, at output: MediaTime) { timeline.splice(source, at: output) }

    /// Packets of a PID were left out on purpose: its numbering goes on with the next one as if they had never been.
    package mutating func leaveOut(_ pid: UInt16) { epochs[Int(pid)] = -1 }

    /// - Parameters:
    ///   - packet: read from `bytes`; its timestamps and counter are rewritten there.
    ///   - arrival: see `Timeline.place`.
    /// - Returns: whether an epoch begins with this packet.
    package mutating func restamp(_ packet: Packet, in bytes: inout [UInt8], arrival: Duration) -> Bool {
        var begins = false
        if let clock = packet.clockStart {
            begins = restampClock(packet, at: clock, &bytes, arrival)
        }
        if packet.startsUnit, packet.hasPayload, !packet.isScrambled {
            begins = restampUnit(packet, &bytes, arrival) || begins
        }
        renumber(packet, &bytes)
        return begins
    }

    private mutating func restampClock(_ packet: Packet, at clock: Int, _ bytes: inout [UInt8], _ arrival: Duration) -> Bool {
        let placement = timeline.place(Timestamp.readClock(bytes, at: clock), on: .clock(packet.pid), arrival: arrival)
        guard timeline.offset != 0 else { return placement.beginsEpoch }
        Timestamp.writeClock(placement.time.ticks, &bytes, at: clock)
        if clockEpoch != timeline.jumps {
            clockEpoch = timeline.jumps
            bytes[packet.start + 5] |= 0x80
        }
        return placement.beginsEpoch
    }

    private mutating func restampUnit(_ packet: Packet, _ bytes: inout [UInt8], _ arrival: Duration) -> Bool {
        let start = packet.payloadStart
        guard start + 3 <= packet.end, bytes[start] == 0, bytes[start + 1] == 0, bytes[start + 2] == 1 else { return false }
        guard let header = PESHeader(bytes, at: start, end: packet.end) else {
            unreachableStamps += 1
            return false
        }
        guard let presentation = header.presentationStart else { return false }
        let pts = Timestamp.readStamp(bytes, at: presentation)
        let dts = header.decodeStart.map { Timestamp.readStamp(bytes, at: $0) } ?? pts
        let placement = timeline.place(dts, on: .media(packet.pid), arrival: arrival)
        guard timeline.offset != 0 else { return placement.beginsEpoch }
        let moved = placement.time.ticks
        Timestamp.writeStamp(moved + Timestamp.unwrap(pts, near: dts) - dts, &bytes, at: presentation)
        if let decode = header.decodeStart { Timestamp.writeStamp(moved, &bytes, at: decode) }
        return placement.beginsEpoch
    }

    private mutating func renumber(_ packet: Packet, _ bytes: inout [UInt8]) {
        guard packet.pid != Packet.nullPID else { return }
        let pid = Int(packet.pid)
        let epoch = Int32(truncatingIfNeeded: timeline.jumps)
        let last = lastCounters[pid]
        let isTable = packet.pid < 0x20 || tables.contains(packet.pid)
        if epochs[pid] != epoch || isTable, last != 0xFF {
            epochs[pid] = epoch
            shifts[pid] = (last &+ (packet.hasPayload ? 1 : 0) &- packet.counter) & 0x0F
        } else {
            epochs[pid] = epoch
        }
        let counter = (packet.counter &+ shifts[pid]) & 0x0F
        lastCounters[pid] = counter
        if counter != packet.counter {
            bytes[packet.start + 3] = bytes[packet.start + 3] & 0xF0 | counter
        }
    }
}
