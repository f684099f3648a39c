package import HTTP
package import Posix

/// A request as its handler sees it.
package struct Request: Sendable {
    package let head: RequestHead
    package let body: RequestBody
    /// Who asks: the peer, or, where the peer is a trusted proxy, the rightmost hop before it that is none.
    package let remote: SocketAddress
    /// The peer of the connection is one of the configured proxies.
    package let isProxied: Bool
    /// This connection has TLS. Behind a trusted proxy, see `isSecure`.
    package let isTLS: Bool
    /// The client's own connection has TLS, as far as we can know: ours, or by the word of a trusted proxy.
    package let isSecure: Bool
    let connection: ServerConnection

    package var method: Method { head.method }
    package var path: String { head.path }
    package var headers: Headers { head.headers }

    /// The value that an authentication over this connection is bound to (RFC 9266, 32 bytes); nil without TLS.
    ///
    /// Not that of the client's connection where a proxy ends TLS: see `isProxied`.
    package var tlsExporter: [UInt8]? {
        get async {
            await withCheckedContinuation { continuation in
                connection.lane.loop.run { [connection] in continuation.resume(returning: connection.transport.tls?.exporter) }
            }
        }
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
