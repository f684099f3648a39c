package import BondWire

/// What happens because time passes.
extension Bond {
    /// To be called each 5 ms, or about so.
    package mutating func advance(to at: Microseconds) {
        tick(at)
        let passed = advancedAt == .longAgo ? 0 : now - advancedAt
        advancedAt = now
        // The machine slept, or its clock was set: to the links it is as if they were new.
        if passed > 2_000_000 { restartClocks() }
        noticeSilence()
        let isQueueYoung = oldestWaiting.map { now - packets[$0].source < 30_000 } ?? true
        for index in links.indices {
            links[index].growCap(min(passed, 100_000))
            rescue(index, isQueueYoung: isQueueYoung)
            probe(index)
            links[index].forget(now)
        }
        forgetExpired()
        weighBacklog()
        control()
    }

    /// Without any report, nothing is known of any link.
    private mutating func noticeSilence() {
        guard let heard = reportHeardAt, !isUnheard else { return }
        let silence = now - heard
        guard silence > 400_000 + 2 * tuning.reportInterval else { return }
        isUnheard = true
        note(.unheard(silence))
        for index in links.indices where links[index].isLive { links[index].suspect(at: now) }
    }

    /// What a suspect link holds goes over others: at once while they have room, else when it gets urgent.
    private mutating func rescue(_ index: Int, isQueueYoung: Bool) {
        guard !links[index].isLive else { return }
        let urgent = Microseconds(tuning.rescueShare * Double(settings.latency))
        let base = links[index].base(clock)
        var held: [(UInt64, PacketNumber)] = []
        links[index].flight.forEachOut { sequence, entry in
            guard entry.state == .flying, let packet = entry.packet else { return }
            held.append((sequence, packet))
        }
        for (sequence, number) in held where packets.contains(number) {
            guard isQueueYoung || deadline(number) - (now + base) < urgent else { continue }
            _ = links[index].flight.settle(sequence, as: .rescued)
            let carriers = packets[number].carriers
            if links.contains(where: { $0.isLive && carriers & $0.bit != 0 }) { continue }
            requeue(number, .rescue)
        }
    }

    private mutating func probe(_ index: Int) {
        let link = links[index]
        let interval: Microseconds = link.isLive ? 250_000 : 100_000
        let last = link.isLive ? max(link.lastSent, link.probedAt) : link.probedAt
        guard now - last >= interval, !probes.contains(where: { $0.link == link.number }) else { return }
        links[index].probedAt = now
        probes.append(Transmission(link: link.number, content: .probe(bytes: 120)))
    }

    private mutating func forgetExpired() {
        while packets.count > 0, now - packets[packets.first].source > settings.latency + 500_000 { forgetFirst() }
    }

    /// Whether the bond is behind, and how near to its deadline a packet may be sent.
    ///
    /// Where the links carry more than was made in the time that waits, those behind gain on their deadlines, and a packet that is sent at
    /// the end of its own harms nobody. Where they carry less, each that comes too late took the place of one that would have been in time.
    mutating func weighBacklog() {
        var isScarce = false
        if let fresh = queue.firstFresh {
            let span = Double(max(now - packets[fresh].source, 100_000)) / 1000
            isScarce = usableCapacity() * payloadShare * span < Double(queue.bytes)
        }
        margin = isScarce ? tuning.scarceMargin : tuning.ampleMargin
        let oldest = oldestWaiting.map { now - packets[$0].source } ?? 0
        let isBehind = isScarce && Double(oldest) > tuning.behindShare * Double(settings.latency)
        for index in links.indices { links[index].isBehind = isBehind }
    }

    // MARK: The encoder

    /// Bytes per millisecond of all links that may be counted on, the dearest only where the others are too little.
    func usableCapacity() -> Double {
        var sums = [0.0, 0, 0]
        for link in links where link.isLive && !isTooSlow(link) { sums[link.traits.cost.rawValue] += link.usableRate }
        let cheap = sums[0] + sums[1]
        return isTooLittle(cheap) ? cheap + sums[2] : cheap
    }

    private func isTooLittle(_ capacity: Double) -> Bool { capacity * 8000 * payloadShare < Double(settings.least) }

    private mutating func control() {
        guard encoder.isDue(at: now) else { return }
        let capacity = usableCapacity()
        needsLastResort = isTooLittle(links.reduce(0) { $0 + ($1.isLive && $1.traits.cost < .lastResort ? $1.usableRate : 0) })
        var waiting = Double(queue.bytes)
        for link in links where link.isLive && !isTooSlow(link) {
            waiting += Double(link.queue(at: now, clock)) / 1000 * link.rate
        }
        let before = encoder.bitsPerSecond
        encoder.set(
            capacity: capacity * 8000 * payloadShare / (1 + (links.count > 1 ? doubledShare : 0)), queueMs: waiting / max(capacity, 1),
            tuning, at: now)
        if let from = encoder.cut(from: before, at: now) { note(.rateCut(from: from, to: encoder.bitsPerSecond)) }
    }
}
