/// A text that must not reach a log or an error: it prints as dots and does not encode by itself.
package struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    package init(_ text: String) { self.text = text }

    /// The text itself, for the one place that needs it.
    package var revealed: String { text }

    package var isEmpty: Bool { text.isEmpty }
    package var description: String { "•••" }
    package var debugDescription: String { "•••" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// A secret that a message between our own processes has to carry: the field says so by its type.
package struct SecretOnWire: Hashable, Sendable, Codable, CustomStringConvertible {
    package let secret: Secret

    package init(_ secret: Secret) { self.secret = secret }

    package init(from decoder: any Decoder) throws {
        secret = Secret(try decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(secret.revealed)
    }

    package var description: String { secret.description }
}
