import Installation
import Posix

/// A machine of things and a disk for its journal, in memory: each change of either can be the last one before the power is cut, and a
/// step can fail.
final class World: Sendable {
    /// The power is gone: nothing is changed any more.
    struct Cut: Error {}
    struct Broken: Error, CustomStringConvertible { let description = "it broke" }

    private struct State {
        var things: [String: String]
        var journal: [UInt8]?
        var changes = 0
        var makes: [String] = []
        var cutAt: Int?
        var isCutAfter = false
        var isDark = false
        var failing: Set<String> = []
    }

    private let state: Guarded<State>

    init(_ things: [String: String] = [:]) { state = Guarded(State(things: things)) }

    var things: [String: String] { state.withLock { $0.things } }
    /// How often a thing or the journal was changed since the last `power`.
    var changes: Int { state.withLock { $0.changes } }
    /// The steps whose `make` was called, in that order.
    var makes: [String] { state.withLock { $0.makes } }

    /// The power is back, and goes at the change with this number, before it happens or after.
    func power(cutAt number: Int? = nil, after isAfter: Bool = false) {
        state.withLock {
            ($0.changes, $0.isDark, $0.cutAt, $0.isCutAfter) = (0, false, number, isAfter)
        }
    }

    /// The step fails once, with all its parts made but the last.
    func fail(_ step: String) { state.withLock { _ = $0.failing.insert(step) } }

    private func change(_ body: (inout State) -> Void) throws {
        try state.withLock { state in
            guard !state.isDark else { throw Cut() }
            state.changes += 1
            guard state.changes == state.cutAt else { return body(&state) }
            state.isDark = true
            if state.isCutAfter { body(&state) }
            throw Cut()
        }
    }

    var store: JournalStore {
        JournalStore(
            read: { self.state.withLock { $0.journal } },
            write: { bytes in try self.change { $0.journal = bytes } })
    }

    var journal: Journal { get throws { try store.load() } }

    /// A step whose parts are things that are to be `new`.
    func step(_ name: String, _ parts: [String], contents: Step.Contents = .machinery) -> Step {
        Step(
            name, .storage, "the thing \(name)", contents: contents,
            look: { [self] in
                let things = self.things
                return parts.allSatisfy { things[$0] == "new" } ? .done : .missing("not all of \(parts)")
            },
            prepare: { [self] in
                let things = self.things
                return parts.filter { things[$0] != "new" }.map { "\($0)=\(things[$0] ?? "")" }.joined(separator: ",")
            },
            make: { [self] in
                state.withLock { $0.makes.append(name) }
                for part in parts {
                    if part == parts.last, state.withLock({ $0.failing.remove(name) }) != nil { throw Broken() }
                    try change { $0.things[part] = "new" }
                }
            },
            undo: { [self] before, _ in
                for entry in before.split(separator: ",").reversed() {
                    let pair = entry.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
                    try change { $0.things[pair[0]] = pair[1].isEmpty ? nil : pair[1] }
                }
                return .gone
            })
    }

    func installer(_ steps: [Step]) -> Installer { Installer(steps, store: store, now: { 1_700_000_000_000 }) }
}
