import Units
import Wire

/// What became of the commands of late, so that each is carried out once and answered at least once. Holds at most
/// `limit` outcomes; the oldest is forgotten first.
struct CommandLedger: Sendable {
    enum Arrival: Equatable, Sendable {
        case new
        /// It is being carried out; its outcome will come.
        case running
        /// Asked for again, as its outcome was lost on the way.
        case finished(CommandOutcome)
    }

    private let limit: Int
    private var running: Set<CommandID> = []
    private var outcomes: [CommandID: CommandOutcome] = [:]
    private var order: [CommandID] = []
    /// Finished while nobody could be told, in order.
    private var unsent: [CommandID] = []

    init(limit: Int = 256) { self.limit = limit }

    mutating func arrived(_ id: CommandID) -> Arrival {
        if let outcome = outcomes[id] { return .finished(outcome) }
        return running.insert(id).inserted ? .new : .running
    }

    mutating func finished(_ outcome: CommandOutcome) {
        running.remove(outcome.id)
        if outcomes.updateValue(outcome, forKey: outcome.id) == nil { order.append(outcome.id) }
        guard order.count > limit else { return }
        let oldest = order.removeFirst()
        outcomes[oldest] = nil
        unsent.removeAll { $0 == oldest }
    }

    mutating func couldNotSend(_ id: CommandID) {
        if outcomes[id] != nil && !unsent.contains(id) { unsent.append(id) }
    }

    /// Those that were finished without a connection, in order; they count as sent from now on.
    mutating func takeUnsent() -> [CommandOutcome] {
        defer { unsent.removeAll() }
        return unsent.compactMap { outcomes[$0] }
    }
}
