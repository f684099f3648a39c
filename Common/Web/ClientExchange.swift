import Glibc
import HTTP
import Posix
import TLS

/// One request over one connection: the tunnel through a proxy, TLS, the request, the response or the WebSocket.
///
/// Loop thread only.
final class ClientExchange: TransportOwner, @unchecked Sendable {
    // Sendable: state is touched on the lane's loop only.
    struct Plan: Sendable {
        let method: Method
        let url: URLParts
        let head: [UInt8]
        let body: [UInt8]
        /// Of the WebSocket handshake.
        let key: String?
        let options: ClientOptions
        /// Absolute: connecting, with TLS.
        let connectBy: Instant
    }

    enum Outcome {
        case response(ClientResponse)
        case socket(WebSocket)
    }

    private let lane: Lane
    private let plan: Plan
    private let context: TLSContext?
    private let transport: Transport
    private var stage: Stage
    private var parser = ResponseHeadParser()
    private var input: [UInt8] = []
    private var head: ResponseHead?
    private var body: [UInt8] = []
    private var receivedBytes = 0
    private var decoder = ChunkedDecoder()
    private var continuation: CheckedContinuation<Outcome, any Error>?
    private var isDone = false

    private enum Stage { case tunnelling, securing, awaiting }

    init(lane: Lane, socket: CInt, address: SocketAddress, plan: Plan, context: TLSContext?) {
        self.lane = lane
        self.plan = plan
        self.context = context
        stage = plan.options.proxy == nil ? .securing : .tunnelling
        transport = Transport(lane: lane, socket: socket, peer: address, stallTimeout: plan.options.responseTimeout)
    }

    func run() async throws -> Outcome {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                lane.loop.run { self.start(continuation) }
            }
        } onCancel: {
            lane.loop.submit { self.finish(.failure(CancellationError())) }
        }
    }

    private func start(_ continuation: CheckedContinuation<Outcome, any Error>) {
        guard !isDone else {
            transport.close()
            return continuation.resume(throwing: CancellationError())
        }
        self.continuation = continuation
        transport.owner = self
        do {
            try transport.start()
            transport.deadline = plan.connectBy
            if stage == .tunnelling { transport.open() } else { try secure() }
        } catch { failed(error) }
    }

    private func secure() throws {
        stage = .securing
        guard let context else { return transport.open() }
        transport.startTLS(try TLSSession(client: context, socket: transport.socket, host: plan.url.host))
    }

    func opened() {
        if stage == .tunnelling {
            let target = "\(plan.url.isIPv6 ? "[\(plan.url.host)]" : plan.url.host):\(plan.url.port)"
            do { transport.write(try HeadWriter.request(.connect, target: target, ["Host": target])) } catch { failed(error) }
            return
        }
        stage = .awaiting
        transport.deadline = Instant.now + plan.options.responseTimeout
        transport.write(plan.head)
        transport.write(plan.body)
    }

    func received(_ bytes: UnsafeRawBufferPointer) {
        input.append(contentsOf: bytes)
        do {
            if stage == .tunnelling { return try takeTunnel() }
            receivedBytes += bytes.count
            if head == nil { try takeHead() }
            if let head, !isDone { try takeBody(head) }
        } catch { failed(error) }
    }

    private func takeTunnel() throws {
        guard case .head(let head, let consumed) = try parser.parse(input, to: .connect) else { return }
        guard head.status.isSuccess else { throw ClientError.proxyRefused(status: head.status.code) }
        // Before TLS the server has nothing to say.
        guard consumed == input.count else { throw ClientError.broken("bytes behind the proxy's answer") }
        input = []
        parser = ResponseHeadParser()
        try secure()
    }

    private func takeHead() throws {
        while case .head(let head, let consumed) = try parser.parse(input, to: plan.method) {
            input.removeFirst(consumed)
            if let key = plan.key { return try upgrade(head, key) }
            // 100 and 103 announce the answer; 101 was not asked for.
            guard head.status.isInformational else { return self.head = head }
            guard head.status != .switchingProtocols else { throw ClientError.broken("101 without being asked") }
        }
    }

    private func upgrade(_ head: ResponseHead, _ key: String) throws {
        let deflate = try WebSocketHandshake.check(head, key: key, offeredDeflate: plan.options.deflate)
        transport.deadline = nil
        let socket = WebSocket(
            lane: lane, transport: transport, isServer: false, deflate: deflate, options: plan.options.webSocket,
            remote: transport.peer, subprotocol: head.headers["Sec-WebSocket-Protocol"])
        let rest = input
        isDone = true
        socket.start(with: rest)
        continuation?.resume(returning: .socket(socket))
        continuation = nil
    }

    private func takeBody(_ head: ResponseHead) throws {
        switch head.framing {
        case .none: finish()
        case .length(let length):
            if length > plan.options.bodyLimit { throw tooLarge(head) }
            body.append(contentsOf: input.prefix(length - body.count))
            input = []
            if body.count == length { finish() }
        case .chunked:
            _ = try decoder.decode(input, into: &body)
            input = []
            if body.count > plan.options.bodyLimit { throw tooLarge(head) }
            if decoder.isFinished { finish() }
        case .untilClose:
            body.append(contentsOf: input)
            input = []
            if body.count > plan.options.bodyLimit { throw tooLarge(head) }
        }
    }

    private func tooLarge(_ head: ResponseHead) -> ClientError {
        .bodyTooLarge(limit: plan.options.bodyLimit, status: head.status)
    }

    func drained() {}

    func peerEnded() {
        if case .untilClose? = head?.framing { return finish() }
        failed(ClientError.broken("the server closed the connection before its answer was whole"))
    }

    func expired() {
        failed(ClientError.timedOut(stage == .awaiting ? "waiting for the response" : "connecting"))
    }

    func failed(_ error: any Error) {
        switch error {
        case let fault as TLSError where fault.isUntrusted: finish(.failure(ClientError.untrusted("\(fault)")))
        case is ClientError, is WebSocketError, is CancellationError: finish(.failure(error))
        case TransportFault.handshakeTimedOut: finish(.failure(ClientError.timedOut("the TLS handshake")))
        default: finish(.failure(ClientError.broken("\(error)")))
        }
    }

    private func finish() {
        guard let head else { return }
        let response = ClientResponse(
            status: head.status, headers: head.headers, body: body, address: transport.peer,
            sentBytes: plan.head.count + plan.body.count, receivedBytes: receivedBytes)
        finish(.success(.response(response)))
    }

    private func finish(_ result: Result<Outcome, any Error>) {
        guard !isDone else { return }
        isDone = true
        transport.close()
        continuation?.resume(with: result)
        continuation = nil
    }
}
