import Glibc
package import Posix
package import TLS

/// An HTTP/1.1 and WebSocket server on one or more loops, with and without TLS.
///
/// Any thread. The handler runs in a task on the loop of its connection: what blocks belongs elsewhere.
package final class Server: Sendable {
    private let core: ServerCore
    private let lanes: [Lane]
    private let acceptors = Guarded<[Acceptor]>([])

    /// - Parameters:
    ///   - loops: at least one; connections are dealt out in turn. They are the caller's to stop, after `shutdown`.
    ///   - handler: answers one request; cancelled when its client is gone.
    package init(configuration: ServerConfiguration, loops: [Loop], handler: @escaping @Sendable (Request) async -> Response) {
        precondition(!loops.isEmpty, "a server runs on a loop")
        core = ServerCore(configuration: configuration, handler: handler)
        lanes = loops.map { Lane(loop: $0) }
    }

    /// Listens on everything that is configured, or on nothing.
    /// - Returns: the addresses, with the ports the system chose, in the configured order.
    /// - Throws: `ServerFault`, `SystemError` with the address, `TLSError` with the file.
    package func start() async throws -> [SocketAddress] {
        let listeners = core.configuration.listeners
        guard !listeners.isEmpty else { throw ServerFault.noListeners }
        for listener in listeners where listener.certificate == nil && listener.device == nil && !listener.address.isLoopback {
            throw ServerFault.plainOutsideLoopback(listener.address)
        }
        let made = try listeners.map { try Acceptor(listener: $0, core: core, lanes: lanes) }
        acceptors.withLock { $0 = made }
        for acceptor in made { try await acceptor.start() }
        return made.map(\.address)
    }

    /// Reads the certificate files again; new connections get them, open ones stay.
    ///
    /// - Parameter demand: what a chain has to be that takes the place of one that those who dial accept; nil takes any.
    /// - Throws: `TLSError`, `ChainFault`, and keeps the old ones.
    package func reloadCertificates(for demand: ChainDemand? = nil) throws {
        let acceptors = acceptors.withLock { $0 }
        let now = time(nil)
        let contexts = try acceptors.map { try $0.loadContext(for: demand, at: now) }
        for (acceptor, context) in zip(acceptors, contexts) { acceptor.use(context) }
    }

    /// Why those who dial refuse what new connections get, the first reason of several; nil where they do not, and without TLS.
    package func certificateFault(for demand: ChainDemand) -> ChainFault? {
        let now = time(nil)
        return acceptors.withLock { $0.lazy.compactMap { $0.fault(for: demand, at: now) }.first }
    }

    /// Unix seconds at which the certificate ends that new connections get, the first of them where there are several; nil without TLS.
    package var certificateEnd: Int? { acceptors.withLock { $0.compactMap(\.certificateEnd).min() } }

    /// For how long that certificate is good, from its beginning to its end, in seconds, the shortest where there are several.
    package var certificateLife: Int? { acceptors.withLock { $0.compactMap(\.certificateLife).min() } }

    package var connectionCount: Int { core.connectionCount }
    /// Those that are passed on to another server.
    package var passedCount: Int { core.passedCount }

    /// Closes the listeners first, then idle connections, then the others after their answers; WebSockets are told 1001.
    ///
    /// What is left after `grace` is cut. Returns when all are closed.
    package func shutdown(grace: Duration) async {
        core.beginDraining()
        for acceptor in acceptors.withLock({ $0 }) { await acceptor.stop() }
        // Their descriptors close with them.
        acceptors.withLock { $0 = [] }
        for lane in lanes {
            lane.loop.submit {
                for transport in lane.all {
                    switch transport.owner {
                    case let connection as ServerConnection: connection.drain()
                    case let socket as WebSocket: socket.goAway()
                    case is SpliceSide: transport.close()
                    default: break
                    }
                }
            }
        }
        let cut = lanes[0].loop.spawn { [lanes] in
            do { try await lanes[0].loop.sleep(for: grace) } catch { return }
            for lane in lanes { lane.loop.submit { Server.cut(lane) } }
        }
        await core.waitUntilEmpty()
        cut.cancel()
    }

    private static func cut(_ lane: Lane) {
        for transport in lane.all {
            switch transport.owner {
            case let connection as ServerConnection: connection.abandon()
            case let socket as WebSocket: socket.abandon(.disconnected("the server ended"))
            default: transport.close()
            }
        }
    }
}
