import Units
import Wire

/// What a rehearsal shows, second for second: one for each report of its receiver. Holds no clock.
struct RehearsalFigures: Sendable {
    struct Second: Sendable, Hashable {
        /// Of the encoder's stream, in bits per second: what it was asked for.
        var asked: Int
        var isRaised: Bool
        /// What arrived.
        var delivered: Int
        var latencyMs: Double?
        /// What the encoder made, may make, and what all links carry with all headers; nil where the sender has not said.
        var made: Int?
        var available: Int?
        var capacity: Int?
        /// How often each packet went, repeats in it.
        var copies = 1.0
        /// The links have had their time to find their pace.
        var isSettled: Bool
    }

    private(set) var seconds: [Second] = []
    private(set) var links: [String: Road] = [:]
    /// While the encoder was asked for what the broadcast would have, behind the settling.
    private(set) var lostPackets = 0
    private(set) var deliveredPackets = 0
    private(set) var interruptedSeconds = 0
    private(set) var frames = (made: 0, dropped: 0)
    /// What the sender said of itself last that is not as planned.
    private(set) var senderFault: String?
    private var lost = Tally(), delivered = Tally(), framesMade = Tally(), framesDropped = Tally()
    private var lastSampleMs: Int64?
    private var age = 0
    private var wasRaised = false

    /// After a beginning and after the raise: `LossWatch` gives a stream the same.
    static let settling = 2
    /// Of the elementary streams in the transport stream (`EncoderGovernor.muxOverhead`).
    static let muxOverhead = 1.06
    /// More than the longest has, with what a slow end adds.
    private static let limit = RehearsalRequest.bounds.upperBound + 60
    private static let linkLimit = 32

    init() {}

    /// - Parameters:
    ///   - telemetry: the sender's last; nil where there is none.
    ///   - asked: of the encoder, as control told the sender last.
    ///   - fault: what the sender says of itself; nil where all is as planned.
    mutating func note(_ report: StreamReport, _ telemetry: AgentTelemetry?, asked: EncoderChoice, isRaised: Bool, fault: String?) {
        guard seconds.count < Self.limit else { return }
        let ingest = report.ingest
        age = isRaised == wasRaised ? age + 1 : 1
        wasRaised = isRaised
        let isSettled = age > Self.settling
        if ingest.state != .flowing { interruptedSeconds += 1 }
        if let fault { senderFault = fault }
        let (lost, delivered) = (lost.more(ingest.lostPacketsTotal), delivered.more(ingest.deliveredPacketsTotal ?? 0))
        if isSettled, !isRaised {
            lostPackets += lost
            deliveredPackets += delivered
        }
        var second = Second(
            asked: Int(Double(asked.bitrate.bitsPerSecond + asked.audioBitrate.bitsPerSecond) * Self.muxOverhead), isRaised: isRaised,
            delivered: ingest.bitrate.bitsPerSecond, latencyMs: ingest.latencyMs, isSettled: isSettled && ingest.state == .flowing)
        // A board whose connection to control stands still says nothing new.
        if let telemetry, telemetry.atMs != lastSampleMs {
            lastSampleMs = telemetry.atMs
            take(telemetry, into: &second)
        }
        seconds.append(second)
    }

    private mutating func take(_ sample: AgentTelemetry, into second: inout Second) {
        second.made = sample.pipeline?.produced.bitsPerSecond
        second.available = sample.bond?.available.bitsPerSecond
        second.capacity = sample.bond?.capacity.bitsPerSecond
        if let bond = sample.bond, bond.offeredPackets > 0 {
            second.copies = 1 + Double(bond.doubledPackets + bond.retransmittedPackets) / Double(bond.offeredPackets)
        }
        if let counted = sample.pipeline?.frames, let pipeline = sample.pipeline {
            frames.made += framesMade.more(pipeline.framesTotal)
            frames.dropped += framesDropped.more(counted.dropped)
        }
        for link in sample.links where links[link.name] != nil || links.count < Self.linkLimit {
            let interface = sample.interfaces?.first { $0.name == link.name }
            let plan = sample.usage?.first { $0.link == link.name }
            links[link.name, default: Road()].note(link, interface, plan)
        }
    }
}

/// One link of a rehearsal.
struct Road: Sendable, Hashable {
    private(set) var samples = 0
    private(set) var liveSamples = 0
    /// How often it was live and then was not.
    private(set) var losses = 0
    /// Sum over the samples, of a second each.
    private(set) var sentBits = 0
    /// With what waited on it, in milliseconds.
    private(set) var trips: [Double] = []
    private(set) var capacities: [Int] = []
    private(set) var deliveredPackets = 0
    private(set) var lostPackets = 0
    private(set) var droppedPackets = 0
    private(set) var reason: String?
    private(set) var leftBytes: Int?
    private var wasLive = false
    private var delivered = Tally(), lost = Tally(), dropped = Tally()

    mutating func note(_ link: LinkTelemetry, _ interface: InterfaceTelemetry?, _ plan: UsageTelemetry?) {
        samples += 1
        let isLive = link.state == .live
        if isLive { liveSamples += 1 } else if wasLive { losses += 1 }
        wasLive = isLive
        reason = link.reason ?? (isLive ? nil : reason)
        sentBits += link.sent.bitsPerSecond
        if let trip = link.rttMs { trips.append(trip + (link.bond?.queueMs ?? 0)) }
        if let bond = link.bond {
            if isLive { capacities.append(bond.capacity.bitsPerSecond) }
            deliveredPackets += delivered.more(bond.deliveredPackets)
            lostPackets += lost.more(bond.lostPackets)
        }
        if let interface { droppedPackets += dropped.more(interface.sendDropped) }
        if let cap = plan?.capBytes, let plan { leftBytes = max(0, cap - plan.sentBytes - plan.receivedBytes) }
    }
}

/// What a total has grown by; one that begins anew, as after a link was away, has grown by what it says.
private struct Tally: Sendable, Hashable {
    private var last: Int?

    mutating func more(_ total: Int) -> Int {
        defer { last = total }
        guard let last else { return 0 }
        return total >= last ? total - last : total
    }
}

extension Collection where Element: Comparable {
    /// The value that so much of them is not above; nil of none.
    func percentile(_ share: Double) -> Element? {
        guard !isEmpty else { return nil }
        let sorted = sorted()
        return sorted[Swift.min(sorted.count - 1, Int((Double(sorted.count) * share).rounded(.up)).advanced(by: -1).clampedToZero)]
    }
}

extension Int {
    fileprivate var clampedToZero: Int { Swift.max(0, self) }
}
