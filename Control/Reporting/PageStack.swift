/// Takes the stack of an error of a browser apart, as its engine writes it: `at render (https://host/assets/Main.js:1:23)` (V8), or
/// `render@https://host/assets/Main.js:1:23` (Gecko, WebKit). What is neither is left out.
package enum PageStack {
    private static let lineLimit = 50

    /// The innermost last, as trackers want them.
    package static func frames(_ stack: String) -> [ErrorEvent.Frame] {
        stack.split(whereSeparator: \.isNewline).prefix(lineLimit).compactMap { frame(trimmed($0)) }.reversed()
    }

    private static func frame(_ line: Substring) -> ErrorEvent.Frame? {
        guard line.utf8.count <= 1000 else { return nil }
        if line.hasPrefix("at ") {
            let rest = line.dropFirst(3)
            guard rest.hasSuffix(")"), let open = rest.lastIndex(of: "(") else { return frame(nil, at: rest) }
            return frame(rest[..<open], at: rest[rest.index(after: open)...].dropLast())
        }
        guard let at = line.lastIndex(of: "@") else { return nil }
        return frame(line[..<at], at: line[line.index(after: at)...])
    }

    /// - Parameter place: `https://host/path:line:column`.
    private static func frame(_ function: Substring?, at place: Substring) -> ErrorEvent.Frame? {
        let parts = place.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 3, let line = Int(parts[parts.count - 2]), let column = Int(parts[parts.count - 1]), line >= 0, column >= 0,
            line <= Int(Int32.max), column <= Int(Int32.max)
        else { return nil }
        let file = path(of: parts.dropLast(2).joined(separator: ":"))
        let name = function.map(trimmed).map { $0.hasPrefix("async ") ? $0.dropFirst(6) : $0 }.flatMap { $0.isEmpty ? nil : String($0) }
        return file.isEmpty ? nil : ErrorEvent.Frame(function: name, file: file, line: line, column: column)
    }

    /// Without the server's name, which is no news, and without what stands behind the path.
    private static func path(of url: String) -> String {
        guard let mark = url.firstRange(of: "://") else { return url }
        let rest = url[mark.upperBound...]
        return String((rest.firstIndex(of: "/").map { rest[$0...] } ?? "").prefix { $0 != "?" && $0 != "#" })
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let begun = text.drop { $0 == " " || $0 == "\t" }
        guard let last = begun.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
        return begun[...last]
    }
}
