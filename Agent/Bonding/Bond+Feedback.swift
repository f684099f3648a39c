package import BondWire

/// What comes back from the receiver.
extension Bond {
    /// A report, over the link it came by. The order does not matter: of two, the later one tells all that the other did.
    package mutating func take(_ report: Report, over link: LinkNumber, at: Microseconds) {
        tick(at)
        guard report.links.count <= LinkNumber.limit, abs(report.sentAt.clamped) < 1 << 50, isTrusted(report) else {
            totals.refusedReports += 1
            return
        }
        if let index = index(of: link) { links[index].heard(down: now - report.sentAt, at: now) }
        if let lastReport, report.sentAt <= lastReport {
            totals.staleReports += 1
            return
        }
        lastReport = report.sentAt
        reportHeardAt = now
        if isUnheard {
            isUnheard = false
            note(.heard)
        }
        let before = (refused: totals.refusedArrivals, arrived: arrivedInAll)
        for arrivals in report.links {
            guard let index = index(of: arrivals.link) else { continue }
            take(arrivals, reported: report.sentAt, into: index)
        }
        measureClock()
        noticeFruitless(refused: totals.refusedArrivals - before.refused, arrived: arrivedInAll - before.arrived)
        for index in links.indices { judge(index) }
        weighBacklog()
    }

    /// A report from more than 2 s in the future is not believed, unless twenty in a row say so: then the receiver's clock is
    /// another one, as is one that was set back by as much.
    private mutating func isTrusted(_ report: Report) -> Bool {
        guard let offset = clock.offset else { return true }
        let ahead = report.sentAt - (now + offset)
        let isBack = lastReport.map { report.sentAt < $0 - 2_000_000 } ?? false
        guard ahead > 2_000_000 || isBack else {
            if lastReport.map({ report.sentAt > $0 }) ?? true { distrusted = 0 }
            return true
        }
        distrusted += 1
        guard distrusted >= 20 else { return false }
        restartClocks()
        return true
    }

    /// One of the clocks jumped: what was measured between them is worth nothing.
    mutating func restartClocks() {
        distrusted = 0
        fruitless = 0
        clock.restart()
        lastReport = nil
        for index in links.indices { links[index].restartClock() }
        note(.clockChanged)
    }

    /// Twenty reports in a row of which every arrival makes no sense tell of a clock that jumped as well.
    private mutating func noticeFruitless(refused: Int, arrived: Int) {
        guard refused > 0, arrived == 0 else {
            if arrived > 0 { fruitless = 0 }
            return
        }
        fruitless += 1
        if fruitless >= 20 { restartClocks() }
    }

    private mutating func take(_ arrivals: LinkArrivals, reported: Microseconds, into index: Int) {
        let bit = links[index].bit
        let outcome = links[index].take(arrivals.arrivals, reported: reported, at: now, clock)
        totals.refusedArrivals += outcome.refused
        for number in outcome.arrived where packets.contains(number) {
            packets[number].carriers &= ~bit
            if !packets[number].isConfirmed {
                packets[number].isConfirmed = true
                totals.confirmed += 1
            }
        }
        for number in outcome.lost { release(number, from: bit, reason: .repair) }
        if outcome.hasArrivals, links[index].reviveIfHeard(at: now, clock) { note(.returned(links[index].number)) }
    }

    private var arrivedInAll: Int { links.reduce(0) { $0 + $1.figures.arrived } }

    private mutating func judge(_ index: Int) {
        if let silence = links[index].suspectIfSilent(at: now) { note(.muted(links[index].number, silence: silence)) }
        rescueLate(index)
    }

    /// What a link still carries, but so slowly that it will come too late, goes over the others.
    private mutating func rescueLate(_ index: Int) {
        let link = links[index]
        guard link.isLive, let reported = lastReport, links.count > 1, link.queue(at: now, clock) > tuning.queueLimit else { return }
        var late: [(UInt64, PacketNumber)] = []
        link.forEachPredicted(reported: reported, base: link.base(clock)) { sequence, entry, arrival in
            guard entry.state == .flying, let packet = entry.packet, packets.contains(packet) else { return }
            if arrival > deadline(packet) { late.append((sequence, packet)) }
        }
        for (sequence, number) in late {
            _ = links[index].flight.settle(sequence, as: .rescued)
            let carriers = packets[number].carriers
            if links.contains(where: { $0.isLive && $0.number != link.number && carriers & $0.bit != 0 }) { continue }
            requeue(number, .rescue)
        }
    }

    /// The link with the least round trip says where the receiver's clock stands.
    private mutating func measureClock() {
        var best: (up: Microseconds, down: Microseconds)?
        for link in links {
            guard let up = link.leastUp, let down = link.leastDown else { continue }
            if best.map({ up + down < $0.up + $0.down }) ?? true { best = (up, down) }
        }
        if let best { clock.measured(up: best.up, down: best.down, at: now) }
    }
}

extension Microseconds {
    /// Itself, but for the one number that has no positive.
    fileprivate var clamped: Microseconds { self == .min ? .max : self }
}
