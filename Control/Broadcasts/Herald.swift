import Logging
import Posix
import Store

/// Keeps one broadcast in the store, and tells webhooks what changed of it, each thing once. What the store does not take is kept, and stored as
/// soon as there is room.
actor Herald {
    private let store: BroadcastStore
    private let log: Log
    /// The newest that was given.
    private var machine: BroadcastMachine
    private var hasEnded: Bool
    /// As it was when others were told of it last.
    private var told: BroadcastMachine
    private var toldAt: Instant?
    /// What could not be stored.
    private var untold: [NewEvent] = []
    /// Events that are kept while nothing can be stored; the oldest go.
    private static let untoldLimit = 100
    /// Between two that nothing else has stored: a board that flaps is told of once a second at most, as what came of it.
    private static let tellingPause = Duration.seconds(1)
    private var telling: Task<Void, Never>?
    /// Stores again what the store did not take.
    private var storing: Task<Void, Never>?

    /// - Parameter machine: what others know already.
    init(_ machine: BroadcastMachine, hasEnded: Bool, store: BroadcastStore, log: Log) {
        self.machine = machine
        self.hasEnded = hasEnded
        self.store = store
        self.log = log
        told = machine
    }

    /// Stores a step, and tells what it changed. Returns when it is stored, or is to be tried again.
    func save(_ machine: BroadcastMachine, hasEnded: Bool) async {
        (self.machine, self.hasEnded) = (machine, hasEnded)
        storing?.cancel()
        storing = nil
        await save(isLate: false)
    }

    /// Tells what was observed and is no part of what is stored.
    func tell(_ machine: BroadcastMachine) async {
        self.machine = machine
        await tell()
    }

    /// It is over: nothing more is observed. What is not stored yet still is.
    func rest() {
        telling?.cancel()
    }

    /// A broadcast goes on and ends with a full disk too; what is so then is stored as soon as there is room.
    private func save(isLate: Bool) async {
        let events = takeNews()
        do {
            try await store.save(machine, hasEnded: hasEnded, telling: events)
            if isLate { log.notice("a broadcast is stored at last", ["broadcast": "\(machine.id)"]) }
        } catch {
            // The orders are idempotent: what was not stored when control ends is reconciled after its start.
            log.error("a broadcast could not be stored", ["broadcast": "\(machine.id)", "error": "\(error)"])
            // A save and a late one may fail side by side: what the first of them would have told comes first, and one of them tries again.
            untold += events
            storing?.cancel()
            storing = Task {
                // try?: one that was cancelled has been overtaken by a newer state.
                if (try? await Task.sleep(for: .seconds(2))) != nil { await save(isLate: true) }
            }
        }
    }

    private func tell() async {
        guard !untold.isEmpty || !machine.events(since: told).isEmpty else { return }
        if let toldAt, Instant.now - toldAt < Self.tellingPause {
            guard telling == nil else { return }
            telling = Task {
                // try?: one that was cancelled has nothing to tell any more.
                guard (try? await Task.sleep(for: Self.tellingPause)) != nil else { return }
                telling = nil
                await tell()
            }
            return
        }
        let events = takeNews()
        do {
            try await store.tell(events, of: machine)
        } catch {
            log.error("events of a broadcast could not be stored", ["broadcast": "\(machine.id)", "error": "\(error)"])
            untold += events
        }
    }

    private func takeNews() -> [NewEvent] {
        let news = untold + machine.events(since: told)
        told = machine
        toldAt = Instant.now
        untold = []
        return Array(news.suffix(Self.untoldLimit))
    }
}
