/// Any JSON value: what a request's body is before it is held against its schema.
enum JSONValue: Decodable, Sendable, Hashable {
    case null
    case flag(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])

    /// A value in a path, as its schema sees it.
    init(parameter: String) {
        self = Int(parameter).map { .integer($0) } ?? .text(parameter)
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {  // try?: each attempt that fails says it is of another kind
            self = .flag(flag)
        } else if let integer = try? container.decode(Int.self) {  // try?: as above
            self = .integer(integer)
        } else if let number = try? container.decode(Double.self) {  // try?: as above
            self = .number(number)
        } else if let text = try? container.decode(String.self) {  // try?: as above
            self = .text(text)
        } else if let list = try? container.decode([JSONValue].self) {  // try?: as above
            self = .list(list)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }
}
