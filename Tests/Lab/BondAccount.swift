import BondWire
import Bonding

/// What became of the packets lost, and what the links' room was used for while packets waited.
package struct BondAccount: Sendable {
    /// Packets lost that no link was given, that links lost, and that came after their deadline.
    package private(set) var neverSent = 0
    package private(set) var lostOnTheWay = 0
    package private(set) var late = 0
    /// Wire bytes that the links had room for while the oldest packet waited for `waiting` or longer: those of packets that came in time for the
    /// first time, again, too late and not at all, of probes, and of nothing, on links in use and on silent ones.
    package private(set) var room = Room()

    package struct Room: Sendable {
        package var inTime = 0.0
        package var again = 0.0
        package var late = 0.0
        package var lost = 0.0
        package var probes = 0.0
        package var idle = 0.0
        package var silent = 0.0
    }

    static let waiting: Microseconds = 300_000
    /// Moments are so far apart.
    static let step: Microseconds = 50_000

    init() {}

    /// - Parameter measured: the source times that count.
    init(
        _ ways: [SimulatedWay], _ moments: [BondOutcome.Moment], sources: [Microseconds], latency: Microseconds,
        measured: Range<Microseconds>
    ) {
        var first = [Microseconds](repeating: .max, count: sources.count)
        var isSent = [Bool](repeating: false, count: sources.count)
        for passage in ways.flatMap(\.passages) {
            guard let packet = passage.packet else { continue }
            isSent[packet] = true
            if let arrival = passage.arrives { first[packet] = min(first[packet], arrival) }
        }
        for (packet, source) in sources.enumerated() where measured.contains(source) && first[packet] > source + latency {
            if first[packet] < .max { late += 1 } else if isSent[packet] { lostOnTheWay += 1 } else { neverSent += 1 }
        }
        let behind = moments.filter { moment in
            moment.bond.queueAge >= Self.waiting && measured.contains(Microseconds(moment.second * 1_000_000))
        }
        let steps = Dictionary(behind.map { (Int(($0.second * 20).rounded()), $0) }) { first, _ in first }
        for (index, way) in ways.enumerated() {
            var free = [Int: Double]()
            for step in steps.keys { free[step] = (step * 50..<step * 50 + 50).reduce(0) { $0 + Double(way.room(at: $1)) } }
            for passage in way.passages {
                guard let leaves = passage.leaves, steps[Int(leaves / Self.step)] != nil else { continue }
                let bytes = Double(passage.bytes)
                free[Int(leaves / Self.step), default: 0] -= bytes
                guard let packet = passage.packet else {
                    room.probes += bytes
                    continue
                }
                let deadline = sources[packet] + latency
                if passage.arrives == nil {
                    room.lost += bytes
                } else if first[packet] > deadline {
                    room.late += bytes
                } else if passage.arrives == first[packet] {
                    room.inTime += bytes
                } else {
                    room.again += bytes
                }
            }
            for (step, left) in free {
                let isSilent = steps[step]?.links.contains { Int($0.link.value) == index && $0.state == .suspect } ?? false
                if isSilent { room.silent += left } else { room.idle += left }
            }
        }
    }
}
