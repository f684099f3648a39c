package import Broadcasts
package import Logging
package import Mail
import Posix
package import Store
import Units
import Wire

/// Tells users what they asked to be told of: one message when it begins, and where they want it one when it is over.
package actor AlertDesk {
    private let store: ControlStore
    private let broadcasts: BroadcastDirector
    /// nil where no mail is sent.
    private let letters: Letters?
    private let log: Log
    private var book: AlertBook?
    private var health: [HealthFinding]?

    /// Between two looks; also the shortest time that a rule may name is several of them.
    private static let interval = Duration.seconds(1)
    /// After a look that could not be written down.
    private static let pause = Duration.seconds(30)

    package init(store: ControlStore, broadcasts: BroadcastDirector, letters: Letters?, log: Log) {
        self.store = store
        self.broadcasts = broadcasts
        self.letters = letters
        self.log = log.part("alerts")
    }

    /// The parts of the server have said how they are.
    package func note(_ health: [HealthFinding]) { self.health = health }

    /// Looks each second, until cancelled.
    package func run() async {
        // try?: a cancelled wait ends the loop.
        while (try? await Task.sleep(for: Self.interval)) != nil {
            do {
                try await look()
            } catch {
                log.error("alerts could not be read or stored; it is tried again", ["error": "\(error)"])
                // try?: as above.
                try? await Task.sleep(for: Self.pause)
            }
        }
    }

    private func look() async throws {
        guard let sights = await broadcasts.sights() else { return }
        let subscribers = try await store.alertSubscribers()
        var book = if let book = self.book { book } else { AlertBook(open: try await store.incidents.open(), at: .now) }
        defer { self.book = book }
        for step in book.look(subscribers, sights, health: health, at: .now) { try await carryOut(step, &book) }
    }

    private func carryOut(_ step: AlertBook.Step, _ book: inout AlertBook) async throws {
        let letters = letters
        let write: Incidents.Writer = { letters?.alert(to: $0, of: $1) }
        switch step {
        case .begin(let key, let new, let organization):
            guard let (incident, earlier) = try await store.incidents.begin(new, for: key.user, in: organization, writing: write) else {
                return book.ended(key)
            }
            book.begun(key, incident, earlier: earlier)
            log.info("somebody is told", ["kind": "\(key.kind.rawValue)", "incident": "\(incident.id)", "user": "\(key.user)"])
        case .end(let key, let incident, let quietly):
            try await store.incidents.end(incident, quietly: quietly, writing: write)
            book.ended(key)
        }
    }
}
