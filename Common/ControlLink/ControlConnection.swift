import Crypto
import FoundationEssentials
package import Identity
package import Logging
package import Posix
import Units
package import Web
package import Wire

/// The dialling side of the connection between a device and control: one at a time, kept alive, dialled again.
///
/// Control sends a challenge; the device answers with its proof and its hello, and then each side talks. A connection is
/// pinned to one route; when control is silent for 2.5 s, or the connection ends, the next route is dialled at once,
/// with the addresses that worked before. Control refuses by closing with code 1008 and the reason.
package actor ControlConnection<Outgoing: Message, Incoming: Message> {
    package nonisolated let loop: Loop
    /// Connections, orders and ends, in order. Where more than 1,000 wait, the connection is ended.
    package nonisolated let events: AsyncStream<ControlEvent<Incoming>>

    /// With the server that is dialled now.
    private var identity: DeviceIdentity
    private let times: ControlLinkTimes
    private let proxy: ClientOptions.Proxy?
    private let names: NameLookup
    private let log: Log
    private let routes: @Sendable () async -> [Route]
    private let hello: @Sendable () async -> Outgoing
    private let outcome: @Sendable (CommandOutcome) -> Outgoing
    private let continuation: AsyncStream<ControlEvent<Incoming>>.Continuation

    private var redial = Redial<Route>()
    private var ledger = CommandLedger()
    private var knownOf: [ServerOrigin: KnownAddresses] = [:]
    private var socket: WebSocket?
    /// Written while the hello is being made; sent after it.
    private var early: [[UInt8]]?
    private var runner: Task<Void, Never>?
    private var pause: Task<Void, any Error>?
    private var isStopped = false
    package private(set) var counts = ControlLinkCounts()
    /// That is dialled now, or connected to.
    package var server: ServerOrigin { identity.server }
    /// Figures had no room then, for longer than a way is long: they are worth more than anything that can wait.
    private var slowAt: Instant?
    private var lastWrite: Instant?
    /// Since when what can wait does.
    private var waitingSince: Instant?

    private static var waitingEvents: Int { 1000 }
    private static var reserved: Int { 8 }
    /// Bytes not yet acknowledged above which figures are dropped: a sample or two are on their way. On a modem that carries
    /// 12 kbit/s they take about a second, and the ping behind them is answered in time.
    private static var figureMark: Int { 1024 }
    /// What was written last and is not confirmed yet by then is on a slow way; on any other one, with its delayed acknowledgements, a
    /// sample may find the one before it there too.
    private static var slowTime: Duration { .milliseconds(500) }
    /// After so long one message that can wait goes all the same.
    private static var patience: Duration { .seconds(10) }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - loop: where the connection lives.
    ///   - proxy: what every connection goes through, and the routes lead to.
    ///   - names: how control's addresses, or the proxy's, are found.
    ///   - routes: the ways out as they are now, best first; asked for before each dialling.
    ///   - hello: the device's whole state; asked for at each connect.
    ///   - outcome: wraps an outcome as a message.
    package init(
        identity: DeviceIdentity, loop: Loop, log: Log, times: ControlLinkTimes = ControlLinkTimes(),
        proxy: ClientOptions.Proxy? = nil, names: NameLookup = .system, routes: @escaping @Sendable () async -> [Route],
        hello: @escaping @Sendable () async -> Outgoing, outcome: @escaping @Sendable (CommandOutcome) -> Outgoing
    ) {
        self.identity = identity
        self.loop = loop
        self.log = log
        self.times = times
        self.proxy = proxy
        self.names = names
        self.routes = routes
        self.hello = hello
        self.outcome = outcome
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.waitingEvents + Self.reserved))
    }

    /// Begins to dial, once.
    package func start() {
        guard runner == nil, !isStopped else { return }
        if unixMilliseconds() / 1000 < Int64(identity.timeFloor) {
            log.warning(
                "the clock of this machine is wrong: it shows a time before its own files; certificates are checked as of those",
                ["unix_s": .integer(Int(unixMilliseconds() / 1000)), "files_unix_s": .integer(identity.timeFloor)])
        }
        runner = Task { await run() }
    }

    /// Closes the connection, if there is one, and ends `events`.
    package func stop() async {
        isStopped = true
        pause?.cancel()
        runner?.cancel()
        await socket?.close(.goingAway)
        await runner?.value
        continuation.finish()
    }

    /// The ways out have changed: does not wait for the next round of dialling.
    package nonisolated func routesChanged() {
        loop.submit {
            self.assumeIsolated { link in
                link.redial.appeared()
                link.pause?.cancel()
            }
        }
    }

    /// Sends a change of state; from any thread, in order. Dropped without a connection, as the next hello tells it.
    package nonisolated func send(_ message: Outgoing) {
        loop.submit { self.assumeIsolated { $0.write(message) } }
    }

    /// Sends figures; from any thread. Dropped and counted where the connection is slow or gone.
    package nonisolated func trySend(_ message: Outgoing) {
        loop.submit { self.assumeIsolated { $0.writeFigures(message) } }
    }

    /// Sends what can wait, where nothing else is on its way and the way was not slow in the last 2 s, or after 10 s; from any thread.
    /// - Parameter answered: told on the loop whether it was sent.
    package nonisolated func sendWhereIdle(_ message: Outgoing, answered: @escaping @Sendable (Bool) -> Void) {
        loop.submit { answered(self.assumeIsolated { $0.writeWhereIdle(message) }) }
    }

    /// Answers a command; from any thread. Kept while there is no connection (the last 256), and given again where the
    /// command is asked for again.
    package nonisolated func answer(_ outcome: CommandOutcome) {
        loop.submit { self.assumeIsolated { $0.write(outcome) } }
    }

    // MARK: Dialling

    /// Where the server that is dialled now was found.
    private var known: KnownAddresses {
        get { knownOf[identity.server] ?? KnownAddresses() }
        set { knownOf[identity.server] = newValue }
    }

    private func run() async {
        while !isStopped {
            switch redial.next(among: await routes(), jitter: .random(in: 0..<1)) {
            case .dial(let route): await dial(route)
            case .wait(let duration):
                known.roundFailed()
                // It may have been restored where its next name leads to.
                identity = identity.turned
                await wait(duration)
            }
        }
    }

    private func wait(_ duration: Duration) async {
        guard !isStopped else { return }
        log.debug("no way to control, waiting", ["wait_ms": .integer(duration.milliseconds)])
        let pause = Task { [loop] in try await loop.sleep(for: duration) }
        self.pause = pause
        _ = try? await pause.value  // Cancelled by a new route or the end.
        self.pause = nil
    }

    private func dial(_ route: Route) async {
        do {
            let socket = try await open(route)
            defer { self.socket = nil }
            try await greet(socket)
            guard !isStopped else { return await socket.close(.goingAway) }
            counts.connects += 1
            log.notice("connected to control", ["link": .text(route.description), "address": .text(socket.remote.description)])
            emit(.connected(via: route))
            learnAddresses(socket.remote)
            let ending = await listen(socket, route)
            if isStopped {
                log.notice("connection to control closed, because this program ends", ["link": .text(route.description)])
            } else {
                log.notice("connection to control lost", ["link": .text(route.description), "reason": .text(ending.text)])
            }
            emit(ending.event)
            if case .lost = ending { return }
            redial.refused(among: await routes())
        } catch let error as Refusal {
            log.error("control refuses this device", ["link": .text(route.description), "reason": .text(error.reason)])
            emit(.refused(reason: error.reason))
            // Another link may lead to control where this one leads to somebody else, as a captive portal does.
            if !error.isOfRoute { redial.refused(among: await routes()) }
        } catch {
            log.info("cannot reach control", ["link": .text(route.description), "error": "\(error)"])
        }
    }

    private struct Refusal: Error {
        let reason: String
        /// It was not control who was reached.
        var isOfRoute = false
    }

    private func open(_ route: Route) async throws -> WebSocket {
        var options = ClientOptions()
        options.trust = identity.trust
        options.timeFloor = identity.timeFloor
        options.proxy = proxy
        options.bindToDevice = route.interface
        options.addresses = known.usable
        options.names = NameLookup(find: names.find) { [names, weak self] address, isRight in
            names.judged(address, isRight)
            guard !isRight, let self else { return }
            loop.run { self.assumeIsolated { $0.known.failed(address) } }
        }
        options.connectTimeout = times.connect
        options.responseTimeout = times.connect
        options.webSocket.messageLimit = WireLimits.messageBytes
        options.webSocket.pingInterval = times.pingInterval
        options.webSocket.pongTimeout = times.pongTimeout
        do {
            return try await Client(loop: loop, options: options).webSocket(identity.server.connectURL)
        } catch ClientError.untrusted(let reason) {
            throw Refusal(reason: "the server is not the one this device belongs to: \(reason)", isOfRoute: true)
        } catch WebSocketError.refused(let status) where (400..<500).contains(status) && status != 429 {
            throw Refusal(reason: "the server answered \(status)")
        }
    }

    /// Challenge, proof, hello, and what waited for a connection.
    private func greet(_ socket: WebSocket) async throws {
        let deadline = Task { [loop, limit = times.challenge] in
            try await loop.sleep(for: limit)
            await socket.close(.policyViolation, "no challenge")
        }
        defer { deadline.cancel() }
        guard case .text(let text) = try await socket.receive() else { throw refusal(socket) }
        let challenge = try JSONDecoder().decode(Challenge.self, from: Data(text.utf8))
        guard challenge.version == WireLimits.version else {
            await socket.close(.policyViolation, "version")
            throw Refusal(reason: "control speaks version \(challenge.version), this program \(WireLimits.version)")
        }
        let proof = try Proof.answering(challenge, identity: identity, exporter: socket.tlsExporter)
        try await socket.send(String(decoding: JSONEncoder().encode(proof), as: UTF8.self))
        early = []
        (slowAt, lastWrite, waitingSince) = (nil, nil, nil)
        self.socket = socket
        let greeting = try encode(await hello())
        let waiting = early ?? []
        early = nil
        let outcomes = try ledger.takeUnsent().map { try encode(outcome($0)) }
        for bytes in [greeting] + outcomes + waiting { put(bytes) }
    }

    private func refusal(_ socket: WebSocket) -> Refusal {
        Refusal(reason: socket.closeReason.flatMap { $0.isEmpty ? nil : $0 } ?? "closed before the challenge")
    }

    private func learnAddresses(_ worked: SocketAddress) {
        // A proxy looks the name up itself.
        guard proxy == nil else { return }
        known.worked(worked)
        let (host, port) = (identity.server.host, identity.server.port)
        // Left to itself: it cannot be cancelled, and its result is welcome whenever it comes.
        Task { [weak self, names] in
            if let addresses = try? await names.find(host, port) { await self?.learn(addresses) }
        }
    }

    private func learn(_ addresses: [SocketAddress]) { known.resolved(addresses) }

    // MARK: Listening

    /// How a connection ended.
    private enum Ending {
        case lost(String)
        case refused(String)
        case revoked

        var text: String {
            switch self {
            case .lost(let reason), .refused(let reason): reason
            case .revoked: "control has revoked this device"
            }
        }

        var event: ControlEvent<Incoming> {
            switch self {
            case .lost(let reason): .disconnected(reason: reason)
            case .refused(let reason): .refused(reason: reason)
            case .revoked: .revoked
            }
        }
    }

    private func listen(_ socket: WebSocket, _ route: Route) async -> Ending {
        let since = Instant.now
        // One that ends sooner may have been ended for what we said: it counts as a failure of the route.
        defer { if Instant.now - since >= times.proven { redial.succeeded(over: route) } }
        do {
            while let message = try await socket.receive() {
                guard case .text(let text) = message else {
                    counts.malformed += 1
                    continue
                }
                guard heard(text) else {
                    await socket.close(.internalError, "too many orders")
                    return .lost("more orders than can be carried out")
                }
            }
        } catch {
            return .lost(isStopped ? "this program ends" : "\(error)")
        }
        let reason = (socket.closeReason ?? "").bounded(to: 200)
        switch socket.closeCode {
        case .policyViolation?: return .refused(reason.isEmpty ? "refused" : reason)
        case let code? where code.rawValue == WireLimits.revokedCloseCode: return .revoked
        case let code: return .lost("closed with code \(code.map { "\($0)" } ?? "none") \(reason)")
        }
    }

    /// - Returns: false where the reader of `events` does not keep up.
    private func heard(_ text: String) -> Bool {
        let frame: OrderFrame<Incoming>
        do {
            frame = try JSONDecoder().decode(OrderFrame<Incoming>.self, from: Data(text.utf8))
        } catch {
            counts.malformed += 1
            log.warning("malformed message from control", ["bytes": .integer(text.utf8.count), "malformed": .integer(counts.malformed)])
            return true
        }
        guard let id = frame.id else { return emit(.order(frame.order, id: nil)) }
        switch ledger.arrived(id) {
        case .new: return emit(.order(frame.order, id: id))
        case .running: return true
        case .finished(let outcome):
            write(outcome)
            return true
        }
    }

    @discardableResult
    private func emit(_ event: ControlEvent<Incoming>) -> Bool {
        guard case .enqueued(let room) = continuation.yield(event) else { return false }
        return room > Self.reserved
    }

    // MARK: Writing

    private func write(_ message: Outgoing) {
        guard let bytes = encoded(message) else { return }
        if early != nil {
            early?.append(bytes)
        } else {
            put(bytes)
        }
    }

    private func writeFigures(_ message: Outgoing) {
        guard let socket, early == nil, socket.undeliveredBytes < Self.figureMark, let bytes = encoded(message) else {
            counts.dropped += 1
            if lastWrite.map({ .now - $0 >= Self.slowTime }) ?? true { slowAt = .now }
            return
        }
        put(bytes)
    }

    private func writeWhereIdle(_ message: Outgoing) -> Bool {
        guard let socket, early == nil else { return false }
        let isSlow = slowAt.map { .now - $0 < .seconds(2) } ?? false
        let hasWaited = waitingSince.map { .now - $0 >= Self.patience } ?? false
        guard hasWaited || (!isSlow && socket.undeliveredBytes == 0), let bytes = encoded(message) else {
            waitingSince = waitingSince ?? .now
            return false
        }
        waitingSince = nil
        return put(bytes)
    }

    private func write(_ result: CommandOutcome) {
        ledger.finished(result)
        guard socket != nil, early == nil, let bytes = encoded(outcome(result)), put(bytes) else { return ledger.couldNotSend(result.id) }
    }

    /// A peer that is too slow for what must arrive is left, and learns the state anew from the next hello.
    @discardableResult
    private func put(_ bytes: [UInt8]) -> Bool {
        guard let socket else { return false }
        if socket.trySend(text: bytes) {
            lastWrite = .now
            return true
        }
        // One that has ended is dialled again anyway.
        guard socket.closeCode == nil else { return false }
        log.warning("control is too slow, ending the connection", ["pending_bytes": .integer(socket.pendingBytes)])
        Task { await socket.close(.policyViolation, "too slow") }
        return false
    }

    private func encode(_ message: Outgoing) throws -> [UInt8] { try Array(JSONEncoder().encode(message)) }

    private func encoded(_ message: Outgoing) -> [UInt8]? {
        do {
            return try encode(message)
        } catch {
            log.error("cannot encode a message", ["type": .text(message.type), "error": "\(error)"])
            return nil
        }
    }
}
