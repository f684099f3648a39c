/// What the server's updater says of itself: it writes this where everybody on the machine may read it, and control shows it. Digests are
/// the SHA-256 of a release's manifest, in hex.
package struct ServerUpdateReport: Codable, Sendable, Hashable {
    package enum Phase: String, Codable, Sendable, CaseIterable {
        case idle
        case working
        /// Something failed, and what was made is taken back.
        case returning
    }

    package enum Result: String, Codable, Sendable, CaseIterable {
        case installed
        /// It did not work, and the version before is back.
        case failed
        /// Somebody had it go back to the version before.
        case wentBack
        /// A copy of the database was put in its place.
        case restored
        /// It did not work, and what was before is not back either.
        case stuck
    }

    package struct Entry: Codable, Sendable, Hashable {
        package var version: String
        /// What ran before.
        package var from: String
        /// ISO 8601.
        package var at: String
        package var result: Result
        /// For people.
        package var reason: String?

        package init(version: String, from: String, at: String, result: Result, reason: String? = nil) {
            self.version = version
            self.from = from
            self.at = at
            self.result = result
            self.reason = reason
        }
    }

    /// Where in its plan a run stands.
    package struct Place: Codable, Sendable, Hashable {
        /// What the step makes, for people.
        package var title: String
        /// From 1 on.
        package var number: Int
        package var of: Int

        package init(title: String, number: Int, of: Int) {
            self.title = title
            self.number = number
            self.of = of
        }
    }

    package var installed: String
    /// Of what is installed; nil for what came with the installation.
    package var release: String?
    /// What the server can go back to.
    package var previous: String?
    package var phase: Phase
    /// The version that a run is on its way to.
    package var target: String?
    package var place: Place?
    /// The last order that was taken up, in hex.
    package var order: String?
    /// Why that one was not begun; nil where it was.
    package var refusal: String?
    /// The highest number of a release that was seen; older ones are not taken.
    package var sequence: Int?
    /// Releases that did not work here; they are not taken again by themselves.
    package var failed: [String]
    /// The newest first.
    package var history: [Entry]

    /// Entries that are kept (DEP-11).
    package static let historyLimit = 100

    package init(
        installed: String, release: String? = nil, previous: String? = nil, phase: Phase = .idle, target: String? = nil,
        place: Place? = nil, order: String? = nil, refusal: String? = nil, sequence: Int? = nil, failed: [String] = [],
        history: [Entry] = []
    ) {
        self.installed = installed
        self.release = release
        self.previous = previous
        self.phase = phase
        self.target = target
        self.place = place
        self.order = order
        self.refusal = refusal
        self.sequence = sequence
        self.failed = failed
        self.history = history
    }
}
