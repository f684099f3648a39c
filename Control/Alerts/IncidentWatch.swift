import Posix
import Store

/// Whether one thing that one user wants to know of has begun, and whether it is over. Holds no clock.
///
/// It begins once it has lasted for as long as the user said, and is over once it has been well for a while: half a minute, and twice as long
/// for each time that the same has begun within the last hour, so that what comes and goes is one incident and not twenty.
struct IncidentWatch: Sendable {
    enum Finding: Sendable, Hashable {
        /// It is so, with the figure for a person.
        case holds(String?)
        case well
        /// Nobody can say: it neither begins nor ends.
        case unknown
    }

    enum Verdict: Sendable, Hashable { case begins, isOver }

    /// What its user was told of; nil while there is nothing to tell.
    private(set) var incident: Incident?
    private var earlier = 0
    private var since: Instant?
    private var wellSince: Instant?

    static let calm = Duration.seconds(30)
    static let longestCalm = Duration.seconds(1800)

    init() {}

    /// One that lasts, from before control was started.
    init(_ incident: Incident, earlier: Int) { begun(incident, earlier: earlier) }

    /// Whether there is nothing to be remembered.
    var isIdle: Bool { incident == nil && since == nil }

    /// - Parameter lasting: for how long it has to.
    /// - Returns: what is to be told; it is returned again until `begun` says that it was, or the watch is let go.
    mutating func note(_ finding: Finding, lasting: Duration, at now: Instant) -> Verdict? {
        switch finding {
        case .holds:
            wellSince = nil
            let first = since ?? now
            since = first
            return incident == nil && now - first >= lasting ? .begins : nil
        case .well:
            since = nil
            guard incident != nil else { return nil }
            let first = wellSince ?? now
            wellSince = first
            return now - first >= calmTime ? .isOver : nil
        case .unknown:
            (since, wellSince) = (nil, nil)
            return nil
        }
    }

    /// - Parameter earlier: how many of the same began within the hour before.
    mutating func begun(_ incident: Incident, earlier: Int) {
        self.incident = incident
        self.earlier = earlier
        wellSince = nil
    }

    private var calmTime: Duration { min(Self.longestCalm, Self.calm * (1 << min(earlier, 6))) }
}
