import Glibc
package import HTTP
package import Posix

/// What a handler answers.
package struct Response: Sendable {
    package var status: Status
    /// Content-Length, Transfer-Encoding, Connection and Date are the server's, and removed where they stand here.
    package var headers: Headers
    package var body: ResponseBody
    /// Holds secrets: never compressed (THREATS 20), and kept by no cache.
    package var isSecret = false

    package init(_ status: Status, headers: Headers = [:], body: ResponseBody = .none) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// Of JSON, already encoded.
    package static func json(_ bytes: [UInt8], status: Status = .ok) -> Response {
        Response(status, headers: ["Content-Type": "application/json"], body: .bytes(bytes))
    }

    package static func text(_ text: String, status: Status = .ok) -> Response {
        Response(status, headers: ["Content-Type": "text/plain; charset=utf-8"], body: .bytes(Array(text.utf8)))
    }

    /// A fault that needs no more words than its status (RFC 9457, type `about:blank`).
    static func problem(_ status: Status, _ detail: String) -> Response {
        let plain = detail.unicodeScalars.map { $0.value < 0x20 || $0 == "\"" || $0 == "\\" ? "." : $0 }
        let text =
            "{\"type\":\"about:blank\",\"title\":\"\(status.reason)\",\"status\":\(status.code),"
            + "\"detail\":\"\(String(String.UnicodeScalarView(plain)))\"}"
        return Response(status, headers: plainHeaders, body: .bytes(Array(text.utf8)))
    }

    /// Nobody keeps it, takes it for something else, or frames it (THREATS 16).
    private static let plainHeaders: Headers = [
        "Content-Type": "application/problem+json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    ]

    /// Changes the connection into a WebSocket, where the request asks for one; else answers 400 or 426 by itself.
    ///
    /// The handler has checked who asks, and the Origin. When `serve` returns, the socket is closed normally.
    /// - Parameters:
    ///   - deflate: accept permessage-deflate, without context takeover (never for boards, never with secrets: THREATS 20).
    ///   - subprotocol: the one of those that the client offered.
    package static func upgrade(
        deflate: Bool = false, subprotocol: String? = nil, options: WebSocketOptions = WebSocketOptions(),
        _ serve: @escaping @Sendable (WebSocket) async -> Void
    ) -> Response {
        let upgrade = Upgrade(deflate: deflate, subprotocol: subprotocol, options: options, serve: serve)
        return Response(.switchingProtocols, body: .upgrade(upgrade))
    }
}

package enum ResponseBody: Sendable {
    case none
    case bytes([UInt8])
    case file(FileBody)
    /// Written as it comes; chunked where the length is not known. If the closure throws, the connection is cut, so that
    /// nobody takes a part for the whole.
    case stream(length: Int?, @Sendable (BodyWriter) async throws -> Void)
    /// Indirect: it is large and rare, and would be copied with every response.
    indirect case upgrade(Upgrade)
}

/// A WebSocket to be; made by `Response.upgrade`.
package struct Upgrade: Sendable {
    let deflate: Bool
    let subprotocol: String?
    let options: WebSocketOptions
    let serve: @Sendable (WebSocket) async -> Void
}

/// A regular file that is open for reading; closed when the last reference goes.
package final class FileBody: Sendable {
    let descriptor: Descriptor
    /// Bytes, as of opening: exactly so many are sent.
    package let length: Int
    /// Unix seconds.
    package let modified: Int64

    /// Opens a file; a symbolic link at the end of the path is refused. Throws `SystemError`.
    package convenience init(path: String) throws {
        let raw = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard raw >= 0 else { throw SystemError("open", on: path) }
        try self.init(adopting: Descriptor(adopting: raw), name: path)
    }

    /// Takes over an open file. Throws `SystemError` for what is no regular file.
    package init(adopting descriptor: consuming Descriptor, name: String) throws {
        var info = stat()
        guard fstat(descriptor.raw, &info) == 0 else { throw SystemError("fstat", on: name) }
        guard info.st_mode & S_IFMT == S_IFREG else { throw SystemError("fstat", EINVAL, on: "\(name), which is no regular file") }
        length = Int(info.st_size)
        modified = Int64(info.st_mtim.tv_sec)
        self.descriptor = descriptor
    }

    /// A strong validator: changes with every write that the kernel's clock can tell apart.
    package func entityTag() -> String? {
        var info = stat()
        guard fstat(descriptor.raw, &info) == 0 else { return nil }
        let parts = [UInt64(info.st_ino), UInt64(info.st_size), UInt64(info.st_mtim.tv_sec) * 1_000_000_000 + UInt64(info.st_mtim.tv_nsec)]
        return "\"" + parts.map { String($0, radix: 16) }.joined(separator: "-") + "\""
    }

    /// Reads at an offset; an empty result means that the file was cut meanwhile.
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        max(0, pread(descriptor.raw, buffer.baseAddress, buffer.count, off_t(offset)))
    }
}

/// Where a streamed body is written. Any thread; one writer.
package final class BodyWriter: Sendable {
    private let exchange: Exchange

    init(exchange: Exchange) { self.exchange = exchange }

    /// Sends the next part, after what was written before has gone so far that the peer keeps up.
    ///
    /// Throws when the peer is gone, or when more is written than the length that was promised.
    package func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            exchange.connection.lane.loop.run { [exchange] in exchange.connection.stream(bytes, of: exchange, continuation) }
        }
    }

    package func write(_ text: String) async throws { try await write(Array(text.utf8)) }
}

/// Why a streamed body cannot be written on.
package enum StreamFault: Error, Hashable, Sendable {
    case disconnected
    case longerThanPromised
}
