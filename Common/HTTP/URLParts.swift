/// A URL of one of the schemes we speak, taken apart strictly (RFC 3986): what is left is safe to rebuild from its fields.
package struct URLParts: Hashable, Sendable, CustomStringConvertible {
    package enum Scheme: String, Sendable, CaseIterable {
        case http, https, ws, wss, rtmp, rtmps, srt

        /// nil for SRT, whose port must be written.
        package var defaultPort: Int? {
            switch self {
            case .http, .ws: 80
            case .https, .wss: 443
            case .rtmp: 1935
            case .rtmps: 443
            case .srt: nil
            }
        }

        package var isTLS: Bool { self == .https || self == .wss || self == .rtmps }
    }

    package struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
        package let description: String
        init(_ description: String) { self.description = description }
    }

    package let scheme: Scheme
    /// Lower case; IPv6 without its brackets.
    package let host: String
    package let isIPv6: Bool
    package let port: Int
    /// As written, escapes and all; `/` where the URL has none.
    package let path: String
    /// As written, without its `?`.
    package let query: String?

    /// - Throws: `Fault`, which names what was expected and never repeats the URL: it may hold a key.
    package init(_ text: String, schemes: Set<Scheme> = Set(Scheme.allCases)) throws(Fault) {
        guard text.utf8.count <= 2048 else { throw Fault("a URL has at most 2048 characters") }
        guard let mark = text.firstIndex(of: ":"), text[mark...].hasPrefix("://") else { throw Fault("a URL begins with scheme://") }
        guard let scheme = Scheme(rawValue: text[..<mark].lowercased()), schemes.contains(scheme) else {
            throw Fault("the scheme must be one of \(schemes.map(\.rawValue).sorted().joined(separator: ", "))")
        }
        let rest = text[text.index(mark, offsetBy: 3)...]
        let end = rest.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? rest.endIndex
        guard !rest[..<end].utf8.contains(UInt8(ascii: "@")) else { throw Fault("a URL with a user name or password is refused") }
        guard let authority = Authority(rest[..<end]) else {
            throw Fault("the host must be a name, an IPv4 or a bracketed IPv6 address, with a port of 1 to 65535")
        }
        guard let port = authority.port ?? scheme.defaultPort else { throw Fault("\(scheme.rawValue):// needs a port") }
        let tail = rest[end...]
        let mark2 = tail.utf8.firstIndex(of: UInt8(ascii: "?")) ?? tail.endIndex
        self.scheme = scheme
        self.port = port
        (host, isIPv6) = (authority.host, authority.isIPv6)
        path = tail.startIndex == mark2 ? "/" : String(tail[..<mark2])
        query = mark2 == tail.endIndex ? nil : String(tail[tail.utf8.index(after: mark2)...])
        try Self.check(path, "path", Grammar.isPath)
        if let query { try Self.check(query, "query", Grammar.isQuery) }
    }

    private static func check(_ text: String, _ name: String, _ allowed: (UInt8) -> Bool) throws(Fault) {
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() where !allowed(byte) {
            guard byte == UInt8(ascii: "%") else { throw Fault("the \(name) has a character that must be escaped, or a fragment") }
            guard index + 2 < bytes.count, let high = Grammar.hexValue(bytes[index + 1]), let low = Grammar.hexValue(bytes[index + 2])
            else {
                throw Fault("the \(name) has a % without two hexadecimal digits")
            }
            guard high << 4 | low >= 0x20, high << 4 | low != 0x7f else { throw Fault("the \(name) has an escaped control character") }
        }
    }

    package var authority: String {
        let name = isIPv6 ? "[\(host)]" : host
        return port == scheme.defaultPort ? name : "\(name):\(port)"
    }

    /// What goes into the request line.
    package var target: String { query.map { "\(path)?\($0)" } ?? path }
    /// Scheme, host and port, e.g. `https://live.example.org`.
    package var origin: String { "\(scheme.rawValue)://\(authority)" }
    package var description: String { origin + target }
}
