import BondWire
import Bonding
import Configuration
import Logging
import MPEGTS
import Posix
import RISTFlow
import Units
import Wire

/// Carries out what `Bond` decides: makes packets of the flow, keeps those that may still be needed, and sends them over the lines.
///
/// Everything runs on the uplink's loop.
final class BondSender {
    private let lines: LineKeeper
    private let loop: Loop
    private let publish: (UplinkFigures) -> Void
    private let report: (UplinkEvent) -> Void
    private let log: Log
    private let latencyMs: Int
    private var latencyCheck: LatencyCheck
    /// How long each link had been silent when it was muted last.
    private var silences: [LinkNumber: Microseconds] = [:]
    private var bond: Bond
    /// Where what is worth most is sent twice.
    private var keys: KeyPackets?
    private var history = FlowHistory()
    /// The last packet that was offered.
    private var newest: PacketNumber?
    /// Names the flow in its RTP packets; even.
    private let source = UInt32.random(in: .min ... .max) & ~1
    private var timer: LoopTimer?
    private var ticks = 0

    /// How often the bond is asked what is due.
    private static let tick = Duration.milliseconds(5)
    private static let ticksPerLook = 10
    private static let ticksPerStatus = 20
    private static let ticksPerQuarter = 50
    /// Random loss is rarely as much; a path that no longer carries the size of the packets loses all of them, and no probe.
    private static let doubtfulLoss = 0.2

    init(
        key: StreamKey, latencyMs: Int, protection: Protection, wanted: Set<String>?, loop: Loop, log: Log,
        report: @escaping (UplinkEvent) -> Void,
        publish: @escaping (UplinkFigures) -> Void
    ) {
        self.loop = loop
        self.report = report
        self.publish = publish
        self.latencyMs = latencyMs
        self.log = log
        latencyCheck = LatencyCheck(own: Microseconds(latencyMs) * 1000, isMeasured: false)
        lines = LineKeeper(key: key, wanted: wanted, loop: loop, log: log, report: report)
        let mode = BondMode(protection)
        bond = Bond(BondSettings(latency: Microseconds(latencyMs) * 1000, mode: mode))
        keys = mode == .balanced ? KeyPackets() : nil
        lines.owner = self
        tickLater()
    }

    // MARK: What comes from outside

    func setReceivers(_ receivers: [SocketAddress]) { lines.setReceivers(receivers) }

    func update(_ links: [Link], _ rules: [String: LinkRule]) { lines.update(links, rules) }

    func take(_ packets: [FlowPacket]) {
        for packet in packets {
            let at = Microseconds(packet.at)
            let isKey = keys?.areAmong(packet.payload) == true
            let number = bond.offer(
                bytes: RTPPacket.headerBytes + packet.payload.count, importance: isKey ? .key : .normal, at: at)
            let rtp = RTPPacket(
                sequence: UInt16(truncatingIfNeeded: number.value), timestamp: SourceTime.timestamp(at), source: source,
                payload: packet.payload)
            history.append(rtp.bytes, as: number)
            newest = number
        }
        pump()
    }

    /// The loop is not needed for it.
    func sayGoodbye() { lines.sayGoodbye() }

    // MARK: Out

    /// Sends all that is due.
    private func pump() {
        while let transmission = bond.next(at: Microseconds(.now)) {
            // Before it leaves: whoever is woken by it may have the processor first, and the link would look that much quicker.
            let departure = Microseconds(.now)
            guard let frame = frame(of: transmission), let sequence = lines.send(frame, over: transmission.link) else {
                // The line cannot send: what it holds is taken up again.
                bond.linkDown(transmission.link, at: Microseconds(.now))
                continue
            }
            bond.sent(transmission, sequence: sequence, at: departure)
        }
        history.forget(below: bond.takeForgotten())
    }

    private func frame(of transmission: Transmission) -> Frame? {
        switch transmission.content {
        case .probe(let bytes): return .probe(bytes: max(0, bytes - (lines[transmission.link]?.ipOverhead ?? 0)))
        case .media(let number, let reason):
            guard var packet = history[number] else { return nil }
            // The flow's odd neighbour: TR-06-1:2020 section 5.3.
            if reason != .first { packet[RTPPacket.headerBytes - 1] |= 1 }
            return .media(packet)
        }
    }

    // MARK: Time

    private func tickLater() {
        timer = loop.timer(after: Self.tick) { [unowned self] in
            turn()
            tickLater()
        }
    }

    private func turn() {
        ticks += 1
        let now = Instant.now
        bond.advance(to: Microseconds(now))
        if ticks % Self.ticksPerLook == 0 {
            lines.look(now)
            tellEvents()
            publishFigures(Microseconds(now))
        }
        if ticks % Self.ticksPerQuarter == 0 { lines.turnRates(now) }
        if ticks % Self.ticksPerStatus == 0, let offset = bond.playoutOffset, let latency = bond.playoutLatency {
            lines.sendToAll(.status(FlowStatus(playoutOffset: offset, latency: latency)))
        }
        pump()
    }

    // MARK: Figures

    private func tellEvents() {
        for event in bond.takeEvents() {
            switch event.kind {
            // The lines tell these, with what they know besides.
            case .up(let link), .down(let link), .returned(let link): silences[link] = nil
            case .muted(let link, let silence): silences[link] = silence
            case .unheard(let silence): report(.unheard(for: .microseconds(silence)))
            case .heard: report(.heard)
            case .rateCut(let old, let new): report(.rateCut(from: Bitrate(bitsPerSecond: old), to: Bitrate(bitsPerSecond: new)))
            case .clockChanged: report(.clockChanged)
            }
        }
    }

    private func silence(of link: LinkNumber) -> String {
        silences[link].map { "nothing came through for \($0 / 1000) ms" } ?? "the receiver's reports do not arrive"
    }

    private func telemetry(_ figures: BondFigures) -> BondTelemetry {
        BondTelemetry(
            available: Bitrate(bitsPerSecond: figures.rate.bitsPerSecond), capacity: Bitrate(bitsPerSecond: figures.capacityBitsPerSecond),
            queueMs: milliseconds(figures.queueAge), offeredPackets: figures.offered, deliveredPackets: figures.confirmed,
            lostPackets: figures.dropped + figures.unconfirmed, retransmittedPackets: figures.repeats, doubledPackets: figures.doubles,
            latencyMs: bond.playoutLatency.map(milliseconds))
    }

    private func publishFigures(_ now: Microseconds) {
        let (perLink, figures) = bond.figures(at: now)
        let known = Dictionary(uniqueKeysWithValues: perLink.map { ($0.link, $0) })
        for link in perLink {
            if link.state == .suspect || link.loss > Self.doubtfulLoss { lines.doubt(link.link) }
            lines.note(isLive: link.state != .suspect, link.link, silence: silence(of: link.link))
        }
        let capacity = perLink.reduce(0) { $0 + ($1.state == .late ? 0 : $1.estimateBitsPerSecond) }
        var result = UplinkFigures()
        result.links = lines.links.sorted { $0.name < $1.name }.map { link in
            lines.lines[link.name].map { $0.telemetry(known[$0.number], capacity) }
                ?? .idle(link.name, lines.isWanted(link.name) ? .dead : .unused)
        }
        result.rate = known.isEmpty ? nil : Bitrate(bitsPerSecond: figures.rate.bitsPerSecond)
        result.bond = telemetry(figures)
        let limit = lines.lines.values.filter { $0.stage == .up }.map(\.proven).min() ?? BondLine.proofSizes[0]
        result.payloadLimit = limit - RTPPacket.headerBytes
        result.expiredTotal = figures.dropped + figures.unconfirmed
        publish(result)
    }
}

extension BondSender: LineOwner {
    func lineUp(_ line: LinkNumber, _ traits: LinkTraits) { bond.linkUp(line, traits, at: Microseconds(.now)) }

    func lineChanged(_ line: LinkNumber, _ traits: LinkTraits) { bond.linkChanged(line, traits, at: Microseconds(.now)) }

    func lineDown(_ line: LinkNumber) { bond.linkDown(line, at: Microseconds(.now)) }

    func took(_ frame: Frame, over line: LinkNumber) {
        switch frame {
        case .report(let report): bond.take(report, over: line, at: Microseconds(.now))
        case .control(let bytes): takeRequests(bytes)
        case .status(let status): tookLatency(status.latency)
        case .probe, .media, .challenge, .response, .goodbye: break
        }
    }

    func carried(bytes: Int, over line: LinkNumber, sequence: UInt64, at departure: Microseconds) {
        bond.carried(bytes: bytes, over: line, sequence: sequence, at: departure)
    }

    func turned() { pump() }

    private func tookLatency(_ latency: Microseconds) {
        guard latencyCheck.differs(latency) else { return }
        log.warning(
            "the receiver has another latency: this one counts, but for what is beyond the receiver's and a quarter",
            ["latency_ms": .integer(latencyMs), "receiver_latency_ms": .integer(Int(latency) / 1000)])
    }

    /// What the flow's receiver misses.
    private func takeRequests(_ bytes: [UInt8]) {
        guard let newest, let packets = RTCPPacket.decode(bytes) else { return }
        var ranges: [ClosedRange<PacketNumber>] = []
        for case .nack(let nack) in packets {
            ranges += nack.ranges.compactMap { $0.packets(newest: newest.value) }
                .map { PacketNumber($0.lowerBound)...PacketNumber($0.upperBound) }
        }
        bond.request(ranges, at: Microseconds(.now))
    }
}

extension BondMode {
    fileprivate init(_ protection: Protection) {
        switch protection {
        case .throughput: self = .throughput
        case .balanced: self = .balanced
        case .bulletproof: self = .bulletproof
        }
    }
}
