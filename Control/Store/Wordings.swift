import SQLite
package import Wire

/// An organisation's own words over the catalogue of its pages (ORG-19). Which texts there are the pages know: what is named here and is no text of
/// theirs, because it is of another version, is shown by none.
package struct Wordings: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    package func all() async throws -> [WordingItem] { try await store.read { try $0.wording(in: scope) } }

    /// Changes what is given, all of it or nothing; an empty text is the catalogue's own again.
    ///
    /// - Returns: all of them as they are now.
    /// - Throws: `.invalid`, `.quota`.
    package func change(_ items: [WordingItem]) async throws -> [WordingItem] {
        for item in items { try item.check() }
        return try await store.write(.durable) { transaction in
            for item in items {
                try transaction.delete(from: .wordings, in: scope, where: "locale = \(item.locale.rawValue) AND key = \(item.key)")
                guard !item.text.isEmpty else { continue }
                try transaction.insert(
                    into: .wordings, in: scope,
                    ["locale": item.locale.rawValue, "key": item.key, "text": item.text, "changed_at": transaction.now])
            }
            let limit = store.quotas[.texts]
            guard try transaction.count(of: .wordings, in: scope, where: "TRUE") <= limit else {
                throw StoreError.quota(.texts, limit: limit)
            }
            let keys = items.map { "\($0.key) (\($0.locale.rawValue))" }.joined(separator: ", ")
            try transaction.note(.wordingChanged, scope.organization.text, detail: keys, in: scope)
            return try transaction.wording(in: scope)
        }
    }
}

extension ControlStore {
    package func wordings(in scope: OrganizationScope) -> Wordings { Wordings(store: self, scope: scope) }
}

extension WordingItem {
    fileprivate func check() throws {
        let isName = key.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || [45, 46, 95].contains(byte)
        }
        guard isName, (1...64).contains(key.utf8.count) else {
            throw StoreError.invalid(field: "wording.key", expected: "1 to 64 letters, digits, dots, hyphens and underscores")
        }
        guard locale != .automatic else { throw StoreError.invalid(field: "wording.locale", expected: "a language") }
        if !text.isEmpty { _ = try checked(text, "wording.text", upTo: 500) }
    }
}

private struct WordingRow: OrganizationRow {
    /// nil for a language that a newer program knows.
    let item: WordingItem?

    static var table: OrganizationTable { .wordings }

    init(_ row: borrowing Row) throws {
        let locale: String = try row["locale"]
        let (key, text): (String, String) = (try row["key"], try row["text"])
        item = PageLocale(rawValue: locale).map { WordingItem(locale: $0, key: key, text: text) }
    }
}

extension Transaction {
    fileprivate func wording(in scope: OrganizationScope) throws -> [WordingItem] {
        try rows(WordingRow.self, in: scope, order: "locale, key").compactMap(\.item)
    }
}
