/// A value as SQLite stores it.
package enum SQLiteValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
}

/// A type that a column holds: it can be bound to a statement and read from a row.
package protocol ColumnValue: Sendable {
    /// Nil where the stored value is none of this type.
    init?(_ stored: SQLiteValue)
    var stored: SQLiteValue { get }
}

/// A statement with its values: the text is constant, and an interpolated value becomes a parameter, never text.
///
///     "SELECT * FROM users WHERE email = \(email)"
///
/// prepares `… WHERE email = ?` and binds `email`, so that no input can become a part of a statement.
package struct SQL: ExpressibleByStringInterpolation, Sendable {
    package let text: String
    let values: [SQLiteValue]

    package init(stringLiteral text: String) {
        self.text = text
        values = []
    }

    package init(stringInterpolation: StringInterpolation) {
        text = stringInterpolation.text
        values = stringInterpolation.values
    }

    package struct StringInterpolation: StringInterpolationProtocol {
        var text = ""
        var values: [SQLiteValue] = []

        package init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) { text += literal }

        package mutating func appendInterpolation(_ value: some ColumnValue) {
            text += "?"
            values.append(value.stored)
        }

        /// Nil is bound as NULL.
        package mutating func appendInterpolation<Value: ColumnValue>(_ value: Value?) {
            text += "?"
            values.append(value.stored)
        }

        package mutating func appendInterpolation(any value: any ColumnValue) { appendInterpolation(value) }

        /// A part of a statement, with its own values.
        package mutating func appendInterpolation(part: SQL) {
            text += part.text
            values += part.values
        }

        /// A name of a table or a column from the source code.
        package mutating func appendInterpolation(name: StaticString) { text += "\(name)" }
    }
}

extension Int64: ColumnValue {
    package init?(_ stored: SQLiteValue) {
        guard case .integer(let value) = stored else { return nil }
        self = value
    }

    package var stored: SQLiteValue { .integer(self) }
}

extension Int: ColumnValue {
    package init?(_ stored: SQLiteValue) {
        guard case .integer(let value) = stored else { return nil }
        self.init(exactly: value)
    }

    package var stored: SQLiteValue { .integer(Int64(self)) }
}

/// Stored as 0 or 1.
extension Bool: ColumnValue {
    package init?(_ stored: SQLiteValue) {
        switch stored {
        case .integer(0): self = false
        case .integer(1): self = true
        default: return nil
        }
    }

    package var stored: SQLiteValue { .integer(self ? 1 : 0) }
}

extension Double: ColumnValue {
    package init?(_ stored: SQLiteValue) {
        guard case .real(let value) = stored else { return nil }
        self = value
    }

    package var stored: SQLiteValue { .real(self) }
}

extension String: ColumnValue {
    package init?(_ stored: SQLiteValue) {
        guard case .text(let value) = stored else { return nil }
        self = value
    }

    package var stored: SQLiteValue { .text(self) }
}

extension [UInt8]: ColumnValue {
    package init?(_ stored: SQLiteValue) {
        guard case .blob(let value) = stored else { return nil }
        self = value
    }

    package var stored: SQLiteValue { .blob(self) }
}

extension Optional: ColumnValue where Wrapped: ColumnValue {
    package init?(_ stored: SQLiteValue) {
        if stored == .null {
            self = .none
            return
        }
        guard let value = Wrapped(stored) else { return nil }
        self = .some(value)
    }

    package var stored: SQLiteValue { map(\.stored) ?? .null }
}

extension ColumnValue where Self: RawRepresentable, RawValue: ColumnValue {
    package init?(_ stored: SQLiteValue) {
        guard let raw = RawValue(stored) else { return nil }
        self.init(rawValue: raw)
    }

    package var stored: SQLiteValue { rawValue.stored }
}
