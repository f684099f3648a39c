/// Why a text is no description that we take, and where.
package struct SDPFault: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Reason: String, Hashable, Sendable, CaseIterable {
        case tooManyBytes = "more bytes than are taken"
        case tooManyLines = "more lines than are taken"
        case longLine = "a line longer than is taken"
        case tooManySections = "more media sections than are taken"
        case tooManyAttributes = "more attributes in one section than are taken"
        case character = "a control character, or bytes that are not UTF-8"
        case order = "a line where it may not stand"
        case missing = "a line is missing"
        case syntax = "not of the form that its standard gives"
        case range = "a number out of its range"
        case duplicate = "said twice"
        case unknownSection = "a name that no media section has"
    }

    /// From 1; 0 where it is the whole text.
    package let line: Int
    package let reason: Reason
    /// What the line begins with, as `m=` or `a=candidate`: of a short fixed list, never the text of the sender.
    package let field: String

    package init(line: Int, _ reason: Reason, _ field: String) {
        self.line = line
        self.reason = reason
        self.field = field
    }

    package var description: String { "line \(line), \(field): \(reason.rawValue)" }
}

/// How large a description may be: what a stranger sends is read before anything else is known of them.
package struct SDPLimits: Hashable, Sendable {
    /// Of the whole text.
    package var bytes: Int
    package var lines: Int
    /// Of one line without its end.
    package var lineBytes: Int
    /// Media sections.
    package var sections: Int
    /// In each section, and before the first.
    package var attributes: Int

    package init(bytes: Int, lines: Int, lineBytes: Int, sections: Int, attributes: Int) {
        self.bytes = bytes
        self.lines = lines
        self.lineBytes = lineBytes
        self.sections = sections
        self.attributes = attributes
    }

    /// For an offer to publish or to play, of 6 to 12 kB in browsers' practice.
    package static let offer = SDPLimits(bytes: 64 << 10, lines: 2000, lineBytes: 4096, sections: 32, attributes: 400)
    /// For a subscriber's answer: two sections for each of 100 participants.
    package static let answer = SDPLimits(bytes: 512 << 10, lines: 16_000, lineBytes: 4096, sections: 256, attributes: 400)
    /// For a trickled fragment.
    package static let fragment = SDPLimits(bytes: 16 << 10, lines: 300, lineBytes: 1024, sections: 32, attributes: 100)
}
