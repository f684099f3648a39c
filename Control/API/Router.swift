import HTTP

/// Finds the route of a path: first by the number of segments, then literally before placeholders. A path that routes name literally
/// is theirs alone: what it takes does not depend on routes with placeholders.
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
        let bound = (entries[parts.count] ?? []).compactMap { entry in
            Self.bind(entry.segments, parts).map { (route: entry.route, literals: $0.literals, parameters: $0.parameters) }
        }
        guard let most = bound.map(\.literals).max() else { return .none }
        let nearest = bound.filter { $0.literals == most }
        let asked = method == .head ? .get : method
        if let found = nearest.first(where: { $0.route.method == asked }) { return .found(found.route, found.parameters) }
        return .otherMethods(nearest.map(\.route.method))
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
