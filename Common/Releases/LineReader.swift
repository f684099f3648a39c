import Units

/// Reads the lines of a text that is signed: UTF-8, each line ended by a newline (0x0A), a word and a space before its value.
///
/// It lets more than one form of a value pass; whoever reads with it holds what was read, written again, against the bytes.
package struct LineReader {
    private let lines: [String]
    private var next = 0

    /// - Parameter first: the first line, which says what the text is, so that a signature over it is good for nothing else.
    /// - Throws: `.malformed` for more bytes than `limit`, another first line, and characters that do something to whoever reads them.
    package init(_ bytes: [UInt8], upTo limit: Int, first: String) throws(ReleaseFault) {
        guard bytes.count <= limit else { throw .malformed(line: 0, "\(bytes.count) bytes; at most \(limit) are read") }
        guard bytes.last == 0x0A else { throw .malformed(line: 0, "a text without a newline at its end") }
        var lines: [String] = []
        for line in bytes.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false) {
            guard let text = String(validating: line, as: UTF8.self), text.isPlain else {
                throw .malformed(line: lines.count + 1, "characters that are no plain text")
            }
            lines.append(text)
        }
        self.lines = lines
        guard lines.first == first else { throw .malformed(line: 1, "'\(first)' expected") }
        next = 1
    }

    /// The number of the line that was read last.
    package var line: Int { next }
    package var isAtEnd: Bool { next == lines.count }

    /// The next line's value, where the line begins with `word`.
    package mutating func optional(_ word: String) -> String? {
        guard next < lines.count else { return nil }
        let line = lines[next].utf8
        guard line.starts(with: (word + " ").utf8) else { return nil }
        next += 1
        return String(Substring(line.dropFirst(word.utf8.count + 1)))
    }

    package mutating func value(_ word: String) throws(ReleaseFault) -> String {
        guard let value = optional(word) else { throw .malformed(line: next + 1, "'\(word)' expected") }
        return value
    }

    /// A whole number, not negative.
    package mutating func number(_ word: String, upTo limit: Int64) throws(ReleaseFault) -> Int64 {
        let text = try value(word)
        guard let number = Self.number(text, upTo: limit) else { throw fault("'\(word)' with a whole number from 0 to \(limit) expected") }
        return number
    }

    package static func number(_ text: String, upTo limit: Int64) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return Int64(text).flatMap { $0 <= limit ? $0 : nil }
    }

    /// All values of the following lines that begin with `word`.
    package mutating func all(_ word: String, atMost limit: Int) throws(ReleaseFault) -> [String] {
        var values: [String] = []
        while let value = optional(word) {
            guard values.count < limit else { throw fault("more than \(limit) lines of '\(word)'") }
            values.append(value)
        }
        return values
    }

    /// What is wrong with the line that was read last.
    package func fault(_ what: String) -> ReleaseFault { .malformed(line: next, what) }

    /// Nothing may follow, and there is one way to write a text.
    package func finish(_ bytes: [UInt8], written: [UInt8]) throws(ReleaseFault) {
        guard isAtEnd else { throw .malformed(line: next + 1, "a line that nothing reads") }
        guard written == bytes else { throw .malformed(line: 0, "not in the one form that this text has") }
    }
}
