/// The field lines of a head, and what its framing depends on, read in one pass (RFC 9112 sections 5 and 6).
struct FieldBlock {
    let headers: Headers
    private(set) var hosts = 0
    private(set) var host = ""
    private(set) var contentLength: Int?
    private(set) var isChunked = false
    private(set) var closes = false
    private(set) var keepsAlive = false

    /// - Parameters:
    ///   - head: the whole head, from its first line to its empty line.
    ///   - lines: where its lines begin; the first is not a field, the last is empty.
    init(_ head: [UInt8], lines: [Int32]) throws(HTTPFault) {
        var slots: [Headers.Field] = []
        slots.reserveCapacity(lines.count - 2)
        for number in 1..<(lines.count - 1) {
            slots.append(try Self.field(head, Int(lines[number]), Int(lines[number + 1]) - 2))
        }
        headers = Headers(bytes: head, slots: slots)
        for slot in slots { try note(slot, in: head) }
    }

    /// One field line without its CRLF.
    private static func field(_ head: [UInt8], _ start: Int, _ end: Int) throws(HTTPFault) -> Headers.Field {
        var colon = start
        while colon < end, Grammar.isToken(head[colon]) { colon += 1 }
        guard colon < end, head[colon] == UInt8(ascii: ":"), colon > start else {
            switch head[start] {
            case Grammar.space, Grammar.tab: throw .bad("a folded field line")
            case UInt8(ascii: ":"): throw .bad("a field without a name")
            default: throw .bad("a field name that is not a token followed by a colon")
            }
        }
        var first = colon + 1
        var last = end
        while first < last, isBlank(head[first]) { first += 1 }
        while last > first, isBlank(head[last - 1]) { last -= 1 }
        return Headers.Field(nameStart: Int32(start), nameEnd: Int32(colon), valueStart: Int32(first), valueEnd: Int32(last))
    }

    @inline(__always)
    private static func isBlank(_ byte: UInt8) -> Bool { byte == Grammar.space || byte == Grammar.tab }

    /// Keeps what framing, routing and persistence need.
    private mutating func note(_ slot: Headers.Field, in head: [UInt8]) throws(HTTPFault) {
        // Told apart by length first: most fields are none of these.
        switch slot.nameEnd - slot.nameStart {
        case 4 where isNamed(slot, "host", head): try noteHost(slot, head)
        case 10 where isNamed(slot, "connection", head): noteConnection(head[value(slot)])
        case 14 where isNamed(slot, "content-length", head): try noteLength(head[value(slot)])
        case 17 where isNamed(slot, "transfer-encoding", head): try noteTransferEncoding(head[value(slot)])
        default: break
        }
    }

    private mutating func noteHost(_ slot: Headers.Field, _ head: [UInt8]) throws(HTTPFault) {
        hosts += 1
        guard hosts == 1 else { throw .bad("more than one Host field") }
        host = String(decoding: head[value(slot)], as: UTF8.self)
    }

    private mutating func noteConnection(_ value: ArraySlice<UInt8>) {
        for item in value.split(separator: UInt8(ascii: ",")) {
            let option = trimmed(item)
            if Grammar.equal(option, "close".utf8) { closes = true }
            if Grammar.equal(option, "keep-alive".utf8) { keepsAlive = true }
        }
    }

    private mutating func noteLength(_ value: ArraySlice<UInt8>) throws(HTTPFault) {
        guard contentLength == nil else { throw .bad("more than one Content-Length field") }
        guard let length = Grammar.decimal(value) else { throw .bad("a Content-Length that is not up to 18 digits") }
        contentLength = length
    }

    private mutating func noteTransferEncoding(_ value: ArraySlice<UInt8>) throws(HTTPFault) {
        guard !isChunked else { throw .bad("more than one Transfer-Encoding field") }
        guard Grammar.equal(value, "chunked".utf8) else {
            throw HTTPFault(.notImplemented, "a Transfer-Encoding that is not exactly chunked")
        }
        isChunked = true
    }

    /// The length of the body as its sender states it: at most one of the two ways, chunked only in HTTP/1.1.
    func framing(version: HTTPVersion) throws(HTTPFault) -> BodyFraming? {
        if isChunked {
            guard contentLength == nil else { throw .bad("Transfer-Encoding and Content-Length together") }
            guard version == .http11 else { throw .bad("Transfer-Encoding in HTTP/1.0") }
            return .chunked
        }
        return contentLength.map(BodyFraming.length)
    }

    /// RFC 9112 section 9.3.
    func keepAlive(version: HTTPVersion) -> Bool { !closes && (version == .http11 || keepsAlive) }

    private func value(_ slot: Headers.Field) -> Range<Int> { Int(slot.valueStart)..<Int(slot.valueEnd) }

    /// - Parameter name: lower case, as long as the field's name.
    private func isNamed(_ slot: Headers.Field, _ name: String, _ head: [UInt8]) -> Bool {
        var index = Int(slot.nameStart)
        for byte in name.utf8 {
            if Grammar.lowercased(head[index]) != byte { return false }
            index += 1
        }
        return true
    }
}
