import BondWire
import RTP

@testable import Synchrony

let ms: Microseconds = 1000
let second: Microseconds = 1_000_000

/// xorshift64*, so that a run can be repeated.
struct Dice: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 2_685_821_657_736_338_717
    }

    mutating func unit() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }
}

/// A crystal: what it tells at a true time.
struct Crystal {
    /// Parts in a million that it is too fast.
    var drift = 0.0
    var start: Double = 0

    func time(_ taken: Microseconds) -> Double { start + Double(taken) * (1 + drift / 1_000_000) }
}

/// One track of a publisher, whose packets and reports come over a way with a delay that changes.
struct Performer {
    let source: Survey.Source
    let rate: Int64
    /// Of its timestamps, microseconds.
    var clock: Crystal
    /// Of its publisher.
    var wall: Crystal
    /// Ticks.
    var base: UInt32
    /// Added to what the reports tell, from a true time on: somebody sets the clock.
    var wasSet: (at: Microseconds, by: Microseconds)?
    /// True times in which its timestamps stand still, and nothing is sent.
    var pauses: [(from: Microseconds, to: Microseconds, keepsCounting: Bool)] = []
    var reportEvery: Microseconds? = second
    var delay: (least: Microseconds, jitter: Double) = (20 * ms, 15_000)
    private var last: Microseconds = 0

    /// A packet as it came, and what it is of.
    struct Packet {
        let timestamp: UInt32
        let at: Microseconds
        let taken: Microseconds
    }

    init(_ source: Survey.Source, rate: Int64, clock: Crystal, wall: Crystal, base: UInt32) {
        self.source = source
        self.rate = rate
        self.clock = clock
        self.wall = wall
        self.base = base
    }

    func isSilent(_ taken: Microseconds) -> Bool { pauses.contains { $0.from <= taken && taken < $0.to } }

    func timestamp(_ taken: Microseconds) -> UInt32 {
        let stood = pauses.filter { !$0.keepsCounting && $0.to <= taken }.reduce(0) { $0 + ($1.to - $1.from) }
        return base &+ UInt32(truncatingIfNeeded: Int64(clock.time(taken - stood) * Double(rate) / 1_000_000))
    }

    mutating func arrival(_ taken: Microseconds, _ dice: inout Dice) -> Microseconds {
        // Ways keep the order, as most do: a slow packet holds up the next ones.
        last = max(last + 1, taken + delay.least + Microseconds(-delay.jitter * logarithm(1 - dice.unit())))
        return last
    }

    func wallTime(_ taken: Microseconds, _ dice: inout Dice) -> NTPTime {
        var told = wall.time(taken) + Double.random(in: -3000...3000, using: &dice)
        if let wasSet, taken >= wasSet.at { told += Double(wasSet.by) }
        return NTPTime(microseconds: Int64(told))
    }
}

/// The natural logarithm of 0 to 1, well enough for a delay. Source: the series of the area tangent.
private func logarithm(_ value: Double) -> Double {
    var (value, halves) = (max(value, 1e-9), 0.0)
    while value < 0.7 {
        value *= 2
        halves += 1
    }
    let ratio = (value - 1) / (value + 1)
    let square = ratio * ratio
    return 2 * ratio * (1 + square / 3 + square * square / 5 + square * square * square / 7) - halves * 0.693_147_180_56
}

/// What a take is placed from: tracks that are recorded together, and then asked for.
struct Studio {
    var performers: [Performer]
    private(set) var packets: [[Performer.Packet]] = []
    private(set) var timelines: [Survey.Source: SourceTimeline] = [:]

    init(_ performers: [Performer]) { self.performers = performers }

    /// - Parameter every: between two packets of a track.
    mutating func record(_ length: Microseconds, every: Microseconds, seed: UInt64) {
        var dice = Dice(seed)
        var survey = Survey()
        packets = performers.map { _ in [] }
        var reported = performers.map { _ in Microseconds.min }
        for taken in stride(from: 0, to: length, by: Int(every)) {
            for index in performers.indices where !performers[index].isSilent(taken) {
                let at = performers[index].arrival(taken, &dice)
                let (source, timestamp) = (performers[index].source, performers[index].timestamp(taken))
                survey.take(timestamp, of: source, rate: performers[index].rate, at: at)
                packets[index].append(Performer.Packet(timestamp: timestamp, at: at, taken: taken))
                guard let interval = performers[index].reportEvery, taken >= reported[index] else { continue }
                reported[index] = taken + interval
                survey.take(
                    performers[index].wallTime(taken, &dice), timestamp: timestamp, of: source, at: performers[index].arrival(taken, &dice))
            }
        }
        timelines = survey.timelines()
    }

    /// How much later than it was taken each packet of a track is placed.
    mutating func lateness(of index: Int) -> [(taken: Microseconds, late: Microseconds)] {
        guard var timeline = timelines[performers[index].source] else { return [] }
        return packets[index].map { ($0.taken, timeline.time(of: $0.timestamp, at: $0.at) - $0.taken) }
    }
}
