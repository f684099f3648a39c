package import Configuration
package import Posix
package import Wire

/// What the kernel has counted on one interface since it was made.
package struct LinkReading: Sendable, Hashable {
    /// Of the interface; another one after each plugging in.
    package var index: Int
    package var name: String
    package var isCellular: Bool
    package var sentBytes: Int
    package var receivedBytes: Int
    /// Of these, what this board has said to the modem itself, and heard of it: since the agent, or the link, began.
    package var ownSentBytes: Int
    package var ownReceivedBytes: Int

    package init(
        index: Int, name: String, isCellular: Bool, sentBytes: Int, receivedBytes: Int, ownSentBytes: Int = 0, ownReceivedBytes: Int = 0
    ) {
        self.index = index
        self.name = name
        self.isCellular = isCellular
        self.sentBytes = sentBytes
        self.receivedBytes = receivedBytes
        self.ownSentBytes = ownSentBytes
        self.ownReceivedBytes = ownReceivedBytes
    }
}

/// How much each SIM card, and each link that has none, has carried in its billing cycle. Holds no clock and opens nothing.
///
/// It adds up differences of the kernel's counters, which it keeps with the boot that they are of: a restart of the agent misses nothing,
/// and after a reboot or a plugging in they begin at 0, as the kernel's do.
package struct UsageBook: Sendable {
    private var kept: Kept
    /// Counters of a board that was never looked at are where the count begins.
    private var isFirstLook: Bool
    /// When an interface without a known SIM card was seen first, by index.
    private var waiting: [Int: Instant] = [:]
    /// What was taken off for the board's own talk with the modem, by index.
    private var takenOff: [Int: (sent: Int, received: Int)] = [:]
    /// Since when the clock has shown an earlier cycle than the account's, by account.
    private var doubts: [String: Instant] = [:]
    /// By the links' names, from the last look.
    private var places: [String: Place] = [:]
    private var unsaved = 0
    /// nil before the first write on a board that never counted, which is due at once.
    private var savedAt: Instant?
    private var isChanged = false

    private struct Place: Hashable {
        var account: String
        var plan: DataPlan
    }

    /// A modem is found by its daemon, and its SIM card read, within that: until then nobody knows whose bytes they are.
    private static let patience = Duration.seconds(120)
    /// A clock that is behind is put right soon after the board has a link: until then the newest cycle that is known goes on.
    static let doubtTime = Duration.seconds(3600)
    /// A loss of power loses no more than these, or what came within a minute; a write wears the card.
    static let unsavedLimit = 64 << 20
    static let unsavedTime = Duration.seconds(600)
    static let leastPause = Duration.seconds(60)
    private static let accountLimit = 64
    private static let meterLimit = 64

    /// - Parameters:
    ///   - kept: what `text` gave the last time; nil on a board that never counted.
    ///   - boot: the kernel's id of this boot.
    package init(_ kept: Kept?, boot: String, at now: Instant) {
        isFirstLook = kept == nil
        self.kept = kept?.sane ?? Kept(boot: boot)
        if self.kept.boot != boot {
            self.kept.boot = boot
            self.kept.meters = []
        }
        savedAt = kept == nil ? nil : now
    }

    /// Takes what the kernel counts now.
    /// - Parameters:
    ///   - sims: numbers of the SIM cards (ICCID), by their links' names.
    ///   - unixSeconds: nil while the clock is not set: what is counted then belongs to the cycle that is known.
    /// - Returns: the links whose state changed.
    package mutating func count(
        _ readings: [LinkReading], sims: [String: String], plans: [String: DataPlan], unixSeconds: Int64?, at now: Instant
    ) -> [UsageTelemetry] {
        let before = Dictionary(figures.map { ($0.link, $0.state) }) { $1 }
        places = [:]
        for reading in readings {
            guard let account = add(reading, sim: sims[reading.name], now) else { continue }
            let plan = plans[reading.name] ?? DataPlan()
            places[reading.name] = Place(account: account, plan: plan)
            if let unixSeconds { turn(account, unixSeconds, firstDay: plan.firstDay, now) }
        }
        if !readings.isEmpty { isFirstLook = false }
        prune(present: Set(readings.map(\.index)))
        return figures.filter { before[$0.link] ?? .within != $0.state }
    }

    /// - Returns: the account that the reading was added to; nil while it is not known.
    private mutating func add(_ reading: LinkReading, sim: String?, _ now: Instant) -> String? {
        let known = kept.meters.firstIndex { $0.index == reading.index }
        var meter =
            known.map { kept.meters[$0] }
            ?? Meter(index: reading.index, sent: isFirstLook ? reading.sentBytes : 0, received: isFirstLook ? reading.receivedBytes : 0)
        let account: String
        if let sim {
            account = "sim:\(sim)"
        } else if let of = meter.account, of.hasPrefix("sim:") {
            // Its modem is being reset, or its daemon: the card is in it all the same.
            account = of
        } else if reading.isCellular, meter.account == nil, now - waiting[reading.index, default: now] < Self.patience {
            waiting[reading.index] = waiting[reading.index] ?? now
            if isFirstLook { kept.meters.append(meter) }
            return nil
        } else {
            account = "link:\(reading.name)"
        }
        // What came since the last look came by the card that was there then.
        let owner = meter.account.flatMap { $0.hasPrefix("sim:") ? $0 : nil } ?? account
        let (sent, received) = (meter.newly(\.sent, reading.sentBytes), meter.newly(\.received, reading.receivedBytes))
        (meter.sent, meter.received) = (reading.sentBytes, reading.receivedBytes)
        isChanged = isChanged || known == nil || meter.account != account || sent > 0 || received > 0
        meter.account = account
        waiting[reading.index] = nil
        if let known { kept.meters[known] = meter } else { kept.meters.append(meter) }
        let (own, heard) = takeOff(reading, from: sent, received)
        kept.accounts[owner, default: Account()].add(sent - own, received - heard)
        kept.accounts[account, default: Account()].add(0, 0)
        unsaved = min(unsaved + min(sent, Account.limit), Account.limit) + min(received, Account.limit)
        return account
    }

    /// What of the bytes that came since the last look went no further than the modem. What it was talked to about is known before the kernel's
    /// counters are read again: the rest of it is due with the next look.
    private mutating func takeOff(_ reading: LinkReading, from sent: Int, _ received: Int) -> (sent: Int, received: Int) {
        let taken = takenOff[reading.index] ?? (0, 0)
        // Its link began anew, and so did its count.
        let isAnew = reading.ownSentBytes < taken.sent || reading.ownReceivedBytes < taken.received
        let before = isAnew ? (sent: 0, received: 0) : taken
        let own = min(sent, max(0, reading.ownSentBytes - before.sent))
        let heard = min(received, max(0, reading.ownReceivedBytes - before.received))
        takenOff[reading.index] = (before.sent + own, before.received + heard)
        return (own, heard)
    }

    private mutating func turn(_ name: String, _ unixSeconds: Int64, firstDay: Int, _ now: Instant) {
        guard var account = kept.accounts[name] else { return }
        let cycle = BillingCycle(containing: unixSeconds, firstDay: firstDay)
        if let known = account.cycle, account.firstDay == firstDay, cycle < known {
            let since = doubts[name] ?? now
            doubts[name] = since
            guard now - since >= Self.doubtTime else { return }
        }
        doubts[name] = nil
        guard account.turn(to: cycle, firstDay: firstDay, today: Int(unixSeconds / 86_400)) else { return }
        kept.accounts[name] = account
        isChanged = true
    }

    /// Keeps the file small: interfaces that went long ago, and cards that nobody uses any more.
    private mutating func prune(present: Set<Int>) {
        takenOff = takenOff.filter { present.contains($0.key) }
        while kept.meters.count > Self.meterLimit, let gone = kept.meters.firstIndex(where: { !present.contains($0.index) }) {
            kept.meters.remove(at: gone)
        }
        let used = Set(places.values.map(\.account))
        while kept.accounts.count > Self.accountLimit {
            let unused = kept.accounts.filter { !used.contains($0.key) }
            guard let oldest = unused.min(by: { ($0.value.cycle?.start ?? 0, $0.key) < ($1.value.cycle?.start ?? 0, $1.key) }) else {
                return
            }
            kept.accounts[oldest.key] = nil
            doubts[oldest.key] = nil
        }
    }

    /// Of each link that is there, by name.
    package var figures: [UsageTelemetry] {
        places.sorted { $0.key < $1.key }.map { name, place in
            let account = kept.accounts[place.account] ?? Account()
            let total = account.sent + account.received
            let state: UsageTelemetry.State =
                switch place.plan.capBytes {
                case let cap? where total >= cap: .spent
                case let cap? where total >= cap / 5 * 4: .near
                default: .within
                }
            return UsageTelemetry(
                link: name, sim: place.account.hasPrefix("sim:") ? String(place.account.dropFirst(4).suffix(4)) : nil,
                since: account.cycle?.text, sentBytes: account.sent, receivedBytes: account.received, capBytes: place.plan.capBytes,
                state: state)
        }
    }

    /// What is to be written, where it is time for it.
    package mutating func due(at now: Instant) -> Kept? {
        guard isChanged else { return nil }
        if let savedAt {
            let pause = now - savedAt
            guard pause >= Self.leastPause, unsaved >= Self.unsavedLimit || pause >= Self.unsavedTime else { return nil }
        }
        (unsaved, savedAt, isChanged) = (0, now, false)
        return kept
    }

    /// What is to be written at the end.
    package var all: Kept { kept }
}

extension UsageBook {
    /// What lies on disk.
    package struct Kept: Codable, Sendable, Hashable {
        var version = 1
        var boot: String
        var meters: [Meter] = []
        var accounts: [String: Account] = [:]

        init(boot: String) { self.boot = boot }

        /// Without what no board can have counted, whatever became of the file.
        fileprivate var sane: Kept {
            var result = self
            result.meters = meters.filter { $0.sent >= 0 && $0.received >= 0 }
            result.accounts = accounts.filter { _, account in
                let (before, after) = (account.before, account.after)
                let cycles = [account.cycle, before?.cycle, after?.cycle].compactMap { $0 }
                let counts = [account.sent, account.received, before?.sent, before?.received, after?.sent, after?.received]
                return cycles.allSatisfy { (0...1_000_000).contains($0.start) }
                    && counts.allSatisfy { (0...Account.limit).contains($0 ?? 0) }
            }
            return result
        }
    }

    /// What of the kernel's counters is in the book.
    struct Meter: Codable, Sendable, Hashable {
        var index: Int
        var sent: Int
        var received: Int
        /// Whose the last of it was: `sim:` and the card's number, or `link:` and its name.
        var account: String?

        /// What came since; a counter below what it was has begun anew.
        func newly(_ counter: KeyPath<Meter, Int>, _ count: Int) -> Int {
            max(0, count >= self[keyPath: counter] ? count - self[keyPath: counter] : count)
        }
    }
}
