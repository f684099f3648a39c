/// Packets in a row, by their RTP sequence numbers; it may run over the wrap.
package struct SequenceRange: Hashable, Sendable {
    package var first: UInt16
    /// How many follow the first.
    package var more: UInt16

    package init(first: UInt16, more: UInt16 = 0) {
        self.first = first
        self.more = more
    }

    /// The packets meant, of a flow whose newest packet has this number; nil where they would be before its first.
    package func packets(newest: UInt64) -> ClosedRange<UInt64>? {
        let back = UInt64(UInt16(truncatingIfNeeded: newest) &- first)
        guard back <= newest else { return nil }
        return newest - back...min(newest, newest - back + UInt64(more))
    }
}
