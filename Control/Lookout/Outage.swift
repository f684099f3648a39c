/// What is known between two looks at a server: kept in a file, so that no restart tells anybody the same twice (DIA-21).
package struct Outage: Codable, Sendable, Hashable {
    /// Looks that failed, in a row.
    package private(set) var failures = 0
    /// When the first of them was, in milliseconds since 1970; 0 while all is well.
    package private(set) var sinceMs: Int64 = 0
    /// Whose mail about it was taken, and who wait for the one that it is over.
    package private(set) var told: [String] = []

    package enum Step: Hashable, Sendable {
        case nothing
        /// It has failed often enough, and these do not know it.
        case tellFailure(to: [String])
        /// It is over, and these were told that it had begun.
        case tellRecovery(to: [String])
    }

    package init() {}

    /// - Parameters:
    ///   - atMs: now, in milliseconds since 1970.
    ///   - limit: failures in a row before anybody is told.
    package mutating func saw(isWell: Bool, atMs: Int64, limit: Int, people: [String]) -> Step {
        guard !isWell else {
            failures = 0
            if !told.isEmpty { return .tellRecovery(to: told) }
            self = Outage()
            return .nothing
        }
        // One that comes before everybody knows of the end of the one before goes on as that one.
        if failures == 0, told.isEmpty { sinceMs = atMs }
        failures = min(failures + 1, 1_000_000)
        let unaware = people.filter { !told.contains($0) }
        return failures < limit || unaware.isEmpty ? .nothing : .tellFailure(to: unaware)
    }

    /// A server took somebody's mail.
    package mutating func took(_ step: Step, for person: String) {
        switch step {
        case .nothing: break
        case .tellFailure: told.append(person)
        case .tellRecovery:
            told.removeAll { $0 == person }
            if told.isEmpty { self = Outage() }
        }
    }
}
