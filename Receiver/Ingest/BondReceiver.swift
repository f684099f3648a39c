import BondWire
import Crypto
import Logging
import Posix
import RISTFlow
import Units
import Wire

/// Carries out what `Acceptor` and `FlowReceiver` decide: owns the public sockets, reports to the sender, gives media out in time.
///
/// Everything runs on the ingest's loop.
final class BondReceiver {
    private let loop: Loop
    private let log: Log
    private let onMedia: (UnsafeRawBufferPointer) -> Void
    private let publish: (IngestStatistics) -> Void
    private let latencyMs: Int
    private var acceptor: Acceptor
    private var flow: FlowReceiver
    /// Of the session before, until what it holds has left.
    private var former: FlowReceiver?
    private var formerTotals = FlowTotals()
    /// Of the last packet.
    private var flowSource: UInt32 = 0
    private var reports = ReportBuilder()
    private var doorway: Doorway?
    private var paths: [LinkNumber: BondPath] = [:]
    /// How a source is answered: by the way its last datagram came.
    private var ways: [[UInt8]: Doorway.Entrance] = [:]
    private var media = Traffic()
    private var refusedAsMedia = 0
    private var knocks = Knocks()
    private var latencyCheck: LatencyCheck
    private var releaseTimer: LoopTimer?
    private var releaseAt: Microseconds?
    private var reportTimer: LoopTimer?
    private var lookTimer: LoopTimer?
    private var looks = 0
    /// Of the flow, as far as it was told.
    private var toldOverflow: (count: UInt64, at: Microseconds)?
    /// From source to output, as the sender measured it last, and how much later than that packets left.
    private var latency: Microseconds?
    private var lateness = Lateness()

    static let lookEvery = Duration.milliseconds(250)
    /// What leaves within this time leaves together.
    private static let releaseStep: Microseconds = 5_000
    private static let wayLimit = 64
    private static let looksPerQuestion = 4
    private static let tellEvery: Microseconds = 60_000_000

    init(
        key: StreamKey, latencyMs: Int, doors sockets: [UDPSocket], loop: Loop, log: Log,
        onMedia: @escaping (UnsafeRawBufferPointer) -> Void, publish: @escaping (IngestStatistics) -> Void
    ) throws {
        self.loop = loop
        self.log = log
        self.onMedia = onMedia
        self.publish = publish
        self.latencyMs = latencyMs
        latencyCheck = LatencyCheck(own: Microseconds(latencyMs) * 1000, isMeasured: true)
        acceptor = Acceptor(key: key, crypto: .openSSL, at: Microseconds(.now))
        flow = Self.makeFlow(latencyMs)
        doorway = try Doorway(
            sockets, loop: loop, take: { [unowned self] datagram, way, arrival in take(Array(datagram), from: way, at: arrival) },
            turned: { [unowned self] in release() })
        reportLater()
        lookLater()
    }

    /// The shorter the latency, the sooner a loss must be known.
    private static func reportInterval(_ latencyMs: Int) -> Duration { latencyMs < 700 ? .milliseconds(25) : .milliseconds(50) }

    private static func makeFlow(_ latencyMs: Int) -> FlowReceiver {
        let interval = latencyMs < 700 ? 25_000 : 50_000
        return FlowReceiver(
            latency: Microseconds(latencyMs) * 1000, repair: .init(reportInterval: Microseconds(interval), skew: 50_000, roundTrip: 100_000)
        )
    }

    /// Takes nothing more from outside.
    /// - Returns: when the last packet that is held has left.
    func closeDoors() -> Instant? {
        doorway?.close()
        doorway = nil
        return flow.heldBytes == 0 && former == nil ? nil : .now + .milliseconds(latencyMs + 100)
    }

    /// Says that nothing more is taken, over each link; the loop is not needed for it.
    func sayGoodbye() {
        for goodbye in acceptor.end(at: Microseconds(.now)) { send(goodbye.datagram, to: goodbye.address) }
    }

    // MARK: In

    private func take(_ datagram: [UInt8], from way: Doorway.Entrance, at arrival: Instant) {
        let source = way.source.identity
        switch acceptor.take(datagram, from: source, at: Microseconds(arrival)) {
        case .answer(let answer): send(answer, by: way)
        case .dropped(let reason):
            if let told = knocks.dropped(reason, from: way.source, at: Microseconds(arrival)) { tell(told) }
        case .frame(let frame):
            if ways[source] == nil, ways.count >= Self.wayLimit { forgetWays() }
            ways[source] = way
            took(frame, datagram.count + (way.source.family == .ipv4 ? 28 : 48), Microseconds(arrival))
            for answer in frame.answers { send(answer, by: way) }
        }
    }

    /// - Parameter bytes: of the IP packet, as the links count them.
    private func took(_ frame: AcceptedFrame, _ bytes: Int, _ now: Microseconds) {
        note(frame)
        reports.arrived(frame.opened.sequence, over: frame.link, frame.connection, at: now)
        paths[frame.link, default: BondPath()].arrived(frame.opened.sequence, bytes: bytes)
        switch frame.opened.frame {
        case .media(let bytes):
            guard let packet = RTPPacket(bytes) else {
                refusedAsMedia += 1
                return
            }
            flowSource = packet.source & ~1
            flow.take(packet, at: now)
        case .status(let status):
            flow.setPlayout(status.playoutOffset)
            latency = status.latency
            if latencyCheck.differs(status.latency) {
                log.warning(
                    "the sender has another latency: its own counts, but for what is beyond this one and a quarter",
                    ["latency_ms": .integer(latencyMs), "sender_latency_ms": .integer(Int(status.latency) / 1000)])
            }
        case .response(let number): paths[frame.link]?.answered(number, at: now)
        case .probe, .control, .report, .challenge, .goodbye: break
        }
    }

    private func tell(_ told: Knocks.Told) {
        log.warning(
            "somebody without this stream's key knocks; a sender of yours has another key, or none",
            [
                "source": .text("\(told.source)"), "with_another_key": .integer(told.withAnotherKey),
                "with_no_key": .integer(told.withNoKey),
            ])
    }

    private func note(_ frame: AcceptedFrame) {
        switch frame.change {
        case nil: return
        case .newSession:
            reports.removeAll()
            paths = [:]
            former = flow
            flow = Self.makeFlow(latencyMs)
            toldOverflow = nil
            latencyCheck = LatencyCheck(own: Microseconds(latencyMs) * 1000, isMeasured: true)
            log.notice("a sender began", ["link": .integer(Int(frame.link.value))])
        case .opened: paths[frame.link] = nil
        case .moved: log.notice("a link moved", ["link": .integer(Int(frame.link.value))])
        case .closed:
            reports.remove(frame.link)
            paths[frame.link] = nil
        case .ended:
            reports.removeAll()
            paths = [:]
            log.notice("the sender ended")
        }
    }

    // MARK: Out

    /// Gives out what is due, and wakes up for what is next.
    private func release() {
        let now = Microseconds(.now)
        if var old = former {
            giveOut(old.release(until: now))
            former = old.heldBytes > 0 ? old : nil
            if former == nil { formerTotals += FlowTotals(old.counters) }
        }
        // Until the sender has told when, a packet's time is unknown.
        guard flow.playoutOffset != nil else { return }
        if let due = flow.nextRelease(at: now), due <= now { lateness.add(now - due) }
        giveOut(flow.release(until: now))
        let times = [former?.nextRelease(at: now), flow.nextRelease(at: now)].compactMap { $0 }
        guard let next = times.min() else { return }
        let due = max(next, now + Self.releaseStep)
        if let releaseAt, releaseAt <= due, releaseAt > now { return }
        releaseTimer?.cancel()
        releaseAt = due
        releaseTimer = loop.timer(after: .microseconds(due - now)) { [unowned self] in
            releaseAt = nil
            release()
        }
    }

    private func giveOut(_ payloads: [[UInt8]]) {
        for payload in payloads {
            media.add(bytes: payload.count)
            payload.withUnsafeBytes(onMedia)
        }
    }

    private func reportLater() {
        reportTimer = loop.timer(after: Self.reportInterval(latencyMs)) { [unowned self] in
            report()
            reportLater()
        }
    }

    /// Tells the arrivals of all links over each of them.
    private func report() {
        let links = acceptor.links
        guard !links.isEmpty else { return }
        let now = Microseconds(.now)
        let report = reports.report(at: now)
        let missing = flow.nacks(at: now)
        let control = missing.isEmpty ? nil : RTCPPacket.encode([.nack(.init(media: flowSource, ranges: missing))], source: 0)
        for link in links {
            if let out = acceptor.seal(.report(report), for: link, at: now) { send(out.datagram, to: out.address) }
            guard let control, let out = acceptor.seal(.control(control), for: link, at: now) else { continue }
            send(out.datagram, to: out.address)
        }
    }

    private func send(_ datagram: [UInt8], to source: [UInt8]) {
        guard let way = ways[source] else { return }
        send(datagram, by: way)
    }

    private func send(_ datagram: [UInt8], by way: Doorway.Entrance) { datagram.withUnsafeBytes(way.send) }

    /// Of sources that no link comes from any more.
    private func forgetWays() {
        let used = Set(acceptor.links.compactMap { acceptor.address(of: $0) })
        ways = ways.filter { used.contains($0.key) }
    }

    // MARK: Figures

    private func lookLater() {
        lookTimer = loop.timer(after: Self.lookEvery) { [unowned self] in
            look()
            lookLater()
        }
    }

    private func look() {
        media.turn()
        lateness.turn()
        for link in paths.keys { paths[link]?.turn() }
        looks += 1
        if looks % Self.looksPerQuestion == 0 {
            tellLatency()
            measureRoundTrips()
        }
        tellOverflow(Microseconds(.now))
        publish(statistics)
    }

    /// Once a minute at most.
    private func tellOverflow(_ now: Microseconds) {
        let count = flow.counters.overflowed
        guard count > toldOverflow?.count ?? 0, toldOverflow.map({ now - $0.at >= Self.tellEvery }) ?? true else { return }
        toldOverflow = (count, now)
        log.warning(
            "the stream is more than is held for this latency: packets are dropped; a shorter latency or a lower rate fits",
            [
                "latency_ms": .integer(latencyMs), "dropped": .integer(Int(count)), "packet_limit": .integer(flow.packetLimit),
                "byte_limit": .integer(flow.byteLimit),
            ])
    }

    /// So that the sender knows where the two differ.
    private func tellLatency() {
        let now = Microseconds(.now)
        let status = FlowStatus(playoutOffset: flow.playoutOffset ?? 0, latency: Microseconds(latencyMs) * 1000)
        for link in acceptor.links {
            if let out = acceptor.seal(.status(status), for: link, at: now) { send(out.datagram, to: out.address) }
        }
    }

    private func measureRoundTrips() {
        let now = Microseconds(.now)
        for link in acceptor.links {
            let number = UInt64.random(in: .min ... .max)
            guard let out = acceptor.seal(.challenge(number), for: link, at: now) else { continue }
            paths[link]?.asked(number, at: now)
            send(out.datagram, to: out.address)
        }
        guard let least = paths.values.compactMap(\.roundTrip).min() else { return }
        flow.repair.roundTrip = max(50_000, least * 3 / 2)
    }

    private var statistics: IngestStatistics {
        var result = IngestStatistics()
        result.paths = paths.sorted { $0.key < $1.key }.map { link, path in
            PathReport(
                source: acceptor.address(of: link).flatMap { ways[$0] }?.source.description ?? "",
                bitrate: Bitrate(bitsPerSecond: path.traffic.lastSecond * 8), packetsTotal: path.traffic.packetsTotal,
                rttMs: path.roundTrip.map { Double($0) / 1000 },
                loss: path.loss.share)
        }
        result.latencyMs = latency.flatMap { latency in lateness.longest.map { Double(latency + $0) / 1000 } }
        result.bitrate = Bitrate(bitsPerSecond: media.lastSecond * 8)
        var totals = formerTotals
        for flow in [former, flow].compactMap({ $0 }) { totals += FlowTotals(flow.counters) }
        result.deliveredPacketsTotal = totals.delivered
        result.lostPacketsTotal = totals.lost
        result.recoveredPacketsTotal = totals.recovered
        result.discardedPacketsTotal = totals.discarded
        let figures = acceptor.figures
        result.guardDropped.malformed = Int(figures[.malformed]) + refusedAsMedia
        result.guardDropped.unauthentic =
            Int(
                figures[.unknownStream] + figures[.unknownConnection] + figures[.notAuthentic] + figures[.unknownEpoch]
                    + figures[.badCookie])
        result.guardDropped.replayed = Int(figures[.replayed])
        result.guardDropped.limited = Int(figures[.tooMany] + figures[.sessionBusy])
        return result
    }
}
