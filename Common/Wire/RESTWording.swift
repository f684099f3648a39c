// Bodies of the REST API: texts of the pages in an organisation's own words. Shapes and limits: the OpenAPI document.

/// One text in one language, by its name in the web application's catalogue (`Control/Dashboard/text`).
package struct WordingItem: Codable, Sendable, Hashable {
    /// Not `auto`.
    package var locale: PageLocale
    package var key: String
    /// Text and nothing else. In a change empty: the catalogue's own.
    package var text: String

    package init(locale: PageLocale, key: String, text: String) {
        self.locale = locale
        self.key = key
        self.text = text
    }
}

/// `PATCH /organization/wording`: texts that it does not name stay.
package struct ChangeWordingRequest: Codable, Sendable {
    package var items: [WordingItem]

    package init(items: [WordingItem]) { self.items = items }
}
