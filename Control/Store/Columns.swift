import FoundationEssentials
package import SQLite
package import Units

extension ID: ColumnValue {
    package init?(_ stored: SQLiteValue) {
        guard case .text(let text) = stored else { return nil }
        self.init(text)
    }

    package var stored: SQLiteValue { .text(text) }
}

/// A value in a text column as JSON, with sorted keys, so that equal values are equal texts.
struct JSONColumn<Value: Codable & Sendable>: ColumnValue {
    let value: Value
    private let text: String

    init(_ value: Value) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.value = value
        text = String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    init?(_ stored: SQLiteValue) {
        // A column that cannot be read as its type becomes a `.mismatch` that names the column.
        guard case .text(let text) = stored, let value = try? JSONDecoder().decode(Value.self, from: Data(text.utf8)) else { return nil }
        self.value = value
        self.text = text
    }

    var stored: SQLiteValue { .text(text) }
}

/// Whether a text for people can be stored: not empty, not too long, without control characters.
func checked(_ text: String, _ field: String, upTo characters: Int = 200) throws(StoreError) -> String {
    guard text.isPlain, (1...characters).contains(text.count), text.utf8.count <= characters * 4, text.contains(where: { !$0.isWhitespace })
    else {
        throw .invalid(field: field, expected: "1 to \(characters) characters without control characters")
    }
    return text
}

/// A text from a peer, cut to what is stored of it; nothing refuses it.
func clipped(_ text: String, to characters: Int = 200) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.filter { !$0.isHostile }.prefix(characters)))
}
