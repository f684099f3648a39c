/// Reads the heads of a connection's requests, one after the other, as their bytes arrive.
///
/// What other parsers could read in a second way is refused: that is where requests are smuggled (RFC 9112 section 11.2).
package struct RequestHeadParser: Sendable {
    package enum Step: Sendable, Hashable {
        /// The head is not complete.
        case needMore
        /// - Parameter consumed: the bytes of the head; the body begins behind them.
        case head(RequestHead, consumed: Int)
    }

    private let limits: HeadLimits
    private var scanner = HeadScanner()
    /// The last Host field that was found valid: mostly it is the next one's too (checking it takes as long as parsing the rest).
    private var knownHost = ""

    package init(limits: HeadLimits = .standard) { self.limits = limits }

    /// Reads on. Call it again with the same bytes and those that arrived behind them until it returns the head.
    /// - Parameters:
    ///   - buffer: what the connection's buffer holds.
    ///   - range: the bytes not yet consumed; nil for all.
    /// - Throws: `HTTPFault` with the status to answer; the connection is then to be closed.
    package mutating func parse(_ buffer: [UInt8], _ range: Range<Int>? = nil) throws(HTTPFault) -> Step {
        let range = range ?? buffer.indices
        guard let length = try scanner.scan(buffer, range, limits: limits) else { return .needMore }
        let bytes = Array(buffer[range.lowerBound..<(range.lowerBound + length)])
        let head = try Self.head(bytes, lines: scanner.lines, limits: limits, knownHost: knownHost)
        knownHost = head.host
        scanner.reset()
        return .head(head, consumed: length)
    }

    private static func head(_ bytes: [UInt8], lines: [Int32], limits: HeadLimits, knownHost: String) throws(HTTPFault) -> RequestHead {
        let line = Int(lines[0])..<(Int(lines[1]) - 2)
        let method = try Self.method(bytes, line)
        let targetStart = line.lowerBound + method.text.utf8.count + 1
        // ` HTTP/1.1` is the last nine bytes.
        let targetEnd = line.upperBound - 9
        guard targetEnd > targetStart, bytes[targetEnd] == Grammar.space else {
            throw .bad("a request line that is not a method, a target and a version with one space between them")
        }
        let version = try HTTPVersion(bytes[(targetEnd + 1)..<line.upperBound])
        guard targetEnd - targetStart <= limits.targetBytes else {
            throw HTTPFault(.uriTooLong, "a target longer than \(limits.targetBytes) bytes")
        }
        let target = try RequestTarget(bytes, targetStart..<targetEnd, method: method)
        let fields = try FieldBlock(bytes, lines: lines)
        try checkHost(fields, target, version, knownHost)
        return RequestHead(
            method: method, target: target.text, path: target.path, version: version, headers: fields.headers,
            framing: try fields.framing(version: version) ?? .none, keepAlive: fields.keepAlive(version: version), host: fields.host)
    }

    /// Capital letters and `-`, at most 20: all registered methods, and no more than nginx takes.
    private static func method(_ bytes: [UInt8], _ line: Range<Int>) throws(HTTPFault) -> Method {
        var end = line.lowerBound
        while end < line.upperBound, bytes[end] &- 0x41 < 26 || bytes[end] == UInt8(ascii: "-") { end += 1 }
        let range = line.lowerBound..<end
        guard end < line.upperBound, bytes[end] == Grammar.space, !range.isEmpty, range.count <= 20 else {
            throw .bad("a method that is not 1 to 20 capital letters")
        }
        return Method(text: String(decoding: bytes[range], as: UTF8.self))
    }

    private static func checkHost(_ fields: FieldBlock, _ target: RequestTarget, _ version: HTTPVersion, _ known: String) throws(HTTPFault)
    {
        guard fields.hosts == 1 else {
            guard version == .http10, target.authority == nil else { throw .bad("no Host field") }
            return
        }
        // Byte by byte: strings compare equal across normal forms.
        let isKnown = !known.isEmpty && fields.host.utf8.elementsEqual(known.utf8)
        guard isKnown || Authority(fields.host) != nil else {
            throw .bad("a Host field that is not a name or address with an optional port")
        }
        if let authority = target.authority, !Grammar.equal(Array(authority.utf8), Array(fields.host.utf8)) {
            throw .bad("a target and a Host field that differ")
        }
    }
}

extension HTTPVersion {
    init(_ bytes: ArraySlice<UInt8>) throws(HTTPFault) {
        let start = bytes.startIndex
        guard bytes.count == 8, bytes[start..<(start + 5)].elementsEqual("HTTP/".utf8), Grammar.isDigit(bytes[start + 5]),
            bytes[start + 6] == UInt8(ascii: "."), Grammar.isDigit(bytes[start + 7])
        else { throw .bad("a line without a version") }
        switch (bytes[start + 5], bytes[start + 7]) {
        case (UInt8(ascii: "1"), UInt8(ascii: "1")): self = .http11
        case (UInt8(ascii: "1"), UInt8(ascii: "0")): self = .http10
        default: throw HTTPFault(.versionNotSupported, "a version other than HTTP/1.0 and HTTP/1.1")
        }
    }

    var bytes: String.UTF8View { self == .http11 ? "HTTP/1.1".utf8 : "HTTP/1.0".utf8 }
}
