import GStreamer
package import Posix
package import Wire

/// One attempt at a target as an output makes it, without media: it connects, has the platform take its key and holds for a second. Lets go with the
/// process, which ends then.
package struct TargetTest: Sendable {
    private let target: OutputSpec.Target
    private let policy: OutputPolicy
    private let loop: Loop

    /// Of all of it: control waits ten seconds for its answer.
    package static let limit = Duration.milliseconds(8500)
    private static let connectLimit = Duration.seconds(3)
    /// A platform may take a key and think again.
    private static let holding = Duration.seconds(1)
    /// One packet of padding, which no demuxer looks into: an SRT caller says that it is connected when it has sent something.
    private static let padding: [UInt8] = [0x47, 0x1F, 0xFF, 0x10] + [UInt8](repeating: 0xFF, count: 184)

    package init(_ target: OutputSpec.Target, policy: OutputPolicy, loop: Loop) {
        self.target = target
        self.policy = policy
        self.loop = loop
    }

    /// Does it once.
    package func run() async -> OutputTestVerdict {
        let end = Instant.now + Self.limit
        guard let first = target.testSteps.first else {
            return OutputTestVerdict(failed: .accept, reason: "neither a file nor a room is a destination to try")
        }
        if let reason = policy.refusal(of: target) { return OutputTestVerdict(failed: first, reason: reason) }
        if case .rtmp(let rtmp) = target, let reason = await connect(rtmp) { return OutputTestVerdict(failed: .connect, reason: reason) }
        if case .srt(let srt) = target, srt.mode == .listener { return listen(srt) }
        guard let fault = await attempt(until: end) else { return OutputTestVerdict() }
        if case .rtmp(let rtmp) = target, rtmp.tls, fault.reason.hasPrefix("no answer") {
            // rtmp2sink does not say whether the silence came before or behind the handshake.
            return OutputTestVerdict(failed: .secure, reason: "\(fault.reason): does it speak TLS there?")
        }
        return OutputTestVerdict(failed: step(of: fault.reason), reason: fault.reason)
    }

    /// Whether anybody takes a connection there: rtmp2sink's words for one that nobody takes and for one that ends are much alike.
    ///
    /// - Returns: why not.
    private func connect(_ rtmp: RTMPTarget) async -> String? {
        guard let address = SocketAddress(rtmp.address, port: rtmp.port) else {
            return "the address of \(rtmp.host) is none: \(rtmp.address)"
        }
        let socket: CInt
        do {
            socket = try StreamSocket.connect(to: address).release()
        } catch {
            return "\(error)"
        }
        let reason = await withCheckedContinuation { (continuation: CheckedContinuation<String?, Never>) in
            loop.run { decide(socket, of: address) { continuation.resume(returning: $0) } }
        }
        // Taken over from its descriptor above, and watched by nobody any more.
        _ = Descriptor(adopting: socket)
        return reason
    }

    /// Loop thread.
    private func decide(_ socket: CInt, of address: SocketAddress, _ done: @escaping @Sendable (String?) -> Void) {
        let waiting = Waiting()
        func settle(_ reason: String?) {
            waiting.timer?.cancel()
            waiting.watch?.cancel()
            done(reason)
        }
        do {
            waiting.watch = try loop.watch(socket, .write) { _ in
                settle(StreamSocket.connectResult(socket, on: "\(address)").map { "\($0)" })
            }
            waiting.timer = loop.timer(after: Self.connectLimit) { settle("\(address): no answer within 3 s") }
        } catch {
            settle("\(error)")
        }
    }

    private final class Waiting: @unchecked Sendable {
        // Sendable: only the loop's thread touches it.
        var watch: Watch?
        var timer: LoopTimer?
    }

    /// Whether an output could have the port. Not by libsrt, which lets several processes bind one: who listens there would lose its callers to us.
    private func listen(_ srt: SRTTarget) -> OutputTestVerdict {
        guard let address = SocketAddress(srt.address, port: srt.port) else {
            return OutputTestVerdict(failed: .listen, reason: "\(srt.address) is no address")
        }
        do {
            _ = try UDPSocket(binding: address)
            return OutputTestVerdict()
        } catch {
            return OutputTestVerdict(failed: .listen, reason: "\(error)")
        }
    }

    /// - Returns: nil where it was taken, and held.
    private func attempt(until end: Instant) async -> OutputFault? {
        let session: SinkSession
        do throws(OutputFault) {
            session = try Destinations.open(target, folder: nil, rooms: nil, on: loop)
        } catch {
            return error
        }
        // Taking it down may last, and libsrt's end may crash (`Destinations`): it goes with the process.
        _ = Unmanaged.passRetained(session)
        return await use(session, until: end)
    }

    private func use(_ session: SinkSession, until end: Instant) async -> OutputFault? {
        do {
            try await session.start()
        } catch {
            return FaultReason.of(error, target)
        }
        if session.kind == .srtCaller { session.push([Self.padding]) }
        return await withTaskGroup(of: OutputFault??.self) { group in
            group.addTask { await listen(to: session) }
            group.addTask { await watch(session, until: end) }
            for await answer in group {
                guard let answer else { continue }
                group.cancelAll()
                return answer
            }
            return .lost("the pipeline ended")
        }
    }

    /// - Returns: the session's own word that it is over; nil where it says nothing until it is cancelled.
    private func listen(to session: SinkSession) async -> OutputFault?? {
        for await message in session.messages {
            switch message {
            case .error(let fault): return .some(FaultReason.of(fault, target, connected: false))
            case .endOfStream: return .some(.lost("the connection ended"))
            default: break
            }
        }
        return nil
    }

    /// - Returns: that it was taken, as no fault, or that it was not in time; nil where it is cancelled.
    private func watch(_ session: SinkSession, until end: Instant) async -> OutputFault?? {
        var taken: Instant?
        while true {
            // Cancelled: the session has said it already.
            do { try await loop.sleep(for: .milliseconds(100)) } catch { return nil }
            if taken == nil, session.sentBytes > 0 { taken = .now }
            if let taken, Instant.now - taken >= Self.holding { return .some(nil) }
            if taken == nil, Instant.now >= end { return .some(.lost("no answer within \(Self.limit.milliseconds / 1000) s")) }
        }
    }

    /// Where it failed, by its words (those of GIO's TLS, see `FaultReason`).
    private func step(of reason: String) -> OutputTestStep {
        switch target {
        case .rtmp(let rtmp): rtmp.tls && (reason.contains("TLS") || reason.contains("certificate")) ? .secure : .accept
        case .srt, .file, .room: .accept
        }
    }
}
