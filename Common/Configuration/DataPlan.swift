/// What a link's contract lets it carry in a billing cycle.
package struct DataPlan: Sendable, Hashable {
    /// Sent and received together; nil: it is counted and nothing else.
    package var capBytes: Int?
    /// The day of the month that a cycle begins with; in a month that is shorter, its last day.
    package var firstDay: Int

    package init(capBytes: Int? = nil, firstDay: Int = 1) {
        self.capBytes = capBytes
        self.firstDay = firstDay
    }

    package static let caps = 1...100_000_000
    package static let days = 1...31

    init(_ section: ConfigurationSection) {
        firstDay = section.integer("cycle_day", default: 1, in: Self.days)
        if section.isGiven("data_cap_mib") { capBytes = section.size("data_cap_mib", in: Self.caps) }
    }
}
