import Posix
package import Units

/// Something that open connections have to follow at once.
package enum Revocation: Sendable, Hashable {
    /// The session ended: close its sockets.
    case session(SessionID)
    /// The user's role changed: ask again what they may do.
    case role(UserID)
}

/// Tells everybody who holds sockets of what was revoked.
final class Revocations: Sendable {
    private struct State {
        var next = 0
        var listeners: [Int: AsyncStream<Revocation>.Continuation] = [:]
    }

    /// A listener that is this far behind is not listening.
    private static let bound = 4096

    private let state = Guarded(State())

    func listen() -> AsyncStream<Revocation> {
        let (stream, continuation) = AsyncStream.makeStream(of: Revocation.self, bufferingPolicy: .bufferingOldest(Self.bound))
        let id = state.withLock { state -> Int in
            state.next += 1
            state.listeners[state.next] = continuation
            return state.next
        }
        continuation.onTermination = { [weak self] _ in self?.state.withLock { $0.listeners[id] = nil } }
        return stream
    }

    func tell(_ revocations: [Revocation]) {
        let listeners = state.withLock { $0.listeners }
        for (id, listener) in listeners {
            for revocation in revocations {
                guard case .dropped = listener.yield(revocation) else { continue }
                // No revocation may be lost: a stream that ended tells its reader to close everything.
                state.withLock { $0.listeners[id] = nil }
                listener.finish()
                break
            }
        }
    }
}
