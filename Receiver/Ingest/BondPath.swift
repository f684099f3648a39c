import BondWire
import Posix
import RISTFlow

/// What came over one link of a session.
struct BondPath {
    private(set) var traffic = Traffic()
    private(set) var loss = PathLoss()
    private(set) var roundTrip: Microseconds?
    private var question: (number: UInt64, at: Microseconds)?

    mutating func arrived(_ sequence: UInt64, bytes: Int) {
        traffic.add(bytes: bytes)
        loss.arrived(UInt32(truncatingIfNeeded: sequence), of: 0)
    }

    /// A challenge leaves, to be answered at once.
    mutating func asked(_ number: UInt64, at now: Microseconds) { question = (number, now) }

    mutating func answered(_ number: UInt64, at now: Microseconds) {
        guard let asked = question, asked.number == number else { return }
        question = nil
        roundTrip = max(0, now - asked.at)
    }

    /// Once in a quarter of a second.
    mutating func turn() {
        traffic.turn()
        loss.turn()
    }
}

/// What became of the packets of all sessions' flows.
struct FlowTotals: Equatable {
    var delivered = 0
    var lost = 0
    var recovered = 0
    var discarded = 0

    init() {}

    init(_ counters: FlowReceiver.Counters) {
        delivered = Int(counters.delivered)
        lost = Int(counters.lost)
        recovered = Int(counters.recovered)
        discarded = Int(counters.late + counters.overflowed + counters.strays)
    }

    static func += (left: inout FlowTotals, right: FlowTotals) {
        left.delivered += right.delivered
        left.lost += right.lost
        left.recovered += right.recovered
        left.discarded += right.discarded
    }
}

extension Microseconds {
    init(_ instant: Instant) { self = instant.nanoseconds / 1000 }
}

/// By how much packets left after their time, by quarters of a second.
struct Lateness {
    private var quarters: [Microseconds?] = [nil, nil, nil, nil]

    mutating func add(_ late: Microseconds) { quarters[3] = max(quarters[3] ?? 0, late) }

    /// Once in a quarter of a second.
    mutating func turn() {
        quarters.removeFirst()
        quarters.append(nil)
    }

    /// Of the last second; nil where nothing left.
    var longest: Microseconds? { quarters.compactMap { $0 }.max() }
}
