package import BondWire
package import RTP

/// What a sender report says of one outgoing source, and the round trip that its receiver reports give.
///
/// Source: RFC 3550, 6.4.1. The wall clock is the publisher's, so that the publisher's sound and picture are in step wherever they arrive.
package struct Sending: Sendable {
    package struct Report: Hashable, Sendable {
        package var ntp: NTPTime
        package var timestamp: UInt32
        package var packets: UInt32
        package var bytes: UInt32
    }

    private struct Told {
        var compact: UInt32
        var at: Microseconds
    }

    /// Round trips beyond this are somebody's mistake.
    private static let longest: Microseconds = 10_000_000

    private let rate: Int64
    private var packets: UInt32 = 0
    private var bytes: UInt32 = 0
    /// The newest reports: which time each told, and when.
    private var told = InlineArray<4, Told>(repeating: Told(compact: 0, at: 0))
    private var reports = 0

    /// Smoothed as TCP's. Source: RFC 6298, 2.3.
    package private(set) var roundTrip: Microseconds?
    /// What the receiver lost since its report before, in 1/256.
    package private(set) var fractionLost: UInt8 = 0

    /// - Parameter rate: ticks of the source's clock in a second.
    package init(rate: Int64) { self.rate = rate }

    /// Counts a packet that was sent.
    /// - Parameter payload: bytes without header and padding.
    package mutating func sent(payload: Int) {
        packets &+= 1
        bytes &+= UInt32(truncatingIfNeeded: payload)
    }

    /// The report for now.
    /// - Parameters:
    ///   - publisher: the wall clock of whom the track is.
    ///   - source: the clock of the layer that is forwarded.
    /// - Returns: nil where nothing was sent yet.
    package mutating func report(
        _ track: TrackRewriter, publisher: PublisherClock, source: SourceClock?, at now: Microseconds
    ) -> Report? {
        guard packets > 0, let newest = track.newestSent else { return nil }
        // Before the publisher's first report nothing ties its sources together: a clock of ours, that begins in 1970.
        let ntp = publisher.time(at: now) ?? NTPTime(2_208_988_800 << 32).adding(now)
        var timestamp = newest.timestamp &+ UInt32(truncatingIfNeeded: Ticks.of(now - newest.at, rate: rate) ?? 0)
        if let taken = source?.timestamp(at: ntp), let mapped = track.timestamp(of: taken) { timestamp = mapped }
        told[reports & 3] = Told(compact: ntp.middle, at: now)
        reports += 1
        return Report(ntp: ntp, timestamp: timestamp, packets: packets, bytes: bytes)
    }

    /// Takes a receiver report's block about this source. What it says is foreign: it counts only where it repeats a report of ours.
    /// - Parameter delay: since that report, 1/65536 s.
    package mutating func take(fractionLost: UInt8, lastReport: UInt32, delay: UInt32, at now: Microseconds) {
        self.fractionLost = fractionLost
        guard lastReport != 0 else { return }
        for index in 0..<min(reports, 4) where told[index].compact == lastReport {
            let trip = now - told[index].at - (Microseconds(delay) * 1_000_000) >> 16
            guard trip >= 0, trip <= Self.longest else { return }
            roundTrip = roundTrip.map { ($0 * 7 + trip) / 8 } ?? trip
            return
        }
    }
}
