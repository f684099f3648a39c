/// A validator of a representation (RFC 9110 section 8.8.3).
package struct EntityTag: Hashable, Sendable, CustomStringConvertible {
    package let isWeak: Bool
    /// Between the quotes: printable, without a quote.
    package let opaque: String

    /// A strong tag of our own; nil where the text cannot stand between quotes.
    package init?(opaque: String, isWeak: Bool = false) {
        guard opaque.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\"") }) else { return nil }
        self.opaque = opaque
        self.isWeak = isWeak
    }

    /// `"abc"` or `W/"abc"`; nil for anything else.
    package init?(_ text: some StringProtocol) {
        let isWeak = text.hasPrefix("W/")
        let quoted = isWeak ? text.dropFirst(2) : text[...]
        guard quoted.utf8.count >= 2, quoted.hasPrefix("\""), quoted.hasSuffix("\"") else { return nil }
        self.init(opaque: String(quoted.dropFirst().dropLast()), isWeak: isWeak)
    }

    package var description: String { isWeak ? "W/\"\(opaque)\"" : "\"\(opaque)\"" }

    package func matchesStrongly(_ other: EntityTag) -> Bool { !isWeak && !other.isWeak && opaque == other.opaque }
    package func matchesWeakly(_ other: EntityTag) -> Bool { opaque == other.opaque }

    /// The tags of a list such as If-None-Match holds. A tag may hold a comma, so the quotes decide.
    package static func list(_ value: String) -> [EntityTag] {
        var tags: [EntityTag] = []
        var current = ""
        var quoted = false
        for character in value.unicodeScalars {
            if character == "\"" { quoted.toggle() }
            if character == ",", !quoted {
                tags.append(contentsOf: [EntityTag(current.trimmingBlanks())].compactMap { $0 })
                current = ""
            } else {
                current.unicodeScalars.append(character)
            }
        }
        return tags + [EntityTag(current.trimmingBlanks())].compactMap { $0 }
    }
}

/// What the conditional fields of a request ask for (RFC 9110 section 13.2.2).
package enum Precondition: Hashable, Sendable {
    case proceed
    /// 304 for GET and HEAD.
    case notModified
    /// 412.
    case failed

    /// Only for a representation that is there: `*` means any.
    ///
    /// - Parameters:
    ///   - tag: of the representation as it is; nil where it has none.
    ///   - modified: Unix seconds.
    package static func evaluate(_ method: Method, _ headers: Headers, tag: EntityTag?, modified: Int64? = nil) -> Precondition {
        let reads = method == .get || method == .head
        if let match = joined(headers, "If-Match") {
            if !holds(match, tag, strongly: true) { return .failed }
        } else if let since = headers["If-Unmodified-Since"].flatMap(HTTPDate.parse), let modified, modified > since {
            return .failed
        }
        if let noneMatch = joined(headers, "If-None-Match") {
            if holds(noneMatch, tag, strongly: false) { return reads ? .notModified : .failed }
        } else if reads, let since = headers["If-Modified-Since"].flatMap(HTTPDate.parse), let modified, modified <= since {
            return .notModified
        }
        return .proceed
    }

    private static func joined(_ headers: Headers, _ name: String) -> String? {
        let values = headers.all(name)
        return values.isEmpty ? nil : values.joined(separator: ",")
    }

    private static func holds(_ condition: String, _ tag: EntityTag?, strongly: Bool) -> Bool {
        if condition.trimmingBlanks() == "*" { return true }
        guard let tag else { return false }
        return EntityTag.list(condition).contains { strongly ? $0.matchesStrongly(tag) : $0.matchesWeakly(tag) }
    }
}

extension String {
    func trimmingBlanks() -> String { String(decoding: trimmed(Array(utf8)[...]), as: UTF8.self) }
}
