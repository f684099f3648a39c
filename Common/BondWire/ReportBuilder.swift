/// Collects what comes over the links, and makes reports of it.
package struct ReportBuilder {
    private struct Link {
        var connection: ConnectionNumber
        var received: UInt64 = 0
        var arrivals: [LinkArrivals.Arrival] = []
    }

    /// How long an arrival is repeated, so that a few reports can be lost.
    private let span: Microseconds
    private var links: [LinkNumber: Link] = [:]

    package init(span: Microseconds = 400_000) { self.span = span }

    /// A datagram came.
    /// - Parameter connection: of its association; another one than before begins the link anew.
    package mutating func arrived(_ sequence: UInt64, over link: LinkNumber, _ connection: ConnectionNumber, at now: Microseconds) {
        var entry = links.removeValue(forKey: link) ?? Link(connection: connection)
        if entry.connection != connection { entry = Link(connection: connection) }
        entry.received += 1
        entry.arrivals.append(LinkArrivals.Arrival(sequence: sequence, at: now))
        // No datagram tells more of them, whatever the rate: they are let go in halves, since each goes in one step.
        if entry.arrivals.count > 2 * Report.byteLimit { entry.arrivals.removeFirst(Report.byteLimit) }
        links[link] = entry
    }

    package mutating func remove(_ link: LinkNumber) { links[link] = nil }

    package mutating func removeAll() { links = [:] }

    /// What came in the last 400 ms, and of each link at least the last arrival.
    package mutating func report(at now: Microseconds) -> Report {
        var told: [LinkArrivals] = []
        for (link, var entry) in links.sorted(by: { $0.key < $1.key }) {
            let old = entry.arrivals.prefix { $0.at < now - span }.count
            entry.arrivals.removeFirst(min(old, entry.arrivals.count - 1))
            links[link] = entry
            told.append(LinkArrivals(link: link, arrivals: entry.arrivals, connection: entry.connection, received: entry.received))
        }
        return Report(sentAt: now, links: told)
    }
}
