/// What stands between a link and the server.
package enum Obstacle: Sendable, Hashable {
    /// A sign-in page, at this host where it says so.
    case portal(host: String?)
    /// Something with a certificate of its own: what was wrong with it.
    case impostor(String)

    /// For a person.
    package func words(on link: String) -> String {
        switch self {
        case .portal(let host?):
            "a sign-in page of \(host) is in the way on \(link): sign in there with a browser in the same network, or use another link"
        case .portal(nil):
            "a sign-in page is in the way on \(link): sign in with a browser in the same network, or use another link"
        case .impostor(let reason): "something on \(link) answers in the server's place (\(reason))"
        }
    }
}

/// What came of asking for a page that no server has, over plain HTTP at port 80 of the server's host.
enum PageSighting: Sendable, Hashable {
    /// What any server may say to that: not found, or the same over TLS. Or nothing.
    case ordinary
    /// A redirect to a host that is not the server's; nil for one whose name cannot be shown.
    case elsewhere(host: String?)
    /// 511 (RFC 6585 section 6).
    case signIn
    /// A page all the same.
    case page

    /// - Parameters:
    ///   - host: of the server.
    init(status: Int, location: String?, host: String) {
        switch status {
        case 511: self = .signIn
        case 200, 201, 202, 203, 206: self = .page
        case 301, 302, 303, 307, 308: self = location.flatMap { Self.sighting(of: $0, from: host) } ?? .ordinary
        default: self = .ordinary
        }
    }

    /// - Returns: nil for a redirect within the server's own names.
    private static func sighting(of location: String, from host: String) -> PageSighting? {
        guard let start = location.firstRange(of: "//")?.upperBound, isAbsolute(location[..<start]) else { return nil }
        let authority = location[start...].prefix { !"/?#\\".contains($0) }
        guard let named = Self.host(of: authority) else { return .elsewhere(host: nil) }
        let own = host.lowercased()
        return named == own || named.hasSuffix("." + own) || isParent(named, of: own) ? nil : .elsewhere(host: named)
    }

    /// `http://`, `HTTPS://` or `//`.
    private static func isAbsolute(_ beginning: Substring) -> Bool { ["http://", "https://", "//"].contains(beginning.lowercased()) }

    /// `example.org` of `live.example.org`, but no `org`.
    private static func isParent(_ name: String, of own: String) -> Bool { name.contains(".") && own.hasSuffix("." + name) }

    /// Without user and port, in lower case; nil for what is no plain name or address, which nobody shall see.
    private static func host(of authority: Substring) -> String? {
        let place = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        let isIPv6 = place.first == "["
        let name = isIPv6 ? place.dropFirst().prefix { $0 != "]" } : place.prefix { $0 != ":" }
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                true
            case UInt8(ascii: ":"): isIPv6
            default: false
            }
        }
        guard isPlain, (1...253).contains(name.utf8.count) else { return nil }
        return name.lowercased()
    }
}

/// What came of speaking to the server itself.
enum ServerSighting: Sendable, Hashable {
    case itself
    case somebodyElse(String)
    case nothing
}

/// What was seen over one link, and what it means. Holds no socket.
struct Examination: Sendable, Hashable {
    var server = ServerSighting.nothing
    var page = PageSighting.ordinary
    /// The same page over a link that reached the server just then; nil where there is none to ask over.
    var usual: PageSighting?

    /// Whether a look over a link that reaches the server could change the verdict.
    var isSuspicious: Bool { server != .itself && page != .ordinary && page != .signIn }

    var obstacle: Obstacle? {
        // Whoever has the server's key is the server: whatever else answers on port 80 is no matter.
        if server == .itself { return nil }
        // What that status says, no server says of itself.
        if page == .signIn { return .portal(host: nil) }
        // Port 80 of the server's host may be anybody's, and lead anywhere: only what it says over other links tells whose words these are.
        if page != .ordinary, let usual, page != usual {
            if case .elsewhere(let host) = page { return .portal(host: host) }
            return .portal(host: nil)
        }
        if case .somebodyElse(let reason) = server { return .impostor(reason) }
        return nil
    }
}
