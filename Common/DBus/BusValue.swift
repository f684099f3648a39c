/// A value of a message, as the other side sent it. Variants are opened: what is in one stands in its place.
package enum BusValue: Hashable, Sendable {
    case boolean(Bool)
    /// Of any width; an unsigned one above `Int.max` is held as that.
    case integer(Int)
    /// As it came: NaN and infinities too.
    case number(Double)
    /// Strings and signatures.
    case text(String)
    case path(String)
    case bytes([UInt8])
    /// Arrays and structures.
    case list([BusValue])
    /// Dictionaries; of equal keys the last.
    case table([BusValue: BusValue])

    package subscript(_ key: String) -> BusValue? {
        if case .table(let entries) = self { entries[.text(key)] ?? entries[.path(key)] } else { nil }
    }

    package subscript(_ key: Int) -> BusValue? {
        switch self {
        case .table(let entries): entries[.integer(key)]
        case .list(let items): items.indices.contains(key) ? items[key] : nil
        default: nil
        }
    }

    package var text: String? { if case .text(let text) = self { text } else { nil } }
    package var path: String? { if case .path(let path) = self { path } else { nil } }
    package var integer: Int? { if case .integer(let number) = self { number } else { nil } }
    package var boolean: Bool? { if case .boolean(let flag) = self { flag } else { nil } }
    package var list: [BusValue]? { if case .list(let items) = self { items } else { nil } }
    package var table: [BusValue: BusValue]? { if case .table(let entries) = self { entries } else { nil } }

    /// A number that can be reckoned with.
    package var finite: Double? { if case .number(let number) = self, number.isFinite { number } else { nil } }

    /// A dictionary whose keys are texts; other keys are left out.
    package var properties: [String: BusValue]? {
        guard let table else { return nil }
        var result: [String: BusValue] = [:]
        for (key, value) in table { if case .text(let name) = key { result[name] = value } }
        return result
    }
}
