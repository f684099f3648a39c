import Units

/// The words of a command line: verbs, then `--name value` options and `--flag`s in any order.
package struct Arguments: Sendable {
    package struct Fault: Error, Sendable, CustomStringConvertible {
        package let description: String
        init(_ description: String) { self.description = description }
    }

    private(set) var words: [String] = []
    private var options: [String: [String]] = [:]
    private var used: Set<String> = []

    /// - Parameter flags: the options that take no value.
    package init(
        _ arguments: [String], flags: Set<String> = ["wait", "force", "json", "help", "dry-run", "yes", "purge", "rollback", "text"]
    ) throws {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("--") else {
                words.append(word)
                continue
            }
            let name = String(word.dropFirst(2))
            if flags.contains(name) {
                options[name, default: []].append("")
            } else if let value = rest.popFirst() {
                options[name, default: []].append(value)
            } else {
                throw Fault("--\(name) needs a value")
            }
        }
    }

    mutating func has(_ flag: String) -> Bool {
        used.insert(flag)
        return options[flag] != nil
    }

    mutating func all(_ name: String) -> [String] {
        used.insert(name)
        return options[name] ?? []
    }

    mutating func optional(_ name: String) throws -> String? {
        let values = all(name)
        guard values.count <= 1 else { throw Fault("--\(name) is given \(values.count) times") }
        return values.first
    }

    mutating func required(_ name: String) throws -> String {
        guard let value = try optional(name) else { throw Fault("--\(name) is missing") }
        return value
    }

    mutating func id<Kind>(_ name: String) throws -> ID<Kind> { try Self.id(required(name), "--\(name)") }

    mutating func ids<Kind>(_ name: String) throws -> [ID<Kind>] { try all(name).map { try Self.id($0, "--\(name)") } }

    mutating func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = try optional(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw Fault("--\(name) is '\(text)'; expected a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// The first word, taken away.
    mutating func word(_ meaning: String) throws -> String {
        guard !words.isEmpty else { throw Fault("\(meaning) is missing") }
        return words.removeFirst()
    }

    mutating func wordID<Kind>(_ meaning: String) throws -> ID<Kind> { try Self.id(word(meaning), meaning) }

    /// Every option and word must have had a use.
    func finish() throws {
        if let name = options.keys.sorted().first(where: { !used.contains($0) }) {
            throw Fault("--\(name) is not an option of this command")
        }
        if let word = words.first { throw Fault("'\(word)' is one word too many") }
    }

    private static func id<Kind>(_ text: String, _ what: String) throws -> ID<Kind> {
        guard let id = ID<Kind>(text) else { throw Fault("\(what) is '\(text)'; expected an id of 26 characters") }
        return id
    }
}
