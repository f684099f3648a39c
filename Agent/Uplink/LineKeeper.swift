import BondWire
import Bonding
import Configuration
import Crypto
import Glibc
import Logging
import Posix
import RISTFlow
import Wire

/// What a line keeper tells of its lines; on the loop.
protocol LineOwner: AnyObject {
    /// A line carries media from here on.
    func lineUp(_ line: LinkNumber, _ traits: LinkTraits)
    /// It carries on, in larger packets than before.
    func lineChanged(_ line: LinkNumber, _ traits: LinkTraits)
    /// It carries nothing any more, and what it holds is lost.
    func lineDown(_ line: LinkNumber)
    func took(_ frame: Frame, over line: LinkNumber)
    /// Something left that the owner did not send: bytes with all headers, and the time before it was given to the socket.
    func carried(bytes: Int, over line: LinkNumber, sequence: UInt64, at departure: Microseconds)
    /// Many datagrams may have been taken: now is the time to send what they allow.
    func turned()
}

/// Keeps a line for each usable link: its socket, its handshake with an address that answers, and the proof of what the path carries.
///
/// Everything runs on the uplink's loop.
final class LineKeeper {
    weak var owner: (any LineOwner)?
    private(set) var lines: [String: BondLine] = [:]
    /// The board's links, also those that have no line.
    private(set) var links: [Link] = []
    private var rules: [String: LinkRule] = [:]
    private let loop: Loop
    private let log: Log
    private let key: StreamKey
    private let session = BondWire.SessionID(BondCrypto.openSSL)
    private let wanted: Set<String>?
    private let report: (UplinkEvent) -> Void
    private var receivers: [SocketAddress] = []
    /// Where the receiver answered last, over whichever link: the others begin with it.
    private var answering: SocketAddress?
    private var names: [LinkNumber: String] = [:]
    private let incoming = DatagramBatch(capacity: 32)

    init(key: StreamKey, wanted: Set<String>?, loop: Loop, log: Log, report: @escaping (UplinkEvent) -> Void) {
        self.key = key
        self.wanted = wanted
        self.loop = loop
        self.log = log
        self.report = report
    }

    // MARK: What comes from outside

    /// The receiver's addresses, all of them; links that have none yet start to try.
    func setReceivers(_ receivers: [SocketAddress]) {
        self.receivers = receivers
        update(links, rules)
    }

    func update(_ links: [Link], _ rules: [String: LinkRule]) {
        self.links = links
        self.rules = rules
        let present = Set(links.map(\.name))
        for name in lines.keys where !present.contains(name) { remove(name) }
        for link in links where isWanted(link.name) { update(link) }
    }

    func isWanted(_ name: String) -> Bool { wanted?.contains(name) ?? true }

    subscript(number: LinkNumber) -> BondLine? { names[number].flatMap { lines[$0] } }

    /// Seals a frame for a line and sends it.
    /// - Returns: the link sequence number; nil where the line has no keys.
    func send(_ frame: Frame, over number: LinkNumber) -> UInt64? { names[number].flatMap { seal(frame, over: $0)?.sequence } }

    /// Sends a frame over each line that carries media; the owner is told.
    func sendToAll(_ frame: Frame) {
        for (name, line) in lines where line.stage == .up { transmit(frame, over: name) }
    }

    /// Says that nothing more comes, over each line; the loop is not needed for it.
    func sayGoodbye() {
        for name in lines.keys { for _ in 0..<3 { _ = seal(.goodbye(.sessionEnded), over: name) } }
    }

    /// Each 50 ms.
    func look(_ now: Instant) {
        for name in Array(lines.keys) { look(name, now) }
    }

    /// About once in a quarter of a second.
    func turnRates(_ now: Instant) {
        for name in lines.keys { lines[name]?.rate.turn(at: now) }
    }

    /// What the owner found out of a line: whether it is heard.
    /// - Parameter silence: why it is not, where it is not.
    func note(isLive: Bool, _ number: LinkNumber, silence: @autoclosure () -> String) {
        guard let name = names[number], let line = lines[name], line.stage == .up, isLive != line.isReportedLive else { return }
        guard isLive else { return fellSilent(name, silence()) }
        lines[name]?.isReportedLive = true
        lines[name]?.reason = nil
        lines[name]?.redial.lostSince = nil
        stopRedial(name)
        log.notice("link up", ["link": .text(name)])
        report(.live(link: name, receiver: line.address?.description ?? ""))
    }

    private func fellSilent(_ name: String, _ reason: String) {
        lines[name]?.isReportedLive = false
        lines[name]?.reason = reason
        lines[name]?.redial.lostSince = .now
        log.notice("link silent", ["link": .text(name), "reason": .text(reason)])
        report(.silent(link: name, reason: reason))
    }

    // MARK: Links

    private func update(_ link: Link) {
        guard link.state == .up else { return suspend(link) }
        let index = Int(if_nametoindex(link.name))
        let choice = AddressChoice(receivers: receivers, families: BondLine.families(of: link))
        if var line = lines[link.name], line.index == index {
            let wasNarrow = line.narrowness != nil
            line.link = link
            if wasNarrow, line.narrowness == nil, line.isResting { line.stage = .resting(until: .now) }
            tellTraits(line)
            // The order of a link's candidates changes with what answered; only their set says that something is new.
            if Set(line.choice.candidates) != Set(choice.candidates) {
                line.choice = choice
                line.choice.prefer(line.address ?? answering)
                if line.isResting { line.stage = .resting(until: .now) }
                if line.stage == .dialling { line.joinRace(line.choice.next(AddressRace.limit)) }
            }
            lines[link.name] = line
            if let reason = line.narrowness, !line.isResting { leave(link.name, reason) }
        } else {
            guard let number = lines[link.name]?.number ?? freeNumber else {
                return log.warning("more links than a bond has", ["link": .text(link.name)])
            }
            if lines[link.name] != nil { close(link.name, "its device was replaced") }
            names[number] = link.name
            var line = BondLine(link: link, number: number, index: index, choice: choice, at: .now)
            line.choice.prefer(answering)
            lines[link.name] = line
        }
        look(link.name, .now)
    }

    private var freeNumber: LinkNumber? {
        (0..<LinkNumber.limit).lazy.compactMap(LinkNumber.init).first { names[$0] == nil }
    }

    /// No carrier or no address.
    private func suspend(_ link: Link) {
        guard lines[link.name] != nil else { return }
        lines[link.name]?.link = link
        die(link.name, "it has no carrier or no address")
    }

    private func remove(_ name: String) {
        close(name, "it is gone")
        guard let line = lines.removeValue(forKey: name) else { return }
        names[line.number] = nil
        log.notice("link removed", ["link": .text(name)])
        report(.removed(link: name))
    }

    /// The link cannot send: what it holds goes to the others at once.
    private func die(_ name: String, _ reason: String) {
        close(name, reason)
        lines[name]?.stage = .resting(until: .now + .milliseconds(250))
    }

    /// Lets go of socket and keys; a line that carried media is reported silent.
    private func close(_ name: String, _ reason: String) {
        guard let line = lines[name] else { return }
        if line.stage == .up { owner?.lineDown(line.number) }
        line.watch?.cancel()
        lines[name]?.letGoAsides()
        lines[name]?.watch = nil
        lines[name]?.socket = nil
        lines[name]?.keys = nil
        lines[name]?.redial = Redial()
        lines[name]?.stage = .resting(until: .now)
        if line.isReportedLive { fellSilent(name, reason) }
    }

    /// The link takes nothing that media fits into: it is left alone for a while, whatever small packets come through.
    private func leave(_ name: String, _ reason: String) {
        close(name, reason)
        lines[name]?.stage = .resting(until: .now + BondLine.narrowPause)
        unreachable(name, reason)
    }

    private func unreachable(_ name: String, _ reason: String) {
        lines[name]?.reason = reason
        guard lines[name]?.isReportedUnreachable == false else { return }
        lines[name]?.isReportedUnreachable = true
        log.warning("link cannot be used", ["link": .text(name), "reason": .text(reason)])
        report(.unreachable(link: name, reason: reason))
    }

    // MARK: Handshake

    private func open(_ name: String) {
        guard let line = lines[name], line.link.state == .up else { return }
        if let reason = line.narrowness {
            lines[name]?.stage = .resting(until: .now + .seconds(1))
            return unreachable(name, reason)
        }
        let addresses = line.choice.next(AddressRace.limit)
        guard !addresses.isEmpty else {
            lines[name]?.stage = .resting(until: .now + .seconds(1))
            if !receivers.isEmpty { unreachable(name, "the link has no address of the receiver's kinds") }
            return
        }
        if let fault = dial(name, addresses) {
            // The device may just be going; the next change or the next round tries again.
            lines[name]?.letGoAsides()
            lines[name]?.stage = .resting(until: .now + .seconds(1))
            unreachable(name, "\(fault)")
        } else {
            lines[name]?.stage = .dialling
        }
    }

    /// Starts handshakes with these addresses.
    /// - Returns: why it cannot.
    @discardableResult
    private func dial(_ name: String, _ addresses: [SocketAddress]) -> (any Error)? {
        guard let line = lines[name] else { return nil }
        let dialer = Dialer(key: key, session: session, link: line.number, crypto: .openSSL)
        let fault = lines[name]?.beginRace(addresses, by: dialer) { try watch($0, name) }
        lines[name]?.greet(at: .now)
        return fault
    }

    /// A line that carried media hears nothing: its address is dialled, and in turn the receiver's others, of whichever family.
    private func redial(_ name: String) {
        // Without a socket, as where the device may just be going, it is over as soon as one that nobody answers.
        if let addresses = lines[name]?.takeTurn() { dial(name, addresses) }
    }

    /// The keys work: the receiver did not forget them.
    private func stopRedial(_ name: String) {
        guard let line = lines[name], line.stage == .up, line.race != nil else { return }
        lines[name]?.redials = 0
        lines[name]?.letGoAsides()
    }

    private func took(_ step: DialStep, _ name: String, _ address: SocketAddress) {
        switch step {
        case .nothing: break
        case .send(let datagram): lines[name]?.greet(datagram, address)
        case .refused(let code):
            close(name, "the receiver refuses: \(code)")
            unreachable(name, "the receiver refuses: \(code)")
            lines[name]?.stage = .resting(until: .now + .seconds(1))
        case .open(let keys): agreed(keys, name, address)
        }
    }

    private func agreed(_ keys: SecureLink, _ name: String, _ address: SocketAddress) {
        guard let line = lines[name] else { return }
        if line.stage == .up { owner?.lineDown(line.number) }
        answering = address
        lines[name]?.settle(at: address)
        lines[name]?.redials = 0
        lines[name]?.keys = keys
        lines[name]?.redial = Redial(heardAt: .now)
        lines[name]?.proofs = [:]
        lines[name]?.doubt = nil
        lines[name]?.proven = 0
        lines[name]?.smallArrivals = 0
        lines[name]?.stage = .proving(since: .now)
        prove(name)
    }

    /// None of the addresses that were asked is of use: the next ones.
    private func tryNext(_ name: String, _ now: Instant) {
        guard let line = lines[name] else { return }
        let failure = line.race?.failure ?? "the receiver answers over it, and nothing more comes through"
        close(name, "its receiver does not answer")
        let next =
            if let race = line.race, race.answering == nil {
                lines[name]?.choice.failed(race.addresses)
            } else {
                lines[name]?.choice.failed(after: line.race?.answering ?? line.address)
            }
        switch next {
        case .tryNow: open(name)
        case .wait(let pause, _):
            lines[name]?.stage = .resting(until: now + pause)
            unreachable(name, failure)
        case .some(.none), nil: lines[name]?.stage = .resting(until: now + .seconds(1))
        }
    }

    // MARK: What the path carries

    /// Much of what a line was given is lost, or it is silent: whether that is the size of it is looked at.
    func doubt(_ number: LinkNumber) {
        guard let name = names[number], let line = lines[name], line.stage == .up, line.doubt == nil, .now >= line.nextDoubt else { return }
        lines[name]?.doubt = PathDoubt(of: line.proven, at: .now)
    }

    private func look(into doubt: PathDoubt, _ name: String, _ now: Instant) {
        guard let line = lines[name] else { return }
        switch doubt.verdict(at: now) {
        case .open:
            var asking = doubt
            // A link that nothing comes over has nothing to tell.
            guard line.isReportedLive, asking.isDue(at: now) else { return }
            lines[name]?.doubt = asking
            probe(name, BondLine.proofSizes.filter { $0 <= line.proven } + [PathDoubt.small])
        case .unfounded:
            lines[name]?.doubt = nil
            lines[name]?.nextDoubt = now + BondLine.proofPause
        case .tooNarrow: leave(name, line.pathNarrowness)
        case .narrower(let size):
            log.notice(
                "a link's path has become narrower",
                ["link": .text(name), "packet": .integer(size), "before": .integer(line.proven)])
            lines[name]?.doubt = nil
            lines[name]?.proven = size
            lines[name]?.nextProof = now + BondLine.proofPause
            owner?.lineChanged(line.number, traits(line, size, roundTrip: .milliseconds(100)))
        }
    }

    /// Asks the path to carry each size that is larger than what it is known to carry.
    private func prove(_ name: String) {
        guard let line = lines[name] else { return }
        lines[name]?.nextProof = .now + (line.stage == .up ? BondLine.proofPause : .milliseconds(100))
        let sizes = BondLine.proofSizes.filter { $0 > line.proven }
        probe(name, line.stage == .up ? sizes : sizes + [PathDoubt.small])
    }

    private func probe(_ name: String, _ sizes: [Int]) {
        // Those of long ago are lost.
        if let count = lines[name]?.proofs.count, count > 256 { lines[name]?.proofs = [:] }
        for size in sizes {
            guard let sequence = transmit(.probe(bytes: size + SecureLink.overheadBytes), over: name) else { continue }
            lines[name]?.proofs[sequence] = size
        }
    }

    private func look(for proofs: Report, _ name: String) {
        guard let line = lines[name], !line.proofs.isEmpty, let arrivals = proofs.links.first(where: { $0.link == line.number }) else {
            return
        }
        var proven = line.proven
        for arrival in arrivals.arrivals {
            guard let size = lines[name]?.proofs.removeValue(forKey: arrival.sequence) else { continue }
            lines[name]?.doubt?.came(size)
            if size > PathDoubt.small { proven = max(proven, size) } else { lines[name]?.smallArrivals += 1 }
        }
        guard proven > line.proven else { return }
        lines[name]?.proven = proven
        lines[name]?.provenAt = .now
        if line.stage == .up { owner?.lineChanged(line.number, traits(line, proven, roundTrip: .milliseconds(100))) }
    }

    /// The link carries media from here on, in packets of the size that was proven.
    private func carry(_ name: String) {
        guard let line = lines[name], let address = line.address else { return }
        guard case .proving(let start) = line.stage else { return }
        owner?.lineUp(line.number, traits(line, line.proven, roundTrip: (line.provenAt ?? .now) - start))
        lines[name]?.stage = .up
        lines[name]?.isReportedUnreachable = false
        lines[name]?.reason = nil
        guard !line.isReportedLive else { return }
        lines[name]?.isReportedLive = true
        log.notice("link up", ["link": .text(name), "receiver": .text("\(address)"), "packet": .integer(line.proven)])
        report(.live(link: name, receiver: "\(address)"))
        owner?.turned()
    }

    /// Its cost or its ceiling may be another one.
    private func tellTraits(_ line: BondLine) {
        guard line.stage == .up else { return }
        owner?.lineChanged(line.number, traits(line, line.proven, roundTrip: .milliseconds(100)))
    }

    private func traits(_ line: BondLine, _ proven: Int, roundTrip: Duration) -> LinkTraits {
        let rule = rules[line.link.name] ?? LinkRule()
        return LinkTraits(
            packetLimit: proven, overhead: SecureLink.overheadBytes + line.ipOverhead, cost: rule.cost(of: line.link.kind),
            roundTrip: Microseconds(roundTrip), ceiling: rule.ceiling?.bitsPerSecond)
    }

    // MARK: Datagrams

    private func watch(_ socket: UDPSocket, _ name: String) throws -> Watch {
        try loop.watch(socket.descriptor, .read) { [unowned self, weak socket] _ in if let socket { receive(name, socket) } }
    }

    private func receive(_ name: String, _ socket: UDPSocket) {
        do {
            while true {
                let count = try socket.receive(incoming)
                for index in 0..<count { take(Array(incoming[index]), name) }
                guard count == incoming.capacity, lines[name]?.holds(socket) == true else { break }
            }
        } catch {
            // ICMP's answer to an earlier datagram: silence says the same, to those who cannot forge it.
        }
        owner?.turned()
    }

    private func take(_ datagram: [UInt8], _ name: String) {
        guard let line = lines[name] else { return }
        // What the keys do not open may be the handshake's, or is nobody's.
        if let keys = line.keys, let opened = try? keys.open(datagram, at: Microseconds(.now)) {
            lines[name]?.redial.heardAt = .now
            if line.redial.isOver(at: .now) { stopRedial(name) }
            return take(opened.frame, name)
        }
        guard let (step, address) = lines[name]?.race?.take(datagram, at: Microseconds(.now)) else { return }
        took(step, name, address)
    }

    /// What concerns the line is done here, the rest is the owner's.
    private func take(_ frame: Frame, _ name: String) {
        guard let line = lines[name] else { return }
        switch frame {
        case .report(let report):
            // After another handshake the numbers began anew: what is told of the former keys' is of no use.
            let current = Report(sentAt: report.sentAt, links: report.links.filter { self[$0.link]?.keys?.connection == $0.connection })
            look(for: current, name)
            owner?.took(.report(current), over: line.number)
        case .challenge(let value): transmit(.response(value), over: name)
        case .goodbye(let reason):
            close(name, reason == .sessionBusy ? "\(RefusalCode.sessionBusy)" : "the receiver has ended the stream")
            lines[name]?.stage = .resting(until: .now + .seconds(1))
        default: owner?.took(frame, over: line.number)
        }
    }

    /// Sends what the bond did not ask for, which is told of it.
    /// - Returns: the link sequence number; nil where the link has no keys.
    @discardableResult
    private func transmit(_ frame: Frame, over name: String) -> UInt64? {
        let departure = Microseconds(.now)
        guard let line = lines[name], let sent = seal(frame, over: name) else { return nil }
        owner?.carried(bytes: sent.bytes + line.ipOverhead, over: line.number, sequence: sent.sequence, at: departure)
        return sent.sequence
    }

    private func seal(_ frame: Frame, over name: String) -> (bytes: Int, sequence: UInt64)? {
        guard let sealed = lines[name]?.keys?.seal(frame, at: Microseconds(.now)) else { return nil }
        send(sealed.datagram, over: name)
        return (sealed.datagram.count, sealed.sequence)
    }

    private func send(_ datagram: [UInt8], over name: String) {
        guard let line = lines[name], let socket = line.socket, let address = line.address else { return }
        do {
            // A full buffer is a loss like any on the link: the reports tell it.
            if try socket.send(datagram, to: address) { lines[name]?.rate.add(datagram.count + line.ipOverhead) }
        } catch let error as SystemError where error.code == EMSGSIZE {
            // Larger than the interface itself takes: this size is not proven.
        } catch {
            die(name, "\(error)")
        }
    }

    // MARK: Time

    private func look(_ name: String, _ now: Instant) {
        guard let line = lines[name], line.link.state == .up else { return }
        lines[name]?.greet(at: now)
        switch line.stage {
        case .resting(let until): if now >= until { open(name) }
        case .dialling: if line.race?.isOver(at: Microseconds(now)) ?? true { tryNext(name, now) }
        case .proving(let since):
            if line.proven == BondLine.proofSizes[0] || line.proven > 0 && now - since >= BondLine.proofLimit {
                carry(name)
            } else if now - since >= BondLine.dialLimit {
                line.smallArrivals >= BondLine.smallProof ? leave(name, line.pathNarrowness) : tryNext(name, now)
            } else if now >= line.nextProof {
                prove(name)
            }
        case .up: lookAfter(line, name, now)
        }
    }

    private func lookAfter(_ line: BondLine, _ name: String, _ now: Instant) {
        if line.redial.isDue(at: now) {
            // The receiver may have been started again and know nothing of these keys; they stay, as they may work again.
            if line.race?.isOver(at: Microseconds(now)) ?? true { redial(name) }
        } else if let doubt = line.doubt {
            look(into: doubt, name, now)
        } else if line.proven < BondLine.proofSizes[0], now >= line.nextProof {
            prove(name)
        }
    }
}
