import Glibc
import Logging
import Posix
import RIST
import Units
import Wire

/// Keeps one librist peer for each usable link, finds it an address that answers, and sets the weights.
///
/// Everything runs on the uplink's loop, which may wait for librist: creating and destroying a peer takes up to 100 ms.
final class Conductor {
    private let sender: RISTSender
    private let relays: LinkRelays
    private let loop: Loop
    private let log: Log
    private let report: (UplinkEvent) -> Void
    private let wanted: Set<String>?
    /// A peer that was heard once is destroyed only after this long in silence, as librist may still hold retransmissions for it.
    private let quietLimit: Duration
    private var receivers: [SocketAddress] = []
    private var links: [Link] = []
    private var lines: [String: Line] = [:]
    private var names: [RISTSender.PeerID: String] = [:]
    private var leaving: [Leaving] = []
    private var plan = WeightPlan()
    private var ticks = 0
    private var hasPrimed = false
    private var timer: LoopTimer?

    private struct Leaving {
        let id: RISTSender.PeerID
        let relay: LinkRelay
        var quietSince: Instant
    }

    static let tick = Duration.milliseconds(50)
    /// Ticks between two steps of the weights: a quarter of a second.
    private static let ticksPerStep = 5

    init(
        sender: RISTSender, relays: LinkRelays, transport: Transport, loop: Loop, log: Log, report: @escaping (UplinkEvent) -> Void
    ) {
        self.sender = sender
        self.relays = relays
        self.loop = loop
        self.log = log
        self.report = report
        wanted = transport.links.map(Set.init)
        quietLimit = .milliseconds(transport.bufferMs * 3 / 2 + 500)
        tickLater()
    }

    // MARK: What comes from outside

    /// The receiver's addresses, all of them; links that have no peer yet start to try.
    func setReceivers(_ receivers: [SocketAddress]) {
        self.receivers = receivers
        update(links)
    }

    func update(_ links: [Link]) {
        self.links = links
        let present = Set(links.map(\.name))
        for name in lines.keys where !present.contains(name) { remove(name) }
        for link in links where wanted?.contains(link.name) ?? true { update(link) }
        applyWeights()
    }

    func take(_ event: RISTSender.Event) {
        switch event {
        case .connected(let id): heard(id)
        case .timedOut: break
        case .statistics(let id, let statistics):
            if statistics.reportsReceived > 0 { heard(id) }
            guard let name = names[id], lines[name]?.peer?.id == id else { return }
            lines[name]?.peer?.rttMs = statistics.rttMs
            lines[name]?.traffic.add(statistics, at: .now)
        }
    }

    func telemetry(packetBytes: Int) -> [LinkTelemetry] {
        links.sorted { $0.name < $1.name }.map { link in
            guard let line = lines[link.name] else {
                return LinkTelemetry(
                    name: link.name, state: wanted?.contains(link.name) ?? true ? .dead : .unused, sent: Bitrate(bitsPerSecond: 0),
                    rttMs: nil, loss: nil, weight: 0,
                    retransmittedPackets: 0)
            }
            return LinkTelemetry(
                name: link.name, state: line.state,
                sent: Bitrate(bitsPerSecond: Int(line.traffic.packetsPerSecond * Double(packetBytes) * 8)),
                rttMs: line.peer?.rttMs.map(Double.init), loss: nil, weight: line.weight,
                retransmittedPackets: line.traffic.retransmittedTotal)
        }
    }

    // MARK: Links

    private func update(_ link: Link) {
        guard link.state == .up else { return suspend(link) }
        let index = Int(if_nametoindex(link.name))
        let families = Line.families(of: link)
        if var line = lines[link.name], line.index == index {
            let choice = AddressChoice(receivers: receivers, families: families)
            if line.link.state != .up { line.peer?.health.resumed(at: .now) }
            line.link = link
            // The order of a link's candidates changes with what answered; only their set says that something is new.
            if Set(line.choice.candidates) != Set(choice.candidates) {
                line.choice = choice
                line.retryAt = nil
                if let peer = line.peer, !choice.candidates.contains(peer.address) {
                    retire(peer)
                    line.peer = nil
                }
            }
            lines[link.name] = line
        } else {
            if let peer = lines[link.name]?.peer { retire(peer) }
            lines[link.name] = Line(link: link, index: index, choice: AddressChoice(receivers: receivers, families: families))
        }
        open(link.name)
    }

    /// No carrier or no address: the peer stays, as it works again when they come back.
    private func suspend(_ link: Link) {
        guard lines[link.name] != nil else { return }
        let wasLive = lines[link.name]?.isLive ?? false
        lines[link.name]?.link = link
        lines[link.name]?.peer?.health.lostCarrier()
        if wasLive { report(.silent(link: link.name, reason: "it has no carrier or no address")) }
    }

    private func remove(_ name: String) {
        guard let line = lines.removeValue(forKey: name) else { return }
        if let peer = line.peer { retire(peer) }
        log.notice("link removed", ["link": .text(name)])
        report(.removed(link: name))
    }

    /// Takes a peer out of service; it is destroyed when nothing can be queued for it any more.
    private func retire(_ peer: Line.Peer) {
        names[peer.id] = nil
        guard let heardAt = peer.health.heardAt else { return destroy(peer.id, peer.relay) }
        sender.setWeight(0, of: peer.id)
        leaving.append(Leaving(id: peer.id, relay: peer.relay, quietSince: heardAt))
    }

    private func destroy(_ id: RISTSender.PeerID, _ relay: LinkRelay) {
        sender.remove(id)
        relays.close(relay)
    }

    // MARK: Peers

    /// Gives a line its peer where it has none and an address to try.
    private func open(_ name: String) {
        guard let line = lines[name], line.peer == nil, line.retryAt == nil else { return }
        guard let address = line.choice.current else {
            if !receivers.isEmpty { unreachable(name, "the link has no address of the receiver's kinds") }
            return
        }
        do {
            let relay = try relays.open(to: address, over: name)
            let id: RISTSender.PeerID
            do {
                // Weight 0 until it answers: until then the receiver drops its data, so nothing may depend on it.
                id = try sender.add(.init(address: relay.near, interface: nil, weight: 0))
            } catch {
                relays.close(relay)
                throw error
            }
            lines[name]?.peer = Line.Peer(id: id, address: address, relay: relay, health: LinkHealth(openedAt: .now))
            lines[name]?.weight = 0
            names[id] = name
        } catch {
            // The device may just be going; the next change or the next round tries again.
            lines[name]?.retryAt = .now + .seconds(1)
            unreachable(name, "\(error)")
        }
    }

    private func unreachable(_ name: String, _ reason: String) {
        guard lines[name]?.isReportedUnreachable == false else { return }
        lines[name]?.isReportedUnreachable = true
        log.warning("link reaches no address of the receiver", ["link": .text(name), "reason": .text(reason)])
        report(.unreachable(link: name, reason: reason))
    }

    private func heard(_ id: RISTSender.PeerID) {
        if let place = leaving.firstIndex(where: { $0.id == id }) { leaving[place].quietSince = .now }
        guard let name = names[id], let line = lines[name], line.peer?.id == id, line.link.state == .up else { return }
        let wasLive = line.isLive
        lines[name]?.peer?.health.heard(at: .now)
        line.peer?.relay.fault.withLock { $0 = nil }
        lines[name]?.silences = []
        guard !wasLive, let address = line.peer?.address else { return }
        lines[name]?.choice.answered()
        lines[name]?.isReportedUnreachable = false
        applyWeights()
        log.notice("link up", ["link": .text(name), "receiver": .text("\(address)")])
        report(.live(link: name, receiver: "\(address)"))
    }

    // MARK: Time

    private func tickLater() {
        timer = loop.timer(after: Self.tick) { [unowned self] in
            tick()
            tickLater()
        }
    }

    private func tick() {
        let now = Instant.now
        for name in lines.keys { tick(name, now) }
        ticks += 1
        if ticks % Self.ticksPerStep == 0 { plan.step(observations) }
        applyWeights()
        let quiet = leaving.filter { now - $0.quietSince >= quietLimit }
        leaving.removeAll { now - $0.quietSince >= quietLimit }
        for peer in quiet { destroy(peer.id, peer.relay) }
    }

    private func tick(_ name: String, _ now: Instant) {
        guard let line = lines[name], line.link.state == .up else { return }
        if let retryAt = line.retryAt {
            guard now >= retryAt else { return }
            lines[name]?.retryAt = nil
            return open(name)
        }
        guard var peer = line.peer else { return }
        let wasLive = line.isLive
        peer.health.tick(at: now)
        lines[name]?.peer = peer
        if wasLive, peer.health.state != .live {
            lines[name]?.traffic.clear()
            log.notice("link silent", ["link": .text(name)])
            report(.silent(link: name, reason: "the receiver is not heard over it"))
        }
        if peer.health.state == .dead { tryNext(name, peer) }
    }

    /// The current address does not answer: the next one, or this one for ever where it is the only one that ever answered.
    private func tryNext(_ name: String, _ peer: Line.Peer) {
        guard let line = lines[name] else { return }
        if line.choice.candidates.count == 1, peer.health.heardAt != nil { return }
        retire(peer)
        lines[name]?.peer = nil
        lines[name]?.silences.append((peer.address, Silence(peer.relay.fault.withLock { $0 })))
        switch lines[name]?.choice.failed() {
        case .tryNow: open(name)
        case .wait(let pause, _):
            lines[name]?.retryAt = .now + pause
            let tried = (lines[name]?.silences ?? []).suffix(line.choice.candidates.count)
            lines[name]?.silences = []
            unreachable(name, Silence.words(of: Array(tried)))
        case .some(.none), nil: break
        }
    }

    // MARK: Weights

    private var observations: [String: WeightPlan.Observation] {
        lines.compactMapValues { line in
            line.peer.map { WeightPlan.Observation(isLive: line.isLive, rttMs: $0.rttMs) }
        }
    }

    private func applyWeights() {
        // A peer that never answered stays at 0 and takes no part.
        let known = observations.filter { lines[$0.key]?.peer?.health.heardAt != nil }
        for (name, weight) in plan.weights(known) where lines[name]?.weight != weight {
            lines[name]?.weight = weight
            if let id = lines[name]?.peer?.id { sender.setWeight(weight, of: id) }
        }
        if !hasPrimed, known.values.contains(where: \.isLive) { prime() }
    }

    /// librist's rotation selects nobody for its first packet: let that be one that nobody misses.
    private func prime() {
        hasPrimed = true
        let packet: [UInt8] = [0x47, 0x1f, 0xff, 0x10] + [UInt8](repeating: 0xff, count: 184)
        _ = packet.withUnsafeBytes { sender.write($0) }
    }
}
