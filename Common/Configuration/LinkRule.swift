package import Units

/// What the owner of a board decides about one of its links.
package struct LinkRule: Sendable, Hashable {
    package enum Cost: String, Sendable, CaseIterable {
        case free, metered
        /// Carries only what the others cannot bring in time.
        case lastResort = "last_resort"
    }

    /// nil: by the link's kind, a modem is metered and anything else free.
    package var cost: Cost?
    /// The most that is sent over it, with all headers.
    package var ceiling: Bitrate?
    /// Of the link, or of the SIM card that it goes by.
    package var data: DataPlan

    package init(cost: Cost? = nil, ceiling: Bitrate? = nil, data: DataPlan = DataPlan()) {
        self.cost = cost
        self.ceiling = ceiling
        self.data = data
    }

    /// The sections `[[link]]`, by the links' names.
    /// - Parameter plan: reads what their contracts are; nil for a program that counts nothing, where the keys are unknown.
    package static func read(
        _ reader: ConfigurationReader, plan: ((ConfigurationSection) -> DataPlan)? = nil
    ) -> [String: LinkRule] {
        var rules: [String: LinkRule] = [:]
        for section in reader.sections("link") {
            let name = section.string("name", "the name of an interface", where: SenderConfiguration.isLink)
            var rule = LinkRule()
            if section.isGiven("cost") { rule.cost = section.choice("cost", placeholder: Cost.free) }
            if section.isGiven("ceiling_kbit") { rule.ceiling = section.bitrate("ceiling_kbit", in: 50...1_000_000) }
            if let plan { rule.data = plan(section) }
            if rules.updateValue(rule, forKey: name) != nil { reader.note("link.name", name, "one section for each link") }
        }
        return rules
    }
}
