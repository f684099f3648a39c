package import Units

/// How every message lies on the wire: `{"type":"telemetry","body":{…}}`.
///
/// A type that this version does not know decodes to `.unknown`, so that a newer peer can speak to an older one; the
/// reader counts it and goes on. A known type with a malformed body throws.
package protocol Message: Codable, Sendable {
    /// The types that this version knows, by their names on the wire; once shipped a name is never changed. `PROTOCOL.md`
    /// lists them all, and a test holds it to that.
    associatedtype Kind: RawRepresentable, CaseIterable, Sendable where Kind.RawValue == String
    var name: MessageName<Kind> { get }
    static func unknown(_ type: String) -> Self
    func encodeBody(to container: inout KeyedEncodingContainer<MessageKeys>) throws
    init(kind: Kind, body: KeyedDecodingContainer<MessageKeys>) throws
}

package enum MessageName<Kind: Sendable>: Sendable {
    case known(Kind)
    /// As a peer of another version sent it.
    case unknown(String)
}

package enum MessageKeys: String, CodingKey {
    case type, body
}

extension Message {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: MessageKeys.self)
        let type = try container.decode(String.self, forKey: .type)
        guard let kind = Kind(rawValue: type) else {
            self = Self.unknown(type)
            return
        }
        try self.init(kind: kind, body: container)
    }

    /// The name on the wire.
    package var type: String {
        switch name {
        case .known(let kind): kind.rawValue
        case .unknown(let type): type
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: MessageKeys.self)
        try container.encode(type, forKey: .type)
        try encodeBody(to: &container)
    }
}

/// A command that carries an id and is answered by exactly one `CommandOutcome` with the same id.
package struct Command<Order: Message>: Codable, Sendable {
    package var id: CommandID
    package var order: Order

    package init(id: CommandID, order: Order) {
        self.id = id
        self.order = order
    }
}

/// What became of a command.
package struct CommandOutcome: Codable, Sendable, Hashable {
    package var id: CommandID
    package var result: Result

    package enum Result: String, Codable, Sendable {
        /// Done, and observed to be done.
        case done
        /// Not done; nothing changed.
        case refused
        /// Begun and failed; what was begun was undone.
        case failed
    }

    /// The step at which it failed, by its stable name, e.g. `preflight.input`.
    package var step: String?
    /// A sentence for a person: what failed, on which thing, with the numbers. Text from a board: hostile.
    package var reason: String?
    /// The UDP port, where a lease was asked for and is done.
    package var port: Int?

    package init(id: CommandID, result: Result, step: String? = nil, reason: String? = nil, port: Int? = nil) {
        self.id = id
        self.result = result
        self.step = step
        self.reason = reason
        self.port = port
    }
}
