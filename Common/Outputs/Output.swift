import GStreamer
package import Logging
package import MPEGTS
package import Posix
package import Units
package import Wire

/// One destination of a stream: connects, passes media on, and connects again, for as long as it is wanted.
///
/// What it does never touches another output or the media thread: media waits in its own bounded queue, and its pipeline is
/// made and unmade by threads of its own. Lives on a loop; `offer` belongs to the media thread.
package actor Output {
    nonisolated package let id: OutputID
    /// Whether it passes transport packets on, and so needs `StreamReader.makesGroups`.
    nonisolated package let takesGroups: Bool
    /// Where it is to go.
    private var target: OutputSpec.Target
    /// Where the last attempt goes, or went.
    private var tried: OutputSpec.Target
    private let loop: Loop
    private let log: Log
    private let folder: RecordingFolder?
    private let policy: OutputPolicy
    private let feed: OutputFeed
    private let shared: Guarded<Shared>

    private var backoff = Backoff()
    private var isEnding = false
    private var wait: Task<Void, Never>?
    private var ending: Task<Void, Never>?

    /// What other threads may see.
    private struct Shared {
        var state = OutputReport.State.connecting
        var reason: String?
        var reconnects = 0
        var session: SinkSession?
        var keyFramesWanted = 0
    }

    /// A destination that takes nothing for this long is given up: RTMP's own limit, 5 s without a write, comes first.
    private static let stallLimit: Duration = .seconds(8)
    private static let tick: Duration = .milliseconds(250)
    /// A connection that held this long was a good one.
    private static let settled: Duration = .seconds(10)

    nonisolated package var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - folder: for files.
    ///   - policy: asked before each connection.
    ///   - loop: where it lives.
    package init(_ spec: OutputSpec, folder: RecordingFolder?, policy: OutputPolicy, loop: Loop, log: Log) {
        id = spec.id
        takesGroups = spec.target.takesGroups
        target = spec.target
        tried = spec.target
        self.policy = policy
        self.folder = folder
        self.loop = loop
        self.log = log.with("output", .text(spec.id.text))
        feed = OutputFeed(takesGroups: takesGroups)
        shared = Guarded(Shared())
    }

    /// Media thread only, or one thread at a time: never waits.
    nonisolated package func offer(_ events: [StreamReader.Event]) { feed.offer(events) }

    /// Something waits for the destination. Any thread.
    nonisolated var hasBacklog: Bool { feed.figures.hasBacklog }

    /// The state and the figures, now. Any thread.
    nonisolated package var report: OutputReport {
        let figures = feed.figures
        let seen = shared.withLock { ($0.state, $0.reason, $0.reconnects, $0.keyFramesWanted) }
        return OutputReport(
            id: id, state: seen.0, reason: seen.1, sentBytesTotal: figures.pushedBytes, droppedUnitsTotal: figures.droppedUnits,
            reconnectsTotal: seen.2, keyFramesWantedTotal: seen.3 > 0 ? seen.3 : nil)
    }

    /// Begins; returns at once.
    package func start() {
        guard ending == nil else { return }
        ending = loop.spawn { await self.run() }
    }

    /// Tries again now, where it waits or has given up.
    package func retryNow() {
        backoff.succeeded()
        wait?.cancel()
    }

    /// From its next attempt on it goes there, and that is now where it has none; a connection that holds is left alone.
    ///
    /// - Returns: false where that takes another kind of output.
    package func move(to target: OutputSpec.Target) -> Bool {
        guard target.takesGroups == takesGroups else { return false }
        guard target != self.target else { return true }
        self.target = target
        log.notice("output has another address")
        wait?.cancel()
        return true
    }

    /// Ends the session at its peer and returns when its pipeline is gone, within some seconds.
    package func stop() async {
        isEnding = true
        wait?.cancel()
        feed.stopWaiting()
        await ending?.value
    }

    private func run() async {
        while !isEnding {
            let fault = await attempt()
            if isEnding { break }
            await handle(fault)
        }
        log.notice("output ended")
    }

    /// One connection from its making to its end.
    private func attempt() async -> OutputFault {
        await feed.waitForMedia()
        if isEnding { return .ended }
        let isMoved = tried != target
        tried = target
        if let hopeless = refusal() { return hopeless }
        if let reason = policy.refusal(of: tried) { return .hopeless(reason) }
        // Why it is tried again stays until it is known how this goes.
        show(.connecting, isMoved ? nil : shared.withLock { $0.reason })
        let session: SinkSession
        do {
            session = try Destinations.open(tried, folder: folder, rooms: policy.rooms, on: loop)
        } catch {
            return error
        }
        let fault = await use(session)
        if isEnding, fault == .ended { await session.settle(on: loop) }
        feed.detach()
        shared.withLock { $0.session = nil }
        if await !session.stop() { log.warning("a pipeline did not let go of its sink") }
        return fault
    }

    private func use(_ session: SinkSession) async -> OutputFault {
        do {
            try await session.start()
        } catch {
            return FaultReason.of(error, tried)
        }
        shared.withLock { $0.session = session }
        feed.attach(session)
        return await withTaskGroup(of: OutputFault?.self) { group in
            group.addTask { await self.listen(to: session) }
            group.addTask { await self.observe(session) }
            if let words = session.words { group.addTask { await self.hear(words) } }
            var result: OutputFault?
            for await fault in group where result == nil {
                result = fault
                if result != nil { group.cancelAll() }
            }
            return result ?? .lost("the pipeline ended")
        }
    }

    /// The session's own word that it is over.
    private func listen(to session: SinkSession) async -> OutputFault? {
        for await message in session.messages {
            switch message {
            case .error(let fault):
                // A process that ends says why itself, a moment before or after.
                if session.kind == .room { try? await loop.sleep(for: .milliseconds(500)) }
                return FaultReason.of(fault, tried, connected: isConnected)
            case .endOfStream: return .ended
            default: break
            }
        }
        return Task.isCancelled ? nil : .lost("the pipeline ended")
    }

    /// What is said from a room.
    private func hear(_ words: AsyncStream<FieldWord>) async -> OutputFault? {
        for await word in words {
            switch word {
            case .connected: if !isConnected { connected() }
            case .keyFrame: shared.withLock { $0.keyFramesWanted += 1 }
            case .lost(let reason): return .lost(FaultReason.hidingSecrets(reason, tried))
            case .hopeless(let reason): return .hopeless(FaultReason.hidingSecrets(reason, tried))
            }
        }
        if Task.isCancelled { return nil }
        return isEnding ? .ended : .lost("the process that takes it into the room has ended")
    }

    /// Looks four times a second whether the session takes what it is given.
    private func observe(_ session: SinkSession) async -> OutputFault? {
        var progress = Progress(session)
        var uptakes: [Int: Uptake] = [:]
        while true {
            do { try await loop.sleep(for: Output.tick) } catch { return nil }
            if isEnding { return await farewell(session) }
            feed.pump()
            if !isConnected, progress.hasPeer(session) { connected() }
            if let hopeless = refusal() { return hopeless }
            if let told = toldTooMuch() { return .lost("the server sent \(told >> 10) KiB to one who only publishes: ended") }
            if progress.hasStalled(session, feed.figures, limit: Output.stallLimit) {
                return .lost("the destination took no media for \(Output.stallLimit.milliseconds / 1000) s")
            }
            if isConnected { follow(session, &uptakes) }
            if isConnected, progress.age > Output.settled { backoff.succeeded() }
        }
    }

    /// Three seconds to write what waits and to say goodbye; `listen` ends earlier with the end of the stream.
    private func farewell(_ session: SinkSession) async -> OutputFault {
        feed.flush()
        session.endOfStream()
        let end = Instant.now + .seconds(3)
        while Instant.now < end, toldTooMuch() == nil {
            // Cancelled means that the end was seen.
            do { try await loop.sleep(for: Output.tick) } catch { break }
        }
        return .ended
    }

    /// What no retry can change.
    private func refusal() -> OutputFault? {
        guard !takesGroups, feed.figures.coding == .h265 else { return nil }
        return .hopeless("RTMP carries H.264 only, and this stream is H.265: choose H.264 on the sender, or an SRT destination")
    }

    /// Tells one that hangs before its connection is given up: it may go on.
    private func follow(_ session: SinkSession, _ uptakes: inout [Int: Uptake]) {
        let counts = session.uptake(at: peer)
        uptakes = counts.reduce(into: [:]) { kept, one in
            kept[one.key] = uptakes[one.key] ?? Uptake()
            kept[one.key]?.note(one.value, at: .now)
        }
        let reason = uptakes.values.contains(where: \.hangs) ? Output.hanging : nil
        guard reason != shared.withLock({ $0.reason }) else { return }
        show(.connected, reason)
        log.notice(reason == nil ? "output takes media again" : "output takes nothing")
    }

    private static let hanging = "it has taken nothing for \(Uptake.limit.milliseconds / 1000) s"

    /// RTMP's server.
    private var peer: SocketAddress? {
        guard case .rtmp(let rtmp) = tried else { return nil }
        return SocketAddress(rtmp.address, port: rtmp.port)
    }

    /// Bytes of a server that talks instead of listening; its connection is ended then.
    private func toldTooMuch() -> Int? {
        peer.flatMap { TalkLimit.cut($0) }
    }

    private func handle(_ fault: OutputFault) async {
        switch fault {
        case .ended: return
        case .hopeless(let reason):
            show(.failed, reason)
            log.warning("output failed", ["reason": .text(reason)])
            wait = loop.spawn { [loop] in while !Task.isCancelled { try? await loop.sleep(for: .seconds(3600)) } }
        case .lost(let reason):
            let delay = backoff.failed(jitter: Double.random(in: 0..<1))
            show(.retrying, reason)
            log.notice("output is tried again", ["reason": .text(reason), "wait_ms": .integer(delay.milliseconds)])
            wait = loop.spawn { [loop] in try? await loop.sleep(for: delay) }
        }
        // It was moved during the attempt: what failed is not wanted any more.
        if tried != target { wait?.cancel() }
        await wait?.value
        wait = nil
        shared.withLock { $0.reconnects += 1 }
    }

    private var isConnected: Bool { shared.withLock { $0.state == .connected } }

    private func connected() {
        show(.connected, nil)
        log.notice("output connected")
    }

    private func show(_ state: OutputReport.State, _ reason: String?) {
        shared.withLock { shared in
            shared.state = state
            shared.reason = reason
        }
    }
}

extension OutputSpec.Target {
    /// RTMP takes pictures and sound, the others take the transport's packets.
    fileprivate var takesGroups: Bool { if case .rtmp = self { false } else { true } }
}

/// Whether a session gets rid of what it is given.
private struct Progress {
    private let began = Instant.now
    private var moved = Instant.now
    private var sent: Int

    init(_ session: SinkSession) { sent = session.sentBytes }

    var age: Duration { Instant.now - began }

    /// RTMP counts bytes once the server has agreed to the publishing, an SRT caller once its handshake is over: it starts before
    /// that. Listeners and files are there when they have started.
    func hasPeer(_ session: SinkSession) -> Bool {
        switch session.kind {
        case .rtmp, .srtCaller: session.sentBytes > 0
        case .srtListener, .file: true
        // Its process says so.
        case .room: false
        }
    }

    mutating func hasStalled(_ session: SinkSession, _ figures: OutputFeed.Figures, limit: Duration) -> Bool {
        let now = Instant.now
        let seen = session.sentBytes
        if seen != sent || !figures.hasBacklog { moved = now }
        sent = seen
        return now - moved > limit
    }
}
