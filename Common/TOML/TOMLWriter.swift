extension TOMLTable {
    /// The document that parses to this table: values first, then tables under headers of their own.
    package var document: String {
        var text = ""
        write(into: &text, path: [])
        return text
    }

    private func write(into text: inout String, path: [String]) {
        for entry in entries where !entry.value.hasHeader { text += "\(TOMLValue.key(entry.key)) = \(entry.value.inline)\n" }
        for entry in entries where entry.value.hasHeader {
            let path = path + [entry.key]
            let name = path.map(TOMLValue.key).joined(separator: ".")
            switch entry.value {
            case .table(let table):
                text += text.isEmpty ? "[\(name)]\n" : "\n[\(name)]\n"
                table.write(into: &text, path: path)
            case .array(let values):
                for case .table(let table) in values {
                    text += text.isEmpty ? "[[\(name)]]\n" : "\n[[\(name)]]\n"
                    table.write(into: &text, path: path)
                }
            default: preconditionFailure("only tables have headers")
            }
        }
    }
}

extension TOMLValue {
    /// Whether it is written under a header: a table, or an array of nothing but tables.
    fileprivate var hasHeader: Bool {
        switch self {
        case .table: return true
        case .array(let values):
            return !values.isEmpty
                && values.allSatisfy {
                    if case .table = $0 { return true }
                    return false
                }
        default: return false
        }
    }

    fileprivate var inline: String {
        switch self {
        case .string(let text): Self.quoted(text)
        case .integer(let value): String(value)
        case .float(let value): Self.float(value)
        case .boolean(let value): value ? "true" : "false"
        case .date(let text): text
        case .array(let values): "[\(values.map(\.inline).joined(separator: ", "))]"
        case .table(let table):
            table.isEmpty ? "{}" : "{ \(table.entries.map { "\(Self.key($0.key)) = \($0.value.inline)" }.joined(separator: ", ")) }"
        }
    }

    fileprivate static func key(_ name: String) -> String {
        !name.isEmpty && name.utf8.allSatisfy(Cursor.isBare) ? name : quoted(name)
    }

    /// The shortest text that reads back as the same number, with the point or exponent that makes it a float.
    private static func float(_ value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        return "\(value)"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
