/// Carries out the steps of an installation in their order, and takes them back in the reverse one.
///
/// Before a step is made the journal says so, and after it again; without either no further step is taken. So a run that was cut off at any
/// moment, by a failure or a loss of power, is gone on with by the next, and what is taken back is what was made and no more.
package struct Installer: Sendable {
    private let steps: [Step]
    private let store: JournalStore
    /// Unix milliseconds.
    private let now: @Sendable () -> Int64
    private let tell: @Sendable (Progress) -> Void

    /// - Parameter tell: hears of each step as it goes; it must not wait.
    package init(
        _ steps: [Step], store: JournalStore, now: @escaping @Sendable () -> Int64,
        tell: @escaping @Sendable (Progress) -> Void = { _ in }
    ) {
        precondition(Set(steps.map(\.name)).count == steps.count, "the journal knows a step by its name")
        self.steps = steps
        self.store = store
        self.now = now
        self.tell = tell
    }

    /// What each step finds; changes nothing.
    package func plan() async throws -> [PlannedStep] { try await plan(try store.load()) }

    /// Makes what is missing. Where nothing is, and the last run settled with the same order, nothing is written at all.
    ///
    /// - Throws: `StepFault` for the step that failed, after which the run is open; `JournalStore.Fault`.
    package func install(_ order: Journal.Order) async throws -> Outcome {
        var journal = try store.load()
        if journal.state == .active, journal.settled == order, try await !plan(journal).contains(where: \.isNeeded) {
            for step in steps { tell(.stands(step.title)) }
            return Outcome(state: journal.state, changed: [], left: [])
        }
        journal.open(order, at: now())
        try store.save(journal)
        var made: [String] = []
        for (index, step) in steps.enumerated() {
            do {
                if try await take(step, Place(number: index + 1, of: steps.count), &journal) { made.append(step.name) }
            } catch let fault as JournalStore.Fault {
                throw fault
            } catch {
                journal.fail(step.name, "\(error)", at: now())
                try store.save(journal)
                throw StepFault(step: step.name, title: step.title, reason: "\(error)")
            }
        }
        journal.settle(at: now())
        try store.save(journal)
        return Outcome(state: journal.state, changed: made, left: [])
    }

    /// Takes back what the open run has made, the last first; what earlier runs made stays.
    ///
    /// - Throws: `StepFault`, after which it can be asked again; `NothingOpen`.
    package func rollBack() async throws -> Outcome {
        var journal = try store.load()
        guard journal.isOpen else { throw NothingOpen() }
        var outcome = try await takeBack(journal.openEntries, .rollBack, &journal)
        journal.roll(at: now())
        try store.save(journal)
        outcome.state = journal.state
        return outcome
    }

    /// Takes back what all runs have made, the last first: all of it with a purge, without it what holds no data.
    package func remove(purge: Bool) async throws -> Outcome {
        var journal = try store.load()
        let kept = Set(steps.filter { $0.contents == .data }.map(\.name))
        let entries = journal.entries.filter { purge || !kept.contains($0.step) }
        var outcome = try await takeBack(entries, .removal, &journal)
        journal.delete(at: now())
        try store.save(journal)
        outcome.state = journal.state
        return outcome
    }

    // MARK: Parts

    private func plan(_ journal: Journal) async throws -> [PlannedStep] {
        var planned: [PlannedStep] = []
        for step in steps {
            do {
                planned.append(PlannedStep(step: step, condition: try await step.look(), isBegun: journal.isBegun(step.name)))
            } catch {
                throw StepFault(step: step.name, title: step.title, reason: "\(error)")
            }
        }
        return planned
    }

    /// - Returns: whether it was made, now or by a run that was cut off before it wrote that down.
    private func take(_ step: Step, _ place: Place, _ journal: inout Journal) async throws -> Bool {
        // Looked at only now: the steps before it may have changed what it finds.
        let condition = try await step.look()
        let isBegun = journal.isBegun(step.name)
        guard condition.isMissing || isBegun else {
            tell(.stands(step.title))
            return false
        }
        tell(.makes(step.title, place))
        if !isBegun {
            let before = try await step.prepare()
            journal.begin(step.name, before: before, at: now())
            try store.save(journal)
        }
        if condition.isMissing { try await step.make() }
        journal.finish(step.name, at: now())
        try store.save(journal)
        return true
    }

    private func takeBack(_ entries: [Journal.Entry], _ reason: Step.Reason, _ journal: inout Journal) async throws -> Outcome {
        var outcome = Outcome(state: journal.state, changed: [], left: [])
        for entry in entries.reversed() {
            guard let step = steps.first(where: { $0.name == entry.step }) else {
                outcome.left.append(Outcome.Left(step: entry.step, reason: "this version of the tool does not know it"))
                continue
            }
            tell(.takesBack(step.title))
            do {
                if case .left(let why) = try await step.undo(entry.before, reason) {
                    outcome.left.append(Outcome.Left(step: entry.step, reason: why))
                    continue
                }
            } catch {
                throw StepFault(step: step.name, title: step.title, reason: "it could not be taken back: \(error)")
            }
            journal.forget(entry, at: now())
            try store.save(journal)
            outcome.changed.append(entry.step)
        }
        return outcome
    }
}

/// Where in its plan a step stands.
package struct Place: Hashable, Sendable {
    /// From 1 on.
    package let number: Int
    package let of: Int
}

/// What an installer says while it works, each with a step's title.
package enum Progress: Hashable, Sendable {
    case stands(String)
    case makes(String, Place)
    case takesBack(String)
}

/// How a run ended.
package struct Outcome: Equatable, Sendable {
    package struct Left: Hashable, Sendable, Codable {
        package let step: String
        package let reason: String
    }

    package fileprivate(set) var state: Journal.State
    /// The steps that were made or taken back, in that order.
    package fileprivate(set) var changed: [String]
    /// What could not be taken back, and stays in the journal.
    package fileprivate(set) var left: [Left]
}

/// A step that failed.
package struct StepFault: Error, Hashable, Sendable, CustomStringConvertible {
    package let step: String
    package let title: String
    package let reason: String

    package var description: String { "\(title): \(reason)" }
}

/// There is no run to take back.
package struct NothingOpen: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String { "no run is open: the last one was done, or was taken back already" }
}
