/// What a link, or the SIM card that it goes by, has carried in its billing cycle, by the kernel's count and whoever's traffic it was.
package struct UsageTelemetry: Codable, Sendable, Hashable {
    package var link: String
    /// The last four digits of the SIM card's number; nil for a link without one.
    package var sim: String?
    /// The cycle's first day, `2026-11-15`, UTC; nil while the board's clock is not set and nothing is known of earlier.
    package var since: String?
    package var sentBytes: Int
    package var receivedBytes: Int
    /// Of both together; nil where the configuration gives none.
    package var capBytes: Int?
    package var state: State

    package enum State: String, Codable, Sendable, CaseIterable {
        case within
        /// From 80 % of the cap on.
        case near
        /// The cap is used up: the link is the last resort until the next cycle.
        case spent
    }

    package init(
        link: String, sim: String?, since: String?, sentBytes: Int, receivedBytes: Int, capBytes: Int?, state: State
    ) {
        self.link = link
        self.sim = sim
        self.since = since
        self.sentBytes = sentBytes
        self.receivedBytes = receivedBytes
        self.capBytes = capBytes
        self.state = state
    }
}
