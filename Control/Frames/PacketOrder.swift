import BondWire
package import TrackLog

/// Puts the packets of one source into the order in which they were sent: what was repeated comes late, and what is lost never.
package struct PacketOrder: Sendable {
    package struct Ordered: Hashable, Sendable {
        package var packet: LoggedPacket
        /// Something is missing before it.
        package var followsGap: Bool
    }

    /// Repeats come within two seconds or not at all.
    private static let patience: Microseconds = 3_000_000
    /// Packets behind one that is missing: three seconds of some 6 Mbit/s.
    private static let room = 2048
    /// Further behind nothing is late any more: the numbers have begun anew.
    private static let late: Int64 = 1000

    private var waiting: [Int64: LoggedPacket] = [:]
    private var next: Int64?
    private var newest: Int64 = 0
    /// When the first came behind one that is missing.
    private var missingSince: Microseconds?
    private var isGap = false
    private var stray: LoggedPacket?

    package init() {}

    /// - Parameter packet: the next that was written down.
    /// - Returns: what is in order now.
    package mutating func take(_ packet: LoggedPacket) -> [Ordered] {
        let number = extend(packet.fields.sequence)
        if let next, number < next {
            guard next - number > Self.late else { return [] }
            guard let before = stray, packet.fields.sequence == before.fields.sequence &+ 1 else {
                stray = packet
                return []
            }
            return restart(before, packet)
        }
        stray = nil
        if next == nil { next = number }
        newest = max(newest, number)
        waiting[number] = packet
        return release(at: packet.at)
    }

    /// Nothing more comes.
    package mutating func end() -> [Ordered] {
        var ordered: [Ordered] = []
        while !waiting.isEmpty {
            ordered += run()
            skip()
        }
        return ordered
    }

    private mutating func extend(_ sequence: UInt16) -> Int64 {
        guard next != nil else {
            newest = Int64(sequence)
            return newest
        }
        return newest + Int64(Int16(bitPattern: sequence &- UInt16(truncatingIfNeeded: newest)))
    }

    private mutating func restart(_ first: LoggedPacket, _ second: LoggedPacket) -> [Ordered] {
        let left = end()
        self = PacketOrder()
        isGap = true
        return left + take(first) + take(second)
    }

    private mutating func release(at now: Microseconds) -> [Ordered] {
        var ordered = run()
        while !waiting.isEmpty {
            let since = missingSince ?? now
            missingSince = since
            guard waiting.count > Self.room || now - since > Self.patience else { break }
            skip()
            ordered += run()
        }
        return ordered
    }

    /// What follows without a gap.
    private mutating func run() -> [Ordered] {
        var ordered: [Ordered] = []
        while let number = next, let packet = waiting.removeValue(forKey: number) {
            ordered.append(Ordered(packet: packet, followsGap: isGap))
            isGap = false
            next = number + 1
            missingSince = nil
        }
        return ordered
    }

    /// Gives up what is missing.
    private mutating func skip() {
        guard let first = waiting.keys.min() else { return }
        if first != next { isGap = true }
        next = first
    }
}
