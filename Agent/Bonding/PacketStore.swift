import BondWire

/// The packets of the flow that somebody may still need: from the first whose time has not passed to the last one offered.
struct PacketStore: Sendable {
    struct Packet: Hashable, Sendable {
        var source: Microseconds
        var bytes: Int
        var importance: Importance
        /// The links, a bit for each, that it is out on.
        var carriers: UInt16 = 0
        /// A report had it among the arrivals.
        var isConfirmed = false
        /// It waits in the queue, for this.
        var waiting: Transmission.Reason?
        /// It waits for its second copy.
        var isToDouble = false
        var isDropped = false
        var wasSent = false
    }

    /// About 60 s at 10 Mbit/s; RTP's sequence number tells no more apart.
    static let limit = 65_536

    private var packets: [Packet] = []
    private var head = 0
    private(set) var first = PacketNumber(0)

    var end: PacketNumber { PacketNumber(first.value + UInt64(packets.count - head)) }
    var count: Int { packets.count - head }

    mutating func append(_ packet: Packet) -> PacketNumber {
        packets.append(packet)
        return PacketNumber(end.value - 1)
    }

    func contains(_ number: PacketNumber) -> Bool { number >= first && number < end }

    /// - Precondition: `contains(number)`.
    subscript(_ number: PacketNumber) -> Packet {
        get { packets[head + Int(number.value - first.value)] }
        set { packets[head + Int(number.value - first.value)] = newValue }
        _modify { yield &packets[head + Int(number.value - first.value)] }
    }

    /// - Returns: what was forgotten.
    mutating func removeFirst() -> Packet {
        let packet = packets[head]
        head += 1
        first.value += 1
        if head > 512 && head * 2 > packets.count {
            packets.removeFirst(head)
            head = 0
        }
        return packet
    }
}
