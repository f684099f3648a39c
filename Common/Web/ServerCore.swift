import HTTP
import Posix

/// What all connections of a server share.
final class ServerCore: Sendable {
    let configuration: ServerConfiguration
    let handler: @Sendable (Request) async -> Response
    private let state = Guarded(State())

    private struct State {
        var count = 0
        /// Of them, or their other ends, those that are passed on.
        var passed = 0
        var byNetwork: [SocketAddress: Int] = [:]
        var isDraining = false
        /// Told when the last connection has gone.
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    init(configuration: ServerConfiguration, handler: @escaping @Sendable (Request) async -> Response) {
        self.configuration = configuration
        self.handler = handler
    }

    var limits: ServerLimits { configuration.limits }
    var isDraining: Bool { state.withLock { $0.isDraining } }
    var connectionCount: Int { state.withLock { $0.count } }

    /// Counts a connection in, where the caps allow it.
    func admit(_ peer: SocketAddress) -> Bool {
        let network = countedNetwork(peer)
        return state.withLock { state in
            guard !state.isDraining, state.count < limits.connections else { return false }
            if let network {
                guard state.byNetwork[network, default: 0] < limits.connectionsPerAddress else { return false }
                state.byNetwork[network, default: 0] += 1
            }
            state.count += 1
            return true
        }
    }

    func release(_ peer: SocketAddress) {
        let network = countedNetwork(peer)
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.count -= 1
            if let network {
                let left = state.byNetwork[network, default: 1] - 1
                state.byNetwork[network] = left > 0 ? left : nil
            }
            guard state.count == 0 else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Counts a connection that is passed on, where the cap allows it.
    func takePassage() -> Bool {
        state.withLock { state in
            guard !state.isDraining, state.passed < limits.passed else { return false }
            state.passed += 1
            return true
        }
    }

    func releasePassage() { state.withLock { $0.passed -= 1 } }
    var passedCount: Int { state.withLock { $0.passed } }

    func beginDraining() { state.withLock { $0.isDraining = true } }

    /// Until there are no connections.
    func waitUntilEmpty() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if state.count > 0 { state.waiters.append(continuation) }
                return state.count == 0
            }
            if isEmpty { continuation.resume() }
        }
    }

    /// What the cap for one address counts; nil for a trusted proxy, which speaks for many.
    private func countedNetwork(_ peer: SocketAddress) -> SocketAddress? {
        if configuration.trustedProxies.contains(peer) { return nil }
        return peer.unmapped.network
    }
}
