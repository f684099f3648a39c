import Bonding

/// The packets of the flow that may still be sent, again or for the first time; the numbers run without a gap.
struct FlowHistory {
    private var packets: [[UInt8]] = []
    /// Packets at the front that are forgotten.
    private var head = 0
    /// The number of the packet at `head`.
    private var first: UInt64 = 0

    mutating func append(_ packet: [UInt8], as number: PacketNumber) {
        if packets.count == head { first = number.value }
        packets.append(packet)
    }

    /// nil where it is forgotten.
    subscript(number: PacketNumber) -> [UInt8]? {
        guard number.value >= first else { return nil }
        let (offset, isOver) = Int(truncatingIfNeeded: number.value &- first).addingReportingOverflow(head)
        return isOver || offset >= packets.count ? nil : packets[offset]
    }

    /// Nothing below this number is needed any more.
    mutating func forget(below number: PacketNumber) {
        guard number.value > first else { return }
        let count = min(Int(truncatingIfNeeded: number.value &- first), packets.count - head)
        for index in head..<head + count { packets[index] = [] }
        head += count
        first += UInt64(count)
        if head > 1024, head * 2 > packets.count {
            packets.removeFirst(head)
            head = 0
        }
    }
}
