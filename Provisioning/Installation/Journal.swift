/// What an installation has made on its machine, in that order. It is written before and after each step, so that whatever ends the tool,
/// the next one knows what to go on with and what to take back.
package struct Journal: Codable, Equatable, Sendable {
    package enum State: String, Codable, Sendable {
        /// Nothing was made, or all of it was taken back.
        case pending
        /// A run is on its way, or was cut off.
        case deploying
        case active
        case failed
        /// Removed; data may be left.
        case deleted
    }

    package struct Entry: Codable, Equatable, Sendable {
        package let step: String
        /// The run that made it, from 1 on.
        package let run: Int
        /// False from before it is made until it is.
        package fileprivate(set) var isMade: Bool
        /// What the step has to know to take it back.
        package let before: String
        /// Unix milliseconds.
        package let at: Int64
    }

    package struct Event: Codable, Equatable, Sendable {
        /// Unix milliseconds.
        package let at: Int64
        package let text: String
    }

    package struct Failure: Codable, Equatable, Sendable {
        package let step: String
        package let reason: String
    }

    /// What a run was asked for, with which version of the programs.
    package struct Order: Codable, Equatable, Sendable {
        package let settings: [String: String]
        package let version: String

        package init(settings: [String: String], version: String) {
            self.settings = settings
            self.version = version
        }
    }

    /// Events that are kept; the oldest goes first.
    package static let eventLimit = 200

    package private(set) var format = 1
    package private(set) var state = State.pending
    /// One that was cut off or failed and all its repetitions are one run, until it has settled or was taken back.
    package private(set) var run = 0
    /// Of the run that is on its way, or else of the last one that settled.
    package private(set) var order: Order?
    /// Of the last run that settled.
    package private(set) var settled: Order?
    package private(set) var failure: Failure?
    package private(set) var entries: [Entry] = []
    package private(set) var events: [Event] = []

    package init() {}

    /// Whether a run is left that neither settled nor was taken back.
    package var isOpen: Bool { state == .deploying || state == .failed }

    /// Whether a step was begun and not written down as made.
    package func isBegun(_ step: String) -> Bool { entries.contains { $0.step == step && !$0.isMade } }

    /// What the open run has made, in that order.
    package var openEntries: [Entry] { isOpen ? entries.filter { $0.run == run } : [] }

    /// Begins a run, or goes on with the one that is open.
    mutating func open(_ order: Order, at now: Int64) {
        if !isOpen {
            run += 1
            note("run \(run) begins, version \(order.version)", now)
        } else {
            note("run \(run) goes on", now)
        }
        state = .deploying
        failure = nil
        self.order = order
    }

    mutating func begin(_ step: String, before: String, at now: Int64) {
        entries.append(Entry(step: step, run: run, isMade: false, before: before, at: now))
    }

    mutating func finish(_ step: String, at now: Int64) {
        for index in entries.indices where entries[index].step == step { entries[index].isMade = true }
        note("made: \(step)", now)
    }

    mutating func fail(_ step: String, _ reason: String, at now: Int64) {
        state = .failed
        failure = Failure(step: step, reason: reason)
        note("failed: \(step): \(reason)", now)
    }

    mutating func settle(at now: Int64) {
        state = .active
        settled = order
        note("run \(run) is done", now)
    }

    mutating func forget(_ entry: Entry, at now: Int64) {
        entries.removeAll { $0 == entry }
        note("taken back: \(entry.step)", now)
    }

    /// The open run was taken back: what was before it counts again.
    mutating func roll(at now: Int64) {
        note("run \(run) was taken back", now)
        state = settled == nil ? .pending : .active
        order = settled
        failure = nil
        close()
    }

    mutating func delete(at now: Int64) {
        note("removed", now)
        state = .deleted
        settled = nil
        failure = nil
        close()
    }

    /// What was left stays as it is: a later run that finds it missing makes it as its own.
    private mutating func close() {
        for index in entries.indices { entries[index].isMade = true }
    }

    private mutating func note(_ text: String, _ now: Int64) {
        events.append(Event(at: now, text: String(text.prefix(Self.textLimit))))
        if events.count > Self.eventLimit { events.removeFirst(events.count - Self.eventLimit) }
    }

    /// Characters of an event: the reason of a failure may be a tool's whole output.
    private static let textLimit = 500
}
