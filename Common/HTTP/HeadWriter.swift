/// Writes heads and chunks. What would end a line early is refused: no caller can inject a field or a second message.
package enum HeadWriter {
    /// A response's head with its empty line. The framing fields are the caller's.
    /// - Throws: `HTTPFault` (500) for a field that is not a token and a value without control characters.
    package static func response(_ status: Status, _ headers: Headers, version: HTTPVersion = .http11) throws(HTTPFault) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32 + headers.bytes.count + 4 * headers.count)
        try response(status, headers, version: version, into: &bytes)
        return bytes
    }

    /// The same, appended.
    package static func response(
        _ status: Status, _ headers: Headers, version: HTTPVersion = .http11, into bytes: inout [UInt8]
    ) throws(HTTPFault) {
        bytes.append(contentsOf: version.bytes)
        bytes.append(Grammar.space)
        bytes.append(contentsOf: String(status.code).utf8)
        bytes.append(Grammar.space)
        bytes.append(contentsOf: status.reason.utf8)
        bytes.append(contentsOf: lineEnd)
        try append(headers, to: &bytes)
    }

    /// A request's head with its empty line. Host and the framing fields are the caller's.
    /// - Parameter target: in origin form, or `host:port` for CONNECT; printable ASCII.
    package static func request(_ method: Method, target: String, _ headers: Headers) throws(HTTPFault) -> [UInt8] {
        guard !method.text.isEmpty, method.text.utf8.allSatisfy(Grammar.isToken) else { throw unsound("a method") }
        guard !target.isEmpty, target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { throw unsound("a target") }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32 + target.utf8.count + headers.bytes.count + 4 * headers.count)
        bytes.append(contentsOf: method.text.utf8)
        bytes.append(Grammar.space)
        bytes.append(contentsOf: target.utf8)
        bytes.append(Grammar.space)
        bytes.append(contentsOf: HTTPVersion.http11.bytes)
        bytes.append(contentsOf: lineEnd)
        try append(headers, to: &bytes)
        return bytes
    }

    /// The line before a chunk's bytes; behind them comes `chunkEnd`.
    /// - Parameter count: above zero: zero would end the body.
    package static func chunkStart(_ count: Int) -> [UInt8] {
        precondition(count > 0, "an empty chunk would end the body")
        return Array(String(count, radix: 16).utf8) + lineEnd
    }

    package static let chunkEnd: [UInt8] = lineEnd
    /// The last chunk, without trailers.
    package static let lastChunk: [UInt8] = Array("0\r\n\r\n".utf8)

    private static let lineEnd: [UInt8] = [Grammar.carriageReturn, Grammar.lineFeed]

    private static func append(_ headers: Headers, to bytes: inout [UInt8]) throws(HTTPFault) {
        for field in headers.slots {
            guard headers.isSound(field) else { throw unsound("a field") }
            bytes.append(contentsOf: headers.bytes[Int(field.nameStart)..<Int(field.nameEnd)])
            bytes.append(UInt8(ascii: ":"))
            bytes.append(Grammar.space)
            bytes.append(contentsOf: headers.bytes[Int(field.valueStart)..<Int(field.valueEnd)])
            bytes.append(contentsOf: lineEnd)
        }
        bytes.append(contentsOf: lineEnd)
    }

    private static func unsound(_ what: String) -> HTTPFault {
        HTTPFault(.internalError, "\(what) with characters that cannot be sent")
    }
}
