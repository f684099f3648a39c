/// The versions we speak.
package enum HTTPVersion: Hashable, Sendable {
    case http10, http11
}

/// How the end of a body is found (RFC 9112 section 6.3).
package enum BodyFraming: Hashable, Sendable {
    case none
    /// Bytes.
    case length(Int)
    case chunked
    /// A response that ends with its connection; never a request.
    case untilClose
}

/// The head of a request, as strict as RFC 9112 allows.
package struct RequestHead: Hashable, Sendable {
    package var method: Method
    /// The target in origin form as it was sent, with its query; `*` for OPTIONS alone.
    package var target: String
    /// Decoded; never with `.` or `..`, an encoded slash, NUL or other control characters.
    package var path: String
    package var version: HTTPVersion
    package var headers: Headers
    package var framing: BodyFraming
    package var keepAlive: Bool
    /// The Host field with its port; empty only in HTTP/1.0.
    package var host: String

    package init(
        method: Method, target: String, path: String, version: HTTPVersion = .http11, headers: Headers, framing: BodyFraming,
        keepAlive: Bool, host: String
    ) {
        self.method = method
        self.target = target
        self.path = path
        self.version = version
        self.headers = headers
        self.framing = framing
        self.keepAlive = keepAlive
        self.host = host
    }

    /// What follows the first `?`, as it was sent; nil without one.
    package var rawQuery: Substring? {
        target.utf8.firstIndex(of: UInt8(ascii: "?")).map { target[target.utf8.index(after: $0)...] }
    }

    /// The query's names and values, decoded, `+` as space; in order, repeated ones too. What does not decode to UTF-8 is
    /// kept as it was sent.
    package var query: [(String, String)] { rawQuery.map { PercentCoding.form($0) } ?? [] }

    /// The first value of this name in the query.
    package func query(_ name: String) -> String? { query.first { $0.0 == name }?.1 }

    /// Whether the client waits for `100 Continue` before it sends its body.
    package var expectsContinue: Bool { version == .http11 && framing != .none && headers.lists("100-continue", in: "Expect") }
}
