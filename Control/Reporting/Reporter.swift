package import Logging
package import Posix
package import Web

/// Tells error trackers what went wrong (DIA-01 to 03): the one of the installation's own, and the one of whoever made the program, where
/// they are named. Nobody waits for either.
package final class Reporter: Sendable {
    /// What became of the events of one tracker since the start.
    package struct Account: Sendable {
        /// `own` or `vendor`.
        package let tracker: String
        package let waiting: Int
        package let taken: Int
        package let refused: Int
        package let dropped: Int
    }

    private let vendor: Outlet
    private let own: Outlet
    private let crumbs = Guarded<[Log.Entry]>([])

    /// Lines of the log that an event is told with.
    static let crumbLimit = 30
    /// Bytes of a text that are kept of what somebody logs: what is sent of it is less.
    static let textLimit = 8192

    /// - Parameters:
    ///   - lookups: of the same guard as `outbound`.
    ///   - loop: where the connections live; the caller's to stop, after them.
    ///   - options: whom the connections believe; the rest of it is set here.
    ///   - log: that nobody listens to for events: what goes wrong here is no event.
    package init(
        _ deployment: Deployment, vendor: DSN?, lookups: Lookups, outbound: OutboundGuard, loop: Loop,
        options: ClientOptions = ClientOptions(), log: Log
    ) {
        var options = options
        options.connectTimeout = .seconds(5)
        options.responseTimeout = .seconds(10)
        // What it says is not read.
        options.bodyLimit = 64 << 10
        let way = Outlet.Way(lookups: lookups, outbound: outbound, loop: loop, options: options)
        self.vendor = Outlet(way, deployment: deployment, log: log.part("errors").with("whose", "vendor"))
        own = Outlet(way, deployment: deployment, log: log.part("errors").with("whose", "own"))
        self.vendor.direct(to: vendor)
    }

    /// Runs until its task is cancelled; what waits then is lost.
    package func run() async {
        async let sending: Void = vendor.run()
        await own.run()
        await sending
    }

    /// From now on the installation's own events go there, or nowhere.
    package func direct(to dsn: DSN?) { own.direct(to: dsn) }

    /// Hears a line of the log, in the task that writes it.
    package func hear(_ entry: Log.Entry) { note(entry, route: Errand.current?.route, organization: Errand.current?.organization) }

    /// Hears a line of the log: an error becomes an event, and all are told with those that come after them.
    ///
    /// - Parameters:
    ///   - route: what the request asked for that it was logged in.
    ///   - organization: whose request it was, where the line names nobody.
    package func note(_ entry: Log.Entry, route: String? = nil, organization: String? = nil) {
        guard own.isOpen || vendor.isOpen else { return }
        let entry = Self.bounded(entry)
        if entry.level == .error { report(ErrorEvent(entry, route: route, organization: organization)) }
        crumbs.withLock { crumbs in
            crumbs.append(entry)
            if crumbs.count > Self.crumbLimit { crumbs.removeFirst() }
        }
    }

    package func report(_ event: ErrorEvent) {
        var event = event
        event.crumbs = crumbs.withLock { $0 } + event.crumbs
        own.add(event)
        vendor.add(event)
    }

    package var accounts: [Account] {
        [("own", own), ("vendor", vendor)].map { name, outlet in
            let (waiting, counts) = outlet.account
            return Account(tracker: name, waiting: waiting, taken: counts.taken, refused: counts.refused, dropped: counts.dropped)
        }
    }

    private static func bounded(_ entry: Log.Entry) -> Log.Entry {
        guard entry.fields.contains(where: { $0.value.utf8.count > textLimit }) else { return entry }
        return Log.Entry(
            unixMs: entry.unixMs, level: entry.level, part: entry.part, message: entry.message,
            fields: entry.fields.map { .init(name: $0.name, value: String(decoding: $0.value.utf8.prefix(textLimit), as: UTF8.self)) },
            place: entry.place)
    }
}
