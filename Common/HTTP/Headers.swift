/// The fields of a message in their order, with names that ignore case.
///
/// Names and values lie in one array of bytes and become strings only when they are asked for: a parsed head costs two
/// allocations, however many fields it has.
package struct Headers: Sendable {
    struct Field: Sendable {
        var nameStart: Int32
        var nameEnd: Int32
        var valueStart: Int32
        var valueEnd: Int32
    }

    private(set) var bytes: [UInt8]
    private(set) var slots: [Field]

    package init() {
        bytes = []
        slots = []
    }

    package init(_ fields: [(String, String)]) {
        self.init()
        for (name, value) in fields { add(name, value) }
    }

    /// Fields that a parser found in `bytes`.
    init(bytes: [UInt8], slots: [Field]) {
        self.bytes = bytes
        self.slots = slots
    }

    package var isEmpty: Bool { slots.isEmpty }
    package var count: Int { slots.count }

    /// Every field as text, in order. Bytes that are not UTF-8 are replaced.
    package var fields: [(name: String, value: String)] {
        slots.map { (text($0.nameStart, $0.nameEnd), text($0.valueStart, $0.valueEnd)) }
    }

    /// The first value under this name; setting replaces all of them by one, or by none for nil.
    package subscript(_ name: String) -> String? {
        get {
            for field in slots where isNamed(field, name) { return text(field.valueStart, field.valueEnd) }
            return nil
        }
        set {
            slots = slots.filter { !isNamed($0, name) }
            if let newValue { add(name, newValue) }
        }
    }

    /// Every value under this name, in order.
    package func all(_ name: String) -> [String] {
        slots.filter { isNamed($0, name) }.map { text($0.valueStart, $0.valueEnd) }
    }

    package func contains(_ name: String) -> Bool { slots.contains { isNamed($0, name) } }

    /// Adds a field. The writer refuses a message whose fields hold what a field cannot (RFC 9110 section 5.5).
    package mutating func add(_ name: String, _ value: String) {
        if slots.isEmpty {
            // Once for most heads instead of growing step by step.
            bytes.reserveCapacity(max(128, name.utf8.count + value.utf8.count))
            slots.reserveCapacity(4)
        }
        let start = Int32(bytes.count)
        bytes.append(contentsOf: name.utf8)
        let middle = Int32(bytes.count)
        bytes.append(contentsOf: value.utf8)
        slots.append(Field(nameStart: start, nameEnd: middle, valueStart: middle, valueEnd: Int32(bytes.count)))
    }

    /// Whether any value under this name, read as a comma-separated list, holds this token; case is ignored.
    package func lists(_ token: String, in name: String) -> Bool {
        slots.contains { isNamed($0, name) && listed(token, in: $0) }
    }

    private func listed(_ token: String, in field: Field) -> Bool {
        bytes[Int(field.valueStart)..<Int(field.valueEnd)]
            .split(separator: UInt8(ascii: ","))
            .contains { Grammar.equal(trimmed($0), token.utf8) }
    }

    /// Whether the writer may send this field: a token, and a value without control characters.
    func isSound(_ field: Field) -> Bool {
        let name = bytes[Int(field.nameStart)..<Int(field.nameEnd)]
        let value = bytes[Int(field.valueStart)..<Int(field.valueEnd)]
        return !name.isEmpty && name.allSatisfy(Grammar.isToken) && value.allSatisfy(Grammar.isFieldValue)
    }

    private func isNamed(_ field: Field, _ name: String) -> Bool {
        let length = Int(field.nameEnd - field.nameStart)
        let wanted = name.utf8
        guard wanted.count == length else { return false }
        var index = Int(field.nameStart)
        for byte in wanted {
            if Grammar.lowercased(bytes[index]) != Grammar.lowercased(byte) { return false }
            index += 1
        }
        return true
    }

    private func text(_ start: Int32, _ end: Int32) -> String {
        String(decoding: bytes[Int(start)..<Int(end)], as: UTF8.self)
    }
}

extension Headers: Hashable {
    /// The same fields in the same order; the case of names is ignored.
    package static func == (left: Headers, right: Headers) -> Bool {
        guard left.slots.count == right.slots.count else { return false }
        return zip(left.slots, right.slots).allSatisfy { one, other in
            Grammar.equal(left.bytes[Int(one.nameStart)..<Int(one.nameEnd)], right.bytes[Int(other.nameStart)..<Int(other.nameEnd)])
                && left.bytes[Int(one.valueStart)..<Int(one.valueEnd)] == right.bytes[Int(other.valueStart)..<Int(other.valueEnd)]
        }
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(slots.count)
        for field in slots { hasher.combine(bytes[Int(field.valueStart)..<Int(field.valueEnd)]) }
    }
}

extension Headers: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, String)...) { self.init(elements) }
}

/// The slice without spaces and tabs at its ends.
func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var slice = bytes
    while let first = slice.first, first == Grammar.space || first == Grammar.tab { slice.removeFirst() }
    while let last = slice.last, last == Grammar.space || last == Grammar.tab { slice.removeLast() }
    return slice
}
