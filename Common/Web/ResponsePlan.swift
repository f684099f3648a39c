import HTTP

/// A response as it goes out: conditions, ranges and compression decided (RFC 9110 sections 8.4, 13 and 14). No I/O.
struct ResponsePlan {
    enum Body {
        case none
        case bytes([UInt8])
        case file(FileBody, offset: Int, count: Int)
        case stream(@Sendable (BodyWriter) async throws -> Void)
    }

    var status: Status
    var headers: Headers
    var body: Body
    /// For Content-Length; nil where the length is unknown or there must not be one.
    var length: Int?

    private static let ours = ["Content-Length", "Transfer-Encoding", "Connection", "Date"]
    /// Smaller ones gain nothing, larger ones would hold up the loop (some 20 ns a byte).
    private static let compressible = 1024...1 << 20

    /// - Parameter gzip: compresses; called at most once.
    init(_ response: Response, to request: RequestHead, gzip: ([UInt8]) -> [UInt8]) {
        status = response.status
        headers = response.headers
        for name in ResponsePlan.ours where headers.contains(name) { headers[name] = nil }
        if response.isSecret { headers["Cache-Control"] = "no-store" }
        switch response.body {
        case .none, .upgrade:
            body = .none
            length = 0
        case .bytes(let bytes):
            body = .bytes(bytes)
            length = bytes.count
        case .file(let file):
            body = .file(file, offset: 0, count: file.length)
            length = file.length
            if !headers.contains("Accept-Ranges") { headers.add("Accept-Ranges", "bytes") }
        case .stream(let promised, let write):
            body = .stream(write)
            length = promised
        }
        if status == .ok, request.method == .get || request.method == .head { apply(request) }
        if status == .ok || !isRead(request), !response.isSecret { compress(request, gzip) }
        if status.forbidsBody {
            body = .none
            length = nil
        }
        if request.method == .head { body = .none }
    }

    private func isRead(_ request: RequestHead) -> Bool { request.method == .get || request.method == .head }

    /// Conditions first, then the range.
    private mutating func apply(_ request: RequestHead) {
        let tag = headers["ETag"].flatMap { EntityTag($0) }
        let modified = headers["Last-Modified"].flatMap(HTTPDate.parse)
        switch Precondition.evaluate(request.method, request.headers, tag: tag, modified: modified) {
        case .proceed: break
        case .notModified:
            headers["Content-Type"] = nil
            return replace(by: .notModified)
        case .failed: return replace(by: .preconditionFailed)
        }
        guard request.method == .get, request.headers.contains("Range"), let length else { return }
        switch ByteRange.choose(request.headers, size: length, tag: tag, modified: modified) {
        case .whole: break
        case .part(let range): cut(to: range, of: length)
        case .unsatisfiable:
            headers["Content-Range"] = "bytes */\(length)"
            replace(by: .rangeNotSatisfiable)
        }
    }

    private mutating func replace(by status: Status) {
        self.status = status
        body = .none
        length = 0
    }

    private mutating func cut(to range: ByteRange, of size: Int) {
        switch body {
        case .bytes(let bytes): body = .bytes(Array(bytes[range.first...range.last]))
        case .file(let file, let offset, _): body = .file(file, offset: offset + range.first, count: range.count)
        case .none, .stream: return
        }
        status = .partialContent
        length = range.count
        headers["Content-Range"] = range.contentRange(of: size)
    }

    private mutating func compress(_ request: RequestHead, _ gzip: ([UInt8]) -> [UInt8]) {
        guard case .bytes(let bytes) = body, ResponsePlan.compressible.contains(bytes.count), !headers.contains("Content-Encoding"),
            let type = headers["Content-Type"], ResponsePlan.isText(type)
        else { return }
        headers.add("Vary", "Accept-Encoding")
        guard ContentCoding.choose(request.headers) == .gzip else { return }
        let packed = gzip(bytes)
        guard packed.count < bytes.count else { return }
        body = .bytes(packed)
        length = packed.count
        headers.add("Content-Encoding", "gzip")
        // Two representations must not share a strong validator (RFC 9110 section 8.8.3.3).
        if let tag = headers["ETag"].flatMap({ EntityTag($0) }), !tag.isWeak { headers["ETag"] = "W/\(tag)" }
    }

    private static func isText(_ type: String) -> Bool {
        let name = type.prefix { $0 != ";" && $0 != " " }.lowercased()
        return name.hasPrefix("text/") || name.hasSuffix("+json") || name.hasSuffix("+xml")
            || ["application/json", "application/javascript", "application/xml", "application/toml"].contains(name)
    }
}
