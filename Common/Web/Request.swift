package import HTTP
package import Posix

/// A request as its handler sees it. One reference: copying it costs next to nothing.
package struct Request: Sendable {
    let exchange: Exchange

    package var head: RequestHead { exchange.head }
    package var body: RequestBody { exchange.body }
    package var method: Method { exchange.head.method }
    package var path: String { exchange.head.path }
    package var headers: Headers { exchange.head.headers }

    /// Who asks: the peer, or, where the peer is a trusted proxy, the rightmost hop before it that is none.
    package var remote: SocketAddress { exchange.origin.client(of: headers) }
    /// The peer of the connection is one of the configured proxies.
    package var isProxied: Bool { exchange.origin.isProxied }
    /// This connection has TLS. Behind a trusted proxy, see `isSecure`.
    package var isTLS: Bool { exchange.origin.isTLS }
    /// The client's own connection has TLS, as far as we can know: ours, or by the word of a trusted proxy.
    package var isSecure: Bool {
        isProxied ? headers.all("X-Forwarded-Proto").last?.lowercased() == "https" : isTLS
    }

    /// The value that an authentication over this connection is bound to (RFC 9266, 32 bytes); nil without TLS.
    ///
    /// Not that of the client's connection where a proxy ends TLS: see `isProxied`.
    package var tlsExporter: [UInt8]? {
        get async {
            await withCheckedContinuation { continuation in
                let connection = exchange.connection
                connection.lane.loop.run { continuation.resume(returning: connection.transport.tls?.exporter) }
            }
        }
    }
}

/// Where a connection comes from; the same for all its requests.
struct Origin: Sendable {
    let peer: SocketAddress
    let isTLS: Bool
    let isProxied: Bool
    let proxies: TrustedProxies

    init(peer: SocketAddress, isTLS: Bool, proxies: TrustedProxies) {
        self.peer = peer.unmapped
        self.isTLS = isTLS
        self.proxies = proxies
        isProxied = !proxies.isEmpty && proxies.contains(peer)
    }

    func client(of headers: Headers) -> SocketAddress { isProxied ? proxies.client(of: headers, peer: peer) : peer }
}

/// One request and its response on their connection.
final class Exchange: @unchecked Sendable {
    // Sendable: what is `let` is read anywhere; what is `var` belongs to the connection, on its loop.
    let head: RequestHead
    let body: RequestBody
    let connection: ServerConnection
    let origin: Origin
    var incoming: Incoming
    var outgoing = Outgoing.unanswered
    var keepsAlive: Bool
    var awaitsContinue: Bool
    var task: Task<Void, Never>?
    var writer: CheckedContinuation<Void, any Error>?
    /// Since when the body is expected without our holding it back, and how much came.
    var bodySince = Instant(nanoseconds: 0)
    var bodyBytes = 0

    enum Incoming {
        case complete
        case length(Int)
        case chunked(ChunkedDecoder)
    }

    enum Outgoing {
        case unanswered
        case bytes([UInt8], offset: Int)
        case file(FileBody, offset: Int, end: Int)
        case stream(chunked: Bool, remaining: Int?)
        case sent
    }

    init(head: RequestHead, body: RequestBody, incoming: Incoming, connection: ServerConnection, origin: Origin, awaitsContinue: Bool) {
        self.head = head
        self.body = body
        self.incoming = incoming
        self.connection = connection
        self.origin = origin
        self.awaitsContinue = awaitsContinue
        keepsAlive = head.keepAlive
    }

    /// The body has arrived, or never will.
    var isComplete: Bool {
        if case .complete = incoming { return true }
        return false
    }
}

/// Why a request's body did not come to its end.
package enum BodyFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// Longer than the reader takes, in bytes.
    case tooLarge(limit: Int)
    case disconnected
    case timedOut
    case malformed(HTTPFault)

    package var description: String {
        switch self {
        case .tooLarge(let limit): "a body of more than \(limit) bytes"
        case .disconnected: "the connection ended before the body"
        case .timedOut: "the body came too slowly"
        case .malformed(let fault): fault.description
        }
    }

    /// What to answer where an answer still reaches anybody.
    package var status: Status {
        switch self {
        case .tooLarge: .contentTooLarge
        case .disconnected: .badRequest
        case .timedOut: .requestTimeout
        case .malformed(let fault): fault.status
        }
    }
}

/// The body of a request, read as it arrives: the peer is held back when more waits than the high mark.
///
/// Any thread; one reader.
package final class RequestBody: AsyncSequence, @unchecked Sendable {
    // Sendable: all state is touched on the lane's loop only.
    package typealias Element = [UInt8]
    private let lane: Lane?
    private var chunks: [[UInt8]] = []
    private var bufferedBytes = 0
    private var end: Result<Void, BodyFault>?
    private var reader: CheckedContinuation<[UInt8]?, any Error>?
    /// Told that the reader waits or took something; nil once the body has ended.
    private weak var connection: ServerConnection?

    /// Above it the connection is paused, in bytes.
    static let highMark = 256 * 1024
    /// The Content-Length, where there is one.
    package let length: Int?

    static let empty = RequestBody(lane: nil, length: 0, connection: nil)

    init(lane: Lane?, length: Int?, connection: ServerConnection?) {
        self.lane = lane
        self.length = length
        self.connection = connection
        if lane == nil { end = .success(()) }
    }

    /// The next part; nil at the end. Throws `BodyFault`.
    package func next() async throws -> [UInt8]? {
        guard let lane else { return nil }
        return try await withCheckedThrowingContinuation { continuation in
            lane.loop.run { self.take(continuation) }
        }
    }

    /// The whole body. Throws `BodyFault.tooLarge` as soon as it is known to be longer than `limit` bytes.
    package func collect(upTo limit: Int) async throws -> [UInt8] {
        if let length, length > limit { throw BodyFault.tooLarge(limit: limit) }
        var all: [UInt8] = []
        while let chunk = try await next() {
            guard all.count + chunk.count <= limit else { throw BodyFault.tooLarge(limit: limit) }
            if all.isEmpty { all = chunk } else { all.append(contentsOf: chunk) }
        }
        return all
    }

    package func makeAsyncIterator() -> Iterator { Iterator(body: self) }

    package struct Iterator: AsyncIteratorProtocol {
        let body: RequestBody
        package func next() async throws -> [UInt8]? { try await body.next() }
    }

    // MARK: Loop thread

    var isAboveHighMark: Bool { bufferedBytes > RequestBody.highMark }
    var isEmpty: Bool { bufferedBytes == 0 }

    private func take(_ continuation: CheckedContinuation<[UInt8]?, any Error>) {
        precondition(reader == nil, "a body has one reader")
        if !chunks.isEmpty {
            // All that waits at once: fewer turns, and the memory is there anyway.
            let first = chunks.count == 1 ? chunks[0] : Array(chunks.joined())
            chunks = []
            bufferedBytes = 0
            continuation.resume(returning: first)
            connection?.bodyWasRead()
        } else {
            switch end {
            case .success: continuation.resume(returning: nil)
            case .failure(let fault): continuation.resume(throwing: fault)
            case nil:
                reader = continuation
                connection?.bodyIsAwaited()
            }
        }
    }

    func append(_ chunk: [UInt8]) {
        guard !chunk.isEmpty, end == nil else { return }
        if let reader {
            self.reader = nil
            return reader.resume(returning: chunk)
        }
        bufferedBytes += chunk.count
        chunks.append(chunk)
    }

    func finish(_ result: Result<Void, BodyFault>) {
        guard end == nil else { return }
        end = result
        connection = nil
        guard let reader else { return }
        self.reader = nil
        switch result {
        case .success: reader.resume(returning: nil)
        case .failure(let fault): reader.resume(throwing: fault)
        }
    }
}
