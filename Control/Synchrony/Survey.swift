package import BondWire
import Forwarding
package import RTP

/// Looks through all that came of a take, before anything of it is made: how the clocks of its sources go against the one by which it was
/// written down.
///
/// A publisher's sender reports say how the timestamps of each of its sources lie to one wall clock of its own, and their arrival how that
/// lies to ours: so its tracks are in step with each other whatever their packets' ways were, and with those of others by what the fastest
/// of them took. Where a source has no reports, or such as cannot be, its packets' arrival alone says it. Timestamps alone never do: a
/// source may stop and go on with those that it had, and any clock drifts.
package struct Survey: Sendable {
    /// A source (SSRC) of somebody.
    package struct Source: Hashable, Sendable {
        /// Whose reports speak of the same wall clock.
        package var publisher: String
        package var number: UInt32

        package init(publisher: String, number: UInt32) {
            self.publisher = publisher
            self.number = number
        }
    }

    /// A step of a clock; less is noise of reports, which senders make when they have the time.
    private static let step: Microseconds = 250_000
    /// Two clocks part by one in so many at most: 400 in a million.
    private static let driftShare: UInt64 = 2500
    /// Reports come once a second or less often.
    private static let reportInterval: Microseconds = 400_000
    /// Of a source that only wants to cost: each packet is held against all.
    private static let mostBreaks = 200

    private var publishers: [String: WallClock] = [:]
    private var sources: [Source: Observed] = [:]

    package init() {}

    /// A publisher's wall clock, as its reports came.
    fileprivate struct WallClock: Sendable {
        var base: NTPTime
        /// Another one each time that somebody sets the clock.
        var segment = 0
        var set: (at: Microseconds, by: Microseconds)?
        var moments: [(segment: Int, moment: ClockMap.Moment)] = []
    }

    private struct Report: Sendable {
        let place: TimestampLine.Place
        /// By the publisher's wall clock, since its base.
        let wall: Microseconds
        let at: Microseconds
        let segment: Int
    }

    private struct Observed: Sendable {
        var line: TimestampLine
        var last: (place: TimestampLine.Place, at: Microseconds)?
        /// Since the last report: where timestamps and arrival have parted most.
        var jump: (size: Microseconds, at: Microseconds)?
        var reports: [Report] = []
        /// Of each while of an epoch the packet that came earliest.
        var earliest: [(epoch: Int, moment: ClockMap.Moment)] = []
        var began: Microseconds = 0
        /// From these arrivals on another line holds, though the timestamps did not say so.
        var breaks: [Microseconds] = []
    }

    /// A packet of a source, in the order of arrival.
    /// - Parameter rate: of its clock, ticks in a second.
    package mutating func take(_ timestamp: UInt32, of source: Source, rate: Int64, at: Microseconds) {
        var observed = sources[source] ?? Observed(line: TimestampLine(rate: rate))
        sources[source] = nil  // One owner: what grows is not copied.
        let place = observed.line.take(timestamp, at: at)
        if let last = observed.last, last.place.epoch == place.epoch {
            let size = ((place.time - last.place.time) - (at - last.at)).magnitude
            if size > observed.jump?.size.magnitude ?? 0 { observed.jump = (Int64(size), at) }
        }
        if place.epoch >= observed.last?.place.epoch ?? 0 { observed.last = (place, at) }
        Self.count(place, at, in: &observed)
        sources[source] = observed
    }

    private static func count(_ place: TimestampLine.Place, _ at: Microseconds, in observed: inout Observed) {
        let moment = ClockMap.Moment(from: place.time, to: at)
        guard let last = observed.earliest.last, last.epoch == place.epoch, at - observed.began < SourceTimeline.window else {
            // What comes late of the epoch before opens nothing.
            if let last = observed.earliest.last, place.epoch < last.epoch { return }
            observed.began = at
            observed.earliest.append((place.epoch, moment))
            return
        }
        if moment.offset < last.moment.offset { observed.earliest[observed.earliest.count - 1].moment = moment }
    }

    /// A sender report of a source, in the order of arrival.
    package mutating func take(_ time: NTPTime, timestamp: UInt32, of source: Source, at: Microseconds) {
        // Before its first packet there is nothing to which it could belong; who has no wall clock tells 0 (RFC 3550 section 6.4.1).
        guard time.value != 0, var observed = sources[source], let place = observed.line.find(timestamp, at: at) else { return }
        let last = observed.reports.last
        if let last, at - last.at < Self.reportInterval { return }
        sources[source] = nil
        var clock = publishers[source.publisher] ?? WallClock(base: time)
        publishers[source.publisher] = nil
        let wall = time.microseconds(since: clock.base)
        if let last, last.place.epoch == place.epoch {
            let parted = (wall - last.wall) - (place.time - last.place.time)
            // Over a long silence clocks part without a step.
            if parted.magnitude > Self.step.magnitude + (wall - last.wall).magnitude / Self.driftShare {
                let late = (at - last.at) - (wall - last.wall)
                // Against arrival too it is the wall clock that went otherwise, or it is the timestamps.
                if (late + parted).magnitude < late.magnitude {
                    clock.wasSet(at: at, by: parted, seen: last.at, Self.step)
                } else if observed.breaks.count < Self.mostBreaks {
                    observed.breaks.append(observed.jump?.at ?? at)
                }
            }
        }
        observed.jump = nil
        observed.reports.append(Report(place: place, wall: wall, at: at, segment: clock.segment))
        clock.moments.append((clock.segment, ClockMap.Moment(from: wall, to: at)))
        sources[source] = observed
        publishers[source.publisher] = clock
    }

    // MARK: What comes of it

    /// How to place the packets of each source that had one.
    package func timelines() -> [Source: SourceTimeline] {
        var clocks: [String: [Int: ClockMap]] = [:]
        for (publisher, clock) in publishers {
            let segments = Dictionary(grouping: clock.moments) { $0.segment }
            clocks[publisher] = segments.compactMapValues { moments in
                ClockMap(earliest: moments.map { $0.moment }, of: SourceTimeline.window)
            }
        }
        var timelines: [Source: SourceTimeline] = [:]
        for (source, observed) in sources {
            timelines[source] = timeline(observed, clocks[source.publisher] ?? [:])
        }
        return timelines
    }

    private func timeline(_ observed: Observed, _ clocks: [Int: ClockMap]) -> SourceTimeline {
        let breaks = observed.breaks.sorted()
        var timeline = SourceTimeline(line: observed.line.fresh, breaks: breaks)
        var told: [SourceTimeline.Stretch: [ClockMap.Moment]] = [:]
        for report in observed.reports {
            guard let clock = clocks[report.segment] else { continue }
            let moment = ClockMap.Moment(from: report.place.time, to: clock.time(report.wall))
            told[timeline.stretch(report.place.epoch, report.at), default: []].append(moment)
        }
        var came: [SourceTimeline.Stretch: [ClockMap.Moment]] = [:]
        for (epoch, moment) in observed.earliest { came[timeline.stretch(epoch, moment.to), default: []].append(moment) }
        for stretch in Set(told.keys).union(came.keys) {
            timeline.set(stretch, told: told[stretch] ?? [], came: came[stretch] ?? [])
        }
        return timeline
    }
}

extension Survey.WallClock {
    /// - Parameters:
    ///   - seen: the report before of the same source.
    ///   - step: what makes two steps one, which two sources tell of.
    fileprivate mutating func wasSet(at: Microseconds, by: Microseconds, seen: Microseconds, _ step: Microseconds) {
        if let set, set.at > seen, (set.by - by).magnitude < step.magnitude { return }
        segment += 1
        set = (at, by)
    }
}

extension TimestampLine {
    /// The same before its first packet.
    var fresh: TimestampLine { TimestampLine(rate: rate) }
}
