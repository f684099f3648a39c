import Glibc
package import HTTP
package import Posix
import TLS

/// An HTTP and WebSocket client. One connection for each request: made for few and long ones.
package struct Client: Sendable {
    private let lane: Lane
    private let options: ClientOptions

    /// - Parameter loop: where the connections live; the caller's to stop, after them.
    package init(loop: Loop, options: ClientOptions = ClientOptions()) {
        lane = Lane(loop: loop)
        self.options = options
    }

    /// Sends a request and takes the whole response; redirects are not followed.
    ///
    /// - Parameter headers: Host, Content-Length and Connection are added.
    /// - Throws: `ClientError`; `ResolveError` for a name without address; `CancellationError`.
    package func request(
        _ method: Method, _ url: String, headers: Headers = [:], body: [UInt8]? = nil
    ) async throws -> ClientResponse {
        let parts = try Client.parse(url, schemes: [.http, .https])
        var headers = headers
        headers["Host"] = parts.authority
        headers["Connection"] = "close"
        if body != nil || [.post, .put, .patch].contains(method) { headers["Content-Length"] = "\(body?.count ?? 0)" }
        guard case .response(let response) = try await exchange(method, parts, headers, body ?? [], key: nil) else {
            throw ClientError.broken("a WebSocket that was not asked for")
        }
        return response
    }

    /// Opens a WebSocket.
    ///
    /// - Parameter headers: e.g. Authorization, Origin or Sec-WebSocket-Protocol; those of the handshake are added.
    /// - Throws: as `request`, and `WebSocketError.refused` with the status of a server that answered otherwise.
    package func webSocket(_ url: String, headers: Headers = [:]) async throws -> WebSocket {
        let parts = try Client.parse(url, schemes: [.ws, .wss])
        let key = base64(SystemRandom.bytes(16))
        var headers = headers
        headers["Host"] = parts.authority
        headers["Upgrade"] = "websocket"
        headers["Connection"] = "Upgrade"
        headers["Sec-WebSocket-Version"] = "13"
        headers["Sec-WebSocket-Key"] = key
        if options.deflate { headers["Sec-WebSocket-Extensions"] = WebSocketHandshake.offer }
        guard case .socket(let socket) = try await exchange(.get, parts, headers, [], key: key) else {
            throw ClientError.broken("a response instead of a WebSocket")
        }
        return socket
    }

    private static func parse(_ url: String, schemes: Set<URLParts.Scheme>) throws -> URLParts {
        do { return try URLParts(url, schemes: schemes) } catch { throw ClientError.url(error.description) }
    }

    private func exchange(
        _ method: Method, _ url: URLParts, _ headers: Headers, _ body: [UInt8], key: String?
    ) async throws -> ClientExchange.Outcome {
        // All steps on the loop: between them nobody waits for the caller's executor.
        try await withTaskExecutorPreference(lane.loop.tasks) { try await exchangeOnLoop(method, url, headers, body, key: key) }
    }

    private func exchangeOnLoop(
        _ method: Method, _ url: URLParts, _ headers: Headers, _ body: [UInt8], key: String?
    ) async throws -> ClientExchange.Outcome {
        let head: [UInt8]
        do { head = try HeadWriter.request(method, target: url.target, headers) } catch { throw ClientError.url(error.description) }
        // The trust is read before anything is dialled: a bad anchor is no matter of the network.
        let context: TLSContext?
        do { context = url.scheme.isTLS ? try TLSContext.client(trust: options.trust, timeFloor: options.timeFloor) : nil } catch {
            throw ClientError.untrusted("\(error)")
        }
        let end = Instant.now + options.connectTimeout
        var addresses = try await addresses(for: url, by: end)
        let plan = ClientExchange.Plan(
            method: method, url: url, head: head, body: body, key: key, options: options, connectBy: end)
        while true {
            let dialer = Dialer(loop: lane.loop, addresses: addresses, device: options.bindToDevice)
            let (socket, address) = try await dialer.connect(within: end - Instant.now)
            do {
                let outcome = try await ClientExchange(lane: lane, socket: socket, address: address, plan: plan, context: context).run()
                options.names.judged(address, true)
                return outcome
            } catch ClientError.untrusted(let reason) {
                // Nothing was asked there yet. Of several addresses one may be a lie of somebody's name server.
                options.names.judged(address, false)
                addresses.removeAll { $0 == address }
                if addresses.isEmpty || options.proxy != nil { throw ClientError.untrusted(reason) }
            } catch ClientError.timedOut(let what) {
                options.names.judged(address, false)
                throw ClientError.timedOut(what)
            }
        }
    }

    /// Of the proxy where there is one, since it looks up the server's name itself.
    private func addresses(for url: URLParts, by end: Instant) async throws -> [SocketAddress] {
        let (host, port) = options.proxy.map { ($0.host, $0.port) } ?? (url.host, url.port)
        if options.proxy == nil, let known = options.addresses, !known.isEmpty {
            return known.map { address in
                var address = address
                if address.port == 0 { address.port = port }
                return address
            }
        }
        return try await Lookup(loop: lane.loop, names: options.names, host: host, port: port).run(within: end - Instant.now)
    }
}

/// A look-up that is left behind when it takes too long: getaddrinfo, for one, cannot be cancelled. Loop thread only.
private final class Lookup: @unchecked Sendable {
    // Sendable: state is touched on the loop only.
    private let loop: Loop
    private let names: NameLookup
    private let host: String
    private let port: Int
    private var continuation: CheckedContinuation<[SocketAddress], any Error>?
    private var timer: LoopTimer?
    private var isDone = false

    init(loop: Loop, names: NameLookup, host: String, port: Int) {
        self.loop = loop
        self.names = names
        self.host = host
        self.port = port
    }

    func run(within timeout: Duration) async throws -> [SocketAddress] {
        if let literal = SocketAddress(host, port: port) { return [literal] }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                loop.run { self.start(timeout, continuation) }
            }
        } onCancel: {
            loop.submit { self.finish(.failure(CancellationError())) }
        }
    }

    private func start(_ timeout: Duration, _ continuation: CheckedContinuation<[SocketAddress], any Error>) {
        if isDone { return continuation.resume(throwing: CancellationError()) }
        self.continuation = continuation
        timer = loop.timer(after: timeout) { [self] in finish(.failure(ClientError.timedOut("resolving \(host)"))) }
        loop.spawn { [self] in
            let result: Result<[SocketAddress], any Error>
            do { result = .success(try await names.find(host, port)) } catch { result = .failure(error) }
            finish(result)
        }
    }

    private func finish(_ result: Result<[SocketAddress], any Error>) {
        guard !isDone else { return }
        isDone = true
        timer?.cancel()
        continuation?.resume(with: result)
        continuation = nil
    }
}
