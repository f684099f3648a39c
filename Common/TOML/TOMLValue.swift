/// A value of a TOML 1.0 document.
package enum TOMLValue: Hashable, Sendable {
    case string(String)
    case integer(Int)
    case float(Double)
    case boolean(Bool)
    /// A date, a time or both, valid, as it was written.
    case date(String)
    case array([TOMLValue])
    case table(TOMLTable)

    /// What it is, for a person.
    package var kind: String {
        switch self {
        case .string: "a string"
        case .integer: "an integer"
        case .float: "a float"
        case .boolean: "a boolean"
        case .date: "a date"
        case .array: "an array"
        case .table: "a table"
        }
    }
}

/// Where something stands in a document. Both count from 1, the column in bytes.
package struct TOMLPosition: Hashable, Sendable, CustomStringConvertible {
    package let line: Int
    package let column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package var description: String { "line \(line), column \(column)" }
}

/// Why a text is not a TOML document, and where.
package struct TOMLFault: Error, Hashable, Sendable, CustomStringConvertible {
    package let position: TOMLPosition
    package let reason: String

    package var description: String { "\(position): \(reason)" }
}

/// A table: its keys in the order in which they were written. Equality ignores order and positions.
package struct TOMLTable: Sendable {
    package struct Entry: Sendable {
        package let key: String
        package var value: TOMLValue
        /// Of the key; nil for an entry that was not parsed.
        package let position: TOMLPosition?
    }

    package private(set) var entries: [Entry] = []
    private var places: [String: Int] = [:]

    package init() {}

    /// How large a document may be.
    package struct Limits: Sendable {
        package var bytes: Int
        /// Of tables and arrays in each other.
        package var depth: Int

        package init(bytes: Int = 1 << 20, depth: Int = 32) {
            self.bytes = bytes
            self.depth = depth
        }
    }

    /// The root table of a document.
    /// - Throws: `TOMLFault` at the first thing that TOML 1.0 does not allow.
    package static func parse(_ text: String, limits: Limits = Limits()) throws(TOMLFault) -> TOMLTable {
        try parse(bytes: Array(text.utf8), limits: limits)
    }

    /// The same from bytes, which must be UTF-8.
    package static func parse(bytes: [UInt8], limits: Limits = Limits()) throws(TOMLFault) -> TOMLTable {
        var document = DocumentParser(bytes, limits: limits)
        return try document.parse()
    }

    /// The value under a key; a new key goes to the end.
    package subscript(_ key: String) -> TOMLValue? {
        get { places[key].map { entries[$0].value } }
        set {
            switch (places[key], newValue) {
            case (let place?, let value?): entries[place].value = value
            case (nil, let value?): append(key, value, at: nil)
            case (let place?, nil):
                entries.remove(at: place)
                places = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.key, $0) })
            case (nil, nil): break
            }
        }
    }

    package func position(of key: String) -> TOMLPosition? { places[key].flatMap { entries[$0].position } }

    package var isEmpty: Bool { entries.isEmpty }

    mutating func append(_ key: String, _ value: TOMLValue, at position: TOMLPosition?) {
        places[key] = entries.count
        entries.append(Entry(key: key, value: value, position: position))
    }
}

extension TOMLTable: Hashable {
    package static func == (left: TOMLTable, right: TOMLTable) -> Bool {
        left.entries.count == right.entries.count && left.entries.allSatisfy { right[$0.key] == $0.value }
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(Set(places.keys)) }
}

extension TOMLTable: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, TOMLValue)...) {
        for (key, value) in elements { self[key] = value }
    }
}
