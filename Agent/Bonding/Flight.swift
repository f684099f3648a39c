import BondWire

/// What a link was given, by link sequence number, until nothing more is to be learnt of it.
struct Flight: Sendable {
    enum State: UInt8, Hashable, Sendable {
        case flying
        /// Flying still, and on its way over another link too.
        case rescued
        case arrived, lost
        /// Sealed by somebody else, or skipped.
        case foreign
    }

    struct Entry: Hashable, Sendable {
        var sentAt: Microseconds
        var bytes: Int
        /// nil: a probe or the like.
        var packet: PacketNumber?
        var state: State
        /// When it was to arrive, as predicted when it was sent; receiver's clock.
        var due = Microseconds.longAgo

        var isOut: Bool { state == .flying || state == .rescued }
    }

    /// More than 4 s at 20 Mbit/s; the oldest are forgotten.
    static let limit = 8192

    private var entries: [Entry] = []
    private var head = 0
    /// The sequence number of `entries[head]`.
    private(set) var first: UInt64 = 0
    /// All before it are settled.
    private(set) var unsettled: UInt64 = 0
    /// Bytes that are out, and not settled.
    private(set) var bytesOut = 0

    var end: UInt64 { first + UInt64(entries.count - head) }

    /// - Precondition: none: a sequence number that is not above all before is passed over.
    mutating func append(_ entry: Entry, sequence: UInt64) {
        guard sequence >= end, sequence < UInt64(1) << 62 else { return }
        if sequence - end > 1024 || entries.count == head {
            settleAll()
            entries.removeAll(keepingCapacity: true)
            head = 0
            first = sequence
            unsettled = sequence
        }
        while end < sequence { entries.append(Entry(sentAt: entry.sentAt, bytes: 0, packet: nil, state: .foreign)) }
        entries.append(entry)
        if entry.isOut { bytesOut += entry.bytes }
        if entries.count - head > Self.limit { forget(before: first + UInt64(Self.limit / 4)) }
    }

    /// nil: never sent, or long ago.
    subscript(_ sequence: UInt64) -> Entry? {
        guard sequence >= first, sequence < end else { return nil }
        return entries[head + Int(sequence - first)]
    }

    /// - Returns: the entry as it was before; nil if it is not one that can change so.
    mutating func settle(_ sequence: UInt64, as state: State) -> Entry? {
        guard sequence >= first, sequence < end else { return nil }
        let index = head + Int(sequence - first)
        let before = entries[index]
        guard before.state != .arrived, before.state != .foreign, before.state != state else { return nil }
        entries[index].state = state
        if before.isOut && !entries[index].isOut { bytesOut -= before.bytes }
        while unsettled < end, !entries[head + Int(unsettled - first)].isOut { unsettled += 1 }
        return before
    }

    /// Those that are out, oldest first.
    func forEachOut(_ body: (UInt64, Entry) -> Void) {
        var index = head + Int(unsettled - first)
        while index < entries.count {
            if entries[index].isOut { body(first + UInt64(index - head), entries[index]) }
            index += 1
        }
    }

    /// The oldest that is out.
    var oldest: Entry? { self[unsettled] }

    /// Settled entries sent before this are forgotten.
    mutating func forget(sentBefore time: Microseconds) {
        var upTo = first
        while upTo < unsettled, entries[head + Int(upTo - first)].sentAt < time { upTo += 1 }
        forget(before: upTo)
    }

    private mutating func forget(before sequence: UInt64) {
        while first < sequence, head < entries.count {
            if entries[head].isOut { bytesOut -= entries[head].bytes }
            head += 1
            first += 1
        }
        unsettled = max(unsettled, first)
        while unsettled < end, !entries[head + Int(unsettled - first)].isOut { unsettled += 1 }
        if head > 512 && head * 2 > entries.count {
            entries.removeFirst(head)
            head = 0
        }
    }

    private mutating func settleAll() { bytesOut = 0 }
}
