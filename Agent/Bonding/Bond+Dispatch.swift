package import BondWire

/// Late binding: one queue, and a link is chosen only when it can take the packet soon.
extension Bond {
    /// So many times what free links do not help is passed over at most.
    private static let scanned = 64

    /// What to send now; nil: nothing, until something else happens. The same again until it was told to be `sent`.
    package mutating func next(at: Microseconds) -> Transmission? {
        tick(at)
        if let probe = probes.first { return probe }
        var place = SendQueue.Place()
        // In order of deadlines. Where the free links do not help a packet, they may help a later one.
        var passed = 0
        while passed < Self.scanned, let number = queue.candidate(place) {
            switch choose(number) {
            case .over(let link): return transmission(number, link)
            case .drop: drop(number)
            case .done: settle(number)
            case .pass:
                queue.pass(number, &place)
                passed += 1
            case .late(let earliest):
                queue.pass(&place) { deadline($0) < earliest }
                passed += 1
            case .wait: return nil
            }
        }
        return nextDouble()
    }

    /// `next`'s transmission was sealed with this link sequence number and given to the socket.
    package mutating func sent(_ transmission: Transmission, sequence: UInt64, at: Microseconds) {
        tick(at)
        if let first = probes.first, first == transmission { probes.removeFirst() }
        let index = index(of: transmission.link)
        switch transmission.content {
        case .probe(let bytes):
            guard let index else { return }
            links[index].sent(Flight.Entry(sentAt: now, bytes: bytes, packet: nil, state: .flying), sequence: sequence, at: now, clock)
        case .media(let number, let reason):
            guard packets.contains(number) else { return }
            let bytes = packets[number].bytes
            book(number, reason, isUp: index != nil)
            guard let index else { return }
            packets[number].carriers |= links[index].bit
            let wire = bytes + links[index].traits.overhead
            payloadShare += (Double(bytes - 12) / Double(wire) - payloadShare) / 500
            links[index].figures.sent += 1
            if reason == .double { links[index].figures.doubles += 1 } else if reason != .first { links[index].figures.repairs += 1 }
            links[index].sent(Flight.Entry(sentAt: now, bytes: wire, packet: number, state: .flying), sequence: sequence, at: now, clock)
        }
    }

    /// Something else was sealed with this link sequence number and sent: its arrival tells of the link as any other does.
    /// - Parameter bytes: of the datagram, IP header included.
    package mutating func carried(bytes: Int, over link: LinkNumber, sequence: UInt64, at: Microseconds) {
        tick(at)
        guard let index = index(of: link) else { return }
        let bytes = min(max(bytes, 0), 65_535)
        links[index].sent(Flight.Entry(sentAt: now, bytes: bytes, packet: nil, state: .flying), sequence: sequence, at: now, clock)
    }

    private mutating func book(_ number: PacketNumber, _ reason: Transmission.Reason, isUp: Bool) {
        let packet = packets[number]
        if reason == .double {
            queue.doubles.removeAll { $0 == number }
            packets[number].isToDouble = false
            totals.doubles += 1
            return
        }
        if packet.waiting != nil {
            queue.remove(number, bytes: packet.bytes)
            packets[number].waiting = nil
        }
        packets[number].wasSent = true
        if reason != .first { totals.repeats += 1 }
        guard isUp else { return requeue(number, reason) }
        if reason == .first, settings.mode == .bulletproof || settings.mode == .balanced && packet.importance == .key {
            packets[number].isToDouble = true
            queue.doubles.append(number)
        }
    }

    /// A confirmed packet leaves the queue.
    private mutating func settle(_ number: PacketNumber) {
        queue.remove(number, bytes: packets[number].bytes)
        packets[number].waiting = nil
    }

    private func transmission(_ number: PacketNumber, _ link: Int) -> Transmission {
        Transmission(link: links[link].number, content: .media(number, packets[number].waiting ?? .first))
    }

    // MARK: The choice

    private enum Choice {
        case over(Int)
        /// No link could bring it in time, or takes anything of its size.
        case drop
        /// It arrived.
        case done
        /// The free links carry it already, or it would come too late over those that do not.
        case pass
        /// The free links are too slow for it, and for all whose deadline is earlier than this, while others may become free in time.
        case late(Microseconds)
        /// No link is to be given anything now.
        case wait
    }

    /// A link that brings nothing in time, or so late that what it loses or holds could not go over the quickest one any more. Where that is
    /// so of the quickest itself, nobody could repair anything, and what is in time counts.
    func isTooSlow(_ link: BondedLink) -> Bool {
        let way = link.base(clock) - clock.assumedOffset
        guard way + tuning.margin <= settings.latency else { return true }
        var quickest: (way: Microseconds, trip: Microseconds)?
        for index in links.indices where links[index].isLive {
            let other = links[index].base(clock) - clock.assumedOffset
            if other < quickest?.way ?? way { quickest = (other, links[index].roundTrip) }
        }
        guard let quickest else { return false }
        let repair = tuning.suspectAfter + tuning.reportInterval + quickest.trip + tuning.margin
        return way + repair > settings.latency && quickest.way + repair <= settings.latency
    }

    func deadline(_ number: PacketNumber) -> Microseconds { packets[number].source + clock.assumedPlayout }

    private mutating func choose(_ number: PacketNumber) -> Choice {
        let packet = packets[number]
        if packet.isConfirmed { return .done }
        let deadline = deadline(number)
        var best: (index: Int, score: Double, cost: LinkTraits.Cost)?
        // The least arrivals: over any link if it were free, and over those that are.
        var possible = links.isEmpty ? deadline : Microseconds.max
        var soonest: Microseconds?
        var isCarried = false
        for index in links.indices {
            let link = links[index]
            guard packet.bytes <= link.traits.packetLimit else { continue }
            possible = min(possible, now + link.base(clock))
            guard link.isLive, !isTooSlow(link) else { continue }
            let wire = packet.bytes + link.traits.overhead
            let arrival = link.predicted(bytes: wire, at: now, clock)
            if link.traits.cost == .lastResort, !needsLastResort, deadline - arrival > settings.latency / 2 { continue }
            let isEligible = link.isEligible(bytes: wire, predicted: arrival, at: now, clock)
            if packet.carriers & link.bit != 0 {
                if isEligible { isCarried = true }
                continue
            }
            guard isEligible else {
                links[index].refused()
                continue
            }
            guard arrival + margin <= deadline else {
                soonest = min(soonest ?? arrival, arrival)
                continue
            }
            let score = Double(arrival) + (tuning.spread > 0 ? tuning.spread * link.utilisation() : 0)
            if best.map({ (link.traits.cost, score) < ($0.cost, $0.score) }) ?? true {
                best = (index, score, link.traits.cost)
            }
        }
        guard possible <= deadline else { return .drop }
        if let best { return .over(best.index) }
        guard let soonest else { return isCarried ? .pass : .wait }
        guard possible + tuning.ampleMargin <= deadline else { return .drop }
        return packet.carriers == 0 ? .late(soonest + margin) : .pass
    }

    /// Second copies are sent when nothing else waits, over a link that does not carry the first.
    private mutating func nextDouble() -> Transmission? {
        while let number = queue.doubles.first {
            guard packets.contains(number), packets[number].isToDouble, !packets[number].isConfirmed else {
                queue.doubles.removeFirst()
                continue
            }
            switch choose(number) {
            case .over(let link): return Transmission(link: links[link].number, content: .media(number, .double))
            case .drop, .done, .pass, .late: queue.doubles.removeFirst()
            case .wait: return nil
            }
        }
        return nil
    }

    var oldestWaiting: PacketNumber? {
        guard let again = queue.again.first else { return queue.firstFresh }
        return min(again, queue.firstFresh ?? again)
    }
}
