package import BondWire

/// Follows the timestamps of one source over their wraps, by when its packets came: after an hour without a packet too it is known how
/// often they have gone round.
///
/// A source that begins anew, with other timestamps or with those that it had when it stopped, begins another epoch: what it told before
/// says nothing of what comes.
package struct TimestampLine: Sendable {
    package struct Place: Hashable, Sendable {
        /// From 0.
        package var epoch: Int
        /// The source's own time, from anywhere on.
        package var time: Microseconds
    }

    /// Nobody holds a packet back for longer: what is further from where it is expected is of another line.
    private static let jump: Microseconds = 10_000_000
    /// What comes late of the line before is of that one within this time.
    private static let late: Microseconds = 10_000_000
    /// Without a packet for longer than this the line is over; keeps all sums far within 64 bits.
    private static let silence: Microseconds = 7 * 86_400_000_000
    /// Of a source that does nothing but begin anew; from then on arrival alone counts.
    private static let epochs = 1000

    private struct Newest {
        var ticks: Int64
        var at: Microseconds
    }

    let rate: Int64
    private var epoch = 0
    private var newest: Newest?
    private var before: Newest?

    /// - Parameter rate: ticks in a second.
    package init(rate: Int64) { self.rate = rate }

    /// Takes a packet's timestamp.
    /// - Parameter at: its arrival.
    package mutating func take(_ timestamp: UInt32, at: Microseconds) -> Place {
        if let place = find(timestamp, at: at) {
            if place.epoch == epoch, let ticks = newest.flatMap({ self.ticks(timestamp, $0, at) }), ticks > newest?.ticks ?? .min {
                newest = Newest(ticks: ticks, at: at)
            }
            return place
        }
        if newest != nil, epoch < Self.epochs {
            before = newest
            epoch += 1
        } else if let last = newest {
            let ticks = last.ticks + elapsed(last, at)
            newest = Newest(ticks: ticks, at: at)
            return Place(epoch: epoch, time: time(ticks))
        }
        let ticks = Int64(timestamp)
        newest = Newest(ticks: ticks, at: at)
        return Place(epoch: epoch, time: time(ticks))
    }

    /// Where a timestamp lies that came at this time; nil where it is of no line that is known.
    package func find(_ timestamp: UInt32, at: Microseconds) -> Place? {
        if let newest, let ticks = ticks(timestamp, newest, at) { return Place(epoch: epoch, time: time(ticks)) }
        if let before, at - before.at <= Self.late, let ticks = ticks(timestamp, before, at) {
            return Place(epoch: epoch - 1, time: time(ticks))
        }
        return nil
    }

    private func ticks(_ timestamp: UInt32, _ newest: Newest, _ at: Microseconds) -> Int64? {
        guard (at - newest.at).magnitude <= Self.silence.magnitude else { return nil }
        let expected = newest.ticks + elapsed(newest, at)
        let difference = Int64(Int32(bitPattern: timestamp &- UInt32(truncatingIfNeeded: expected)))
        return difference.magnitude <= (Self.jump / 1_000_000 * rate).magnitude ? expected + difference : nil
    }

    private func elapsed(_ newest: Newest, _ at: Microseconds) -> Int64 {
        min(Self.silence, max(-Self.silence, at - newest.at)) * rate / 1_000_000
    }

    /// Split, so that a line of years has room.
    private func time(_ ticks: Int64) -> Microseconds { ticks / rate * 1_000_000 + ticks % rate * 1_000_000 / rate }
}
