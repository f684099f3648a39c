import Glibc
import HTTP
import Posix
import TLS

/// The server's side of one HTTP/1.1 connection: one request after the other, each handled in a task on the loop.
///
/// Loop thread only, but for the references that tasks hold.
final class ServerConnection: TransportOwner, @unchecked Sendable {
    // Sendable: every entry is on the lane's loop; tasks of handlers run there too.
    let lane: Lane
    let transport: Transport
    let core: ServerCore
    private var parser: RequestHeadParser
    /// What arrived and is not yet used: a part of a head, a body that waits, a next request.
    private var input: [UInt8] = []
    private var inputStart = 0
    private var exchange: Exchange?
    private var hasPeerEnded = false
    private let origin: Origin

    /// Above it, no more of a body is handed to the transport.
    private static let highMark = 64 * 1024
    /// Of further requests that wait for the current one.
    private static let pipelineMark = 16 * 1024

    init(lane: Lane, transport: Transport, core: ServerCore, isTLS: Bool) {
        self.lane = lane
        self.transport = transport
        self.core = core
        origin = Origin(peer: transport.peer, isTLS: isTLS, proxies: core.configuration.trustedProxies)
        parser = RequestHeadParser(limits: core.limits.head)
    }

    // MARK: Arrivals

    func opened() { transport.deadline = Instant.now + core.limits.headTimeout }

    func received(_ bytes: UnsafeRawBufferPointer) {
        let isStart = exchange == nil && input.isEmpty
        // An empty buffer is borrowed from the lane and given back below: most requests come and go in one turn.
        if input.isEmpty { swap(&input, &lane.spare) }
        input.append(contentsOf: bytes)
        process()
        if isStart, exchange == nil, !input.isEmpty { transport.deadline = Instant.now + core.limits.headTimeout }
    }

    /// Takes what is in `input` as far as it goes.
    private func process() {
        while !transport.isClosed {
            if exchange != nil {
                takeBody()
                break
            }
            guard takeHead() else { break }
        }
        if inputStart == input.count {
            dropInput()
        } else if inputStart > 4096 {
            input.removeFirst(inputStart)
            inputStart = 0
        }
        if let exchange, exchange.isComplete, input.count - inputStart > ServerConnection.pipelineMark { transport.pause() }
    }

    private func dropInput() {
        inputStart = 0
        if lane.spare.capacity == 0 {
            input.removeAll(keepingCapacity: true)
            swap(&input, &lane.spare)
        } else {
            input = []
        }
    }

    /// Whether a request began.
    private func takeHead() -> Bool {
        guard inputStart < input.count else { return false }
        do {
            guard case .head(let head, let consumed) = try parser.parse(input, inputStart..<input.count) else { return false }
            inputStart += consumed
            return begin(head)
        } catch {
            refuse(error)
            return false
        }
    }

    private func begin(_ head: RequestHead) -> Bool {
        var awaitsContinue = false
        if let expectation = head.headers["Expect"], head.version == .http11 {
            guard expectation.lowercased() == "100-continue" else {
                refuse(HTTPFault(.expectationFailed, "an expectation that is not 100-continue"))
                return false
            }
            awaitsContinue = true
        }
        let (body, incoming) = makeBody(head)
        let exchange = Exchange(
            head: head, body: body, incoming: incoming, connection: self, origin: origin, awaitsContinue: awaitsContinue)
        exchange.task = Task(executorPreference: lane.loop.tasks) { [self] in await handle() }
        self.exchange = exchange
        if exchange.isComplete {
            transport.deadline = nil
        } else {
            exchange.bodySince = Instant.now
            expectBody(exchange)
        }
        return true
    }

    private func makeBody(_ head: RequestHead) -> (RequestBody, Exchange.Incoming) {
        switch head.framing {
        case .none, .untilClose, .length(0): (.empty, .complete)
        case .length(let length): (RequestBody(lane: lane, length: length, connection: self), .length(length))
        case .chunked: (RequestBody(lane: lane, length: nil, connection: self), .chunked(ChunkedDecoder()))
        }
    }

    private func takeBody() {
        guard let exchange, inputStart < input.count else { return }
        do {
            switch exchange.incoming {
            case .length(let remaining):
                let count = min(remaining, input.count - inputStart)
                exchange.body.append(Array(input[inputStart..<(inputStart + count)]))
                inputStart += count
                exchange.incoming = count == remaining ? .complete : .length(remaining - count)
                exchange.bodyBytes += count
            case .chunked(var decoder):
                var output: [UInt8] = []
                inputStart += try decoder.decode(input, inputStart..<input.count, into: &output)
                exchange.incoming = decoder.isFinished ? .complete : .chunked(decoder)
                exchange.bodyBytes += output.count
                exchange.body.append(output)
            case .complete: return
            }
        } catch {
            return spoil(exchange, .malformed(error))
        }
        if exchange.isComplete {
            exchange.body.finish(.success(()))
            transport.deadline = nil
        } else if exchange.body.isAboveHighMark {
            transport.pause()
            transport.deadline = nil
        } else {
            expectBody(exchange)
        }
    }

    /// The body cannot come to its end: the handler is told, and its answer is the last.
    private func spoil(_ exchange: Exchange, _ fault: BodyFault) {
        exchange.keepsAlive = false
        exchange.incoming = .complete
        exchange.body.finish(.failure(fault))
        transport.deadline = nil
        transport.pause()
    }

    /// The pause that is allowed now; a body that is slow on the whole ends here.
    private func expectBody(_ exchange: Exchange) {
        let now = Instant.now
        let taken = now - exchange.bodySince
        if taken > core.limits.bodyTimeout, Double(exchange.bodyBytes) < Double(core.limits.bodyRate) * (taken / .seconds(1)) {
            return spoil(exchange, .timedOut)
        }
        transport.deadline = now + core.limits.bodyTimeout
    }

    /// The handler took what waited.
    func bodyWasRead() {
        guard let exchange, !transport.isClosed, !exchange.isComplete else { return }
        exchange.bodySince = Instant.now
        exchange.bodyBytes = 0
        expectBody(exchange)
        transport.resume()
    }

    /// The handler waits for the body: the client may have to be told first (RFC 9110 section 10.1.1).
    func bodyIsAwaited() {
        guard let exchange, exchange.awaitsContinue else { return }
        exchange.awaitsContinue = false
        guard case .unanswered = exchange.outgoing else { return }
        transport.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
    }

    // MARK: Handling

    /// The task of the current exchange. A WebSocket has one of its own, so that of the connection nothing stays beside it.
    private func handle() async {
        guard let exchange else { return }
        let response = await core.handler(Request(exchange: exchange))
        precondition(lane.loop.isCurrent, "a task with the loop as its executor comes back to the loop")
        switch answer(exchange, with: response) {
        case .done: break
        case .stream(let write):
            do {
                try await write(BodyWriter(exchange: exchange))
                finishStream(exchange, isWhole: true)
            } catch {
                // The writer's own failure or the peer's going: the cut is what the client sees of it.
                finishStream(exchange, isWhole: false)
            }
        case .serve(let socket, let serve): socket.serve(serve)
        }
    }

    private enum Next {
        case done
        case stream(@Sendable (BodyWriter) async throws -> Void)
        case serve(WebSocket, @Sendable (WebSocket) async -> Void)
    }

    private func answer(_ exchange: Exchange, with response: Response) -> Next {
        guard self.exchange === exchange, !transport.isClosed else { return .done }
        if case .upgrade(let upgrade) = response.body { return begin(upgrade, exchange) }
        return send(response, exchange)
    }

    private func begin(_ upgrade: Upgrade, _ exchange: Exchange) -> Next {
        switch WebSocketHandshake.accept(exchange.head, deflate: upgrade.deflate, subprotocol: upgrade.subprotocol) {
        case .failure(let refusal): return send(refusal.response, exchange)
        case .success(let accepted):
            self.exchange = nil
            transport.deadline = nil
            let socket = WebSocket(
                lane: lane, transport: transport, isServer: true, deflate: accepted.deflate, options: upgrade.options,
                remote: origin.client(of: exchange.head.headers), subprotocol: upgrade.subprotocol)
            transport.write(accepted.response)
            let rest = Array(input[inputStart...])
            input = []
            inputStart = 0
            socket.start(with: rest)
            if core.isDraining { socket.goAway() }
            return .serve(socket, upgrade.serve)
        }
    }

    // MARK: Answers

    private func send(_ response: Response, _ exchange: Exchange) -> Next {
        let plan = ResponsePlan(response, to: exchange.head) { bytes in bytes.withUnsafeBytes { lane.deflate.gzip($0) } }
        var isStream = false
        if case .stream = plan.body { isStream = true }
        let isChunked = isStream && plan.length == nil && exchange.head.version == .http11
        if isStream && plan.length == nil && !isChunked { exchange.keepsAlive = false }
        // A body that nobody read to its end would be taken for the next request.
        if !exchange.isComplete || core.isDraining { exchange.keepsAlive = false }
        lane.assembly.removeAll(keepingCapacity: true)
        do {
            try writeHead(plan, isChunked: isChunked, exchange)
        } catch {
            // A field that cannot be sent is the handler's mistake; what it meant must not go out by halves.
            return send(Response.problem(.internalError, "the answer cannot be sent"), exchange)
        }
        switch plan.body {
        case .none: exchange.outgoing = .sent
        case .bytes(let bytes) where bytes.count <= ServerConnection.highMark:
            lane.assembly.append(contentsOf: bytes)
            exchange.outgoing = .sent
        case .bytes(let bytes): exchange.outgoing = .bytes(bytes, offset: 0)
        case .file(let file, let offset, let count): exchange.outgoing = .file(file, offset: offset, end: offset + count)
        case .stream: exchange.outgoing = .stream(chunked: isChunked, remaining: plan.length)
        }
        transport.write(lane.assembly)
        if case .stream(let write) = plan.body { return .stream(write) }
        pump()
        return .done
    }

    private func writeHead(_ plan: ResponsePlan, isChunked: Bool, _ exchange: Exchange) throws(HTTPFault) {
        try HeadWriter.response(plan.status, plan.headers, into: &lane.assembly)
        // Our own fields go before the empty line.
        lane.assembly.removeLast(2)
        lane.assembly.append(contentsOf: lane.dateLine())
        if isChunked {
            lane.assembly.append(contentsOf: "Transfer-Encoding: chunked\r\n".utf8)
        } else if let length = plan.length {
            lane.assembly.append(contentsOf: "Content-Length: ".utf8)
            lane.assembly.append(contentsOf: String(length).utf8)
            lane.assembly.append(contentsOf: "\r\n".utf8)
        }
        if !exchange.keepsAlive {
            lane.assembly.append(contentsOf: "Connection: close\r\n".utf8)
        } else if exchange.head.version == .http10 {
            lane.assembly.append(contentsOf: "Connection: keep-alive\r\n".utf8)
        }
        lane.assembly.append(contentsOf: "\r\n".utf8)
    }

    /// Hands over of the body what the transport should hold.
    private func pump() {
        // Bounded, so that a peer who reads as fast as we write does not keep the loop.
        for _ in 0..<16 {
            guard let exchange, transport.pendingBytes <= ServerConnection.highMark, !transport.isClosed else { return }
            switch exchange.outgoing {
            case .bytes(let bytes, let offset):
                let end = min(bytes.count, offset + ServerConnection.highMark)
                exchange.outgoing = end == bytes.count ? .sent : .bytes(bytes, offset: end)
                bytes.withUnsafeBytes { transport.write(UnsafeRawBufferPointer(rebasing: $0[offset..<end])) }
            case .file(let file, let offset, let end):
                guard let count = sendPart(of: file, offset, end) else { return }
                exchange.outgoing = offset + count == end ? .sent : .file(file, offset: offset + count, end: end)
            case .sent: return finishExchange()
            case .unanswered, .stream: return
            }
        }
        lane.loop.submit { [self] in pump() }
    }

    /// Bytes of the file that went on their way; nil to wait, or because the connection is over.
    private func sendPart(of file: FileBody, _ offset: Int, _ end: Int) -> Int? {
        if offset == end { return 0 }
        if let count = transport.sendFile(file.descriptor.raw, offset: offset, count: min(end - offset, 1 << 20)) {
            return count > 0 ? count : nil
        }
        let buffer = UnsafeMutableRawBufferPointer(rebasing: lane.readBuffer.prefix(end - offset))
        let count = file.read(at: offset, into: buffer)
        guard count > 0 else {
            // The file was cut under us: its promised length cannot be kept.
            abandon()
            return nil
        }
        transport.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        return transport.isClosed ? nil : count
    }

    func drained() {
        if let exchange, let writer = exchange.writer {
            exchange.writer = nil
            writer.resume()
        } else {
            pump()
        }
    }

    /// A part of a streamed body.
    func stream(_ bytes: [UInt8], of exchange: Exchange, _ continuation: CheckedContinuation<Void, any Error>) {
        guard self.exchange === exchange, !transport.isClosed, case .stream(let isChunked, let remaining) = exchange.outgoing else {
            return continuation.resume(throwing: StreamFault.disconnected)
        }
        precondition(exchange.writer == nil, "a streamed body has one writer")
        if let remaining {
            guard bytes.count <= remaining else { return continuation.resume(throwing: StreamFault.longerThanPromised) }
            exchange.outgoing = .stream(chunked: false, remaining: remaining - bytes.count)
        }
        if isChunked {
            lane.assembly.removeAll(keepingCapacity: true)
            lane.assembly.append(contentsOf: HeadWriter.chunkStart(bytes.count))
            lane.assembly.append(contentsOf: bytes)
            lane.assembly.append(contentsOf: HeadWriter.chunkEnd)
            transport.write(lane.assembly)
        } else {
            transport.write(bytes)
        }
        if transport.isClosed {
            continuation.resume(throwing: StreamFault.disconnected)
        } else if transport.pendingBytes > ServerConnection.highMark {
            exchange.writer = continuation
        } else {
            continuation.resume()
        }
    }

    private func finishStream(_ exchange: Exchange, isWhole: Bool) {
        guard self.exchange === exchange, !transport.isClosed, case .stream(let isChunked, let remaining) = exchange.outgoing else {
            return
        }
        guard isWhole, remaining == nil || remaining == 0 else { return abandon() }
        if isChunked { transport.write(HeadWriter.lastChunk) }
        exchange.outgoing = .sent
        pump()
    }

    private func finishExchange() {
        guard let ended = exchange else { return }
        exchange = nil
        ended.body.finish(.failure(.disconnected))
        guard ended.keepsAlive, !core.isDraining, !(hasPeerEnded && inputStart == input.count) else { return transport.finish() }
        transport.deadline = Instant.now + core.limits.idleTimeout
        transport.resume()
        if inputStart < input.count { process() }
    }

    /// An answer to what is no request; the last on this connection.
    private func refuse(_ fault: HTTPFault) {
        guard case .bytes(let text) = Response.problem(fault.status, fault.reason).body else { preconditionFailure("a problem has a text") }
        var head = "HTTP/1.1 \(fault.status.code) \(fault.status.reason)\r\nContent-Type: application/problem+json\r\n"
        head += "Content-Length: \(text.count)\r\nConnection: close\r\n\r\n"
        transport.write(Array(head.utf8) + text)
        input = []
        inputStart = 0
        transport.finish()
    }

    // MARK: Ends

    func peerEnded() {
        hasPeerEnded = true
        guard let exchange else { return transport.finish() }
        // Who half-closes after a whole request still reads the answer.
        if !exchange.isComplete { abandon() }
    }

    func expired() {
        if let exchange { return spoil(exchange, .timedOut) }
        if inputStart < input.count {
            refuse(HTTPFault(.requestTimeout, "the head did not come in time"))
        } else {
            transport.finish()
        }
    }

    func failed(_ error: any Error) { tearDown() }

    /// The server goes: idle connections at once, others after their answer.
    func drain() {
        if let exchange { exchange.keepsAlive = false } else { transport.finish() }
    }

    /// Cuts the connection, so that the peer takes nothing that was sent for a whole answer.
    func abandon() {
        transport.abort()
        tearDown()
    }

    private func tearDown() {
        guard let ended = exchange else { return }
        exchange = nil
        ended.body.finish(.failure(.disconnected))
        ended.writer?.resume(throwing: StreamFault.disconnected)
        ended.task?.cancel()
    }
}
