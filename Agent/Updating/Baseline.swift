import Units

/// What worked before an update, and has to work after it.
package struct Baseline: Hashable, Sendable {
    package private(set) var inputs: [String]
    package private(set) var links: [String]

    private static let limit = 32

    /// Names that would not fit into a journal are left out, and more than 32 of a kind.
    package init(inputs: [String] = [], links: [String] = []) {
        self.inputs = Self.kept(inputs)
        self.links = Self.kept(links)
    }

    private static func kept(_ names: [String]) -> [String] {
        Array(Set(names.filter { (1...100).contains($0.utf8.count) && $0.isPlain }).sorted().prefix(limit))
    }

    /// The first thing that is missing in a report, for people; nil where nothing is.
    func missing(in report: AgentReport) -> String? {
        if !report.isControlReached { return "control is not reached" }
        if let input = inputs.first(where: { !report.openInputs.contains($0) }) { return "input '\(input)' does not open" }
        if let link = links.first(where: { !report.liveLinks.contains($0) }) { return "link '\(link)' is not up" }
        return nil
    }
}
