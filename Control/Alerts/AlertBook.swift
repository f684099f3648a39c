import Auth
import Broadcasts
import Posix
import Store
import Units
import Wire

/// What a part of the server said of itself last.
package struct HealthFinding: Sendable, Hashable {
    package var part: String
    package var hasFailed: Bool
    package var detail: String?

    package init(part: String, hasFailed: Bool, detail: String?) {
        self.part = part
        self.hasFailed = hasFailed
        self.detail = detail
    }
}

/// Who is to be told of what: holds the rules of all users against all broadcasts. Holds no clock and opens nothing.
struct AlertBook: Sendable {
    struct Key: Hashable, Sendable {
        let user: UserID
        let kind: AlertKind
        let subject: String
    }

    enum Step: Sendable {
        case begin(Key, NewIncident, in: OrganizationID)
        /// - quietly: what it was about is over itself.
        case end(Key, Incident, quietly: Bool)
    }

    private var watches: [Key: IncidentWatch]
    private var flows: [BroadcastID: Flow] = [:]
    private let startedAt: Instant
    /// Senders that were there since.
    private var seen: Set<DeviceID> = []

    /// After a start of control boards dial again within this time (`Presence`): who has not yet is not away.
    private static let startPatience = Duration.seconds(45)

    /// - Parameter open: what users were told of and is not over.
    init(open: [(incident: Incident, earlier: Int)], at now: Instant) {
        startedAt = now
        watches = Dictionary(
            open.map { one in
                (
                    Key(user: one.incident.user, kind: one.incident.kind, subject: one.incident.subject),
                    IncidentWatch(one.incident, earlier: one.earlier)
                )
            }
        ) { first, _ in first }
    }

    /// - Parameters:
    ///   - sights: of all broadcasts that are not over.
    ///   - health: nil where nobody has looked yet.
    /// - Returns: what is to be told; again at the next look, until `begun` or `ended` says that it was.
    mutating func look(
        _ subscribers: [AlertSubscriber], _ sights: [BroadcastSight], health: [HealthFinding]?, at now: Instant
    ) -> [Step] {
        follow(sights, at: now)
        let byOrganization = Dictionary(grouping: sights, by: \.organization)
        var steps: [Step] = []
        var judged: Set<Key> = []
        for subscriber in subscribers {
            for rule in subscriber.rules {
                for (new, finding) in findings(rule, subscriber, byOrganization[subscriber.organization] ?? [], health, at: now) {
                    let key = Key(user: subscriber.user, kind: rule.kind, subject: new.subject)
                    judged.insert(key)
                    guard let verdict = note(finding, key, lasting: .seconds(rule.seconds ?? 0), at: now) else { continue }
                    switch verdict {
                    case .begins: steps.append(.begin(key, new, in: subscriber.organization))
                    case .isOver: if let incident = watches[key]?.incident { steps.append(.end(key, incident, quietly: false)) }
                    }
                }
            }
        }
        return steps + vanished(judged, isHealthKnown: health != nil)
    }

    mutating func begun(_ key: Key, _ incident: Incident, earlier: Int) {
        watches[key, default: IncidentWatch()].begun(incident, earlier: earlier)
    }

    /// It is over, or its user does not want to know of it any more.
    mutating func ended(_ key: Key) { watches[key] = nil }

    private mutating func note(_ finding: IncidentWatch.Finding, _ key: Key, lasting: Duration, at now: Instant) -> IncidentWatch.Verdict? {
        guard var watch = watches[key] else {
            guard case .holds = finding else { return nil }
            var watch = IncidentWatch()
            defer { watches[key] = watch }
            return watch.note(finding, lasting: lasting, at: now)
        }
        let verdict = watch.note(finding, lasting: lasting, at: now)
        watches[key] = watch.isIdle ? nil : watch
        return verdict
    }

    /// What nobody can judge any more: the broadcast is over, the output gone, the rule taken back, the user shut out.
    private mutating func vanished(_ judged: Set<Key>, isHealthKnown: Bool) -> [Step] {
        var steps: [Step] = []
        for (key, watch) in watches where !judged.contains(key) && (key.kind != .health || isHealthKnown) {
            if let incident = watch.incident { steps.append(.end(key, incident, quietly: true)) } else { watches[key] = nil }
        }
        return steps
    }

    // MARK: What is found

    private mutating func follow(_ sights: [BroadcastSight], at now: Instant) {
        let there = Set(sights.map(\.id))
        flows = flows.filter { there.contains($0.key) }
        for sight in sights {
            if sight.isSenderThere { seen.insert(sight.sender) }
            guard let ingest = sight.report?.ingest, let delivered = ingest.deliveredPacketsTotal, ingest.state == .flowing else {
                flows[sight.id] = nil
                continue
            }
            flows[sight.id, default: Flow()].note(lost: ingest.lostPacketsTotal, delivered: delivered, at: now)
        }
    }

    private func findings(
        _ rule: AlertRule, _ subscriber: AlertSubscriber, _ sights: [BroadcastSight], _ health: [HealthFinding]?, at now: Instant
    ) -> [(NewIncident, IncidentWatch.Finding)] {
        switch rule.kind {
        case .health:
            guard Policy.allows(subscriber.role, .viewDiagnostics) else { return [] }
            return (health ?? []).map { part in
                (
                    NewIncident(kind: .health, subject: part.part, sender: nil, part: part.part, broadcast: nil, reason: part.detail),
                    part.hasFailed ? .holds(part.detail) : .well
                )
            }
        case .output:
            return sights.filter(\.isOnAir).flatMap { sight in
                sight.outputs.map { output in
                    let new = NewIncident(
                        kind: .output, subject: output.id.text, sender: sight.sender, part: output.name, broadcast: sight.id,
                        reason: output.reason)
                    return (new, Self.finding(output))
                }
            }
        case .loss, .bitrate, .offline, .silence, .black, .frozen, .noSignal:
            return sights.map { sight in
                let finding = finding(rule, sight, at: now)
                let reason: String? = if case .holds(let words) = finding { words } else { nil }
                let new = NewIncident(
                    kind: rule.kind, subject: sight.id.text, sender: sight.sender, part: nil, broadcast: sight.id, reason: reason)
                return (new, finding)
            }
        }
    }

    private static func finding(_ output: BroadcastSight.Output) -> IncidentWatch.Finding {
        switch output.state {
        case .failed, .retrying: .holds(output.reason)
        case .connected: .well
        case .connecting, nil: .unknown
        }
    }

    private func finding(_ rule: AlertRule, _ sight: BroadcastSight, at now: Instant) -> IncidentWatch.Finding {
        if let alarm = rule.kind.alarm {
            // What a sender that is away shows nobody knows.
            guard sight.isSenderThere else { return .unknown }
            return sight.alarms.contains(alarm) ? .holds(nil) : .well
        }
        switch rule.kind {
        case .loss:
            guard let share = flows[sight.id]?.share else { return .unknown }
            let percent = share * 100
            return percent > Double(rule.value ?? 100) ? .holds("\(Int(percent.rounded())) % of the stream are missing") : .well
        case .bitrate:
            guard sight.isOnAir, let ingest = sight.report?.ingest else { return .unknown }
            let kilobits = sight.isInterrupted ? 0 : ingest.bitrate.kilobits
            return kilobits < rule.value ?? 0 ? .holds("\(kilobits) kbit/s arrive") : .well
        case .offline:
            if sight.isSenderThere { return .well }
            return seen.contains(sight.sender) || now - startedAt >= Self.startPatience ? .holds(nil) : .unknown
        case .output, .silence, .black, .frozen, .noSignal, .health: return .unknown
        }
    }
}

/// The share of a stream that is missing, over the last seconds. Holds no clock.
struct Flow: Sendable {
    private var totals: [(lost: Int, all: Int, at: Instant)] = []

    private static let window = Duration.seconds(5)

    /// - Parameters: running totals; where they are fewer than before they are counted anew.
    mutating func note(lost: Int, delivered: Int, at now: Instant) {
        let all = lost + delivered
        if let last = totals.last, all < last.all || lost < last.lost { totals = [] }
        totals.append((lost, all, now))
        while totals.count > 2, now - totals[1].at >= Self.window { totals.removeFirst() }
    }

    /// 0 to 1; nil while nothing came that it could be a share of.
    var share: Double? {
        guard let first = totals.first, let last = totals.last, last.all > first.all else { return nil }
        return Double(last.lost - first.lost) / Double(last.all - first.all)
    }
}
