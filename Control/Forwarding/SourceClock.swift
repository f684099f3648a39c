package import BondWire
package import RTP

extension NTPTime {
    /// How long after `other`, negative where it is before; round the wrap of 2036.
    package func microseconds(since other: NTPTime) -> Microseconds {
        let difference = Int64(bitPattern: value &- other.value)
        return (difference >> 32) * 1_000_000 + ((difference & 0xffff_ffff) * 1_000_000) >> 32
    }

    package func adding(_ microseconds: Microseconds) -> NTPTime {
        // Floored, so that the fraction is never negative.
        var seconds = microseconds / 1_000_000
        var rest = microseconds % 1_000_000
        if rest < 0 {
            seconds -= 1
            rest += 1_000_000
        }
        return NTPTime(value &+ UInt64(bitPattern: seconds << 32) &+ UInt64(rest << 32) / 1_000_000)
    }
}

/// Ticks of an RTP clock.
enum Ticks {
    /// What lies further apart than this does not belong together: 4 hours, less than half a turn of 90 kHz.
    private static let bound: Microseconds = 4 * 3_600_000_000

    /// nil for more than four hours.
    static func of(_ microseconds: Microseconds, rate: Int64) -> Int64? {
        microseconds.magnitude <= bound.magnitude ? microseconds * rate / 1_000_000 : nil
    }

    static func difference(_ left: UInt32, _ right: UInt32) -> Int64 { Int64(Int32(bitPattern: left &- right)) }
}

/// What one source's sender reports say: which RTP timestamp belongs to which time of the sender's wall clock.
///
/// All sources of one sender tell the same wall clock: over it sound and picture, and the layers of a picture, are put in step.
package struct SourceClock: Hashable, Sendable {
    private let rate: Int64
    private var report: Report?

    private struct Report: Hashable, Sendable {
        var ntp: NTPTime
        var timestamp: UInt32
    }

    /// - Parameter rate: ticks in a second.
    package init(rate: Int64) { self.rate = rate }

    /// Takes a sender report's two times. A sender without a wall clock tells 0, which says nothing. Source: RFC 3550, 6.4.1.
    package mutating func take(ntp: NTPTime, timestamp: UInt32) {
        guard ntp.value != 0 else { return }
        report = Report(ntp: ntp, timestamp: timestamp)
    }

    /// When a picture or a sound with this timestamp was taken; nil before the first report.
    package func time(of timestamp: UInt32) -> NTPTime? {
        guard let report else { return nil }
        return report.ntp.adding(Ticks.difference(timestamp, report.timestamp) * 1_000_000 / rate)
    }

    /// The timestamp of what is taken at a time; nil before the first report and hours away from it.
    package func timestamp(at time: NTPTime) -> UInt32? {
        guard let report, let ticks = Ticks.of(time.microseconds(since: report.ntp), rate: rate) else { return nil }
        return report.timestamp &+ UInt32(truncatingIfNeeded: ticks)
    }
}

/// A sender's wall clock as it is seen here: one for all its sources, so that they stay in step with each other.
package struct PublisherClock: Hashable, Sendable {
    /// The clocks of two machines drift apart by less than this: 100 in a million.
    private static let drift: Microseconds = 10_000
    /// A report that comes this much later than the fastest means that the clock was set.
    private static let step: Microseconds = 2_000_000

    private var base: NTPTime?
    /// From the sender's time since `base` to ours, by the report that was the shortest under way.
    private var offset: Microseconds = 0
    private var heard: Microseconds = 0

    package init() {}

    /// Takes the wall clock's time of any sender report of this sender.
    package mutating func take(_ ntp: NTPTime, at now: Microseconds) {
        guard ntp.value != 0 else { return }
        guard let base else {
            base = ntp
            offset = now
            heard = now
            return
        }
        let seen = now - ntp.microseconds(since: base)
        let leaked = offset + (now - heard) / Self.drift
        offset = seen - leaked > Self.step ? seen : min(leaked, seen)
        heard = now
    }

    /// What the sender's clock told for what is here now; nil before the first report.
    package func time(at now: Microseconds) -> NTPTime? { base?.adding(now - offset) }
}
