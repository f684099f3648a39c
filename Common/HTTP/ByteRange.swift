/// A part of a representation (RFC 9110 section 14).
package struct ByteRange: Hashable, Sendable {
    package let first: Int
    /// Inclusive.
    package let last: Int

    package init(first: Int, last: Int) {
        self.first = first
        self.last = last
    }

    package var count: Int { last - first + 1 }

    /// The value of Content-Range.
    package func contentRange(of size: Int) -> String { "bytes \(first)-\(last)/\(size)" }

    /// What a request for ranges comes to.
    package enum Choice: Hashable, Sendable {
        /// No range, a form we do not serve (several ranges, another unit, malformed) or a condition that failed: all of it.
        case whole
        case part(ByteRange)
        /// 416, with `Content-Range: bytes */size`.
        case unsatisfiable
    }

    /// - Parameters:
    ///   - headers: of a GET; Range and If-Range are read.
    ///   - size: of the representation in bytes.
    package static func choose(_ headers: Headers, size: Int, tag: EntityTag?, modified: Int64?) -> Choice {
        let values = headers.all("Range")
        guard let value = values.first, values.count == 1, ifRangeHolds(headers, tag: tag, modified: modified) else { return .whole }
        return parse(value, size: size)
    }

    private static func parse(_ value: String, size: Int) -> Choice {
        let bytes = Array(value.utf8)
        guard bytes.count > 6, Grammar.equal(bytes[..<6], "bytes=".utf8), !bytes.contains(UInt8(ascii: ",")) else { return .whole }
        let parts = trimmed(bytes[6...]).split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count == 2 else { return .whole }
        if parts[0].isEmpty {
            guard let suffix = Grammar.decimal(parts[1]) else { return .whole }
            guard suffix > 0, size > 0 else { return .unsatisfiable }
            return .part(ByteRange(first: max(0, size - suffix), last: size - 1))
        }
        guard let first = Grammar.decimal(parts[0]) else { return .whole }
        let last = parts[1].isEmpty ? Int.max : Grammar.decimal(parts[1])
        guard let last, last >= first else { return .whole }
        guard first < size else { return .unsatisfiable }
        return .part(ByteRange(first: first, last: min(last, size - 1)))
    }

    /// RFC 9110 section 13.1.5: a strong tag that is ours, or exactly our date.
    private static func ifRangeHolds(_ headers: Headers, tag: EntityTag?, modified: Int64?) -> Bool {
        guard let condition = headers["If-Range"] else { return true }
        if let theirs = EntityTag(condition) { return tag.map { theirs.matchesStrongly($0) } ?? false }
        guard let date = HTTPDate.parse(condition), let modified else { return false }
        return date == modified
    }
}
