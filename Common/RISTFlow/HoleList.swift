import BondWire

/// Packets in a row that are missing while later ones are there; by extended numbers.
struct Hole: Hashable {
    var packets: ClosedRange<Int>
    /// When a later packet came.
    var since: Microseconds
    var askedAt: Microseconds?
}

/// The holes of a flow in order.
struct HoleList {
    /// More are not asked for: the links' own repair has them.
    private static let limit = 1024

    private(set) var holes: [Hole] = []

    mutating func append(_ packets: Range<Int>, at now: Microseconds) {
        guard !packets.isEmpty, holes.count < Self.limit else { return }
        holes.append(Hole(packets: packets.lowerBound...packets.upperBound - 1, since: now))
    }

    /// Before all others.
    mutating func prepend(_ packets: Range<Int>, at now: Microseconds) {
        guard !packets.isEmpty, holes.count < Self.limit else { return }
        holes.insert(Hole(packets: packets.lowerBound...packets.upperBound - 1, since: now), at: 0)
    }

    /// A packet has come after all.
    mutating func fill(_ packet: Int) {
        let index = firstIndex(endingAt: packet)
        guard index < holes.count, holes[index].packets.contains(packet) else { return }
        let hole = holes[index]
        var rest: [Hole] = []
        if hole.packets.lowerBound < packet { rest.append(hole.cut(hole.packets.lowerBound...packet - 1)) }
        if packet < hole.packets.upperBound { rest.append(hole.cut(packet + 1...hole.packets.upperBound)) }
        holes.replaceSubrange(index...index, with: rest)
    }

    /// What is before `packet` is lost, and asked for no more.
    mutating func forget(before packet: Int) {
        let index = firstIndex(endingAt: packet)
        holes.removeFirst(index)
        if let first = holes.first, first.packets.lowerBound < packet { holes[0] = first.cut(packet...first.packets.upperBound) }
    }

    mutating func removeAll() { holes = [] }

    mutating func asked(_ index: Int, at now: Microseconds) { holes[index].askedAt = now }

    /// The first hole that does not end before `packet`.
    private func firstIndex(endingAt packet: Int) -> Int {
        var (low, high) = (0, holes.count)
        while low < high {
            let middle = (low + high) / 2
            if holes[middle].packets.upperBound < packet { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension Hole {
    fileprivate func cut(_ packets: ClosedRange<Int>) -> Hole { Hole(packets: packets, since: since, askedAt: askedAt) }
}
