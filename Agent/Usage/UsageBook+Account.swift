extension UsageBook {
    /// What one SIM card, or one link without any, has carried.
    struct Account: Codable, Sendable, Hashable {
        /// nil until the clock is set.
        var cycle: BillingCycle?
        var firstDay: Int?
        var sent = 0
        var received = 0
        var before: Before?
        var after: After?

        /// The cycle before, to go back to where it was a wrong clock that ended it.
        struct Before: Codable, Sendable, Hashable {
            var cycle: BillingCycle
            var sent: Int
            var received: Int
        }

        /// A newer cycle that the clock has left again, with all that came since, to go on with where it is the clock that is behind.
        struct After: Codable, Sendable, Hashable {
            var cycle: BillingCycle
            var sent: Int
            var received: Int
            /// Days since 1970, the last one by that clock: one that stays for longer was ahead before.
            var until: Int
        }

        /// More than any link carries, and sums of it can be counted.
        static let limit = Int.max / 8
        /// How long a newer cycle is kept.
        static let afterDays = 7

        mutating func add(_ sent: Int, _ received: Int) {
            (self.sent, self.received) = (Self.sum(self.sent, sent), Self.sum(self.received, received))
            guard var after else { return }
            (after.sent, after.received) = (Self.sum(after.sent, sent), Self.sum(after.received, received))
            self.after = after
        }

        /// - Parameter today: days since 1970.
        /// - Returns: whether anything is another than before.
        mutating func turn(to new: BillingCycle, firstDay day: Int, today: Int) -> Bool {
            let old = self
            if let after, new < after.cycle, today > after.until { self.after = nil }
            if let cycle, day == firstDay {
                if new < cycle { goBack(to: new, from: cycle, today) }
                if new > cycle { goOn(to: new, from: cycle) }
            } else {
                after = nil
            }
            // What came before the clock was set, or before the contract's day was told, is of this cycle: rather too much than too little.
            (cycle, firstDay) = (new, day)
            return self != old
        }

        private mutating func goBack(to new: BillingCycle, from newer: BillingCycle, _ today: Int) {
            if after == nil { after = After(cycle: newer, sent: sent, received: received, until: today + Self.afterDays) }
            guard let before, before.cycle == new else { return }
            (sent, received) = (Self.sum(sent, before.sent), Self.sum(received, before.received))
        }

        private mutating func goOn(to new: BillingCycle, from older: BillingCycle) {
            if let after, after.cycle == new {
                (sent, received) = (after.sent, after.received)
            } else {
                before = Before(cycle: older, sent: sent, received: received)
                (sent, received) = (0, 0)
            }
            if let after, after.cycle <= new { self.after = nil }
        }

        private static func sum(_ count: Int, _ more: Int) -> Int { min(count + min(more, limit), limit) }
    }
}
