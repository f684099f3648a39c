package import HTTP

/// A head and how many bytes it had.
private struct Parsed<Head: Equatable>: Equatable {
    let head: Head
    let consumed: Int
}

private func parseRequest(_ bytes: [UInt8], step: Int) -> Outcome<Parsed<RequestHead>> {
    var parser = RequestHeadParser()
    var end = 0
    while end < bytes.count {
        end = min(bytes.count, end + step)
        do {
            if case .head(let head, let consumed) = try parser.parse(bytes, 0..<end) {
                return .value(Parsed(head: head, consumed: consumed))
            }
        } catch {
            return .refused
        }
    }
    return .more
}

/// The head as the parser reads it when it has all bytes; nil where it refuses them or wants more.
package func acceptedRequestHead(_ bytes: [UInt8]) -> RequestHead? { parseRequest(bytes, step: max(1, bytes.count)).value?.head }

package func fuzzRequestHead(_ bytes: [UInt8]) -> String? {
    let whole = parseRequest(bytes, step: max(1, bytes.count))
    for step in [1, 7] where parseRequest(bytes, step: step) != whole { return "a head that arrives in pieces of \(step) is another one" }
    guard let parsed = whole.value else { return nil }
    let head = parsed.head
    let raw = bytes[..<parsed.consumed]
    guard raw.suffix(4).elementsEqual("\r\n\r\n".utf8) else { return "a head without its empty line" }
    if head.path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f || $0 == UInt8(ascii: "\\") }) { return "a control character in the path" }
    if head.path.split(separator: "/").contains(where: { $0 == "." || $0 == ".." }) { return "a dot segment in the path" }
    if head.headers.all("Content-Length").count + head.headers.all("Transfer-Encoding").count > 1 { return "two lengths" }
    if head.framing == .none, head.headers.contains("Content-Length") || head.headers.contains("Transfer-Encoding") {
        return "a length that is not used"
    }
    _ = head.query
    _ = Cookies.parse(head.headers)
    _ = ContentCoding.choose(head.headers)
    _ = ByteRange.choose(head.headers, size: 1000, tag: EntityTag(opaque: "x"), modified: 0)
    _ = Precondition.evaluate(head.method, head.headers, tag: EntityTag(opaque: "x"), modified: 0)
    // The writer writes HTTP/1.1 alone.
    guard head.version == .http11 else { return nil }
    guard let written = try? HeadWriter.request(head.method, target: head.target, head.headers) else {
        return "a head that cannot be written"
    }
    guard parseRequest(written, step: written.count).value?.head == head else {
        return "a head that is another one when it is written and read"
    }
    return nil
}

package func fuzzResponseHead(_ bytes: [UInt8]) -> String? {
    for method in [Method.get, .head, .connect] {
        func parse(_ bytes: [UInt8], step: Int) -> Outcome<Parsed<ResponseHead>> {
            var parser = ResponseHeadParser()
            var end = 0
            while end < bytes.count {
                end = min(bytes.count, end + step)
                do {
                    if case .head(let head, let consumed) = try parser.parse(bytes, 0..<end, to: method) {
                        return .value(Parsed(head: head, consumed: consumed))
                    }
                } catch {
                    return .refused
                }
            }
            return .more
        }
        let whole = parse(bytes, step: max(1, bytes.count))
        if parse(bytes, step: 1) != whole { return "a head that arrives byte by byte is another one" }
        guard let head = whole.value?.head else { continue }
        guard let written = try? HeadWriter.response(head.status, head.headers, version: head.version) else {
            return "a head that cannot be written"
        }
        guard parse(written, step: written.count).value?.head == head else {
            return "a head that is another one when it is written and read"
        }
    }
    return nil
}

package func fuzzChunked(_ bytes: [UInt8]) -> String? {
    struct Decoded: Equatable {
        var body: [UInt8] = []
        var consumed = 0
        var isFinished = false
    }
    func decode(_ bytes: [UInt8], step: Int) -> Outcome<Decoded> {
        var decoder = ChunkedDecoder()
        var result = Decoded()
        while result.consumed < bytes.count, !decoder.isFinished {
            let end = min(bytes.count, result.consumed + step)
            do {
                result.consumed += try decoder.decode(bytes, result.consumed..<end, into: &result.body)
            } catch {
                return .refused
            }
        }
        result.isFinished = decoder.isFinished
        return .value(result)
    }
    let whole = decode(bytes, step: max(1, bytes.count))
    for step in [1, 5] where decode(bytes, step: step) != whole { return "a body that arrives in pieces of \(step) is another one" }
    guard let body = whole.value?.body, !body.isEmpty else { return nil }
    let written = HeadWriter.chunkStart(body.count) + body + HeadWriter.chunkEnd + HeadWriter.lastChunk
    let expected = Decoded(body: body, consumed: written.count, isFinished: true)
    return decode(written, step: written.count) == .value(expected) ? nil : "a body that is another one when it is written and read"
}

package func fuzzURL(_ bytes: [UInt8]) -> String? {
    let text = String(decoding: bytes, as: UTF8.self)
    _ = PercentCoding.form(text)
    _ = HTTPDate.parse(text)
    if PercentCoding.decode(PercentCoding.encode(text)) != text { return "a text that is another one when it is escaped and unescaped" }
    if let tag = EntityTag(text), EntityTag(tag.description) != tag { return "a tag that is another one when it is written and read" }
    guard let url = try? URLParts(text) else { return nil }
    if !(1...65535).contains(url.port) { return "a port out of range" }
    if url.description.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7f }) { return "a URL that is not printable ASCII" }
    return (try? URLParts(url.description)) == url ? nil : "a URL that is another one when it is written and read"
}
