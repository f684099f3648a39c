package import BondWire

/// When what the packets of one source carry was taken, by the clock by which the take was written down, later by what the fastest way
/// took.
package struct SourceTimeline: Sendable {
    /// A while for which one knot stands: long enough for some fast packets on a bad way, and for thirty reports.
    static let window: Microseconds = 30_000_000
    /// Where reports and arrival disagree by more, the reports are wrong.
    private static let disagreement: Microseconds = 1_000_000

    /// A time through which timestamps went on without a step.
    struct Stretch: Hashable {
        var epoch: Int
        var breaks: Int
    }

    private var line: TimestampLine
    private let breaks: [Microseconds]
    private var maps: [Stretch: ClockMap] = [:]
    /// Stretches of which reports say when they were.
    private(set) package var reported = 0

    init(line: TimestampLine, breaks: [Microseconds]) {
        self.line = line
        self.breaks = breaks
    }

    func stretch(_ epoch: Int, _ at: Microseconds) -> Stretch {
        Stretch(epoch: epoch, breaks: breaks.count { $0 <= at })
    }

    /// - Parameters:
    ///   - told: by reports.
    ///   - came: by the earliest packets.
    mutating func set(_ stretch: Stretch, told: [ClockMap.Moment], came: [ClockMap.Moment]) {
        let arrival = ClockMap(earliest: came, of: Self.window)
        guard let reports = ClockMap(middle: told, of: Self.window) else {
            maps[stretch] = arrival
            return
        }
        // The middle one: at the edges of a stretch some are of its neighbour.
        let late = came.map { $0.to - reports.time($0.from) }.sorted()
        if !late.isEmpty, late[late.count / 2].magnitude > Self.disagreement.magnitude {
            maps[stretch] = arrival
        } else {
            maps[stretch] = reports
            reported += 1
        }
    }

    /// When what a packet carries was taken. All packets are asked for in the order in which they came, as the survey saw them.
    /// - Parameter at: its arrival.
    package mutating func time(of timestamp: UInt32, at: Microseconds) -> Microseconds {
        let place = line.take(timestamp, at: at)
        return maps[stretch(place.epoch, at)]?.time(place.time) ?? at
    }
}
