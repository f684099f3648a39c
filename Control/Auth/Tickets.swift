import Crypto
import Posix
import Store
import Units

/// Single-use tickets that open a WebSocket, so that no token stands in a URL (THREATS 11). In memory: a restart costs a
/// browser one more request.
final class Tickets: Sendable {
    private struct Ticket {
        let session: SessionID
        let issuedAt: Timestamp
        var expiresAt: Timestamp { issuedAt + Tickets.lifetime }

        /// One from the future is of before the clock was set back, and would be good for longer than its time.
        func isGood(at now: Timestamp) -> Bool { issuedAt <= now && now < expiresAt }
    }

    static let lifetime = Duration.seconds(30)
    /// Tickets that may be open at once; beyond it the oldest have to go.
    private static let bound = 10_000

    private let tickets = Guarded([[UInt8]: Ticket]())

    func issue(for session: SessionID, at now: Timestamp) -> Secret {
        let secret = Secret(Base64URL.encode(randomBytes(32)))
        tickets.withLock { tickets in
            if tickets.count >= Self.bound { tickets = tickets.filter { $0.value.isGood(at: now) } }
            if tickets.count >= Self.bound, let oldest = tickets.min(by: { $0.value.issuedAt < $1.value.issuedAt })?.key {
                tickets[oldest] = nil
            }
            tickets[SHA256.hash(secret.revealed)] = Ticket(session: session, issuedAt: now)
        }
        return secret
    }

    /// The session of a ticket, which is used up by it; nil for an unknown, used or expired one.
    func redeem(_ secret: Secret, at now: Timestamp) -> SessionID? {
        let ticket = tickets.withLock { $0.removeValue(forKey: SHA256.hash(secret.revealed)) }
        guard let ticket, ticket.isGood(at: now) else { return nil }
        return ticket.session
    }
}
