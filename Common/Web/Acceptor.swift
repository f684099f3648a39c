import Glibc
import Posix
import TLS

/// One listening socket: takes connections in and deals them out to the lanes.
final class Acceptor: @unchecked Sendable {
    // Sendable: `context` has its lock; `watch`, `turn` and `isOpen` are touched on the first lane's loop only.
    let address: SocketAddress
    private let listener: Listener
    private let socket: Descriptor
    private let core: ServerCore
    private let lanes: [Lane]
    private let context: Guarded<TLSContext?>
    private var watch: Watch?
    private var turn = 0

    /// For one readiness, so that a flood of connections does not hold up those that are there.
    private static let perTurn = 64

    /// Binds and listens; nothing is accepted before `start`.
    init(listener: Listener, core: ServerCore, lanes: [Lane]) throws {
        self.listener = listener
        self.core = core
        self.lanes = lanes
        context = Guarded(try Acceptor.loadContext(listener))
        socket = try StreamSocket.listen(on: listener.address, device: listener.device)
        guard let address = StreamSocket.localAddress(socket.raw) else { throw SystemError("getsockname", on: "\(listener.address)") }
        self.address = address
    }

    /// - Parameter demand: what the new chain has to be for those who dial, as long as the one in use is that.
    /// - Throws: `TLSError` with the file, `ChainFault`.
    func loadContext(for demand: ChainDemand?, at now: Int) throws -> TLSContext? {
        let next = try Acceptor.loadContext(listener)
        // A chain that nobody accepts may give way to any other: nothing is lost with it.
        guard let demand, let used = context.withLock({ $0 }), used.fault(for: demand, after: used, at: now) == nil else { return next }
        if let fault = next?.fault(for: demand, after: used, at: now) { throw fault }
        return next
    }

    func fault(for demand: ChainDemand, at now: Int) -> ChainFault? { context.withLock { $0?.fault(for: demand, at: now) } }

    private static func loadContext(_ listener: Listener) throws -> TLSContext? {
        guard let files = listener.certificate else { return nil }
        return try TLSContext.server(certificateFile: files.chain, keyFile: files.key)
    }

    /// Unix seconds at which the certificate ends that new connections get.
    var certificateEnd: Int? { context.withLock { $0?.notAfter } }
    /// For how long it is good, in seconds.
    var certificateLife: Int? { context.withLock { $0?.life } }

    func use(_ context: TLSContext?) { self.context.withLock { $0 = context } }

    func start() async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            lanes[0].loop.run { [self] in
                continuation.resume(
                    with: Result { watch = try lanes[0].loop.watch(socket.raw, .read) { [self] _ in accept() } })
            }
        }
    }

    /// Nobody is accepted any more; peers are refused by the system.
    func stop() async {
        await withCheckedContinuation { continuation in
            lanes[0].loop.run { [self] in
                watch?.cancel()
                watch = nil
                // The descriptor itself goes with this object; the port must be free at once.
                _ = shutdown(socket.raw, CInt(SHUT_RDWR))
                continuation.resume()
            }
        }
    }

    private func accept() {
        for _ in 0..<Acceptor.perTurn {
            do {
                guard let (accepted, peer) = try StreamSocket.accept(socket.raw) else { return }
                guard let peer, core.admit(peer) else {
                    close(accepted)
                    continue
                }
                StreamSocket.setNoDelay(accepted)
                let lane = lanes[turn % lanes.count]
                turn += 1
                let context = context.withLock { $0 }
                lane.loop.run { [core, listener] in Acceptor.begin(accepted, peer, lane, core, context, listener.passage) }
            } catch {
                return rest()
            }
        }
    }

    /// No descriptors or memory are left: the connections wait in the system's queue until some are.
    private func rest() {
        watch?.interest = []
        lanes[0].loop.timer(after: .milliseconds(200)) { [weak self] in self?.watch?.interest = .read }
    }

    private static func begin(
        _ socket: CInt, _ peer: SocketAddress, _ lane: Lane, _ core: ServerCore, _ context: TLSContext?, _ passage: Passage?
    ) {
        let transport = Transport(lane: lane, socket: socket, peer: peer, stallTimeout: core.limits.writeTimeout)
        transport.onClosed = { core.release(peer) }
        transport.owner = ServerConnection(lane: lane, transport: transport, core: core, isTLS: context != nil)
        do {
            try transport.start()
            transport.deadline = Instant.now + core.limits.headTimeout
            guard let context else { return transport.open() }
            guard let passage else { return secure(transport, context) }
            transport.look { bytes, isAll in
                switch passage.judge(bytes, isAll: isAll) {
                case .undecided(let missing): .missing(missing)
                case .ours: .known { Acceptor.secure(transport, context) }
                case .theirs: .known { Splice.begin(transport, to: passage.upstream, core: core) }
                }
            }
        } catch {
            // For want of memory or descriptors; the peer sees a closed connection.
            transport.close()
        }
    }

    private static func secure(_ transport: Transport, _ context: TLSContext) {
        do { transport.startTLS(try TLSSession(server: context, socket: transport.socket)) } catch {
            // For want of memory.
            transport.close()
        }
    }
}
