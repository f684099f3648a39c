package import BondWire
package import Forwarding
package import RTP

/// The way down to one subscriber: numbers what leaves, learns from what is told of it how much the way carries, and says what may leave
/// when and which layer each picture gets. It holds no packets and no clock.
///
/// Sound is first, in time and in the sum; then repeats of what was lost; pictures get the rest. Bounded: `SentPackets` has at most 4,096
/// packets, the estimate at most 4,096 arrivals of half a second, and all else is of one size.
///
/// Source: draft-ietf-rmcat-gcc-02; draft-holmer-rmcat-transport-wide-cc-extensions-01; draft-alvestrand-rmcat-remb-03.
package struct Downlink: Sendable {
    /// What the subscriber tells of its way.
    package enum Feedback: Hashable, Sendable {
        /// When each packet came: the way is estimated here, and probed.
        case transport
        /// What it takes its way to carry (REMB). Upward it tells little more than what comes, so that the least of each picture
        /// always goes.
        case receiver
        /// Nothing: all that is sent goes at once.
        case nothing
    }

    /// As browsers begin themselves.
    private static let start: Int64 = 300_000
    /// The least layers are not taken away sooner: at the beginning probes find out meanwhile, and a cut of the estimate is short where it
    /// only lets a queue drain.
    private static let grace: Microseconds = 2_000_000
    private static let choiceInterval: Microseconds = 100_000
    /// Where there is no estimate to follow: layers come and go, and nothing else.
    private static let blindInterval: Microseconds = 500_000
    private static let unbounded: Int64 = 1 << 40
    /// What waits longer than this when a key frame comes is dropped for it.
    private static let lateness: Microseconds = 100_000
    /// RTP's padding has one byte for its length (RFC 3550, 5.1).
    private static let mostPadding = 255
    /// Of a round trip that a feedback shows.
    private static let longestTrip: Microseconds = 10_000_000

    package let feedback: Feedback
    private var sent = SentPackets()
    private var estimate = BandwidthEstimate(bitrate: Self.start)
    private var pacer = Pacer(bitrate: Self.start)
    private var choice = LayerChoice()
    private var sound = RateWindow(span: 1_000_000)
    private var repeats = RateWindow(span: 1_000_000)
    /// Of the subscriber's own estimate, bits per second.
    private var told: Int64?
    /// Smoothed, with the time that a feedback waits.
    private var roundTrip: Microseconds?
    /// Since when the way seems not to carry the least layers.
    private var shortSince: Microseconds?
    private var chosen: Microseconds?
    private var isPressed = false
    /// Bits per second: of what was chosen, and what the best that there is needs; with sound and repeats.
    private var load: Int64 = 0
    private var wanted: Int64 = 0

    package init(_ feedback: Feedback) { self.feedback = feedback }

    /// Bits per second that the way carries, with all headers; nil where nobody knows.
    package var bitrate: Int64? {
        switch feedback {
        case .transport: estimate.bitrate
        case .receiver: told
        case .nothing: nil
        }
    }

    /// The share of what was sent that was lost, 0...1, of the last second; by transport-wide feedback alone.
    package var fractionLost: Double { estimate.fractionLost }

    // MARK: What leaves

    /// Whether a packet of this kind may leave now, where nothing of its kind or before it waits.
    /// - Parameter queued: bytes that wait in all.
    package mutating func mayLeave(_ kind: Pacer.Kind, queued: Int, at now: Microseconds) -> Bool {
        feedback == .nothing || pacer.maySend(kind, queued: queued, at: now)
    }

    /// Takes note of a packet that leaves now.
    /// - Parameters:
    ///   - bytes: with all headers.
    ///   - isNumbered: it has a place for its number.
    /// - Returns: its transport-wide number; nil where it has none.
    package mutating func leave(_ kind: Pacer.Kind, bytes: Int, isNumbered: Bool, at now: Microseconds) -> UInt16? {
        guard feedback != .nothing else { return nil }
        let probe = pacer.currentProbe
        pacer.sent(bytes: bytes, at: now)
        // What is not numbered is in no estimate, and takes nothing from it.
        guard isNumbered || feedback == .receiver else { return nil }
        switch kind {
        case .sound: sound.add(bytes, at: now)
        case .repeat: repeats.add(bytes, at: now)
        case .picture, .padding: break
        }
        guard feedback == .transport else { return nil }
        return sent.sent(bytes: bytes, probe: probe, at: now)
    }

    /// Bytes of padding that shall leave now, where nothing else waits; nil for none.
    package mutating func padding(at now: Microseconds) -> Int? {
        let bytes = pacer.paddingBytes
        guard bytes > 0, pacer.maySend(.padding, queued: 0, at: now) else { return nil }
        // However little is left over: a packet of headers alone measures nothing.
        return min(max(bytes, Self.mostPadding / 2), Self.mostPadding)
    }

    /// Padding is still to leave.
    package var isProbing: Bool { pacer.paddingBytes > 0 }

    /// Whether so much waits that a key frame behind it would come too late.
    package func isLate(queued: Int) -> Bool { pacer.drainTime(queued) > Self.lateness }

    /// How long it takes until so many bytes of pictures have left; nothing where all leaves at once.
    package func drainTime(_ bytes: Int) -> Microseconds { feedback == .nothing ? 0 : pacer.drainTime(bytes) }

    // MARK: What is told

    package mutating func take(_ feedback: TransportFeedback, at now: Microseconds) {
        guard self.feedback == .transport else { return }
        var results: [PacketResult] = []
        sent.take(
            base: feedback.base, count: feedback.count, reference: feedback.reference,
            arrivals: feedback.arrivals.map { (sequence: $0.sequence, at: $0.at) }, into: &results)
        guard !results.isEmpty else { return }
        if let newest = results.last(where: { $0.arrivedAt != nil }) {
            let trip = min(max(0, now - newest.sentAt), Self.longestTrip)
            roundTrip = roundTrip.map { ($0 * 7 + trip) / 8 } ?? trip
        }
        let before = estimate.bitrate
        estimate.take(results, roundTrip: roundTrip ?? 100_000, at: now)
        if estimate.bitrate < before { isPressed = true }
    }

    /// Takes the subscriber's own estimate (REMB), bits per second.
    package mutating func take(estimate bitsPerSecond: UInt64) {
        let bitrate = Int64(min(bitsPerSecond, UInt64(Self.unbounded)))
        if bitrate < told ?? .max { isPressed = true }
        told = bitrate
    }

    // MARK: What is sent of pictures

    /// A layer is not sent any more: whoever gets it waits for another.
    package mutating func offersChanged() { isPressed = true }

    /// Whether layers are to be chosen: each tenth of a second, without any estimate each half, and at once where the way carries less or a
    /// layer has ended.
    package func isDue(at now: Microseconds) -> Bool {
        let interval = feedback == .nothing ? Self.blindInterval : Self.choiceInterval
        return isPressed || chosen.map { now - $0 >= interval } ?? true
    }

    /// - Parameter tracks: the pictures; each id once.
    /// - Returns: for each in its order.
    package mutating func choose(_ tracks: [LayerChoice.Track], at now: Microseconds) -> [LayerChoice.Choice] {
        chosen = now
        isPressed = false
        // Where a queue overflowed all of it is asked for again: that is over soon, and no reason to show nothing.
        let aside = sound.bitrate(at: now) + min(repeats.bitrate(at: now), (self.bitrate ?? Self.unbounded) / 4)
        let (bitrate, sustained) = budget(tracks, aside, at: now)
        let choices = choice.choose(tracks, bitrate: bitrate, sustained: sustained, at: now)
        load = aside
        for (track, choice) in zip(tracks, choices) {
            if case .target(let target) = choice { load += track.offers.first { $0.target == target }?.bitrate ?? 0 }
        }
        // A quarter more: a rung is stepped on only where there is room to spare, and a probe finds a little less than it looks for.
        wanted = tracks.reduce(0) { $0 + ($1.offers.last?.bitrate ?? 0) } * 5 / 4 + aside
        return choices
    }

    /// Bits per second for all pictures: now, and in the long run.
    private mutating func budget(_ tracks: [LayerChoice.Track], _ aside: Int64, at now: Microseconds) -> (Int64, Int64) {
        let least = tracks.reduce(0) { $0 + ($1.offers.first?.bitrate ?? 0) }
        switch feedback {
        case .transport:
            let carried = estimate.bitrate - aside
            shortSince = carried < least ? shortSince ?? now : nil
            let isDip = shortSince.map { now - $0 < Self.grace } ?? false
            let bitrate = isDip ? least : carried
            return (bitrate, max(bitrate, estimate.sustained - aside))
        case .receiver:
            let bitrate = max((told ?? Self.start) - aside, least)
            return (bitrate, bitrate)
        case .nothing: return (Self.unbounded, Self.unbounded)
        }
    }

    /// Begins a probe where that is due, and lets packets go at the rate of now.
    package mutating func advance(to now: Microseconds) {
        switch feedback {
        case .transport:
            if let probe = estimate.probe(for: wanted, at: now) { pacer.begin(probe) }
            let isFull = estimate.isFull
            pacer.setBitrate(isFull ? estimate.bitrate : max(estimate.bitrate, load), isFull: isFull, capacity: estimate.capacity)
        case .receiver: pacer.setBitrate(max(told ?? Self.start, load))
        case .nothing: break
        }
    }
}
