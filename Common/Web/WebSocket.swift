import Glibc
package import Posix
import TLS

/// One end of a WebSocket (RFC 6455), the server's or the client's. Any thread, unless told otherwise; one receiver.
package final class WebSocket: TransportOwner, @unchecked Sendable {
    // Sendable: state is touched on the lane's loop only, but for `shared`, which has its lock.
    package let remote: SocketAddress
    /// The value that an authentication over this connection is bound to (RFC 9266, 32 bytes); nil without TLS.
    package let tlsExporter: [UInt8]?
    /// The subprotocol that was agreed on.
    package let subprotocol: String?
    private let lane: Lane
    private let transport: Transport
    private let isServer: Bool
    private let options: WebSocketOptions
    private let deflate: Bool
    private var assembler: MessageAssembler
    /// Held only within a frame.
    private var reader: FrameReader?
    private var state = State.open
    private var incoming: [WebSocketMessage] = []
    private var incomingStart = 0
    private var incomingCost = 0
    private var receiver: CheckedContinuation<WebSocketMessage?, any Error>?
    private var receiverCall: ReceiveCall?
    private var senders: [CheckedContinuation<Void, any Error>] = []
    private var closers: [CheckedContinuation<Void, Never>] = []
    private var life = SignsOfLife()
    private var serving: Task<Void, Never>?
    private var isPaused = false
    private var lastWord: LastWord?
    /// How long the answer to a close waits for the messages before it to be received.
    private static let lastWordTime = Duration.seconds(1)
    /// Source: RFC 8446, 5.1.
    private static let recordBytes = 16 * 1024
    /// What our own close said.
    private var closing: (code: CloseCode, reason: String)?
    private let shared = Guarded(Shared())

    private enum State { case open, closeSent, closed }

    /// What other threads ask for.
    private struct Shared {
        /// Bytes that other threads handed over and the loop has not taken.
        var submitted = 0
        /// Those that the loop holds.
        var pending = 0
        var ending: Ending?
    }

    private struct Ending {
        let code: CloseCode
        let reason: String
        /// Nil for a clean end.
        let error: WebSocketError?
    }

    /// The peer's close, or its mistake, and what it is answered.
    private struct LastWord {
        let ending: Ending
        let answer: CloseCode
        let reason: String
    }

    init(
        lane: Lane, transport: Transport, isServer: Bool, deflate: Bool, options: WebSocketOptions, remote: SocketAddress,
        subprotocol: String?
    ) {
        self.lane = lane
        self.transport = transport
        self.isServer = isServer
        self.options = options
        self.deflate = deflate
        self.remote = remote
        self.subprotocol = subprotocol
        tlsExporter = transport.tls?.exporter
        assembler = MessageAssembler(limit: options.messageLimit, expectsMask: isServer, deflate: deflate)
    }

    // MARK: For everybody

    /// The next message; nil after a clean close, by either side. Throws `WebSocketError` when the connection broke.
    package func receive() async throws -> WebSocketMessage? {
        // What is there already needs no continuation.
        if lane.loop.isCurrent, let message = nextMessage() { return message }
        let call = ReceiveCall()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                lane.loop.run { self.take(continuation, call) }
            }
        } onCancel: {
            lane.loop.submit { self.cancel(call) }
        }
    }

    /// Sends a message; waits while more than the high mark waits before it. Throws `WebSocketError` where nobody is left.
    package func send(_ text: String) async throws { try await send(.text, Array(text.utf8)) }
    package func send(_ bytes: [UInt8]) async throws { try await send(.binary, bytes) }

    /// Sends texts in their order, each as `send` does, several in one record of TLS.
    package func send(_ texts: [SharedText]) async throws {
        var next = 0
        while next < texts.count {
            next = try await whenThereIsRoom { [next] in try self.write(texts, from: next) }
        }
    }

    private func send(_ opcode: Opcode, _ bytes: [UInt8]) async throws {
        if lane.loop.isCurrent, transport.pendingBytes <= options.highMark { return try write(opcode, bytes) }
        try await whenThereIsRoom { try self.write(opcode, bytes) }
    }

    /// Runs a body on the loop, once no more than the high mark waits to be sent.
    private func whenThereIsRoom<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        if lane.loop.isCurrent, transport.pendingBytes <= options.highMark { return try body() }
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            lane.loop.run { self.sendOrWait(continuation) }
        }
        // Room was found; a second hop only where the caller is on another thread.
        if lane.loop.isCurrent { return try body() }
        return try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
            lane.loop.submit { continuation.resume(with: Result { try body() }) }
        }
    }

    /// Sends a message unless more than the high mark waits before it: for what is better lost than late.
    /// - Returns: false where it was dropped.
    @discardableResult
    package func trySend(_ text: String) -> Bool { trySend(.text, Array(text.utf8)) }

    @discardableResult
    package func trySend(text utf8: [UInt8]) -> Bool { trySend(.text, utf8) }

    @discardableResult
    package func trySend(_ bytes: [UInt8]) -> Bool { trySend(.binary, bytes) }

    private func trySend(_ opcode: Opcode, _ bytes: [UInt8]) -> Bool {
        if lane.loop.isCurrent {
            guard state == .open, transport.pendingBytes + bytes.count <= options.highMark else { return false }
            writeFrame(opcode, bytes)
            return true
        }
        let hasRoom = shared.withLock { sum in
            guard sum.ending == nil, sum.submitted + sum.pending + bytes.count <= options.highMark else { return false }
            sum.submitted += bytes.count
            return true
        }
        guard hasRoom else { return false }
        lane.loop.submit {
            self.shared.withLock { $0.submitted -= bytes.count }
            if self.state == .open { self.writeFrame(opcode, bytes) }
        }
        return true
    }

    /// Bytes that wait to be sent, about.
    package var pendingBytes: Int { shared.withLock { $0.submitted + $0.pending } }

    /// Bytes that the peer has not acknowledged, waiting here or on their way: what is sent now comes after them. The kernel
    /// takes some 100 kB ahead of a slow link, so `pendingBytes` alone stays 0 while figures grow old. On the socket's loop only.
    package var undeliveredBytes: Int {
        precondition(lane.loop.isCurrent, "the descriptor is the loop's")
        return transport.isClosed ? 0 : transport.pendingBytes + StreamSocket.unacknowledged(transport.socket)
    }

    /// Closes: what was sent before goes first, then the peer has `limit` (`closeTimeout` where that is nil) to answer.
    /// Returns when it is over.
    package func close(_ code: CloseCode = .normal, _ reason: String = "", within limit: Duration? = nil) async {
        await withCheckedContinuation { continuation in
            lane.loop.run { self.beginClose(code, reason, within: limit, continuation) }
        }
    }

    /// Ends it at once: what is on its way is not sent any more.
    package func abort() {
        lane.loop.run {
            guard !self.transport.isClosed else { return }
            StreamSocket.discardUnsentAtClose(self.transport.socket)
            self.abandon(.disconnected("given up"))
        }
    }

    /// With which code it ended; nil while it is open.
    package var closeCode: CloseCode? { shared.withLock { $0.ending?.code } }
    package var closeReason: String? { shared.withLock { $0.ending?.reason } }

    /// Asks the peer for a sign of life; returns the round trip. Throws `WebSocketError.silent` after the timeout.
    package func ping(timeout: Duration) async throws -> Duration {
        try await withCheckedThrowingContinuation { continuation in
            lane.loop.run { self.ping(timeout, continuation) }
        }
    }

    // MARK: Receiving, on the loop

    /// Takes the connection over, with bytes that came behind the handshake.
    func start(with rest: [UInt8]) {
        transport.owner = self
        transport.resume()
        keepAlive()
        if !rest.isEmpty { rest.withUnsafeBytes { received($0) } }
    }

    /// Runs what the server does with it, and closes it then.
    func serve(_ body: @escaping @Sendable (WebSocket) async -> Void) {
        serving = Task(executorPreference: lane.loop.tasks) { [self] in
            await body(self)
            await close(.normal, "")
            // It held the socket, and the socket it.
            lane.loop.run { self.serving = nil }
        }
    }

    func opened() {}

    func received(_ bytes: UnsafeRawBufferPointer) {
        life.heard()
        keepAlive()
        let reader = self.reader ?? lane.frames.takeReader()
        self.reader = nil
        reader.feed(bytes)
        while state != .closed, lastWord == nil {
            switch reader.next() {
            case .needMore:
                if reader.isAtBoundary { lane.frames.giveBack(reader) } else { self.reader = reader }
                return
            case .malformed: return fail(MessageAssembler.Violation(.protocolError, "a malformed frame"))
            case .payload(let head, let bytes, let isFirst, let isLast):
                do throws(MessageAssembler.Violation) {
                    let event = try assembler.take(head, bytes, isFirst: isFirst, isLast: isLast) {
                        (packed, limit) throws(DeflateCodec.InflateFault) in try lane.deflate.decompress(packed, limit: limit)
                    }
                    if let event { take(event) }
                } catch {
                    return fail(error)
                }
            }
        }
    }

    private func take(_ event: MessageAssembler.Event) {
        switch event {
        case .text(let text): deliver(.text(text))
        case .binary(let bytes): deliver(.binary(bytes))
        case .ping(let payload):
            // A peer that pings without reading gets no answer, and no memory of ours.
            if state == .open, transport.pendingBytes <= options.highMark { writeFrame(.pong, payload) }
        case .pong(let payload): life.took(payload, at: .now)
        case .close(let code, let reason):
            finishReading(LastWord(ending: Ending(code: code, reason: reason, error: nil), answer: code, reason: ""))
        }
    }

    /// After our own close nobody waits for messages.
    private func deliver(_ message: WebSocketMessage) {
        guard state == .open else { return }
        if let receiver {
            self.receiver = nil
            receiverCall = nil
            return receiver.resume(returning: message)
        }
        incoming.append(message)
        incomingCost += message.cost
        if incomingCost > options.highMark, !isPaused {
            isPaused = true
            transport.pause()
        }
    }

    private func take(_ continuation: CheckedContinuation<WebSocketMessage?, any Error>, _ call: ReceiveCall) {
        precondition(receiver == nil, "a socket has one receiver")
        if call.isCancelled { return continuation.resume(throwing: CancellationError()) }
        if let message = nextMessage() { return continuation.resume(returning: message) }
        if lastWord != nil { endReading() }
        if let ending = shared.withLock({ $0.ending }) {
            if let error = ending.error { return continuation.resume(throwing: error) }
            return continuation.resume(returning: nil)
        }
        receiver = continuation
        receiverCall = call
    }

    private func nextMessage() -> WebSocketMessage? {
        guard incomingStart < incoming.count else { return nil }
        let message = incoming[incomingStart]
        incomingStart += 1
        incomingCost -= message.cost
        if incomingStart == incoming.count {
            incoming = []
            incomingStart = 0
        }
        if isPaused, lastWord == nil, incomingCost <= options.highMark / 2 {
            isPaused = false
            keepAlive()
            transport.resume()
        }
        return message
    }

    private func cancel(_ call: ReceiveCall) {
        call.isCancelled = true
        guard receiverCall === call else { return }
        receiver?.resume(throwing: CancellationError())
        receiver = nil
        receiverCall = nil
    }

    // MARK: Sending, on the loop

    private func sendOrWait(_ continuation: CheckedContinuation<Void, any Error>) {
        if state == .open, transport.pendingBytes > options.highMark { return senders.append(continuation) }
        continuation.resume()
    }

    private func write(_ opcode: Opcode, _ bytes: [UInt8]) throws {
        guard state == .open else { throw shared.withLock { $0.ending?.error } ?? .closed }
        writeFrame(opcode, bytes)
    }

    /// Writes texts from one on, as many as make up a record of TLS.
    /// - Returns: the first that was not written.
    private func write(_ texts: [SharedText], from first: Int) throws -> Int {
        guard state == .open else { throw shared.withLock { $0.ending?.error } ?? .closed }
        lane.assembly.removeAll(keepingCapacity: true)
        var next = first
        repeat {
            let text = texts[next]
            let packs = deflate && text.utf8.count >= options.deflateFrom
            let payload = packs ? text.compressed(by: lane.deflate) : text.utf8
            payload.withUnsafeBytes { lane.frames.write(.text, $0, isCompressed: packs, isMasked: !isServer, into: &lane.assembly) }
            next += 1
        } while next < texts.count && lane.assembly.count < WebSocket.recordBytes
        transport.write(lane.assembly)
        noteOutstanding()
        return next
    }

    private func writeFrame(_ opcode: Opcode, _ bytes: [UInt8]) {
        lane.assembly.removeAll(keepingCapacity: true)
        let packs = deflate && !opcode.isControl && bytes.count >= options.deflateFrom
        let payload = packs ? bytes.withUnsafeBytes { lane.deflate.compress($0) } : bytes
        payload.withUnsafeBytes {
            lane.frames.write(opcode, $0, isCompressed: packs, isMasked: !isServer, into: &lane.assembly)
        }
        transport.write(lane.assembly)
        noteOutstanding()
    }

    private func noteOutstanding() {
        let pending = transport.pendingBytes
        shared.withLock { $0.pending = pending }
    }

    func drained() {
        noteOutstanding()
        let waiting = senders
        senders = []
        for sender in waiting { sender.resume() }
    }

    private func writeClose(_ code: CloseCode?, _ reason: String) {
        var payload: [UInt8] = []
        if let code, code.mayBeSent {
            payload = [UInt8(truncatingIfNeeded: code.rawValue >> 8), UInt8(truncatingIfNeeded: code.rawValue)]
            // A control frame holds 125 bytes; a character that would be cut goes as a whole.
            for character in reason {
                guard payload.count + character.utf8.count <= 125 else { break }
                payload.append(contentsOf: character.utf8)
            }
        }
        writeFrame(.close, payload)
    }

    // MARK: Signs of life

    /// Something came: the next question is due after the interval.
    private func keepAlive() {
        guard state == .open, lastWord == nil, let interval = options.pingInterval else { return }
        transport.deadline = isPaused ? nil : Instant.now + interval
    }

    func expired() {
        if lastWord != nil { return endReading() }
        if state == .closeSent { return abandon(nil) }
        guard ask(at: .now) else { return abandon(.silent) }
        transport.deadline = Instant.now + options.pongTimeout / SignsOfLife.looks
    }

    /// Asks for a sign of life, or looks whether the answer may still come.
    /// - Returns: false where the peer counts as gone.
    private func ask(at now: Instant) -> Bool {
        let acknowledged = StreamSocket.acknowledged(transport.socket)
        if life.isAsking { return life.mayStillAnswer(options, acknowledged: acknowledged, at: now) }
        writePing()
        let end = acknowledged + StreamSocket.unacknowledged(transport.socket) + transport.pendingBytes
        life.asked(upTo: end, acknowledged: acknowledged, at: now)
        return true
    }

    @discardableResult
    private func writePing() -> UInt64 {
        let ping = life.next()
        writeFrame(.ping, ping.payload)
        return ping.number
    }

    private func ping(_ timeout: Duration, _ continuation: CheckedContinuation<Duration, any Error>) {
        guard state == .open else { return continuation.resume(throwing: shared.withLock { $0.ending?.error } ?? .closed) }
        let number = writePing()
        guard state == .open else { return continuation.resume(throwing: shared.withLock { $0.ending?.error } ?? .closed) }
        life.wait(for: number, since: .now, continuation)
        lane.loop.timer(after: timeout) { [weak self] in self?.life.giveUp(number) }
    }

    // MARK: Ends, on the loop

    /// The server goes: the peer is told to come back later.
    func goAway() { beginClose(.goingAway, "", within: nil, nil) }

    private func beginClose(
        _ code: CloseCode, _ reason: String, within limit: Duration?, _ continuation: CheckedContinuation<Void, Never>?
    ) {
        guard state != .closed else {
            continuation?.resume()
            return
        }
        if let continuation { closers.append(continuation) }
        if lastWord != nil { return endReading() }
        guard state == .open else { return }
        writeClose(code, reason)
        guard state == .open else { return }
        state = .closeSent
        closing = (code, reason)
        // Who closes reads on until the peer's answer, and wants no more messages.
        incoming = []
        incomingStart = 0
        incomingCost = 0
        isPaused = false
        transport.resume()
        transport.deadline = Instant.now + (limit ?? options.closeTimeout)
    }

    private func fail(_ violation: MessageAssembler.Violation) {
        let ending = Ending(code: violation.code, reason: violation.reason, error: .protocolViolation(violation.reason))
        finishReading(LastWord(ending: ending, answer: violation.code, reason: violation.reason))
    }

    /// Nothing more is read. What came before is received and may be answered first, if that does not take long.
    private func finishReading(_ word: LastWord) {
        lastWord = word
        reader = nil
        transport.pause()
        if state == .closeSent || receiver != nil { return endReading() }
        transport.deadline = Instant.now + WebSocket.lastWordTime
    }

    private func endReading() {
        guard let word = lastWord else { return }
        if state == .open { writeClose(word.answer == .noStatus ? nil : word.answer, word.reason) }
        lastWord = nil
        end(word.ending)
        transport.finish()
    }

    func peerEnded() { abandon(.disconnected("the peer closed the connection")) }

    func failed(_ error: any Error) { abandon(.disconnected("\(error)")) }

    /// Ends without a close frame of the peer; clean only where ours was sent.
    func abandon(_ error: WebSocketError?) {
        transport.close()
        if let word = lastWord {
            lastWord = nil
            end(word.ending)
        } else if let closing {
            end(Ending(code: closing.code, reason: closing.reason, error: nil))
        } else {
            end(Ending(code: CloseCode(rawValue: 1006), reason: "", error: error ?? .disconnected("closed")))
        }
    }

    private func end(_ ending: Ending) {
        guard state != .closed else { return }
        state = .closed
        transport.deadline = nil
        shared.withLock { $0.ending = ending }
        reader = nil
        let error = ending.error ?? .closed
        for sender in senders { sender.resume(throwing: error) }
        senders = []
        life.end(error)
        for closer in closers { closer.resume() }
        closers = []
        guard let receiver else { return }
        self.receiver = nil
        receiverCall = nil
        if let error = ending.error { receiver.resume(throwing: error) } else { receiver.resume(returning: nil) }
    }
}

/// One call of `receive`, so that its cancellation finds it. Touched on the loop only.
private final class ReceiveCall: @unchecked Sendable {
    // Sendable: see above.
    var isCancelled = false
}
