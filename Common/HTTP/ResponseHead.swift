/// The head of a response.
package struct ResponseHead: Hashable, Sendable {
    package var status: Status
    package var version: HTTPVersion
    package var headers: Headers
    package var framing: BodyFraming
    package var keepAlive: Bool

    package init(status: Status, version: HTTPVersion = .http11, headers: Headers, framing: BodyFraming, keepAlive: Bool) {
        self.status = status
        self.version = version
        self.headers = headers
        self.framing = framing
        self.keepAlive = keepAlive
    }
}

/// Reads the heads of the responses on a connection, interim ones (1xx) among them, as their bytes arrive.
package struct ResponseHeadParser: Sendable {
    package enum Step: Sendable, Hashable {
        case needMore
        case head(ResponseHead, consumed: Int)
    }

    private let limits: HeadLimits
    private var scanner = HeadScanner()

    package init(limits: HeadLimits = .standard) { self.limits = limits }

    /// Reads on, as `RequestHeadParser.parse` does.
    /// - Parameter method: of the request that it answers: the framing depends on it (RFC 9112 section 6.3).
    /// - Throws: `HTTPFault` (502): the connection is then to be closed.
    package mutating func parse(_ buffer: [UInt8], _ range: Range<Int>? = nil, to method: Method) throws(HTTPFault) -> Step {
        let range = range ?? buffer.indices
        do throws(HTTPFault) {
            guard let length = try scanner.scan(buffer, range, limits: limits) else { return .needMore }
            let bytes = Array(buffer[range.lowerBound..<(range.lowerBound + length)])
            let head = try Self.head(bytes, lines: scanner.lines, method: method)
            scanner.reset()
            return .head(head, consumed: length)
        } catch {
            throw HTTPFault(.badGateway, "a response with \(error.reason)")
        }
    }

    private static func head(_ bytes: [UInt8], lines: [Int32], method: Method) throws(HTTPFault) -> ResponseHead {
        let line = bytes[Int(lines[0])..<(Int(lines[1]) - 2)]
        // `HTTP/1.1 200`, then a space and a reason; some senders leave out that space with the reason.
        let start = line.startIndex
        guard line.count >= 12, line[start + 8] == Grammar.space, line.count == 12 || line[start + 12] == Grammar.space else {
            throw .bad("a status line that is not a version, a code and a reason")
        }
        let version = try HTTPVersion(line[start..<(start + 8)])
        guard let code = Grammar.decimal(line[(start + 9)..<(start + 12)]), (100..<600).contains(code) else {
            throw .bad("a status that is not 100 to 599")
        }
        let fields = try FieldBlock(bytes, lines: lines)
        let status = Status(code: code)
        let framing = try Self.framing(fields, status, method, version)
        return ResponseHead(
            status: status, version: version, headers: fields.headers, framing: framing,
            keepAlive: fields.keepAlive(version: version) && framing != .untilClose)
    }

    private static func framing(
        _ fields: FieldBlock, _ status: Status, _ method: Method, _ version: HTTPVersion
    ) throws(HTTPFault) -> BodyFraming {
        let stated = try fields.framing(version: version)
        if method == .head || status.forbidsBody || (method == .connect && status.isSuccess) { return .none }
        return stated ?? .untilClose
    }
}
