import Units
import Wire

/// The bitrate that the links carry with something in reserve.
///
/// Source: nine seconds of ten carry `deliverable`, which is what the scheduler believes of all links together, less headers (payload is 95 % of the
/// wire, `Bonding/README.md`) and divided by how often each packet goes. Where the links were not at their limit it is no more than half again of
/// what they were given, which is as far as the scheduler believes without having seen it. Of that 70 % are taken, a choice of ours: a minute does not
/// show how the hour will be. Sound and the multiplexer (6 %) go off, and steps are of 50 kbit/s.
struct RecommendedBitrate: Sendable, Hashable {
    static let reserve = 0.7
    static let quantile = 0.1
    private static let payload = 0.95
    private static let belief = 1.5
    private static let step = 50_000
    private static let least = 100_000

    /// - Parameters:
    ///   - seconds: of which the settled ones count, of the second half where there is one.
    ///   - isWhole: whether the stream arrived as it was sent at the rate of the wish.
    /// - Returns: nil where too little was seen.
    static func of(
        _ seconds: [RehearsalFigures.Second], wish: Bitrate, audio: Bitrate, maximum: Bitrate, isWhole: Bool
    ) -> RehearsalReport.Recommendation? {
        let settled = seconds.filter(\.isSettled)
        let raised = settled.filter(\.isRaised)
        let counted = raised.count >= RehearsalVerdict.leastSeconds ? raised : settled
        guard counted.count >= RehearsalVerdict.leastSeconds, let deliverable = counted.map({ Self.deliverable($0) }).percentile(quantile)
        else { return nil }
        let isLimit = counted.contains { $0.isLimited }
        var video = Double(deliverable) * reserve / RehearsalFigures.muxOverhead - Double(audio.bitsPerSecond)
        let wasWishCarried = isWhole && !settled.contains { !$0.isRaised && $0.isLimited }
        if !isLimit, wasWishCarried { video = max(video, Double(wish.bitsPerSecond)) }
        // What was lost at this rate is lost at any above it.
        if !isWhole { video = min(video, Double(wish.bitsPerSecond) * reserve) }
        let steps = Int(min(max(video, Double(least)), Double(maximum.bitsPerSecond))) / step * step
        return RehearsalReport.Recommendation(
            bitrate: Bitrate(bitsPerSecond: max(steps, least)), deliverable: Bitrate(bitsPerSecond: deliverable), isLimit: isLimit)
    }

    /// Of one second, in bits per second of stream.
    private static func deliverable(_ second: RehearsalFigures.Second) -> Int {
        guard let capacity = second.capacity else { return second.delivered }
        let carried = Int(Double(capacity) * payload / max(1, second.copies))
        if second.isLimited { return carried }
        return min(max(carried, second.delivered), Int(Double(second.asked) * belief))
    }
}

extension RehearsalFigures.Second {
    /// The links allow the encoder less than it is asked for.
    var isLimited: Bool { available.map { $0 < asked } ?? false }
}

extension RehearsalReport {
    /// - Parameters:
    ///   - audio: of the broadcast.
    ///   - inventory: the sender's, as far as it is known.
    init(
        _ figures: RehearsalFigures, of rehearsal: Rehearsal, end: RehearsalVerdict.End, audio: Bitrate, bufferMs: Int,
        inventory: Inventory?
    ) {
        let judged = figures.seconds.filter { $0.isSettled && !$0.isRaised }
        let all = figures.lostPackets + figures.deliveredPackets
        let isWhole = Double(figures.lostPackets) < RehearsalVerdict.lossFault * Double(max(1, all))
        let recommendation = RecommendedBitrate.of(
            figures.seconds, wish: rehearsal.wish, audio: audio, maximum: rehearsal.maximum, isWhole: isWhole)
        let links = Self.links(figures, inventory)
        let latencies = judged.compactMap(\.latencyMs)
        let bond =
            figures.seconds.isEmpty
            ? nil
            : Bond(
                delivered: Bitrate(bitsPerSecond: judged.map(\.delivered).percentile(0.5) ?? 0),
                deliveredPackets: figures.deliveredPackets.shown, lostPackets: figures.lostPackets.shown,
                latencyMs: latencies.percentile(0.5), latencyP95Ms: latencies.percentile(0.95))
        let frames = figures.frames.made + figures.frames.dropped
        let verdict = RehearsalVerdict.judge(
            RehearsalVerdict.Measures(
                end: end, wish: rehearsal.wish, bufferMs: bufferMs, hasSound: rehearsal.hasSound, senderFault: figures.senderFault,
                judgedSeconds: judged.count,
                limitedShare: judged.isEmpty ? 0 : Double(judged.count { $0.isLimited }) / Double(judged.count),
                interruptedSeconds: figures.interruptedSeconds,
                droppedFrames: frames > 0 ? Double(figures.frames.dropped) / Double(frames) : 0, bond: bond, links: links,
                recommendation: recommendation))
        self.init(
            verdict: verdict.verdict, findings: verdict.findings, recommendation: recommendation, seconds: figures.seconds.count,
            links: links, bond: bond, asked: figures.seconds.map { $0.asked / 1000 }, made: figures.seconds.map { ($0.made ?? 0) / 1000 },
            sentBytes: links.reduce(0) { $0 + $1.sentBytes }.shown)
    }

    private static func links(_ figures: RehearsalFigures, _ inventory: Inventory?) -> [Link] {
        let all = figures.links.values.reduce(0) { $0 + $1.sentBits }
        return figures.links.sorted { $0.key < $1.key }.map { name, road in
            let packets = road.deliveredPackets + road.lostPackets
            // Of fewer than fifty one that is lost is 2 %.
            let loss = packets >= 50 ? Double(road.lostPackets) / Double(packets) : nil
            let share = all > 0 ? Double(road.sentBits) / Double(all) : 0
            let mean = road.sentBits / max(1, road.samples)
            return Link(
                name: name, carried: share >= 0.01 && road.liveSamples > 0, reason: road.reason,
                loss: loss.map { ($0 * 10_000).rounded() / 10_000 }, rttMs: road.trips.percentile(0.5),
                rttP95Ms: road.trips.percentile(0.95),
                delivered: Bitrate(bitsPerSecond: Int(Double(mean) * (1 - (loss ?? 0)))), share: (share * 1000).rounded() / 1000,
                capacity: road.capacities.percentile(0.1).map { Bitrate(bitsPerSecond: $0) }, deliveredPackets: road.deliveredPackets.shown,
                lostPackets: road.lostPackets.shown, droppedPackets: road.droppedPackets.shown,
                mtu: inventory?.links.first { $0.name == name }?.mtu,
                liveShare: (Double(road.liveSamples) / Double(max(1, road.samples)) * 1000).rounded() / 1000,
                sentBytes: (mean / 8 * figures.seconds.count).shown,
                leftBytes: road.leftBytes?.shown)
        }
    }
}

extension Int {
    /// Within what the API's readers count to, whatever a board has said.
    fileprivate var shown: Int { Swift.min(self, Int(Int32.max) * 4096) }
}
