import Store
import Units
import Wire

/// Which names that a sender tells of itself become labels in `/metrics`.
///
/// A series stays in a Prometheus for as long as that keeps anything. So a name has to be one of the sender's inventory, and of those,
/// which it may change each second, it has a few in a day.
struct LabelBook: Sendable {
    /// Names of one sender that were labels lately, and when each was told last.
    private struct Kept: Sendable {
        var links: [String: Timestamp] = [:]
        var modems: [String: Timestamp] = [:]
    }

    private var kept: [String: Kept] = [:]

    /// Of one sender: more than any board has, with some that were pulled and plugged again.
    static let linkLimit = 16
    static let modemLimit = WireLimits.modems
    /// For how long a name keeps its place after it was told last.
    static let memory = Duration.seconds(86_400)

    /// A sample without what is not to be a label.
    ///
    /// - Returns: `hidden`: entries that were left out.
    mutating func shown(
        _ sample: AgentTelemetry, of sender: String, with inventory: Inventory, at now: Timestamp
    ) -> (sample: AgentTelemetry, hidden: Int) {
        let listed = Set(inventory.links.map(\.name))
        var mine = kept[sender] ?? Kept()
        defer { kept[sender] = mine }
        mine.links = mine.links.filter { Self.isRecent($0.value, at: now) }
        mine.modems = mine.modems.filter { Self.isRecent($0.value, at: now) }
        func isShown(_ link: String) -> Bool {
            listed.contains(link) && Self.admit(link, to: &mine.links, upTo: Self.linkLimit, at: now)
        }
        var result = sample
        result.links = sample.links.filter { isShown($0.name) }
        result.interfaces = sample.interfaces?.filter { isShown($0.name) }
        result.usage = sample.usage?.filter { isShown($0.link) }
        result.modems = sample.modems?.filter { Self.admit($0.id, to: &mine.modems, upTo: Self.modemLimit, at: now) }.map { modem in
            var modem = modem
            if let link = modem.link, !isShown(link) { modem.link = nil }
            return modem
        }
        return (result, Self.entries(of: sample) - Self.entries(of: result))
    }

    /// Forgets senders that are gone for good, or for longer than their names are kept.
    mutating func keep(only senders: Set<String>, at now: Timestamp) {
        kept = kept.filter { sender, mine in
            senders.contains(sender) || (Array(mine.links.values) + Array(mine.modems.values)).contains { Self.isRecent($0, at: now) }
        }
    }

    private static func admit(_ name: String, to kept: inout [String: Timestamp], upTo limit: Int, at now: Timestamp) -> Bool {
        guard kept[name] != nil || kept.count < limit else { return false }
        kept[name] = now
        return true
    }

    /// What lies ahead is of a clock that was set back.
    private static func isRecent(_ time: Timestamp, at now: Timestamp) -> Bool { time <= now && now - time < memory }

    private static func entries(of sample: AgentTelemetry) -> Int {
        sample.links.count + (sample.interfaces?.count ?? 0) + (sample.usage?.count ?? 0) + (sample.modems?.count ?? 0)
    }
}
