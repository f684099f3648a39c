import HTTP

/// Finds the route of a path: first by the number of segments, then literally before placeholders.
struct Router: Sendable {
    enum Match {
        case found(Route, [String: String])
        /// The path is known, the method is not: `Allow` lists what it takes.
        case otherMethods([Method])
        case none
    }

    private struct Entry: Sendable {
        let segments: [Segment]
        let route: Route
    }

    private enum Segment: Sendable, Hashable {
        case literal(Substring)
        case placeholder(String)
    }

    private let entries: [Int: [Entry]]

    init(_ routes: [Route]) {
        var entries: [Int: [Entry]] = [:]
        for route in routes {
            let segments = Self.split(route.path).map { part in
                part.first == "{" ? Segment.placeholder(String(part.dropFirst().dropLast())) : .literal(part)
            }
            entries[segments.count, default: []].append(Entry(segments: segments, route: route))
        }
        self.entries = entries
    }

    func match(_ method: Method, _ path: String) -> Match {
        let parts = Self.split(path)
        var others: [Method] = []
        var best: (literals: Int, route: Route, parameters: [String: String])?
        for entry in entries[parts.count] ?? [] {
            guard let (literals, parameters) = Self.bind(entry.segments, parts) else { continue }
            guard entry.route.method == method || (method == .head && entry.route.method == .get) else {
                others.append(entry.route.method)
                continue
            }
            if literals > best?.literals ?? -1 { best = (literals, entry.route, parameters) }
        }
        if let best { return .found(best.route, best.parameters) }
        return others.isEmpty ? .none : .otherMethods(others)
    }

    private static func bind(_ segments: [Segment], _ parts: [Substring]) -> (literals: Int, parameters: [String: String])? {
        var literals = 0
        var parameters: [String: String] = [:]
        for (segment, part) in zip(segments, parts) {
            switch segment {
            case .literal(let text):
                guard text == part else { return nil }
                literals += 1
            case .placeholder(let name): parameters[name] = String(part)
            }
        }
        return (literals, parameters)
    }

    private static func split(_ path: String) -> [Substring] {
        path.split(separator: "/", omittingEmptySubsequences: true)
    }
}
