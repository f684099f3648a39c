/// One thing that is wrong with a configuration.
package struct ConfigurationFault: Hashable, Sendable, CustomStringConvertible {
    /// The key of a fault of the text as a whole: it is no TOML.
    package static let wholeText = "file"
    /// What is expected in place of a key that nobody knows; also of an older program, whose words another one reads.
    static let knownKey = "a known key"
    /// Dotted: `server.listen`.
    package let key: String
    /// As it was given; nil where it is missing, unknown or a secret.
    package let value: String?
    package let expected: String
    /// Where it was given: `line 3, column 1` or the environment's variable.
    package let place: String?

    package init(key: String, value: String?, expected: String, place: String?) {
        self.key = key
        self.value = value
        self.expected = expected
        self.place = place
    }

    /// `server.port: expected 1 to 65535, not 70000 (line 3, column 1)`
    package var description: String { "\(key): expected \(demand)" }

    /// `1 to 65535, not 70000 (line 3, column 1)`
    package var demand: String {
        let given = value.map { ", not \($0)" } ?? ""
        let location = place.map { " (\($0))" } ?? ""
        return "\(expected)\(given)\(location)"
    }
}

extension ConfigurationFault {
    /// The keys that the faults of another program, as they are described, call unknown.
    package static func unknownKeys(in text: String) -> [String] {
        let mark = ": expected \(knownKey)"
        return text.split(separator: "; ").compactMap { fault in
            fault.firstRange(of: mark).map { String(fault[..<$0.lowerBound]) }
        }
    }
}

/// Everything that is wrong with a configuration, at once.
package struct ConfigurationFaults: Error, Hashable, Sendable, CustomStringConvertible {
    package let source: String
    package let faults: [ConfigurationFault]

    package init(source: String, faults: [ConfigurationFault]) {
        self.source = source
        self.faults = faults
    }

    package var description: String { ([source] + faults.map { "  \($0)" }).joined(separator: "\n") }
}
