// Comings and goings of senders, for events.
import Logging
import Posix
import Store
import Units

extension Roster {
    /// Senders that are told of in one transaction: after a start of control all of them come at once, and others write meanwhile.
    private static let presenceBatch = 100

    /// Tells them, until cancelled: each second, since a short absence is not told.
    package func tellPresence() async {
        var known: Presence?
        // try?: a cancelled wait ends the loop.
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            do {
                known = try await toldPresence(known)
            } catch {
                log.error("which senders came and went could not be stored; it is tried again", ["error": "\(error)"])
                // try?: as above.
                try? await Task.sleep(for: .seconds(30))
            }
        }
    }

    /// - Parameter known: nil at the start.
    /// - Returns: what is told now.
    private func toldPresence(_ known: Presence?) async throws -> Presence {
        var presence = if let known { known } else { Presence(told: try await store.presences.online(), at: .now) }
        while true {
            let (came, gone) = presence.look(onlineSenders, at: .now)
            guard !came.isEmpty || !gone.isEmpty else { return presence }
            let batch = (came: Set(came.prefix(Self.presenceBatch)), gone: Set(gone.prefix(Self.presenceBatch)))
            try await store.presences.tell(came: batch.came, gone: batch.gone)
            presence.wasTold(came: batch.came, gone: batch.gone)
        }
    }
}
